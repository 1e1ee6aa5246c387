#include "container/lease.hpp"

#include <algorithm>

namespace nimes::agent::container {

Result<Lease> Lease::grant(Arena& arena, const Share& share, Millis grace, Millis wall, Millis boot) {
    Lease out;
    auto held = arena.take(share.bytes.view());
    if (!held) return pass(held);
    out.number_ = share.number;
    out.share_ = std::move(*held);
    out.renew(grace, wall, boot);
    return out;
}

void Lease::renew(Millis grace, Millis wall, Millis boot) {
    grace_ = grace;
    used_ = 0;
    wall_ = wall;
    boot_ = boot;
}

bool Lease::limit(Millis grace) {
    if (grace_ <= grace) return false;
    grace_ = grace;
    used_ = std::min(used_, grace_);
    return true;
}

bool Lease::look(Millis wall, Millis boot) {
    if (wall + kSlack < wall_) used_ = grace_;
    const auto by_boot = boot >= boot_ ? boot - boot_ : boot;  // after a reboot: what passed since it
    const auto by_wall = wall > wall_ ? wall - wall_ : 0;
    used_ = std::min(grace_, used_ + std::max(by_boot, by_wall));
    wall_ = std::max(wall, wall_);
    boot_ = boot;
    return used_ < grace_;
}

Secret<Lease::kBytes> Lease::encode() const {
    Secret<kBytes> out;
    Writer head;
    head.u32(number_).u64(grace_).u64(used_).u64(wall_).u64(boot_);
    std::ranges::copy(head.view(), out.edit().begin());
    std::ranges::copy(share_.view(), out.edit().begin() + static_cast<std::ptrdiff_t>(head.view().size()));
    return out;
}

Result<Lease> Lease::parse(Arena& arena, ByteView bytes) {
    Reader in(bytes);
    Lease out;
    out.number_ = in.u32();
    out.grace_ = in.u64();
    out.used_ = in.u64();
    out.wall_ = in.u64();
    out.boot_ = in.u64();
    const auto share = in.take(32);
    if (!in.done() || out.number_ == 0) return fail(Errc::malformed, "the lease in the keystore");
    auto held = arena.take(share);
    if (!held) return pass(held);
    out.share_ = std::move(*held);
    return out;
}

}  // namespace nimes::agent::container
