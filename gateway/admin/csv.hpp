// A roster in a CSV file (RFC 4180).
//
//   address,name,rank,unit
//   a.meyer@police.example,"Meyer, Anna",PHK,Celle
//
// UTF-8, with or without a byte order mark; lines end with LF or CRLF; separator comma or semicolon, as the header
// says. Columns by their header names, in any order; `address`, `name` and `unit` are needed. One thread. Ownership:
// the text must outlive it. Errors: Errc::bad_roster_line with the number of a line, too_large.
#pragma once

#include <string_view>
#include <vector>

#include "admin/roster_source.hpp"

namespace nimes::gateway::admin {

inline constexpr std::size_t kMaxRosterBytes = 16 * 1024 * 1024;

// The fields of each record with the line it begins on; Errc::bad_roster_line for broken quotes.
struct CsvRecord {
    std::size_t line = 0;
    std::vector<std::string> fields;
};
Result<std::vector<CsvRecord>> parse_csv(std::string_view text);

class CsvRoster final : public RosterSource {
  public:
    explicit CsvRoster(std::string_view text) : text_(text) {}
    [[nodiscard]] std::string name() const override;
    Result<std::optional<RosterRow>> next() override;

  private:
    struct Columns {
        std::size_t address = 0, name = 0, unit = 0;
        std::optional<std::size_t> rank;
        std::size_t count = 0;
    };
    Result<void> begin();
    static Result<Columns> read_header(const CsvRecord& header);

    std::string_view text_;
    std::vector<CsvRecord> records_;
    Columns columns_;
    std::size_t at_ = 0;  // 0: not begun; the header is record 0
};

}  // namespace nimes::gateway::admin
