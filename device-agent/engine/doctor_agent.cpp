// The doctor's questions: what is here is looked up, what is outside is tried for real. Next: doctor.cpp.
#include <sys/statvfs.h>

#include "engine/doctor.hpp"
#include "engine/impl.hpp"
#include "sealing/seal_key_rules.hpp"

namespace nimes::agent::engine {
namespace {

using transport::Reached;

constexpr Millis kProbe = 8 * kSecond;
constexpr std::size_t kRecent = 20;

// Something is written and taken back: what a message that comes would need.
std::optional<Errc> try_to_store(Core& core) {
    const auto row = setting_key("doctor");
    const Bytes some(64 * 1024);
    auto stored = core.transact([&](container::Transaction& tx) -> Result<void> {
        auto put = tx.put(container::Table::settings, row, some);
        if (!put) return pass(put);
        return {};
    });
    if (!stored) return stored.error().code;
    const auto gone = core.transact([&](container::Transaction& tx) -> Result<void> {
        auto erased = tx.erase(container::Table::settings, row);
        if (!erased) return pass(erased);
        return {};
    });
    return gone ? std::nullopt : std::optional(gone.error().code);
}

std::optional<std::uint64_t> free_bytes(const std::filesystem::path& home) {
    struct statvfs at {};
    if (::statvfs(home.c_str(), &at) != 0) return std::nullopt;
    return static_cast<std::uint64_t>(at.f_bavail) * at.f_frsize;
}

void look_here(Core& core, Facts& f) {
    f.enrolled = core.enrolled();
    f.shut_out = core.shut_out;
    f.free_bytes = free_bytes(core.box->home());
    if (f.locked) return;
    f.write_error = try_to_store(core);
    if (!f.enrolled) return;
    if (auto tx = core.box->begin())
        if (const auto held = tx->count(container::Table::held)) f.held = *held;
    const auto& failed = core.failures;
    f.undecryptable = failed.damaged + failed.unreadable + failed.refused + failed.lost;
    f.seal_keys_due = sealing::publish_due(core.seal_book, core.now()) != sealing::Publish::nothing;
    if (core.directory) {
        const auto ts = core.directory->head().ts, now = core.now();
        f.head_age = now - std::min(ts, now);
    }
    if (const auto alarms = open_alarms(core)) f.alarms = alarms->size();
}

void look_at(const Link& link, Facts& f) {
    f.connected = link.connected();
    f.welcomed = link.welcomed();
    f.unheard = link.unheard();
    f.synced = link.synced();
    f.outbox = link.outbox().waiting();
    for (const auto& stuck : link.outbox().stuck()) f.stuck.push_back({stuck.error, stuck.items});
}

void ask_outside(Network& network, const Provisioning& p, std::uint64_t revision, Facts& f) {
    f.gateway = transport::probe(p.gateway, p.ca_pem, kProbe);
    if (f.gateway == Reached::tls) {
        if (const auto status = network.status(); !status) f.status_error = status.error().code;
        const auto head = network.head(revision);
        const auto code = head ? std::nullopt : std::optional(head.error().code);
        // Without a key nothing was asked.
        f.token_asked = code != Errc::offline && code != Errc::timed_out && code != Errc::not_enrolled;
        if (f.token_asked) f.token_error = code;
    }
    for (const auto& broker : p.brokers) f.brokers.push_back(transport::probe(broker, p.ca_pem, kProbe));
}

}  // namespace

HealthReport Agent::examine(Millis patience, const std::stop_token& stop) {
    Facts facts;
    auto& core = impl_->core;
    Impl::Visit inside(*impl_);  // network and link stay, though it be locked meanwhile
    inside.unlock();
    const auto note_lock = [&] {
        const bool is_locked = impl_->guard && !impl_->guard->up();
        facts.locked = is_locked ? std::optional(refusal(impl_->keeper->why())) : std::nullopt;
        return is_locked;
    };
    // Why it cannot go online is what is looked for below.
    if (go_online()) {
        bool is_locked = false;
        {
            const Lock lock(core.mutex);
            is_locked = note_lock();
            if (impl_->link && impl_->link->connected()) impl_->link->greet_again();
        }
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience);
        if (!is_locked) (void)wait_synced(patience, stop);
        // What it holds of the directory is judged, too: it is asked a moment after the mailbox.
        Lock lock(core.mutex);
        while (impl_->link && impl_->link->synced() && !impl_->link->asked_directory() && !core.shut_out)
            if (core.changed.wait_until(lock, until) == std::cv_status::timeout) break;
    }
    std::uint64_t revision = 0;
    // Its own: the engine's are made anew when a locked device opens meanwhile.
    std::optional<HttpsNetwork> network;
    std::optional<Provisioning> provisioning;
    {
        const Lock lock(core.mutex);
        (void)note_lock();
        look_here(core, facts);
        if (core.enrolled() && core.provisioning) provisioning = Provisioning::parse(core.door.provisioning).value();
        if (provisioning)
            network.emplace(
                *provisioning, impl_->token_source(), [&core](Millis server) { core.learn_time(server); }, core.clock,
                core.random);
        if (core.directory) revision = core.directory->head().revision;
    }
    if (network) ask_outside(*network, *provisioning, revision, facts);
    const Lock lock(core.mutex);
    (void)note_lock();
    if (impl_->link) look_at(*impl_->link, facts);
    if (facts.locked) facts.connected = impl_->guard->door_connected();
    facts.clock_offset = core.clock_offset();
    HealthReport out{judge(facts), {}};
    auto events = core.flight.events();
    if (events.size() > kRecent) events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(kRecent));
    for (const auto& event : events) out.recent.push_back({event.at, in_words(event)});
    return out;
}

Result<void> Agent::wake(const std::string& endpoint) {
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready(); !ok) return ok;
    lock.unlock();
    return impl_->network->wake(endpoint);
}

}  // namespace nimes::agent::engine
