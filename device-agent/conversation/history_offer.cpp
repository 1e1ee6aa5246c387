#include "conversation/history_offer.hpp"

namespace nimes::agent::conversation {
namespace {

constexpr Millis kFutureAtMost = 10 * kMinute;

}  // namespace

Digest cert_hash(const DeviceCert& cert) {
    const auto bytes = cert.encode();
    return sha256({bytes});
}

Result<const DeviceCert*> judge_history_device(const DeviceId& other, const HistoryFacts& facts) {
    if (!facts.allowed) return fail(Errc::forbidden, "policy does not allow to hand a history on");
    if (facts.own.role != DeviceRole::service)
        return fail(Errc::forbidden, "this device is private property: it gives and takes no history");
    if (facts.entry == nullptr || facts.entry->user != facts.own.user)
        return fail(Errc::held, "the own entry in the directory is not known");
    const auto* cert = facts.entry->cert(other);
    if (cert == nullptr || other == facts.own.device) return fail(Errc::forbidden, "no other device of yours");
    if (facts.entry->revoke(other) != nullptr) return fail(Errc::device_revoked, "the other device");
    if (!facts.entry->active(other, facts.now)) return fail(Errc::forbidden, "that device of yours is not active");
    if (cert->role != DeviceRole::service)
        return fail(Errc::forbidden, "that device is private property: it gives and takes no history");
    return cert;
}

Result<void> judge_history_offer(const HistoryOffer& offer, const HistoryFacts& facts) {
    if (offer.user != facts.own.user || offer.new_device != facts.own.device)
        return fail(Errc::forbidden, "an offer for somebody else");
    if (offer.new_cert != cert_hash(facts.own)) return fail(Errc::forbidden, "an offer for another certificate");
    const auto cert = judge_history_device(offer.old_device, facts);
    if (!cert) return fail(cert.error().code, cert.error().detail);
    if (!verify_history_offer(offer, (*cert)->identity)) return fail(Errc::signature_invalid, "an offer of a history");
    if (offer.issued > facts.now + kFutureAtMost || facts.now >= offer.expires ||
        offer.expires - offer.issued > HistoryOffer::kMaxLife)
        return fail(Errc::timed_out, "an offer of a history is good for an hour");
    if (offer.plain_length == 0 || offer.plain_length > kMaxHistoryBytes ||
        offer.padded_length != padme(offer.plain_length))
        return fail(Errc::malformed, "an offer of a history");
    return {};
}

bool same_history_code(std::string_view typed, std::string_view code) {
    std::string plain;
    for (const char c : typed) {
        if (c == ' ' || c == '-') continue;
        plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return plain.size() == code.size() && sodium_memcmp(plain.data(), code.data(), code.size()) == 0;
}

}  // namespace nimes::agent::conversation
