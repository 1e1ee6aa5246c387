#include "cli/terminal.hpp"

#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <iostream>

namespace nimes::agent::cli {
namespace {

constexpr std::size_t kLongest = 1'024;

Millis steady() {
    return static_cast<Millis>(
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count());
}

Result<std::string> read_secret_line(int fd) {
    std::string out;
    out.reserve(kLongest);  // no copies left behind by growing
    for (char c = 0; out.size() < kLongest;) {
        const auto n = ::read(fd, &c, 1);
        if (n < 0) return fail(Errc::usage, "the passphrase cannot be read");
        if (n == 0 || c == '\n') return out;
        out += c;
    }
    return fail(Errc::usage, "a passphrase has at most 1,024 bytes");
}

// Echo off as long as it lives.
struct Silence {
    Silence() {
        silent = ::tcgetattr(STDIN_FILENO, &before) == 0;
        auto now = before;
        now.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        if (silent) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &now);
    }
    ~Silence() {
        if (silent) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        std::cerr << '\n';
    }
    termios before{};
    bool silent = false;
};

Result<std::string> prompt_secret(const char* prompt) {
    std::cerr << prompt << std::flush;
    const Silence silence;
    return read_secret_line(STDIN_FILENO);
}

}  // namespace

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

Result<Passphrase> read_passphrase(int descriptor, bool twice) {
    if (descriptor >= 0) {
        auto line = read_secret_line(descriptor);
        if (!line) return pass(line);
        return Passphrase(std::move(*line));
    }
    if (!is_terminal(STDIN_FILENO)) return fail(Errc::usage, "no terminal to ask on: give --passphrase-fd N");
    auto first = prompt_secret(twice ? "New passphrase: " : "Passphrase: ");
    if (!first) return pass(first);
    Passphrase out(std::move(*first));
    if (!twice) return out;
    auto second = prompt_secret("Once more: ");
    if (!second) return pass(second);
    const Passphrase again(std::move(*second));
    if (out.text() != again.text()) return fail(Errc::usage, "the two passphrases differ");
    return out;
}

Result<std::string> ask_line(const std::string& prompt) {
    std::cerr << prompt << std::flush;
    std::string out;
    if (!std::getline(std::cin, out)) return fail(Errc::usage, "no line on standard input");
    return out;
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
