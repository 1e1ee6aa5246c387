// The server's side of HTTP/1.1, request by request, and a gateway's media made of it.
#pragma once

#include <map>
#include <optional>

#include "tls_server.hpp"

namespace nimes::test {

struct HttpRequest {
    std::string method, path;
    std::map<std::string, std::string> headers;  // names in lower case
    Bytes body;                                  // empty unless asked for
    [[nodiscard]] std::string header(const std::string& name) const;
    [[nodiscard]] std::size_t length() const;
};

class HttpPeer {
  public:
    explicit HttpPeer(Stream& stream) : stream_(stream) {}
    // The head alone; nullopt when the client has gone.
    std::optional<HttpRequest> head();
    // Up to `n` bytes of the body; fewer when the client goes.
    Bytes body(std::size_t n);
    std::optional<HttpRequest> whole();
    bool answer(int status, const std::string& headers = {}, std::string_view body = {});
    bool raw(std::string_view text) { return stream_.send(text); }
    void cut() { stream_.cut(); }

  private:
    Stream& stream_;
};

// tus and Range as the gateway has them, with accidents to order. Threads: made by one, used by the server's.
class MediaGateway {
  public:
    struct Accidents {
        std::size_t cut_upload_after = 0;    // bytes of each part that arrive before the connection breaks
        int lose_answers = 0;                // so many POST and PATCH are done and their answers cut
        std::size_t cut_download_after = 0;  // bytes of each answer that leave before the connection breaks
        int refuse = 0;                      // so many requests are answered with refuse_status
        int refuse_status = 503;
        std::string refuse_headers;
        bool no_ranges = false;
        int forget_uploads = 0;  // so many times a half-done upload is gone when asked for
    };
    TlsServer::Handler handler();
    void set(const Accidents& accidents);
    void put(const std::string& path, Bytes bytes);
    [[nodiscard]] std::optional<Bytes> finished(const std::string& path);
    [[nodiscard]] std::vector<HttpRequest> requests();
    [[nodiscard]] std::size_t largest_part();

  private:
    struct Upload {
        std::size_t length = 0;
        Bytes bytes;
    };
    bool serve(HttpPeer& peer, HttpRequest request);
    bool create(HttpPeer& peer, const HttpRequest& request);
    bool patch(HttpPeer& peer, const HttpRequest& request);
    bool ask(HttpPeer& peer, const HttpRequest& request);
    bool get(HttpPeer& peer, const HttpRequest& request);
    bool lost(HttpPeer& peer);

    std::mutex mutex_;
    Accidents accidents_;
    std::map<std::string, Upload> uploads_;
    std::vector<HttpRequest> requests_;
    std::size_t largest_part_ = 0;
};

}  // namespace nimes::test
