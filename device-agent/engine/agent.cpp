#include "engine/agent.hpp"

#include <fstream>

#include "engine/impl.hpp"
#include "engine/paths.hpp"
#include "nimes/token.hpp"
#include "transport/mqtt_session.hpp"
#include "version.hpp"

namespace nimes::agent::engine {
namespace {

constexpr std::size_t kLeastPassphrase = 8;

transport::MqttOptions options_of(Core& core) {
    transport::MqttOptions out;
    if (auto paths = load_paths(core)) out.paths = std::move(*paths);
    out.brokers = core.provisioning->brokers;
    out.trust_store = core.box->home() / "ca.pem";
    out.device = core.own().device;
    return out;
}

}  // namespace

Agent::Agent(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Agent::~Agent() {
    if (!impl_) return;
    if (impl_->guard) impl_->guard->stop();
    if (impl_->link) impl_->link->stop();
}

Result<std::unique_ptr<Agent>> Agent::open(container::HomeLock home, ByteView passphrase, bool create,
                                           const Clock& clock, RandomSource& random,
                                           const container::PassphraseCost& cost) {
    const auto path = home.home();
    send_kept_receipt(path, {});
    auto impl = std::make_unique<Impl>(path, clock, random);
    impl->core.flight.open(path);
    const container::Surroundings surroundings{impl->keystore, clock, random};
    if (container::Container::exists(path)) {
        auto box = container::Container::open(std::move(home), surroundings);
        if (!box) return pass(box);
        impl->core.box = std::move(*box);
        if (auto ok = impl->open_door(passphrase); !ok) return pass(ok);
    } else {
        if (!create) return fail(Errc::not_enrolled);
        if (passphrase.size() < kLeastPassphrase) return fail(Errc::usage, "a passphrase has at least 8 characters");
        auto box = container::Container::create(std::move(home), passphrase, cost, surroundings);
        if (!box) return pass(box);
        impl->core.box = std::move(*box);
    }
    return std::unique_ptr<Agent>(new Agent(std::move(impl)));
}

void Agent::Impl::make_network() {
    network.emplace(
        *core.provisioning, token_source(), [this](Millis server) { core.learn_time(server); }, core.clock,
        core.random);
    sync.emplace(core, *network);
    people.emplace(core, *network, *sync);
}

Result<void> Agent::Impl::ready() const {
    if (!core.enrolled()) return fail(Errc::not_enrolled);
    if (core.shut_out) return fail(*core.shut_out);
    return {};
}

const char* Agent::version() { return kVersion; }

Result<void> Agent::Impl::ready_to_say() const {
    if (auto ok = ready(); !ok) return ok;
    const auto& policy = core.provisioning->policy;
    if (policy.outdated(kVersion))
        return fail(Errc::unknown_version, "policy wants nimes-agent " + policy.minimum_agent +
                                               " or newer before anything new is said; this is " + kVersion);
    return {};
}

Result<void> Agent::Impl::start_link() {
    const std::lock_guard one(starting);
    if (link) return {};
    link.emplace(core, *network, *sync, compose,
                 [&](transport::MqttSink sink) { return make_session(std::move(sink)); });
    return link->start();
}

std::unique_ptr<transport::PacketSession> Agent::Impl::make_session(transport::MqttSink sink) {
    // Paho reads its trust from a file; what is in it is public.
    std::ofstream(core.box->home() / "ca.pem", std::ios::trunc) << core.provisioning->ca_pem;
    return std::make_unique<transport::MqttSession>(options_of(core), token_source(), std::move(sink), core.clock,
                                                    core.random);
}

Result<Agent::Enrolled> Agent::enrol(ByteView file, const std::string& address, const std::string& code) {
    auto provisioning = Provisioning::parse(file);
    if (!provisioning) return pass(provisioning);
    Impl::Visit lock(*impl_);
    if (auto ok = Enrol::prepare(impl_->core, std::move(*provisioning), address); !ok) return pass(ok);
    impl_->make_network();
    Enrol enrol(impl_->core, *impl_->network);
    if (!enrol.redeemed()) {
        if (code.empty()) {
            if (auto ok = enrol.request_code(lock); !ok) return pass(ok);
            return Enrolled::code_sent;
        }
        if (auto ok = enrol.redeem(lock, code); !ok) return pass(ok);
    }
    if (auto ok = enrol.finish(lock); !ok) return pass(ok);
    // Finds itself in the directory, and publishes its seal keys: only now others can reach it.
    if (auto ok = impl_->sync->run(lock); !ok) return pass(ok);
    // From now on the container opens with the gateway's share alone; what fails here is done at the next contact.
    impl_->make_guard();
    (void)impl_->keeper->contact(lock, impl_->guard->stopping());
    impl_->guard->is_up();
    impl_->guard->start();
    return Enrolled::done;
}

Result<void> Agent::go_online() {
    Impl::Visit lock(*impl_);
    auto& in = *impl_;
    if (!in.core.enrolled()) return fail(Errc::not_enrolled);
    in.online = true;
    if (in.guard) in.guard->want_network();
    in.core.changed.notify_all();
    if (in.guard && !in.guard->up()) return {};
    if (in.core.shut_out == Errc::device_revoked) return fail(Errc::device_revoked);
    lock.unlock();
    return in.start_link();
}

Result<void> Agent::network_changed(const std::string& name) {
    if (name.size() > 256) return fail(Errc::too_large, "a network's name has at most 256 bytes");
    const Lock lock(impl_->core.mutex);
    if (!impl_->core.enrolled()) return fail(Errc::not_enrolled);
    if (impl_->link) impl_->link->network_changed(network_key(impl_->core.provisioning->address_secret, name));
    return {};
}

Status Agent::status() {
    const Impl::Visit lock(*impl_);
    const auto& core = impl_->core;
    Status out;
    out.version = kVersion;
    out.enrolled = core.enrolled();
    out.connected = (impl_->link && impl_->link->connected()) || (impl_->guard && impl_->guard->door_connected());
    out.synced = impl_->link && impl_->link->synced();
    out.address = core.door.address;
    out.shut_out = core.shut_out;
    if (core.directory) out.directory_revision = core.directory->head().revision;
    if (impl_->link) {
        out.outbox = impl_->link->outbox().waiting();
        for (const auto& stuck : impl_->link->outbox().stuck()) out.stuck.push_back({stuck.error, stuck.items});
    }
    out.failures = core.failures;
    if (!core.enrolled()) return out;
    out.policy = core.provisioning->policy;
    out.rules = core.rules();
    out.policy_refused = core.told_policy.refused;
    out.outdated = out.policy->outdated(out.version);
    if (auto tx = core.box->begin(); tx)
        if (const auto held = tx->scan(container::Table::held); held) out.held = held->size();
    out.device = core.own().device;
    out.user = core.own().user;
    out.seal_batch = core.seal_book.batch();
    if (auto owed = owed_chains(core)) out.owed = std::move(*owed);
    if (auto tx = core.box->begin(); tx)
        if (const auto count = count_one_time(*tx)) out.one_time_keys = *count;
    if (auto alarms = open_alarms(impl_->core)) out.alarms = std::move(*alarms);
    return out;
}

bool Agent::wait_synced(Millis patience, const std::stop_token& stop) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience);
    Impl::Visit lock(*impl_);
    const std::stop_callback wake(stop, [this] { impl_->core.changed.notify_all(); });
    while (impl_->link && !impl_->link->synced() && !stop.stop_requested() && !impl_->core.shut_out)
        if (impl_->core.changed.wait_until(lock, until) == std::cv_status::timeout) break;
    return impl_->link && impl_->link->synced();
}

Result<std::vector<directory::PersonInfo>> Agent::people(const std::string& query) {
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    return impl_->people->search(lock, query);
}

Result<std::vector<Shown>> Agent::messages(std::uint64_t after, std::size_t limit) {
    const Impl::Visit lock(*impl_);
    if (!impl_->core.enrolled()) return fail(Errc::not_enrolled);
    return messages_after(impl_->core, after, limit);
}

Result<std::vector<Alarm>> Agent::alarms(std::uint64_t after) {
    const Impl::Visit lock(*impl_);
    return alarms_after(impl_->core, after);
}

bool Agent::wait_message(std::uint64_t after, Millis patience, const std::stop_token& stop) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience);
    Impl::Visit lock(*impl_);
    const std::stop_callback wake(stop, [this] { impl_->core.changed.notify_all(); });
    while (impl_->core.newest_message <= after && !stop.stop_requested() &&
           impl_->core.box->state() == container::State::open)
        if (impl_->core.changed.wait_until(lock, until) == std::cv_status::timeout) break;
    return impl_->core.newest_message > after;
}

Result<std::string> Agent::token(const std::string& audience) {
    const Impl::Visit lock(*impl_);
    if (!impl_->core.enrolled()) return fail(Errc::not_enrolled);
    const auto here = audience_of(audience.empty() ? impl_->core.provisioning->gateway : audience);
    if (!here) return fail(here.error().code, here.error().detail);
    auto identity = impl_->core.identity();
    if (!identity) return pass(identity);
    return mint_token(identity->secret, impl_->core.own().device, *here, impl_->core.token_time(), impl_->core.random);
}

}  // namespace nimes::agent::engine
