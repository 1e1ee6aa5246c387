#include "admin/csv.hpp"

#include <map>

#include "nimes/crypto.hpp"
#include "nimes/encoding.hpp"

namespace nimes::gateway::admin {
namespace {

constexpr std::size_t kMaxFields = 32;

char separator_of(std::string_view text) {
    const auto header = text.substr(0, text.find('\n'));
    return header.find(';') != std::string_view::npos ? ';' : ',';
}

std::string lower(std::string text) {
    for (auto& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

// One record from `at`, which moves behind it.
class RecordReader {
  public:
    RecordReader(std::string_view text, char separator) : text_(text), separator_(separator) {}

    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }

    Result<CsvRecord> next() {
        CsvRecord out{line_, {}};
        for (;;) {
            auto field = at_ < text_.size() && text_[at_] == '"' ? quoted() : plain();
            if (!field) return pass(field);
            out.fields.push_back(std::move(*field));
            if (out.fields.size() > kMaxFields) return wrong("too many fields");
            if (at_end()) return out;
            const char c = text_[at_++];
            if (c == separator_) continue;
            if (c == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
            ++line_;
            return out;
        }
    }

  private:
    Result<std::string> plain() {
        const auto from = at_;
        while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n' && text_[at_] != '\r') {
            if (text_[at_] == '"') return wrong("a quotation mark inside a field that is not quoted");
            ++at_;
        }
        return std::string(text_.substr(from, at_ - from));
    }

    Result<std::string> quoted() {
        std::string out;
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\n') ++line_;
            if (text_[at_] != '"') {
                out += text_[at_];
            } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
                out += text_[++at_];
            } else {
                ++at_;
                if (!at_end() && text_[at_] != separator_ && text_[at_] != '\n' && text_[at_] != '\r')
                    return wrong("something follows a closing quotation mark");
                return out;
            }
        }
        return wrong("a quotation mark is not closed");
    }

    tl::unexpected<Error> wrong(const char* what) const {
        return fail(Errc::bad_roster_line, "line " + std::to_string(line_) + ": " + what);
    }

    std::string_view text_;
    char separator_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
};

}  // namespace

Result<std::vector<CsvRecord>> parse_csv(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    RecordReader reader(text, separator_of(text));
    std::vector<CsvRecord> out;
    while (!reader.at_end()) {
        auto record = reader.next();
        if (!record) return pass(record);
        const bool blank = record->fields.size() == 1 && record->fields[0].empty();
        if (!blank) out.push_back(std::move(*record));
    }
    return out;
}

std::string CsvRoster::name() const { return "csv sha256 " + to_hex(sha256({as_bytes(text_)}).view()); }

Result<CsvRoster::Columns> CsvRoster::read_header(const CsvRecord& header) {
    std::map<std::string, std::size_t> at;
    for (std::size_t i = 0; i < header.fields.size(); ++i)
        if (!at.emplace(lower(header.fields[i]), i).second)
            return fail(Errc::bad_roster_line, "line 1: a column is named twice");
    for (const auto* needed : {"address", "name", "unit"})
        if (!at.contains(needed)) return fail(Errc::bad_roster_line, std::string("line 1: no column ") + needed);
    Columns out{at["address"], at["name"], at["unit"], {}, header.fields.size()};
    if (const auto rank = at.find("rank"); rank != at.end()) out.rank = rank->second;
    return out;
}

Result<void> CsvRoster::begin() {
    if (text_.size() > kMaxRosterBytes) return fail(Errc::too_large, "a roster has at most 16 MiB");
    auto records = parse_csv(text_);
    if (!records) return pass(records);
    if (records->empty()) return fail(Errc::bad_roster_line, "line 1: no header");
    const auto columns = read_header(records->front());
    if (!columns) return fail(columns.error().code, columns.error().detail);
    columns_ = *columns;
    records_ = std::move(*records);
    at_ = 1;
    return {};
}

Result<std::optional<RosterRow>> CsvRoster::next() {
    if (at_ == 0)
        if (auto ok = begin(); !ok) return pass(ok);
    if (at_ >= records_.size()) return std::optional<RosterRow>();
    const auto& record = records_[at_++];
    RosterRow out;
    out.where = "line " + std::to_string(record.line);
    if (record.fields.size() != columns_.count) {
        out.fault = "not as many fields as the header";
        return std::optional(std::move(out));
    }
    out.address = record.fields[columns_.address];
    out.name = record.fields[columns_.name];
    out.unit = record.fields[columns_.unit];
    if (columns_.rank) out.rank = record.fields[*columns_.rank];
    return std::optional(std::move(out));
}

}  // namespace nimes::gateway::admin
