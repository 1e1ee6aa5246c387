#include "identity/admission.hpp"

#include <algorithm>

#include "nimes/crypto.hpp"
#include "nimes/encoding.hpp"

namespace nimes::plugin {
namespace {

constexpr int kMqtt5 = 5;
constexpr int kMaxKeepalive = 1'200;  // seconds; 0 would never time out
constexpr Millis kBeforeStart = 5 * kSecond;
constexpr std::size_t kMaxConnectionDigits = 3;

// "-" and a number: the gateway holds several connections.
bool is_connection_number(std::string_view text) {
    if (text.size() < 2 || text.size() > 1 + kMaxConnectionDigits || text[0] != '-') return false;
    return std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string_view name_of(Refusal refusal) {
    constexpr std::string_view kNames[] = {"protocol",     "keepalive", "identity", "token",    "unknown",
                                           "suspended",    "revoked",   "dates",    "audience", "expired",
                                           "before_start", "replayed",  "mirror",   "tick"};
    return kNames[static_cast<std::size_t>(refusal)];
}

Admission::Admission(const Options& options, Millis started)
    : options_(options), started_(started), gateway_(key_actor(options.gateway_key)) {}

std::optional<Refusal> Admission::form(const Connect& c) const {
    if (c.protocol_version != kMqtt5) return Refusal::protocol;
    if (c.keepalive < 1 || c.keepalive > kMaxKeepalive) return Refusal::keepalive;
    if (!c.username) return Refusal::identity;
    if (!c.password) return Refusal::token;
    return std::nullopt;
}

std::optional<Who> Admission::who_claims(const Connect& c) const {
    const auto device = device_from_text(*c.username);
    if (!device) return std::nullopt;
    if (*device == gateway_) {
        if (!c.client_id.starts_with(*c.username)) return std::nullopt;
        if (!is_connection_number(c.client_id.substr(c.username->size()))) return std::nullopt;
        return Who{true, *device};
    }
    // A valid CONNECT with another's client id would throw the other out.
    if (c.client_id != *c.username) return std::nullopt;
    return Who{false, *device};
}

std::optional<Refusal> Admission::state(const MirrorTable& mirror, const DeviceId& device, Millis now) const {
    if (!mirror.loaded() || now > mirror.issued() + options_.snapshot_max_age) return Refusal::mirror;
    const auto* item = mirror.find(device);
    if (item == nullptr) return Refusal::unknown;
    if (item->state == MirrorState::suspended) return Refusal::suspended;
    if (item->state == MirrorState::revoked) return Refusal::revoked;
    if (now < item->not_before || now >= item->not_after) return Refusal::dates;
    return std::nullopt;
}

Verdict Admission::judge(const Connect& c, const MirrorTable& mirror, Millis now) {
    if (const auto refusal = form(c)) return {std::nullopt, *refusal};
    const auto who = who_claims(c);
    if (!who) return {std::nullopt, Refusal::identity};
    const auto token = Token::parse(*c.password);
    if (!token || token->device != who->device) return {std::nullopt, Refusal::token};
    if (std::find(options_.audiences.begin(), options_.audiences.end(), token->audience) == options_.audiences.end())
        return {std::nullopt, Refusal::audience};
    if (token->issued + kBeforeStart < started_) return {std::nullopt, Refusal::before_start};
    // The cheap answers come first: an Ed25519 check is spent only on devices that might enter.
    if (!who->gateway)
        if (const auto refusal = state(mirror, who->device, now)) return {std::nullopt, *refusal};
    const auto& key = who->gateway ? options_.gateway_key : mirror.find(who->device)->identity;
    if (const auto good = token->check(key, token->audience, now, Token::kBrokerWindow); !good)
        return {std::nullopt, good.error().code == Errc::token_expired ? Refusal::expired : Refusal::token};
    if (!nonces_.admit({token->nonce}, token->issued + Token::kBrokerWindow, now))
        return {std::nullopt, Refusal::replayed};
    return {who, {}};
}

bool Admission::still_welcome(const Who& who, const MirrorTable& mirror, Millis now) const {
    return who.gateway || !state(mirror, who.device, now);
}

}  // namespace nimes::plugin
