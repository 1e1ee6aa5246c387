// Locking and unlocking, as the agent does it: the guard's hooks, and what the verbs ask.
#include "engine/impl.hpp"
#include "nimes/token.hpp"
#include "transport/mqtt_session.hpp"

namespace nimes::agent::engine {

using container::State;

transport::TokenSource Agent::Impl::token_source() {
    return [this](std::string_view url) -> Result<std::string> {
        const auto audience = audience_of(url);
        if (!audience) return fail(audience.error().code, audience.error().detail);
        const auto key = core.box->identity();
        if (!key || !core.enrolled()) return fail(Errc::not_enrolled);
        return mint_token(key->secret, core.own().device, *audience, core.token_time(), core.random);
    };
}

void Agent::Impl::make_guard() {
    if (guard) return;
    const auto& p = *core.provisioning;
    custody.emplace(p.gateway, p.ca_pem, token_source(), [this](Millis server) { core.learn_time(server); });
    keeper.emplace(core, *custody, [this] { return token_source()(core.provisioning->gateway); });
    guard.emplace(core, *keeper,
                  Guard::Hooks{[this] {
                                   const std::lock_guard one(starting);
                                   if (link) link->stop();
                               },
                               [this] { return inside == 0; },
                               [this] {
                                   link.reset();
                                   core.forget();
                               },
                               [this](Lock& lock) { return raise(lock); }, [this] { return make_door_link(); }});
}

Result<void> Agent::Impl::raise(Lock& lock) {
    if (auto ok = core.load(); !ok) return ok;
    make_network();
    (void)core.box->expire(std::min(core.clock.now(), core.now()));  // what ended while it was locked
    Inbox inbox(core, compose);
    if (auto ok = take_arrivals(core, [&](const v1::Deliver& d) { return inbox.deliver(d); }); !ok) return ok;
    if (!online) return {};
    lock.unlock();
    auto started = start_link();
    lock.lock();
    return started;
}

std::unique_ptr<DoorLink> Agent::Impl::make_door_link() {
    if (!online || !core.box->identity()) return nullptr;
    auto out =
        std::make_unique<DoorLink>(core, [this](transport::MqttSink sink) { return make_session(std::move(sink)); });
    if (!out->start()) return nullptr;
    return out;
}

Result<void> Agent::Impl::open_door(ByteView passphrase) {
    Lock lock(core.mutex);
    if (auto ok = core.box->unlock(passphrase); !ok) return ok;
    if (auto ok = core.load_door(); !ok) return ok;
    if (core.provisioning) make_network();
    if (!core.enrolled()) return core.load();
    make_guard();
    if (auto ok = keeper->entered(lock, guard->stopping()); !ok) return ok;
    if (core.box->state() == State::open) {
        if (auto ok = raise(lock); !ok) return ok;
        guard->is_up();
    }
    guard->start();
    return {};
}

Agent::Use::Use(Impl& impl) : impl_(&impl) {
    if (impl_->guard) impl_->guard->use_begins();
}
Agent::Use::~Use() {
    if (impl_ == nullptr || !impl_->guard) return;
    const Lock lock(impl_->core.mutex);
    impl_->guard->use_ends();
}

Result<Agent::Use> Agent::use() {
    Lock lock(impl_->core.mutex);
    if (impl_->guard) {
        impl_->guard->settle(lock);
        if (!impl_->guard->up()) {
            const auto error = refusal(impl_->keeper->why());
            return fail(error.code, error.detail);
        }
    }
    return Use(*impl_);
}

Result<void> Agent::lock() {
    Lock lock(impl_->core.mutex);
    if (!impl_->guard) return fail(Errc::not_enrolled);
    impl_->keeper->close(Why::asked);
    impl_->guard->settle(lock);
    return {};
}

Result<void> Agent::check_passphrase(ByteView passphrase) {
    Lock lock(impl_->core.mutex);
    if (!impl_->guard) return impl_->core.box->check_passphrase(passphrase);
    impl_->guard->settle(lock);
    auto ok = impl_->keeper->unlock(lock, passphrase, impl_->guard->stopping());
    impl_->core.changed.notify_all();
    impl_->guard->settle(lock);
    return ok;
}

bool Agent::wait_open(Millis patience, const std::stop_token& stop) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience);
    Lock lock(impl_->core.mutex);
    const std::stop_callback wake(stop, [this] { impl_->core.changed.notify_all(); });
    const auto up = [this] { return !impl_->guard || impl_->guard->up(); };
    while (!up() && !stop.stop_requested())
        if (impl_->core.changed.wait_until(lock, until) == std::cv_status::timeout) break;
    return up();
}

Locking Agent::locking() {
    const Lock lock(impl_->core.mutex);
    const auto& box = *impl_->core.box;
    Locking out;
    const auto why = impl_->keeper ? impl_->keeper->why() : Why::none;
    switch (box.state()) {
        case State::shut:
            out.state = why == Why::wiped ? "wiped" : "shut";
            break;
        case State::door:
            out.state = "door";
            break;
        case State::open:
            out.state = "open";
    }
    if (box.state() != State::open) out.why = name(why);
    out.share = box.share_number() != 0;
    out.lease_left = box.lease_left();
    out.wrong_tries = box.wrong_tries();
    return out;
}

}  // namespace nimes::agent::engine
