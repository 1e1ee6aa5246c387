#include "transport/paced_socket.hpp"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <utility>

namespace nimes::agent::transport {
namespace {

constexpr auto kEstablished = 1;  // TCP_ESTABLISHED, which linux/tcp.h leaves to netinet/tcp.h
constexpr auto kEnough = offsetof(tcp_info, tcpi_delivered) + sizeof(tcp_info::tcpi_delivered);  // Linux 4.18

}  // namespace

void PacedSocket::closed(int fd) {
    std::erase(open_, fd);
    if (steered_ == fd) steered_ = -1;
}

void PacedSocket::steer(Millis now) {
    for (const int fd : open_) {
        tcp_info info{};
        socklen_t size = sizeof info;
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || size < kEnough) return;
        if (info.tcpi_state != kEstablished) continue;
        if (std::exchange(steered_, fd) != fd || info.tcpi_unacked == 0) pace_.pause();
        const auto rate = pace_.heard({info.tcpi_rtt, info.tcpi_min_rtt, info.tcpi_delivered, info.tcpi_snd_mss}, now);
        if (!rate) return;
        const std::uint64_t most = *rate == UploadPace::kUnlimited ? ~std::uint64_t{0} : *rate;
        (void)setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &most, sizeof most);
        return;
    }
}

}  // namespace nimes::agent::transport
