// The log: one JSON object a line, {"ts":"2026-11-23T14:05:06.789Z","level":"info","event":"mail_sent","code":"ERR_…"}.
//
//   log.info("store_opened", {{"families", 8}, {"seconds", 0.2}});
//   log.warning("mail_failed", {{"code", error.row().name}, {"attempt", 3}});
//
// The event is a stable name, snake_case; fields are what a program can count. Never user data: no address, name, text,
// file name, key, token, and no device or user id. `error` is for faults of ours alone; each is counted by on_error.
// Threads: all from any thread; a line is written whole. Text that is not UTF-8 is replaced, never refused.
#pragma once

#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <string_view>
#include <type_traits>
#include <variant>

#include "nimes/time.hpp"

namespace nimes::gateway::operations {

enum class Level : std::uint8_t { debug, info, warning, error };

struct Field {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

    Field(std::string_view k, std::string_view v) : key(k), value(v) {}
    Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
    Field(std::string_view k, bool v) : key(k), value(v) {}
    template <class Number>
    requires(std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>) Field(std::string_view k, Number v)
        : key(k) {
        if constexpr (std::is_floating_point_v<Number>) value = static_cast<double>(v);
        else if constexpr (std::is_signed_v<Number>) value = static_cast<std::int64_t>(v);
        else value = static_cast<std::uint64_t>(v);
    }
};
using Fields = std::initializer_list<Field>;

class Log {
  public:
    // To standard error. The clock must outlive the log.
    explicit Log(const Clock& clock, Level threshold = Level::info);
    // To `out`, for tests.
    Log(const Clock& clock, Level threshold, std::ostream& out);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void debug(std::string_view event, Fields fields = {}) { write(Level::debug, event, fields); }
    void info(std::string_view event, Fields fields = {}) { write(Level::info, event, fields); }
    void warning(std::string_view event, Fields fields = {}) { write(Level::warning, event, fields); }
    void error(std::string_view event, Fields fields = {}) { write(Level::error, event, fields); }

    void set_threshold(Level threshold);
    // Called once for each line of level error; set it before other threads log.
    void on_error(std::function<void()> count);

  private:
    void write(Level level, std::string_view event, Fields fields);
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::gateway::operations
