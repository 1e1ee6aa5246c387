#include "tls_server.hpp"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

namespace nimes::test {

Folder::Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "nimes-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
}
Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
Bytes read_file(const std::filesystem::path& file) { return to_bytes(as_bytes(text_of(file))); }

const Authority& authority(const std::string& name) {
    static const Folder folder;
    static std::map<std::string, Authority> made;
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    if (const auto at = made.find(name); at != made.end()) return at->second;
    const auto at = folder.path() / name;
    const auto command = std::string(NIMES_MAKE_CA) + " " + at.string() + " server >/dev/null";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("no certificates");
    return made[name] = {at / "ca.crt", at / "server.crt", at / "server.key"};
}

bool soon(const std::function<bool()>& condition) {
    for (int i = 0; i < 3'000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

std::size_t Stream::some(std::span<std::uint8_t> into) {
    const int n = SSL_read(ssl_, into.data(), static_cast<int>(into.size()));
    return n > 0 ? static_cast<std::size_t>(n) : 0;
}

bool Stream::exactly(std::span<std::uint8_t> into) {
    while (!into.empty()) {
        const auto n = some(into);
        if (n == 0) return false;
        into = into.subspan(n);
    }
    return true;
}

bool Stream::send(ByteView bytes) {
    return bytes.empty() || SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
}

void Stream::cut() { shutdown(SSL_get_fd(ssl_), SHUT_RDWR); }

TlsServer::TlsServer(Handler handler, const Authority& as, std::uint8_t last_byte) : handler_(std::move(handler)) {
    std::signal(SIGPIPE, SIG_IGN);
    context_ = {SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
    if (SSL_CTX_use_certificate_chain_file(context_.get(), as.certificate.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context_.get(), as.key.c_str(), SSL_FILETYPE_PEM) != 1)
        throw std::runtime_error("no certificate");
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last_byte);
    socklen_t size = sizeof at;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(listener_, 64) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
        throw std::runtime_error("no port");
    port_ = ntohs(at.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
}

TlsServer::~TlsServer() {
    ending_ = true;
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    close(listener_);
    {
        const std::lock_guard lock(mutex_);
        for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
}

void TlsServer::accept_all() {
    for (;;) {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (ending_ || fd < 0) {
            if (fd >= 0) close(fd);
            return;
        }
        const std::lock_guard lock(mutex_);
        open_.push_back(fd);
        threads_.emplace_back([this, fd] { serve(fd); });
    }
}

void TlsServer::serve(int fd) {
    {
        const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context_.get()), SSL_free);
        SSL_set_fd(ssl.get(), fd);
        if (SSL_accept(ssl.get()) == 1) {
            Stream stream(ssl.get());
            handler_(stream, connections_++);
        }
    }
    const std::lock_guard lock(mutex_);
    open_.remove(fd);
    close(fd);
}

}  // namespace nimes::test
