// Sending from the outside in: whom, what, then compose, outbox, and the wait for the gateway's word.
#include "engine/impl.hpp"

namespace nimes::agent::engine {
namespace {

constexpr const char* kLost = "the conversation went away meanwhile";

std::vector<UserId> users_of(const Core& core, const ConversationId& id) {
    std::vector<UserId> out;
    const auto at = core.conversations.find(id);
    if (at == core.conversations.end()) return out;
    for (const auto& m : at->second.now().roster) out.push_back(m.user);
    return out;
}

}  // namespace

Result<void> Agent::Impl::send_and_wait(Lock& lock, const MessageId& id, Millis patience) {
    if (auto ok = link->outbox().load(); !ok) return ok;
    link->outbox().flush();
    return link->outbox().wait(lock, id, patience);
}

Result<SentMessage> Agent::send_text(const std::string& to, const std::string& text, const MessageId& id,
                                     Millis patience, Candidates& candidates) {
    if (auto ok = go_online(); !ok) return pass(ok);
    Lock lock(impl_->core.mutex);
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    const auto conversation = impl_->people->conversation(lock, to, candidates);
    if (!conversation) return fail(conversation.error().code, conversation.error().detail);
    if (auto ok = impl_->sync->bring_up(lock, users_of(impl_->core, *conversation)); !ok) return pass(ok);
    auto composed = impl_->compose.message(*conversation, id, conversation::Text{text});
    if (!composed) return pass(composed);
    SentMessage out{id, composed->sequence, composed->devices, composed->stale, true};
    const auto sent = impl_->send_and_wait(lock, id, patience);
    if (!sent && sent.error().code != Errc::timed_out) return fail(sent.error().code, sent.error().detail);
    out.accepted = sent.has_value();
    return out;
}

Result<GroupLine> Agent::create_group(const std::string& title, const std::vector<std::string>& with, Millis patience,
                                      Candidates& candidates) {
    if (title.empty()) return fail(Errc::usage, "a group has a title");
    if (auto ok = go_online(); !ok) return pass(ok);
    Lock lock(impl_->core.mutex);
    auto& core = impl_->core;
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    std::vector<UserId> others;
    for (const auto& who : with) {
        const auto user = impl_->people->one(lock, who, candidates);
        if (!user) return fail(user.error().code, user.error().detail);
        others.push_back(*user);
    }
    if (auto ok = impl_->sync->bring_up(lock, others); !ok) return pass(ok);
    const auto event = impl_->compose.new_group(others);
    if (!event) return fail(event.error().code);
    if (auto ok = impl_->compose.event(*event); !ok) return pass(ok);
    // The title is sealed like everything that is said; the roster is all that the gateway sees.
    const auto at = core.conversations.find(event->conversation);
    if (at == core.conversations.end()) return fail(Errc::internal, kLost);
    core.infos[event->conversation].title = title;
    auto stored = core.transact([&](container::Transaction& tx) { return core.put_conversation(tx, at->second); });
    if (!stored) return pass(stored);
    const auto id = core.random.id<MessageId>();
    auto composed = impl_->compose.message(event->conversation, id, conversation::Info{title, {}, 0});
    if (!composed) return pass(composed);
    if (auto sent = impl_->send_and_wait(lock, id, patience); !sent) return pass(sent);
    return GroupLine{event->conversation, title, others.size() + 1};
}

Result<std::vector<OwnDevice>> Agent::devices() {
    Lock lock(impl_->core.mutex);
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    auto& core = impl_->core;
    core.stale.insert(core.own().user);
    if (auto ok = impl_->sync->bring_up(lock, {core.own().user}); !ok) return pass(ok);
    std::vector<OwnDevice> out;
    const auto* held = core.directory->find(core.own().user);
    if (held == nullptr) return out;
    const auto now = core.now();
    for (const auto& cert : held->entry.certs) {
        const char* state = held->entry.revoke(cert.device) != nullptr ? "revoked"
                            : now < cert.not_before                    ? "waiting"
                            : now < cert.not_after                     ? "active"
                                                                       : "expired";
        out.push_back({cert.device, state, cert.platform, cert.device == core.own().device});
    }
    return out;
}

Result<std::vector<PendingDevice>> Agent::pending_devices() {
    Lock lock(impl_->core.mutex);
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
    Lock lock(impl_->core.mutex);
    if (auto ok = impl_->ready(); !ok) return ok;
    auto& core = impl_->core;
    lock.unlock();
    const auto answer = impl_->network->pending();
    lock.lock();
    if (!answer) return fail(answer.error().code, answer.error().detail);
    for (const auto& body : answer->bodies()) {
        const auto cert = DeviceCert::parse_body(as_bytes(body));
        // The person compares the device's name on both screens; the key that it names is bound to it by its hash.
        if (!cert || cert->device != device || cert->user != core.own().user || cert->admission != Admission::vouched ||
            cert->attest_hash != core.own().attest_hash)
            continue;
        const auto signature = sign_cert_voucher_device(core.identity.secret, as_bytes(body));
        v1::Voucher voucher;
        voucher.set_device(std::string(as_text(device.view())));
        voucher.set_signature(std::string(as_text(signature.view())));
        core.known_own_devices.insert(device);
        auto stored = core.transact([&](container::Transaction& tx) -> Result<void> {
            Writer known;
            for (const auto& d : core.known_own_devices) known.id(d);
            auto put = tx.put(container::Table::settings, setting_key(setting::kOwnDevices), known.view());
            if (!put) return pass(put);
            return {};
        });
        if (!stored) return stored;
        lock.unlock();
        return impl_->network->vouch(voucher);
    }
    return fail(Errc::not_found, "no such device waits for a voucher");
}

}  // namespace nimes::agent::engine
