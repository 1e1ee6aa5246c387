#include "transport/paced_socket.hpp"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace nimes::agent::transport {

void PacedSocket::opened(int fd) {
    fd_ = fd;
    pace_.connected();
}

void PacedSocket::closed(int fd) {
    if (fd_ == fd) fd_ = -1;
}

void PacedSocket::steer(Millis boot) {
    if (fd_ < 0) return;
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return;
    const auto rate = pace_.heard({info.tcpi_rtt, info.tcpi_min_rtt, info.tcpi_delivered, info.tcpi_snd_mss}, boot);
    if (!rate) return;
    const std::uint64_t most = *rate == UploadPace::kUnlimited ? ~std::uint64_t{0} : *rate;
    (void)setsockopt(fd_, SOL_SOCKET, SO_MAX_PACING_RATE, &most, sizeof most);
}

}  // namespace nimes::agent::transport
