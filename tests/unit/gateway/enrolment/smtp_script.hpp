// An SMTP server that says what a test wants it to say, offers a login in clear, and keeps what it was told.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace nimes::gateway::enrolment::test {

class SmtpScript {
  public:
    SmtpScript() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) == 0);
        REQUIRE(::listen(listener_, 8) == 0);
        REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
        url = "smtp://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
        thread_ = std::thread([this] { serve(); });
    }
    SmtpScript(const SmtpScript&) = delete;
    SmtpScript& operator=(const SmtpScript&) = delete;
    // After the mailer: a connection that stays open would be waited for.
    ~SmtpScript() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }

    void answer_rcpt(std::string reply) {
        const std::lock_guard lock(mutex_);
        rcpt_ = std::move(reply);
    }
    // Commands that began so, in order.
    [[nodiscard]] std::vector<std::string> heard(const std::string& verb) const {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> out;
        std::copy_if(lines_.begin(), lines_.end(), std::back_inserter(out),
                     [&](const std::string& line) { return line.starts_with(verb); });
        return out;
    }
    [[nodiscard]] int sessions_ended() const {
        const std::lock_guard lock(mutex_);
        return ended_;
    }

    std::string url;

  private:
    void serve() {
        for (;;) {
            const int fd = ::accept(listener_, nullptr, nullptr);
            if (fd < 0) return;
            session(fd);
            ::close(fd);
            const std::lock_guard lock(mutex_);
            ++ended_;
        }
    }
    void session(int fd) {
        say(fd, "220 script");
        bool in_mail = false;
        std::string buffer, line;
        while (next_line(fd, buffer, line)) {
            if (in_mail) {
                in_mail = line != ".";
                if (!in_mail) say(fd, "250 kept");
                continue;
            }
            say(fd, reply(line));
            if (line == "QUIT") return;
            in_mail = line == "DATA";
        }
    }
    std::string reply(const std::string& line) {
        const std::lock_guard lock(mutex_);
        lines_.push_back(line);
        if (line.starts_with("EHLO")) return "250-script\r\n250 AUTH PLAIN LOGIN";
        if (line.starts_with("AUTH")) return "235 welcome";
        if (line.starts_with("RCPT")) return rcpt_;
        return line == "DATA" ? "354 go on" : line == "QUIT" ? "221 bye" : "250 ok";
    }
    static void say(int fd, const std::string& text) {
        const auto line = text + "\r\n";
        (void)::send(fd, line.data(), line.size(), MSG_NOSIGNAL);
    }
    static bool next_line(int fd, std::string& buffer, std::string& line) {
        for (auto end = buffer.find("\r\n");; end = buffer.find("\r\n")) {
            if (end != std::string::npos) {
                line = buffer.substr(0, end);
                buffer.erase(0, end + 2);
                return true;
            }
            char bytes[1024];
            const auto n = ::recv(fd, bytes, sizeof bytes, 0);
            if (n <= 0) return false;
            buffer.append(bytes, static_cast<std::size_t>(n));
        }
    }

    const int listener_;
    mutable std::mutex mutex_;
    std::string rcpt_ = "250 ok";
    std::vector<std::string> lines_;
    int ended_ = 0;
    std::thread thread_;
};

}  // namespace nimes::gateway::enrolment::test
