// Clients for the server's tests: libcurl for good requests, a plain socket for everything else. Waiting is for
// conditions, with a limit that is generous and never measured.
#pragma once

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "http/server.hpp"

namespace web {

using namespace nimes;
using namespace nimes::gateway::http;
using std::chrono::milliseconds;

struct Answer {
    CURLcode result = CURLE_OK;
    long status = 0;
    std::string headers;
    std::string body;
    [[nodiscard]] bool has(const std::string& line) const { return headers.find(line + "\r\n") != std::string::npos; }
};

struct Ask {
    std::string method = "GET";
    std::vector<std::string> headers = {};
    std::string body = {};
    std::string unix_socket = {};
    std::string ca_file = {};
};

inline std::size_t append(char* data, std::size_t size, std::size_t n, void* out) {
    static_cast<std::string*>(out)->append(data, size * n);
    return size * n;
}

inline Answer fetch(const std::string& url, const Ask& ask = {}) {
    const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
    auto* c = curl.get();
    Answer out;
    curl_slist* raw = nullptr;
    for (const auto& header : ask.headers) raw = curl_slist_append(raw, header.c_str());
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> list(raw, curl_slist_free_all);
    curl_easy_setopt(c, CURLOPT_URL, url.c_str());
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, ask.method.c_str());
    if (ask.method == "HEAD") curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, list.get());
    curl_easy_setopt(c, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    if (!ask.body.empty()) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(ask.body.size()));
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, ask.body.data());
    }
    if (!ask.unix_socket.empty()) curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, ask.unix_socket.c_str());
    if (!ask.ca_file.empty()) curl_easy_setopt(c, CURLOPT_CAINFO, ask.ca_file.c_str());
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &out.body);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, append);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, &out.headers);
    out.result = curl_easy_perform(c);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out.status);
    return out;
}

// A TCP connection that sends what it is told and reads to the end.
class Raw {
  public:
    explicit Raw(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        timeval limit{30, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    }
    Raw(const Raw&) = delete;
    Raw& operator=(const Raw&) = delete;
    ~Raw() { ::close(fd_); }

    // False when the server has gone.
    bool send(std::string_view text) const {
        while (!text.empty()) {
            const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    // "" when the other side has closed and nothing is left.
    [[nodiscard]] std::string some() const {
        char buffer[4096];
        const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
        return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
    }
    [[nodiscard]] std::string rest() const {
        std::string out;
        for (auto part = some(); !part.empty(); part = some()) out += part;
        return out;
    }
    // Reads until `end` has come.
    [[nodiscard]] std::string until(std::string_view end) const {
        std::string out;
        while (out.find(end) == std::string::npos) {
            const auto part = some();
            if (part.empty()) break;
            out += part;
        }
        return out;
    }
    void close_sending() const { ::shutdown(fd_, SHUT_WR); }

  private:
    int fd_;
};

inline bool wait_for(const std::function<bool()>& condition) {
    for (int i = 0; i < 3'000 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(10));
    return condition();
}

// Tokens are 160 times one letter; each letter is a device; devices named in `revoked` are refused.
struct Letters final : Authoriser {
    Result<Caller> authorise(std::string_view token) override {
        if (on_call) on_call();
        const auto device = device_of(token[0]);
        if (revoked == token[0]) return fail(Errc::device_revoked);
        return Caller{UserId::from(device.view()), device};  // each of another person
    }
    static DeviceId device_of(char letter) {
        DeviceId out;
        out.bytes.fill(static_cast<std::uint8_t>(letter));
        return out;
    }
    static std::string header(char letter) { return "Authorization: Bearer " + std::string(160, letter); }
    std::atomic<char> revoked = 0;
    std::function<void()> on_call;
};

// A server with a plain listener on a port of the kernel's choice.
struct Site {
    explicit Site(ServerOptions options = {}, ServerHooks hooks = {}) : server(options, &letters, std::move(hooks)) {}
    void start() {
        port = server.listen({}, router).value();
        REQUIRE(server.start());
    }
    [[nodiscard]] std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(port) + path;
    }
    Letters letters;
    Router router;
    Server server;
    std::uint16_t port = 0;
};

}  // namespace web
