// nimes-relay LEFT RIGHT [SEED]: a bad link between two network namespaces, as a TUN device in each and this program
// between them. Needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN). "up" is from left to right.
//
// Prints "ready" when both devices are there (bad0, to be given addresses and brought up by the caller), then obeys
// lines on standard input and answers each with one line:
//   set UP_BITS DOWN_BITS DELAY_MS JITTER_MS LOSS QUEUE_MS   quality of both directions; delay is one way; 0 bits: no
//   limit cut | heal                                               nothing passes | it does again stats counts of both
//   directions as JSON
// Ends with its standard input.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "lane.hpp"

namespace {

using namespace nimes::network;

constexpr const char* kDevice = "bad0";
constexpr std::size_t kLargest = 2'048;

Micros now() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

[[noreturn]] void die(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

void enter(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) die("namespace " + path);
    close(fd);
}

int open_tun(const std::string& name) {
    enter("/run/netns/" + name);
    const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    std::strncpy(request.ifr_name, kDevice, IFNAMSIZ - 1);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0) die("TUN device in " + name);
    return fd;
}

std::string json(const LaneCounts& c) {
    std::ostringstream out;
    out << "{\"packets\":" << c.packets << ",\"bytes\":" << c.bytes << ",\"lost\":" << c.lost
        << ",\"overflowed\":" << c.overflowed << ",\"cut\":" << c.cut << ",\"arrived_bytes\":" << c.arrived_bytes
        << "}";
    return out.str();
}

class Relay {
  public:
    Relay(int left, int right, std::uint64_t seed) : ends_{left, right}, lanes_{Lane(seed), Lane(seed + 1)} {}

    void run() {
        for (;;) {
            std::array<pollfd, 3> wait{{{ends_[0], POLLIN, 0}, {ends_[1], POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
            const timespec time = patience();
            if (ppoll(wait.data(), wait.size(), &time, nullptr) < 0 && errno != EINTR) die("ppoll");
            for (std::size_t i : {0U, 1U}) {
                if (wait[i].revents & POLLIN) take_in(i);
                give_out(i);
            }
            if (wait[2].revents != 0 && !obey()) return;
        }
    }

  private:
    timespec patience() const {
        Micros wait = 1'000'000;
        for (const auto& lane : lanes_)
            if (const auto next = lane.next()) wait = std::clamp<Micros>(*next - now(), 0, wait);
        return {wait / 1'000'000, static_cast<long>(wait % 1'000'000) * 1'000};
    }
    void take_in(std::size_t from) {
        Packet packet(kLargest);
        for (ssize_t n = 0; (n = read(ends_[from], packet.data(), packet.size())) > 0; packet.resize(kLargest)) {
            packet.resize(static_cast<std::size_t>(n));
            if (packet[0] >> 4 == 4) lanes_[from].put(packet, now());  // the kernel's IPv6 small talk is not ours
        }
    }
    void give_out(std::size_t from) {
        while (const auto packet = lanes_[from].take(now()))
            if (!packet->empty() && write(ends_[1 - from], packet->data(), packet->size()) < 0 && errno != EAGAIN)
                return;
    }
    bool obey() {
        std::array<char, 512> bytes{};
        const auto n = read(STDIN_FILENO, bytes.data(), bytes.size());
        if (n <= 0) return false;
        typed_.append(bytes.data(), static_cast<std::size_t>(n));
        for (std::size_t end = 0; (end = typed_.find('\n')) != std::string::npos; typed_.erase(0, end + 1))
            std::cout << answer(typed_.substr(0, end)) << std::endl;
        return true;
    }
    std::string answer(const std::string& line) {
        std::istringstream in(line);
        std::string word;
        in >> word;
        if (word == "stats") return "{\"up\":" + json(lanes_[0].counts) + ",\"down\":" + json(lanes_[1].counts) + "}";
        if (word == "cut" || word == "heal") {
            for (auto& lane : lanes_) lane.cut(word == "cut");
            return "ok";
        }
        double up = 0, down = 0, delay = 0, jitter = 0, queue = 0;
        Quality quality;
        if (word != "set" || !(in >> up >> down >> delay >> jitter >> quality.loss >> queue)) return "error";
        quality.delay = static_cast<Micros>(delay * 1e3);
        quality.jitter = static_cast<Micros>(jitter * 1e3);
        quality.queue = static_cast<Micros>(queue * 1e3);
        for (std::size_t i : {0U, 1U}) {
            quality.bits_per_second = i == 0 ? up : down;
            lanes_[i].set(quality);
        }
        return "ok";
    }

    const std::array<int, 2> ends_;
    std::array<Lane, 2> lanes_;  // by where packets come from
    std::string typed_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3 || argv[1][0] == '-') {
        std::cerr << "usage: nimes-relay LEFT RIGHT [SEED]\n\nA bad link between two named network namespaces; see the "
                     "head of relay_main.cpp.\n";
        return argc == 2 && std::string(argv[1]) == "--help" ? 0 : 2;
    }
    try {
        const int left = open_tun(argv[1]);
        const int right = open_tun(argv[2]);
        std::cout << "ready" << std::endl;
        Relay(left, right, argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1).run();
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
