// HOME/agent.sock: how processes of one person share one home. JSON lines over a Unix socket of mode 0600; the other
// end must be of the same user (SO_PEERCRED), and must know the passphrase.
//
// Paths may be longer than sun_path: the socket is reached through /proc/self/fd. Threads: a Channel from one at a
// time, but close_both() from any. Errors: Errc::unavailable (nobody listens), busy, too_large (a line over
// kLineLimit), forbidden.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "nimes/error.hpp"

namespace nimes::agent::cli {

class Channel {
  public:
    explicit Channel(int fd) : fd_(fd) {}
    Channel(Channel&& other) noexcept;
    Channel& operator=(Channel&& other) noexcept;
    ~Channel();

    Result<void> write_line(const std::string& line);
    // nullopt: the other end is gone.
    Result<std::optional<std::string>> read_line();
    void close_both();
    // True once the other end has gone; waits at most `ms`.
    [[nodiscard]] bool gone(int ms) const;

  private:
    int fd_ = -1;
    std::string buffer_;
};

class Listener {
  public:
    static Result<Listener> open(const std::filesystem::path& home);
    Listener(Listener&& other) noexcept;
    Listener& operator=(Listener&&) = delete;
    ~Listener();  // removes the socket

    // nullopt after `ms`; clients of other users are turned away here.
    Result<std::optional<Channel>> accept(int ms);
    void close();

  private:
    Listener(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}
    std::filesystem::path path_;
    int fd_ = -1;
};

Result<Channel> connect_to(const std::filesystem::path& home);

}  // namespace nimes::agent::cli
