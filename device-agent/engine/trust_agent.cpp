// Verifying a person, and answering for one's own devices.
#include "engine/impl.hpp"
#include "engine/trust.hpp"
#include "nimes/trust.hpp"

namespace nimes::agent::engine {
namespace {

constexpr int kRounds = 4;

// The code that was scanned names a device of this person's proven entry, which still is one.
Result<DeviceId> check_scanned(const Core& core, const directory::HeldEntry& held, const std::string& text) {
    const auto code = ContactCode::parse(text);
    if (!code) return fail(code.error().code, code.error().detail);
    if (code->user != held.entry.user) return fail(Errc::proof_invalid, "this is the code of somebody else");
    const auto* cert = held.entry.cert(code->device);
    if (cert == nullptr) return fail(Errc::proof_invalid, "the directory shows no such device of this person");
    if (held.entry.revoke(code->device) != nullptr) return fail(Errc::device_revoked, "the one that was scanned");
    if (core.now() >= cert->not_after) return fail(Errc::device_unknown, "the one that was scanned is past its dates");
    return code->device;
}

Result<DeviceRevoke> revocation_of(const Core& core, const DirectoryEntry& entry, const DeviceId& device,
                                   RevokeReason reason) {
    auto identity = core.identity();
    if (!identity) return pass(identity);
    DeviceRevoke out;
    out.reason = reason;
    out.user = entry.user;
    out.device = device;
    out.actor = core.own().device;
    out.effective = core.stamp();
    out.seq = entry.next_seq();
    out.signature = sign_revoke_device(identity->secret, out.body());
    return out;
}

}  // namespace

std::vector<PersonDevice> Agent::Impl::devices_of(const directory::HeldEntry& held) const {
    std::vector<PersonDevice> out;
    const auto now = core.now();
    for (const auto& cert : held.entry.certs) {
        PersonDevice d;
        d.device = cert.device;
        d.state = held.entry.revoke(cert.device) != nullptr ? "revoked"
                  : now < cert.not_before                   ? "waiting"
                  : now < cert.not_after                    ? "active"
                                                            : "expired";
        d.platform = cert.platform;
        d.self = cert.device == core.own().device;
        d.stale = held.entry.active(cert.device, now) && held.seal_key(cert.device, now) == nullptr;
        d.trust = trust_of(core, held, cert.device);
        out.push_back(std::move(d));
    }
    return out;
}

Result<Verification> Agent::verify(const std::string& who, const std::string& scanned, Candidates& candidates) {
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    auto& core = impl_->core;
    const auto own = core.own().user;
    const auto user = impl_->people->one(lock, who, candidates);
    if (!user) return fail(user.error().code, user.error().detail);
    if (*user == own) return fail(Errc::usage, "a safety number is of two people");
    core.stale.insert({own, *user});
    if (auto ok = impl_->sync->bring_up(lock, {own, *user}); !ok) return pass(ok);
    const auto *mine = core.directory->find(own), *held = core.directory->find(*user);
    if (mine == nullptr || held == nullptr) return fail(Errc::recipient_unknown, "this person has no handset yet");
    Verification out;
    if (!scanned.empty()) {
        const auto device = check_scanned(core, *held, scanned);
        if (!device) return fail(device.error().code, device.error().detail);
        if (auto ok = put_scanned(core, *held, *device); !ok) return pass(ok);
        out.scanned = *device;
    }
    out.user = *user;
    out.name = name_of(core, *user);
    out.trust = trust_of(core, *held);
    out.safety_number = safety_number(mine->entry, held->entry);
    out.code = ContactCode{own, core.own().device}.text();
    out.devices = impl_->devices_of(*held);
    return out;
}

directory::PersonTrust Agent::trust(const UserId& user) {
    const Impl::Visit lock(*impl_);
    const auto* held = impl_->core.directory ? impl_->core.directory->find(user) : nullptr;
    return held == nullptr ? directory::PersonTrust{} : trust_of(impl_->core, *held);
}

Result<void> Agent::confirm_device(const DeviceId& device) {
    const Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready(); !ok) return ok;
    return confirm_own_device(impl_->core, device);
}

// Looks, signs, sends, and looks again: an answer may be lost, and the entry may move in between.
Result<void> Agent::revoke_device(const DeviceId& device, RevokeReason reason) {
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready(); !ok) return ok;
    auto& core = impl_->core;
    const bool self = device == core.own().device;
    bool sent = false;
    for (int round = 0; round < kRounds; ++round) {
        if (auto ok = impl_->fresh_own_entry(lock); !ok) {
            // Whoever revoked itself is let in no more, not even to read of it.
            if (self && sent && ok.error().code == Errc::device_revoked) return note_own_revocation(core);
            return ok;
        }
        const auto* held = core.directory->find(core.own().user);
        if (held == nullptr || held->entry.cert(device) == nullptr)
            return fail(Errc::not_found, "no such device of yours");
        if (held->entry.revoke(device) != nullptr)
            return self ? note_own_revocation(core) : judge_own_devices(core, held->entry);
        v1::Revocation request;
        auto revocation = revocation_of(core, held->entry, device, reason);
        if (!revocation) return pass(revocation);
        const auto record = revocation->encode();
        request.set_record(std::string(as_text(record)));
        lock.unlock();
        const auto done = impl_->network->revoke(request);
        lock.lock();
        sent = true;
        if (self && (done || done.error().code == Errc::device_revoked)) return note_own_revocation(core);
        const bool again =
            done || done.error().code == Errc::storage_conflict || (self && row(done.error().code).retry);
        if (!again) return done;
    }
    return fail(Errc::busy, "the entry keeps moving");
}

}  // namespace nimes::agent::engine
