#include "engine/enrol.hpp"

#include "engine/trust.hpp"

#include "nimes/service_address.hpp"

namespace nimes::agent::engine {
namespace {

constexpr std::uint16_t kPlatformCommandLine = 1;
constexpr Millis kDatesSlack = 2 * kDay;

std::string raw(ByteView bytes) { return std::string(as_text(bytes)); }

}  // namespace

Result<void> Enrol::prepare(Core& core, Provisioning provisioning, const std::string& text) {
    const auto address = ServiceAddress::parse(text);
    if (!address) return fail(address.error().code, address.error().detail);
    if (core.enrolled()) return fail(Errc::already_enrolled);
    if (!core.door.address.empty() && core.door.address != address->text())
        return fail(Errc::already_enrolled, "this home is being enrolled for another address");
    const auto before = core.door;
    core.door.address = address->text();
    core.door.provisioning = provisioning.file;
    Secret<32> seed;
    core.random.fill(seed.edit());
    auto stored = before.address.empty() ? core.store_door(seed) : core.store_door();
    if (!stored) {
        core.door = before;
        return stored;
    }
    core.provisioning = std::move(provisioning);
    core.directory.emplace(core.provisioning->keys, core.provisioning->address_secret.view(), core.provisioning->head);
    return {};
}

Result<void> Enrol::request_code(Lock& lock) {
    v1::CodeRequest request;
    request.set_address(core_.door.address);
    lock.unlock();
    auto done = network_.enrol_code(request);
    lock.lock();
    return done;
}

// The gateway proposes, this device signs: so each field must be what was asked for.
Result<DeviceCert> Enrol::check_body(ByteView body) const {
    auto cert = DeviceCert::parse_body(body);
    if (!cert) return cert;
    const auto address = ServiceAddress::parse(core_.door.address);
    const auto now = core_.clock.now();
    auto identity = core_.identity();
    if (!identity) return pass(identity);
    const bool right = address && cert->identity == identity->public_key &&
                       cert->device == device_id(cert->user, identity->public_key) && cert->attest_kind == 1 &&
                       cert->attest_hash == address->hash(core_.provisioning->address_secret.view()) &&
                       cert->role == DeviceRole::service && cert->platform == kPlatformCommandLine && cert->seq >= 1 &&
                       cert->not_before <= now + kDatesSlack && now <= cert->not_before + kDatesSlack &&
                       cert->not_after > cert->not_before && cert->not_after - cert->not_before <= DeviceCert::kLongest;
    if (!right) return fail(Errc::proof_invalid, "the gateway proposed a certificate that was not asked for");
    return cert;
}

Result<void> Enrol::redeem(Lock& lock, const std::string& code) {
    auto identity = core_.identity();
    if (!identity) return pass(identity);
    v1::EnrolBegin request;
    request.set_address(core_.door.address);
    request.set_code(code);
    request.set_identity_key(raw(identity->public_key.view()));
    request.set_role(1);
    request.set_platform(kPlatformCommandLine);
    lock.unlock();
    const auto offer = network_.enrol_begin(request);
    lock.lock();
    if (!offer) return fail(offer.error().code, offer.error().detail);
    if (offer->ticket().size() != core_.door.ticket.size()) return fail(Errc::malformed, "the ticket");
    if (auto cert = check_body(as_bytes(offer->body())); !cert) return pass(cert);
    std::copy_n(as_bytes(offer->ticket()).begin(), core_.door.ticket.size(), core_.door.ticket.begin());
    core_.door.body = to_bytes(as_bytes(offer->body()));
    return core_.store_door();
}

Result<void> Enrol::finish(Lock& lock) {
    auto identity = core_.identity();
    if (!identity) return pass(identity);
    for (int round = 0; round < 3; ++round) {
        auto cert = check_body(core_.door.body);
        if (!cert) return pass(cert);
        cert->self_signature = sign_cert_self(identity->secret, core_.door.body);
        v1::EnrolFinish request;
        request.set_ticket(raw(core_.door.ticket));
        request.set_self_signature(raw(cert->self_signature.view()));
        lock.unlock();
        const auto result = network_.enrol_finish(request);
        lock.lock();
        if (!result) return fail(result.error().code, result.error().detail);
        if (!result->certificate().empty()) return take_certificate(*result, *cert);
        if (result->body().empty()) {
            const auto* waits = row(std::string_view(result->waiting_for()));
            return fail(waits != nullptr ? waits->code : Errc::unavailable);
        }
        core_.door.body = to_bytes(as_bytes(result->body()));  // the entry moved on: sign anew
        if (auto ok = core_.store_door(); !ok) return ok;
    }
    return fail(Errc::busy, "the entry keeps moving");
}

Result<void> Enrol::take_certificate(const v1::EnrolResult& result, const DeviceCert& asked) {
    auto cert = DeviceCert::parse(as_bytes(result.certificate()));
    if (!cert) return pass(cert);
    if (cert->body() != asked.body() || cert->self_signature != asked.self_signature ||
        !verify_cert_ea(*cert, core_.provisioning->keys.org, core_.provisioning->keys.ea))
        return fail(Errc::proof_invalid, "the certificate is not the one that was signed");
    core_.door.cert = std::move(*cert);
    if (core_.own().admission == Admission::vouched)
        if (auto ok = know_own_device(core_, core_.own().voucher); !ok) return ok;
    auto stored = core_.store_door();
    if (!stored) core_.door.cert.reset();  // not enrolled, then: it is asked for again
    return stored;
}

}  // namespace nimes::agent::engine
