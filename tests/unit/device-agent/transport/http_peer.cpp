#include "http_peer.hpp"

#include <sodium.h>

#include <algorithm>

#include "nimes/encoding.hpp"

namespace nimes::test {
namespace {

std::string decoded(const std::string& base64) {
    std::string out(base64.size(), '\0');
    std::size_t size = 0;
    sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), base64.data(), base64.size(), nullptr,
                      &size, nullptr, sodium_base64_VARIANT_ORIGINAL);
    out.resize(size);
    return out;
}

std::size_t number(const std::string& text) { return text.empty() ? 0 : std::stoul(text); }

}  // namespace

std::string HttpRequest::header(const std::string& name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? std::string() : at->second;
}
std::size_t HttpRequest::length() const { return number(header("content-length")); }

std::optional<HttpRequest> HttpPeer::head() {
    std::string text;
    ByteArray<1> byte{};
    while (!text.ends_with("\r\n\r\n")) {
        if (!stream_.exactly(byte)) return std::nullopt;
        text.push_back(static_cast<char>(byte[0]));
    }
    HttpRequest out;
    const auto end_of_line = text.find("\r\n");
    const auto first = text.find(' '), second = text.find(' ', first + 1);
    out.method = text.substr(0, first);
    out.path = text.substr(first + 1, second - first - 1);
    for (auto at = end_of_line + 2; at + 2 < text.size();) {
        const auto end = text.find("\r\n", at);
        const auto line = text.substr(at, end - at);
        const auto colon = line.find(':');
        auto name = line.substr(0, colon);
        std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
        out.headers[name] = colon + 2 <= line.size() ? line.substr(colon + 2) : "";
        at = end + 2;
    }
    return out;
}

Bytes HttpPeer::body(std::size_t n) {
    Bytes out(n);
    std::size_t got = 0;
    while (got < n) {
        const auto some = stream_.some(std::span(out).subspan(got));
        if (some == 0) break;
        got += some;
    }
    out.resize(got);
    return out;
}

std::optional<HttpRequest> HttpPeer::whole() {
    auto out = head();
    if (out) out->body = body(out->length());
    return out;
}

bool HttpPeer::answer(int status, const std::string& headers, std::string_view body) {
    std::string out = "HTTP/1.1 " + std::to_string(status) + " Status\r\n" + headers;
    if (status != 204 && headers.find("Content-Length") == std::string::npos)
        out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    out += "\r\n";
    out += body;
    return stream_.send(out);
}

TlsServer::Handler MediaGateway::handler() {
    return [this](Stream& stream, int) {
        HttpPeer peer(stream);
        while (auto request = peer.head())
            if (!serve(peer, std::move(*request))) return peer.cut();
    };
}

void MediaGateway::set(const Accidents& accidents) {
    const std::lock_guard lock(mutex_);
    accidents_ = accidents;
}
void MediaGateway::put(const std::string& path, Bytes bytes) {
    const std::lock_guard lock(mutex_);
    const auto size = bytes.size();
    uploads_[path] = {size, std::move(bytes)};
}
std::optional<Bytes> MediaGateway::finished(const std::string& path) {
    const std::lock_guard lock(mutex_);
    const auto at = uploads_.find(path);
    if (at == uploads_.end() || at->second.bytes.size() != at->second.length) return std::nullopt;
    return at->second.bytes;
}
std::vector<HttpRequest> MediaGateway::requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
}
std::size_t MediaGateway::largest_part() {
    const std::lock_guard lock(mutex_);
    return largest_part_;
}

bool MediaGateway::serve(HttpPeer& peer, HttpRequest request) {
    std::unique_lock lock(mutex_);
    requests_.push_back(request);
    if (accidents_.refuse > 0) {
        --accidents_.refuse;
        (void)peer.body(request.length());
        return peer.answer(accidents_.refuse_status, accidents_.refuse_headers);
    }
    if (request.method == "POST") return create(peer, request);
    if (request.method == "PATCH") return patch(peer, request);
    if (request.method == "HEAD") return ask(peer, request);
    return get(peer, request);
}

bool MediaGateway::lost(HttpPeer& peer) {
    if (accidents_.lose_answers == 0) return false;
    --accidents_.lose_answers;
    peer.cut();
    return true;
}

bool MediaGateway::create(HttpPeer& peer, const HttpRequest& request) {
    const auto id = decoded(request.header("upload-metadata").substr(3));
    const auto path = "/v1/media/" + to_hex(as_bytes(id));
    const bool fresh = uploads_.try_emplace(path, Upload{number(request.header("upload-length")), {}}).second;
    if (lost(peer)) return false;
    return fresh ? peer.answer(201, "Location: " + path + "\r\n") : peer.answer(409);
}

bool MediaGateway::patch(HttpPeer& peer, const HttpRequest& request) {
    const auto at = uploads_.find(request.path);
    const auto length = request.length();
    largest_part_ = std::max(largest_part_, length);
    if (at == uploads_.end()) {
        (void)peer.body(length);
        return peer.answer(404);
    }
    auto& bytes = at->second.bytes;
    if (number(request.header("upload-offset")) != bytes.size()) {
        (void)peer.body(length);
        return peer.answer(409, "Upload-Offset: " + std::to_string(bytes.size()) + "\r\n");
    }
    const bool cut = accidents_.cut_upload_after > 0 && accidents_.cut_upload_after < length;
    const auto got = peer.body(cut ? accidents_.cut_upload_after : length);
    bytes.insert(bytes.end(), got.begin(), got.end());
    if (cut || lost(peer)) return false;
    return peer.answer(204, "Upload-Offset: " + std::to_string(bytes.size()) + "\r\n");
}

bool MediaGateway::ask(HttpPeer& peer, const HttpRequest& request) {
    if (accidents_.forget_uploads > 0) {
        --accidents_.forget_uploads;
        uploads_.erase(request.path);
    }
    const auto at = uploads_.find(request.path);
    if (at == uploads_.end()) return peer.answer(404);
    return peer.answer(200, "Upload-Offset: " + std::to_string(at->second.bytes.size()) +
                                "\r\nUpload-Length: " + std::to_string(at->second.length) + "\r\n");
}

bool MediaGateway::get(HttpPeer& peer, const HttpRequest& request) {
    const auto at = uploads_.find(request.path);
    if (at == uploads_.end()) return peer.answer(404);
    const auto& bytes = at->second.bytes;
    const auto range = request.header("range");
    const bool partial = !range.empty() && !accidents_.no_ranges;
    const auto from = partial ? number(range.substr(6)) : 0;
    const auto dash = range.find('-');
    const bool ends = partial && dash != std::string::npos && dash + 1 < range.size();
    const auto end = ends ? std::min(number(range.substr(dash + 1)) + 1, bytes.size()) : bytes.size();
    const auto part = as_text(ByteView(bytes).first(end).subspan(std::min(from, end)));
    std::string headers = "Content-Length: " + std::to_string(part.size()) + "\r\n";
    if (partial)
        headers += "Content-Range: bytes " + std::to_string(from) + "-" + std::to_string(end - 1) + "/" +
                   std::to_string(bytes.size()) + "\r\n";
    const bool cut = accidents_.cut_download_after > 0 && accidents_.cut_download_after < part.size();
    return peer.answer(partial ? 206 : 200, headers, cut ? part.substr(0, accidents_.cut_download_after) : part) &&
           !cut;
}

}  // namespace nimes::test
