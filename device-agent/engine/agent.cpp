#include "engine/agent.hpp"

#include <fstream>

#include "engine/impl.hpp"
#include "engine/paths.hpp"
#include "nimes/token.hpp"
#include "transport/mqtt_session.hpp"

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
    if (impl_ && impl_->link) impl_->link->stop();
}

Result<std::unique_ptr<Agent>> Agent::open(container::HomeLock home, ByteView passphrase, bool create,
                                           const Clock& clock, RandomSource& random,
                                           const container::PassphraseCost& cost) {
    const auto path = home.home();
    auto impl = std::make_unique<Impl>(path, clock, random);
    const container::Surroundings surroundings{impl->keystore, clock, random};
    if (container::Container::exists(path)) {
        auto box = container::Container::open(std::move(home), surroundings);
        if (!box) return pass(box);
        impl->core.box = std::move(*box);
        if (auto ok = impl->core.box->unlock(passphrase); !ok) return pass(ok);
    } else {
        if (!create) return fail(Errc::not_enrolled);
        if (passphrase.size() < kLeastPassphrase) return fail(Errc::usage, "a passphrase has at least 8 characters");
        auto box = container::Container::create(std::move(home), passphrase, cost, surroundings);
        if (!box) return pass(box);
        impl->core.box = std::move(*box);
    }
    if (auto ok = impl->core.load(); !ok) return pass(ok);
    impl->core.flight.open(path);
    if (impl->core.provisioning) impl->make_network();
    return std::unique_ptr<Agent>(new Agent(std::move(impl)));
}

Result<void> Agent::check_passphrase(ByteView passphrase) {
    const Lock lock(impl_->core.mutex);
    return impl_->core.box->check_passphrase(passphrase);
}

void Agent::Impl::make_network() {
    const auto token = [this](std::string_view url) -> Result<std::string> {
        const auto audience = audience_of(url);
        if (!audience) return fail(audience.error().code, audience.error().detail);
        const auto key = core.box->identity();
        if (!key || !core.enrolled()) return fail(Errc::not_enrolled);
        return mint_token(key->secret, core.own().device, *audience, core.token_time(), core.random);
    };
    network.emplace(
        *core.provisioning, token, [this](Millis server) { core.learn_time(server); }, core.clock, core.random);
    sync.emplace(core, *network);
    people.emplace(core, *network, *sync);
}

Result<void> Agent::Impl::ready() const {
    if (!core.enrolled()) return fail(Errc::not_enrolled);
    if (core.shut_out) return fail(*core.shut_out);
    return {};
}

Result<void> Agent::Impl::start_link() {
    const std::lock_guard one(starting);
    if (link) return {};
    const auto token = [this](std::string_view url) -> Result<std::string> {
        const auto audience = audience_of(url);
        if (!audience) return fail(audience.error().code, audience.error().detail);
        const auto key = core.box->identity();
        if (!key) return fail(key.error().code);
        return mint_token(key->secret, core.own().device, *audience, core.token_time(), core.random);
    };
    // Paho reads its trust from a file; what is in it is public.
    std::ofstream(core.box->home() / "ca.pem", std::ios::trunc) << core.provisioning->ca_pem;
    link.emplace(core, *network, *sync, compose, [&](transport::MqttSink sink) {
        return std::make_unique<transport::MqttSession>(options_of(core), token, std::move(sink), core.clock,
                                                        core.random);
    });
    return link->start();
}

Result<Agent::Enrolled> Agent::enrol(ByteView file, const std::string& address, const std::string& code) {
    auto provisioning = Provisioning::parse(file);
    if (!provisioning) return pass(provisioning);
    Lock lock(impl_->core.mutex);
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
    return Enrolled::done;
}

Result<void> Agent::go_online() {
    {
        const Lock lock(impl_->core.mutex);
        if (!impl_->core.enrolled()) return fail(Errc::not_enrolled);
        if (impl_->core.shut_out == Errc::device_revoked) return fail(Errc::device_revoked);
    }
    return impl_->start_link();
}

Result<void> Agent::network_changed(const std::string& name) {
    if (name.size() > 256) return fail(Errc::too_large, "a network's name has at most 256 bytes");
    const Lock lock(impl_->core.mutex);
    if (!impl_->core.enrolled()) return fail(Errc::not_enrolled);
    if (impl_->link) impl_->link->network_changed(network_key(impl_->core.provisioning->address_secret, name));
    return {};
}

Status Agent::status() {
    const Lock lock(impl_->core.mutex);
    const auto& core = impl_->core;
    Status out;
    out.enrolled = core.enrolled();
    out.connected = impl_->link && impl_->link->connected();
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
    Lock lock(impl_->core.mutex);
    const std::stop_callback wake(stop, [this] { impl_->core.changed.notify_all(); });
    while (impl_->link && !impl_->link->synced() && !stop.stop_requested() && !impl_->core.shut_out)
        if (impl_->core.changed.wait_until(lock, until) == std::cv_status::timeout) break;
    return impl_->link && impl_->link->synced();
}

Result<std::vector<directory::PersonInfo>> Agent::people(const std::string& query) {
    Lock lock(impl_->core.mutex);
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    return impl_->people->search(lock, query);
}

Result<std::vector<Shown>> Agent::messages(std::uint64_t after, std::size_t limit) {
    const Lock lock(impl_->core.mutex);
    if (!impl_->core.enrolled()) return fail(Errc::not_enrolled);
    return messages_after(impl_->core, after, limit);
}

Result<std::vector<Alarm>> Agent::alarms(std::uint64_t after) {
    const Lock lock(impl_->core.mutex);
    return alarms_after(impl_->core, after);
}

bool Agent::wait_message(std::uint64_t after, Millis patience, const std::stop_token& stop) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience);
    Lock lock(impl_->core.mutex);
    const std::stop_callback wake(stop, [this] { impl_->core.changed.notify_all(); });
    while (impl_->core.newest_message <= after && !stop.stop_requested())
        if (impl_->core.changed.wait_until(lock, until) == std::cv_status::timeout) break;
    return impl_->core.newest_message > after;
}

Result<std::string> Agent::token(const std::string& audience) {
    const Lock lock(impl_->core.mutex);
    if (!impl_->core.enrolled()) return fail(Errc::not_enrolled);
    const auto here = audience_of(audience.empty() ? impl_->core.provisioning->gateway : audience);
    if (!here) return fail(here.error().code, here.error().detail);
    return mint_token(impl_->core.identity().secret, impl_->core.own().device, *here, impl_->core.token_time(),
                      impl_->core.random);
}

}  // namespace nimes::agent::engine
