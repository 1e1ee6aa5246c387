#include "transport/keepalive.hpp"

#include <algorithm>

namespace nimes::agent::transport {
namespace {

constexpr std::uint32_t kTryAgainAfter = 48;  // answered pings below a known limit, before it is doubted

// Ours comes first by this much, or by a quarter of a short keepalive.
Millis ahead_of(Millis said) { return said - std::min(15 * kSecond, said / 4); }

}  // namespace

Millis Keepalive::longest() const {
    const auto allowed = ahead_of(said_);
    const auto safe = path_.fell == 0 ? allowed : std::max(limits_.least, path_.fell * 3 / 4);
    return std::min({allowed, safe, limits_.most});
}

void Keepalive::begin(const Path& remembered, Millis cap) {
    path_ = remembered;
    if (path_.silence == 0) path_.silence = limits_.first;
    path_.silence = std::max(path_.silence, limits_.least);
    const auto most = cap == 0 ? limits_.most : std::min(cap, limits_.most);
    said_ = std::min(most, std::max(limits_.least, path_.silence * 2)) / kSecond * kSecond;
    path_.silence = std::min(path_.silence, longest());
}

void Keepalive::overruled(Millis by) {
    said_ = by;
    path_.silence = std::min(path_.silence, longest());
}

void Keepalive::survived(Millis silence) {
    if (silence < path_.silence) return;  // asked for another reason: it proves nothing new
    const auto most = longest();
    if (path_.silence < most) {
        path_.silence = std::min(path_.silence * 3 / 2, most);
        return;
    }
    if (path_.fell == 0 || ++path_.stood < kTryAgainAfter) return;
    path_.stood = 0;
    path_.fell = path_.fell * 5 / 4;  // a tunnel ends connections, too: the limit may have been none
    if (path_.fell > 2 * limits_.most) path_.fell = 0;
}

void Keepalive::died(Millis silence) {
    if (silence < limits_.least) return;  // no timer of a path is that short; the link itself went
    path_ = {std::max(limits_.least, silence / 2), silence, 0};
    path_.silence = std::min(path_.silence, longest());
}

}  // namespace nimes::agent::transport
