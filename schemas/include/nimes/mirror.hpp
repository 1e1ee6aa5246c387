// The directory's mirror at a broker: what the identity plugin admits by (FORMATS.md, "Mirror").
//
// MirrorPart: "NMmi" ver1 kind1 0 0 | org16 | broker16 (name, ASCII, zero-padded) | issued_ms u64 | from u64 | to u64
//             | part u16 | parts u16 | n u32 | n × MirrorItem | sig64 by the directory key over L("NM1/mirror") ‖ all
//             before
// MirrorItem 68: dev16 | ik_pub32 | state1 | 0 0 0 | not_before u64 | not_after u64, ascending by dev16
// kind 1 delta: the changes from mirror revision `from` to `to`, one part. kind 2 full: everything at `to`, from = 0,
// in `parts` parts of at most kMaxItems. A delta without items is a heartbeat (from = to). A snapshot file is parts as
// they were received, each behind its u32 length: verified anew when it is loaded. Mirror revisions are the gateway's
// own count (suspending a device changes no directory entry). Errors: Errc::malformed, signature_invalid. Pure; thread
// safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes {

enum class MirrorState : std::uint8_t { active = 1, suspended = 2, revoked = 3 };

struct MirrorItem {
    DeviceId device;
    PublicKey identity;
    MirrorState state = MirrorState::active;
    Millis not_before = 0;
    Millis not_after = 0;
    bool operator==(const MirrorItem&) const = default;
};

// Of a broker, as it stands in a mirror part: 1 to 16 characters [a-z0-9-].
bool is_broker_name(std::string_view name);

struct MirrorPart {
    static constexpr std::size_t kMaxItems = 1'000;
    enum class Kind : std::uint8_t { delta = 1, full = 2 };

    Kind kind = Kind::delta;
    OrgId org;
    std::string broker;
    Millis issued = 0;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::uint16_t part = 0;
    std::uint16_t parts = 1;
    std::vector<MirrorItem> items;

    bool operator==(const MirrorPart&) const = default;
    [[nodiscard]] Bytes encode_signed(const SigningKey& directory_key) const;
    // Form and signature at once; nothing unsigned is ever handed out.
    static Result<MirrorPart> open(ByteView bytes, const PublicKey& directory_key, const OrgId& org,
                                   std::string_view broker);
};

// What the plugin says to the gateway, on topics nimes/edge/<broker>/presence (one or more records in a packet) and
// nimes/edge/<broker>/state.
// Presence 40: "NMmp" ver1 kind1 (1 connected, 2 gone) 0 0 | dev16 | connection u64 | at_ms u64
struct Presence {
    static constexpr std::size_t kBytes = 40;
    enum class Kind : std::uint8_t { connected = 1, gone = 2 };
    Kind kind = Kind::connected;
    DeviceId device;
    std::uint64_t connection = 0;  // rises with each connection at this broker
    Millis at = 0;
    bool operator==(const Presence&) const = default;
    static Result<Presence> parse(ByteView bytes);
    [[nodiscard]] Bytes encode() const;
};
// EdgeState 88: "NMme" ver1 0 0 0 | started_ms u64 | mirror_revision u64 | wants_full u8 0^7 | devices u64 | connected
// u64
//            | admitted u64 | refused u64 | denied u64 | kicked u64 | tick_gap_max_ms u64: counters since start
struct EdgeState {
    static constexpr std::size_t kBytes = 88;
    Millis started = 0;
    std::uint64_t mirror_revision = 0;
    bool wants_full = false;
    std::uint64_t devices = 0;
    std::uint64_t connected = 0;
    std::uint64_t admitted = 0;
    std::uint64_t refused = 0;
    std::uint64_t denied = 0;
    std::uint64_t kicked = 0;
    std::uint64_t tick_gap_max = 0;
    bool operator==(const EdgeState&) const = default;
    static Result<EdgeState> parse(ByteView bytes);
    [[nodiscard]] Bytes encode() const;
};

}  // namespace nimes
