#include "connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace nimes::load {
namespace {

constexpr std::size_t kReadAtOnce = 64 * 1024;

bool address_of(const std::string& host, std::uint16_t port, sockaddr_in& out) {
    out = {};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    return inet_pton(AF_INET, host.c_str(), &out.sin_addr) == 1;
}

// Binding without a port leaves the port to connect(): many connections from one address, one port each per server.
bool bind_source(int fd, const std::string& source) {
    const int on = 1;
    sockaddr_in from{};
    return setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0 && address_of(source, 0, from) &&
           bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0;
}

ByteArray<kReadAtOnce>& scratch() {
    static thread_local ByteArray<kReadAtOnce> bytes{};
    return bytes;
}

}  // namespace

Result<TlsContext> make_tls(const std::string& ca_file) {
    TlsContext out(SSL_CTX_new(TLS_client_method()));
    if (!out || SSL_CTX_load_verify_locations(out.get(), ca_file.c_str(), nullptr) != 1)
        return fail(Errc::bad_config, "the CA file cannot be read");
    SSL_CTX_set_verify(out.get(), SSL_VERIFY_PEER, nullptr);
    // Ten thousand idle connections: no buffers between records, no session kept.
    SSL_CTX_set_mode(out.get(),
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(out.get(), SSL_SESS_CACHE_OFF);
    return out;
}

Connection::Connection(Loop& loop, SSL_CTX* tls, Events& events, Traffic& traffic)
    : loop_(loop), tls_(tls), events_(events), traffic_(traffic) {}

Connection::~Connection() { drop(); }

Result<void> Connection::open(const Endpoint& to) {
    in_.clear();
    out_.clear();
    sent_ = 0;
    wanted_ = 0;
    sockaddr_in at{};
    if (!address_of(to.host, to.port, at)) return fail(Errc::bad_config, "a broker's host is a dotted address");
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return fail(Errc::unavailable, std::string("socket: ") + std::strerror(errno));
    if (!to.source.empty() && !bind_source(fd_, to.source)) return fail(Errc::bad_config, "the source address");
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (tls_ != nullptr) {
        ssl_.reset(SSL_new(tls_));
        SSL_set_fd(ssl_.get(), fd_);
        SSL_set_connect_state(ssl_.get());
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), to.host.c_str());
    }
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 && errno != EINPROGRESS)
        return fail(Errc::unavailable, std::string("connect: ") + std::strerror(errno));
    want(EPOLLOUT);
    return {};
}

void Connection::want(std::uint32_t events) {
    if (events == wanted_) return;
    wanted_ = events;
    loop_.watch(fd_, events, *this);
}

void Connection::drop() {
    if (fd_ < 0) return;
    loop_.forget(fd_, *this);
    ssl_.reset();
    const linger hard{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd_);
    fd_ = -1;
    open_ = flush_queued_ = false;
}

void Connection::end(const std::string& why) {
    if (fd_ < 0) return;
    drop();
    events_.on_closed(why);
}

void Connection::ready(std::uint32_t events) {
    if (!open_) return advance();
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) read();
    if (fd_ >= 0 && (events & EPOLLOUT)) flush();
}

void Connection::advance() {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return end(std::string("connect: ") + std::strerror(error));
    if (ssl_) {
        const int done = SSL_do_handshake(ssl_.get());
        if (done != 1) {
            const int why = SSL_get_error(ssl_.get(), done);
            if (why == SSL_ERROR_WANT_READ) return want(EPOLLIN);
            if (why == SSL_ERROR_WANT_WRITE) return want(EPOLLOUT);
            ERR_clear_error();
            return end("the TLS handshake failed");
        }
    }
    open_ = true;
    want(EPOLLIN);
    events_.on_open();
}

void Connection::read() {
    auto& bytes = scratch();
    std::string ended;  // what came before the end is still heard
    for (;;) {
        ssize_t got = 0;
        if (ssl_) {
            const int n = SSL_read(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
            if (n <= 0) {
                const int why = SSL_get_error(ssl_.get(), n);
                if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) break;
                ERR_clear_error();
                ended = "closed by the broker";
                break;
            }
            got = n;
        } else {
            got = recv(fd_, bytes.data(), bytes.size(), 0);
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
            if (got <= 0) {
                ended = got == 0 ? "closed by the broker" : std::strerror(errno);
                break;
            }
        }
        traffic_.bytes_in += static_cast<std::uint64_t>(got);
        in_.insert(in_.end(), bytes.begin(), bytes.begin() + got);
        if (!ssl_ && static_cast<std::size_t>(got) < bytes.size()) break;
    }
    frames();
    if (!ended.empty()) end(ended);
}

void Connection::frames() {
    std::size_t at = 0;
    while (fd_ >= 0) {
        const auto frame = mqtt::next_frame(ByteView(in_).subspan(at));
        if (!frame) return end("not MQTT: " + frame.error().detail);
        if (!*frame) break;
        events_.on_frame(**frame);
        at += (*frame)->size;
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(std::min(at, in_.size())));
    if (in_.empty() && in_.capacity() > 4'096) in_ = {};
}

void Connection::flush_later() {
    if (flush_queued_ || fd_ < 0) return;
    flush_queued_ = true;
    loop_.at_end_of_pass(*this);
}

void Connection::end_of_pass() {
    flush_queued_ = false;
    if (open_) flush();
}

void Connection::flush() {
    while (sent_ < out_.size()) {
        const auto left = out_.size() - sent_;
        ssize_t took = 0;
        if (ssl_) {
            took = SSL_write(ssl_.get(), out_.data() + sent_, static_cast<int>(std::min<std::size_t>(left, 1 << 20)));
            const int why = took > 0 ? 0 : SSL_get_error(ssl_.get(), static_cast<int>(took));
            if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return want(EPOLLIN | EPOLLOUT);
            if (took <= 0) {
                ERR_clear_error();
                return end("TLS write");
            }
        } else {
            took = ::send(fd_, out_.data() + sent_, left, MSG_NOSIGNAL);
            if (took < 0 && (errno == EAGAIN || errno == EINTR)) return want(EPOLLIN | EPOLLOUT);
            if (took < 0) return end(std::strerror(errno));
        }
        sent_ += static_cast<std::size_t>(took);
        traffic_.bytes_out += static_cast<std::uint64_t>(took);
    }
    sent_ = 0;
    if (out_.capacity() > 16'384) out_ = {};
    else out_.clear();
    want(EPOLLIN);
}

}  // namespace nimes::load
