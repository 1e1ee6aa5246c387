#include "cli/home_socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "cli/wire.hpp"

namespace nimes::agent::cli {
namespace {

constexpr int kBacklog = 128;
constexpr const char* kName = "agent.sock";

// A folder's descriptor gives its files a short name.
struct ShortName {
    explicit ShortName(const std::filesystem::path& home)
        : fd(::open(home.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}
    ShortName(const ShortName&) = delete;
    ShortName& operator=(const ShortName&) = delete;
    ~ShortName() {
        if (fd >= 0) ::close(fd);
    }
    [[nodiscard]] sockaddr_un address() const {
        sockaddr_un out{};
        out.sun_family = AF_UNIX;
        const auto path = "/proc/self/fd/" + std::to_string(fd) + "/" + kName;
        std::strncpy(out.sun_path, path.c_str(), sizeof out.sun_path - 1);
        return out;
    }
    int fd;
};

const sockaddr* plain(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

bool same_user(int fd) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::getuid();
}

}  // namespace

Channel::Channel(Channel&& other) noexcept : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}
Channel& Channel::operator=(Channel&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(buffer_, other.buffer_);
    return *this;
}
Channel::~Channel() {
    if (fd_ >= 0) ::close(fd_);
}

Result<void> Channel::write_line(const std::string& line) {
    const auto text = line + "\n";
    for (std::size_t at = 0; at < text.size();) {
        const auto n = ::send(fd_, text.data() + at, text.size() - at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(Errc::unavailable, "the other process went away");
        at += static_cast<std::size_t>(n);
    }
    return {};
}

Result<std::optional<std::string>> Channel::read_line() {
    for (;;) {
        if (const auto end = buffer_.find('\n'); end != std::string::npos) {
            auto line = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            return std::optional(std::move(line));
        }
        if (buffer_.size() > kLineLimit) return fail(Errc::too_large, "a line on the home's socket");
        char bytes[16 * 1024];
        const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return std::optional<std::string>{};
        buffer_.append(bytes, static_cast<std::size_t>(n));
    }
}

void Channel::close_both() { ::shutdown(fd_, SHUT_RDWR); }

bool Channel::gone(int ms) const {
    pollfd wait{fd_, POLLRDHUP, 0};
    return ::poll(&wait, 1, ms) > 0;
}

Result<Listener> Listener::open(const std::filesystem::path& home) {
    const ShortName name(home);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (name.fd < 0 || fd < 0) return fail(Errc::storage, "cannot make the home's socket");
    Listener out(home / kName, fd);
    ::unlink(out.path_.c_str());  // we hold the home's lock: whoever made it is gone
    const auto address = name.address();
    // The mode that bind gives the file; umask would be that of all threads.
    const bool bound = ::fchmod(fd, 0600) == 0 && ::bind(fd, plain(address), sizeof address) == 0;
    if (!bound || ::listen(fd, kBacklog) != 0) return fail(Errc::storage, "cannot listen on the home's socket");
    return out;
}

Listener::Listener(Listener&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
Listener::~Listener() { close(); }

void Listener::close() {
    if (fd_ < 0) return;
    ::unlink(path_.c_str());
    ::close(std::exchange(fd_, -1));
}

Result<std::optional<Channel>> Listener::accept(int ms) {
    pollfd wait{fd_, POLLIN, 0};
    if (::poll(&wait, 1, ms) <= 0) return std::optional<Channel>{};
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return std::optional<Channel>{};
    Channel channel(fd);
    if (!same_user(fd)) return std::optional<Channel>{};
    return std::optional(std::move(channel));
}

Result<Channel> connect_to(const std::filesystem::path& home) {
    const ShortName name(home);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (name.fd < 0 || fd < 0) return fail(Errc::unavailable, "no such home");
    Channel channel(fd);
    const auto address = name.address();
    if (::connect(fd, plain(address), sizeof address) != 0) return fail(Errc::unavailable, "nobody listens yet");
    if (!same_user(fd)) return fail(Errc::forbidden, "the home's socket belongs to somebody else");
    return channel;
}

}  // namespace nimes::agent::cli
