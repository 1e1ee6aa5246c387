// Who may connect: one look-up, one Ed25519 check, no waiting.
//
// judge() is the whole rule (FORMATS.md 2.3 and 3.3). It changes nothing but the memory of nonces, and that only for a
// connection it admits. Broker thread only. The refusal is for logs and counters; a client learns none of it.
#pragma once

#include <optional>
#include <string_view>

#include "identity/mirror_table.hpp"
#include "identity/nonce_memory.hpp"
#include "identity/options.hpp"

namespace nimes::plugin {

struct Connect {
    std::string_view client_id;
    std::optional<std::string_view> username;
    std::optional<std::string_view> password;
    int protocol_version = 0;  // 3, 4 or 5
    int keepalive = 0;         // seconds
};

// Who a connection is, once admitted.
struct Who {
    bool gateway = false;
    DeviceId device;
    bool operator==(const Who&) const = default;
};

enum class Refusal : std::uint8_t {
    protocol,
    keepalive,
    identity,
    token,
    unknown,
    suspended,
    revoked,
    dates,
    audience,
    expired,
    before_start,
    replayed,
    mirror,
    tick
};
std::string_view name_of(Refusal refusal);

struct Verdict {
    std::optional<Who> who;
    Refusal refusal = Refusal::identity;
};

class Admission {
  public:
    Admission(const Options& options, Millis started);

    Verdict judge(const Connect& connect, const MirrorTable& mirror, Millis now);
    // Asked again about a connection that was admitted before (the broker reloads): its token has run out by then, so
    // only whether the device may still be here counts.
    [[nodiscard]] bool still_welcome(const Who& who, const MirrorTable& mirror, Millis now) const;

  private:
    [[nodiscard]] std::optional<Refusal> form(const Connect& connect) const;
    [[nodiscard]] std::optional<Who> who_claims(const Connect& connect) const;
    [[nodiscard]] std::optional<Refusal> state(const MirrorTable& mirror, const DeviceId& device, Millis now) const;

    const Options& options_;
    const Millis started_;
    const DeviceId gateway_;
    NonceMemory nonces_;
};

}  // namespace nimes::plugin
