// Devices: a person's, one's own, which of these wait, and vouching for one.
#include "engine/impl.hpp"
#include "engine/trust.hpp"

namespace nimes::agent::engine {

Result<std::vector<PersonDevice>> Agent::devices(const std::string& who, Candidates& candidates) {
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    auto& core = impl_->core;
    auto user = core.own().user;
    if (!who.empty()) {
        const auto found = impl_->people->one(lock, who, candidates);
        if (!found) return fail(found.error().code, found.error().detail);
        user = *found;
    }
    core.stale.insert(user);
    if (auto ok = impl_->sync->bring_up(lock, {user}); !ok) return pass(ok);
    const auto* held = core.directory->find(user);
    return held == nullptr ? std::vector<PersonDevice>{} : impl_->devices_of(*held);
}

Result<std::vector<PendingDevice>> Agent::pending_devices() {
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    const auto own = impl_->core.own().user;
    lock.unlock();
    const auto answer = impl_->network->pending();
    if (!answer) return fail(answer.error().code, answer.error().detail);
    std::vector<PendingDevice> out;
    for (const auto& body : answer->bodies()) {
        const auto cert = DeviceCert::parse_body(as_bytes(body));
        if (cert && cert->user == own) out.push_back({cert->device, cert->platform, cert->not_before});
    }
    return out;
}

Result<void> Agent::vouch(const DeviceId& device) {
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready(); !ok) return ok;
    auto& core = impl_->core;
    lock.unlock();
    const auto answer = impl_->network->pending();
    lock.lock();
    if (!answer) return fail(answer.error().code, answer.error().detail);
    auto identity = core.identity();
    if (!identity) return pass(identity);
    for (const auto& body : answer->bodies()) {
        const auto cert = DeviceCert::parse_body(as_bytes(body));
        // The person compares the device's name on both screens; the key that it names is bound to it by its hash.
        if (!cert || cert->device != device || cert->user != core.own().user || cert->admission != Admission::vouched ||
            cert->attest_hash != core.own().attest_hash)
            continue;
        const auto signature = sign_cert_voucher_device(identity->secret, as_bytes(body));
        v1::Voucher voucher;
        voucher.set_device(std::string(as_text(device.view())));
        voucher.set_signature(std::string(as_text(signature.view())));
        if (auto ok = know_own_device(core, device); !ok) return ok;
        lock.unlock();
        return impl_->network->vouch(voucher);
    }
    return fail(Errc::not_found, "no such device waits for a voucher");
}

}  // namespace nimes::agent::engine
