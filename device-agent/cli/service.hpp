// What the command line asks of the engine: a verb with arguments in, lines of JSON and a last one out (VERBS.md).
//
// One interface for two sides: the process that owns the home answers with EngineService, every other process asks it
// through the home's socket. Threads: call() from several at once, one for each client.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <stop_token>

#include "nimes/crypto.hpp"

namespace nimes::agent::cli {

using Json = nlohmann::json;

struct Request {
    std::string id;  // 32 hex digits, made by who asks: a repeat is recognised by it
    std::string verb;
    Json arguments = Json::object();
};

// A line before the last: an event of watch, progress of an upload.
using Emit = std::function<void(const Json&)>;

// Wiped when it dies.
class Passphrase {
  public:
    Passphrase() = default;
    explicit Passphrase(std::string&& text) : text_(text) { sodium_memzero(text.data(), text.size()); }
    Passphrase(const Passphrase&) = delete;
    Passphrase& operator=(const Passphrase&) = delete;
    Passphrase(Passphrase&& other) noexcept : text_(other.text_) { other.wipe(); }  // a short one moves by copying
    Passphrase& operator=(Passphrase&&) = delete;
    ~Passphrase() { wipe(); }
    [[nodiscard]] ByteView view() const { return as_bytes(text_); }
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    void wipe() { sodium_memzero(text_.data(), text_.size()); }
    std::string text_;
};

class Service {
  public:
    virtual ~Service() = default;
    virtual Result<Json> call(const Request& request, const Emit& emit, const std::stop_token& stop) = 0;
    // Is this the passphrase that the home was opened with?
    virtual Result<void> check(const Passphrase& passphrase) = 0;
};

}  // namespace nimes::agent::cli
