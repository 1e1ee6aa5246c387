#include "cli/terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <iostream>

namespace nimes::agent::cli {
namespace {

constexpr std::size_t kLongest = 1'024;
constexpr int kLookMs = 100;

Millis steady() {
    return static_cast<Millis>(
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count());
}

// Byte by byte, so that nothing behind the line is taken; looks for `stop` while nothing comes.
Result<std::string> read_line(int fd, const std::stop_token& stop) {
    std::string out;
    out.reserve(kLongest);  // no copies left behind by growing
    while (out.size() < kLongest) {
        pollfd ready{fd, POLLIN, 0};
        const int some = ::poll(&ready, 1, kLookMs);
        if (stop.stop_requested()) return fail(Errc::usage, "interrupted");
        if (some == 0 || (some < 0 && errno == EINTR)) continue;
        char c = 0;
        const auto n = ::read(fd, &c, 1);
        if (n < 0) return fail(Errc::usage, "an answer cannot be read");
        if (n == 0 && out.empty()) return fail(Errc::usage, "there is no line to read");
        if (n == 0 || c == '\n') return out;
        out += c;
    }
    return fail(Errc::usage, "an answer has less than 1,024 bytes");
}

// The terminal that this process belongs to, without echo as long as this lives.
class SilentTerminal {
  public:
    SilentTerminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
        if (fd_ < 0 || ::tcgetattr(fd_, &before_) != 0) return;
        auto now = before_;
        now.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        silent_ = ::tcsetattr(fd_, TCSAFLUSH, &now) == 0;
    }
    ~SilentTerminal() {
        if (silent_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
        if (fd_ >= 0) ::close(fd_);
    }
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;

    // Only a terminal that keeps the secret to itself is asked on.
    [[nodiscard]] bool usable() const { return silent_; }
    Result<std::string> ask(std::string_view prompt, const std::stop_token& stop) const {
        say(prompt);
        auto line = read_line(fd_, stop);
        say("\n");
        return line;
    }

  private:
    void say(std::string_view text) const {
        if (::write(fd_, text.data(), text.size()) < 0) return;  // who cannot see the prompt can still type
    }

    int fd_;
    termios before_{};
    bool silent_ = false;
};

}  // namespace

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

Result<Passphrase> read_passphrase(int descriptor, bool twice, const std::stop_token& stop) {
    if (descriptor >= 0) {
        auto line = read_line(descriptor, stop);
        if (!line) return pass(line);
        return Passphrase(std::move(*line));
    }
    const SilentTerminal terminal;
    if (!terminal.usable()) return fail(Errc::usage, "no terminal to ask on: give --passphrase-fd N");
    auto first = terminal.ask(twice ? "New passphrase: " : "Passphrase: ", stop);
    if (!first) return pass(first);
    Passphrase out(std::move(*first));
    if (!twice) return out;
    auto second = terminal.ask("Once more: ", stop);
    if (!second) return pass(second);
    const Passphrase again(std::move(*second));
    if (out.text() != again.text()) return fail(Errc::usage, "the two passphrases differ");
    return out;
}

Result<std::string> ask_line(const std::string& prompt, const std::stop_token& stop) {
    std::cerr << prompt << std::flush;
    return read_line(STDIN_FILENO, stop);
}

void ProgressBar::show(std::uint64_t done, std::uint64_t total) {
    if (!is_terminal(STDERR_FILENO) || total == 0) return;
    const auto now = steady();
    if (!open_) {
        began_ = now;
        first_ = done;
        open_ = true;
    }
    if (now < drawn_ + 100 && done < total) return;
    drawn_ = now;
    const auto seconds = static_cast<double>(now - began_) / 1'000.0;
    const auto rate = seconds > 0.2 ? static_cast<double>(done - first_) / seconds : 0.0;
    const auto left = rate > 0 ? static_cast<double>(total - done) / rate : 0.0;
    std::fprintf(stderr, "\r%3.0f %%  %.1f of %.1f MB  %.2f MB/s  %.0f s left   ",
                 100.0 * static_cast<double>(done) / static_cast<double>(total), static_cast<double>(done) / 1e6,
                 static_cast<double>(total) / 1e6, rate / 1e6, left);
    std::fflush(stderr);
}

ProgressBar::~ProgressBar() {
    if (open_) std::fputc('\n', stderr);
}

}  // namespace nimes::agent::cli
