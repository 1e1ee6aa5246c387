// A runner over a store that may fail, with hands that note what they do, and may fail or die at it.
#pragma once

#include <catch2/catch.hpp>
#include <sstream>

#include "revocation/runner.hpp"
#include "store/memory_store.hpp"

namespace nimes::gateway::revocation {

struct Death {};  // the process is gone: nothing behind it happens

struct HandClock final : Clock {
    Millis time = 1'780'000'000'000;
    Millis now() const override { return time; }
    Millis boot() const override { return time; }
};

// Dies at the n-th commit, before or after it is applied; or refuses it.
struct FailingStore final : store::Store {
    enum class How { dies_before, dies_after, refuses } how = How::refuses;
    store::MemoryStore inner;
    std::size_t commits = 0, at = 0;  // 0: never
    using Store::commit;
    Result<void> commit(std::span<const store::Batch> batches, store::Sync sync) override {
        const bool now = ++commits == at;
        if (now && how == How::dies_before) throw Death{};
        if (now && how == How::refuses) return fail(Errc::storage);
        auto done = inner.commit(batches, sync);
        if (now) throw Death{};
        return done;
    }
    Result<std::optional<Bytes>> get(const store::Partition& p, std::string_view k) override { return inner.get(p, k); }
    Result<std::vector<store::Record>> scan(const store::Partition& p, std::string_view from, std::string_view until,
                                            std::size_t limit) override {
        return inner.scan(p, from, until, limit);
    }
    Result<std::optional<store::Record>> last(const store::Partition& p, std::string_view from,
                                              std::string_view until) override {
        return inner.last(p, from, until);
    }
    Result<std::vector<std::string>> partitions(store::Family f, std::string_view from, std::size_t limit) override {
        return inner.partitions(f, from, limit);
    }
    Result<void> drop(const store::Partition& p) override { return inner.drop(p); }
    Result<void> check() override { return {}; }
};

inline DeviceId device(std::uint8_t n) { return DeviceId::from(Bytes(16, n)); }
inline UserId user(std::uint8_t n) { return UserId::from(Bytes(16, n)); }

// The other rooms, as far as a test looks at them. It outlives the runner, as a disk does.
struct FakeHands final : Hands {
    std::map<DeviceId, std::string> state;  // active, suspended, revoked
    std::map<DeviceId, UserId> owner;
    std::set<UserId> closed;
    std::map<std::string, std::size_t> calls;  // "share_deleted 3": how often it took effect
    std::map<std::string, int> failures;       // by the name of a step: how often it fails yet
    std::set<DeviceId> stuck;                  // whose own steps fail
    std::vector<std::string> order;            // of effects
    std::vector<Owed> chains;
    std::uint64_t revision = 100;
    std::function<void(const DeviceId&)> shut_out;
    std::vector<std::function<void()>> mailboxes;  // to be told later
    bool mailbox_waits = false;
    std::size_t acts = 0, dies_at = 0;  // 0: never
    bool dies_before = false;

    Result<void> act(
        Step step, const Subject& on, const std::function<void()>& effect = [] {}) {
        const std::string word(name(step));
        if (failures[word] > 0) {
            --failures[word];
            return fail(Errc::storage);
        }
        const bool dies = ++acts == dies_at;
        if (dies && dies_before) throw Death{};
        effect();
        ++calls[word + " " + std::to_string(on.id[0])];
        order.push_back(word + " " + std::to_string(on.id[0]));
        if (dies) throw Death{};
        return {};
    }
    Result<void> record(const Order& given, std::span<const DeviceId> devices) override {
        // One commit for all of them.
        const auto all = [&] {
            for (const auto& d : devices) set(given.kind, d);
            for (const auto& d : devices.subspan(1)) ++calls["recorded " + std::to_string(d.bytes[0])];
            ++revision;
        };
        if (auto ok = act(Step::recorded, Subject::of(devices[0]), all); !ok) return ok;
        for (const auto& d : devices)
            if (shut_out && given.kind != Kind::reinstate) shut_out(d);
        return {};
    }
    void set(Kind kind, const DeviceId& d) {
        if (state[d] == "revoked") return;
        state[d] = kind == Kind::revoke ? "revoked" : kind == Kind::suspend ? "suspended" : "active";
    }
    Result<std::vector<DeviceId>> record(const Order& given, const UserId& person) override {
        const auto close = [&] {
            given.kind == Kind::reinstate ? (void)closed.erase(person) : (void)closed.insert(person);
        };
        if (auto ok = act(Step::recorded, Subject::of(person), close); !ok) return pass(ok);
        std::vector<DeviceId> out;
        for (const auto& [d, of] : owner)
            if (of == person && state[d] != "revoked") out.push_back(d);
        return out;
    }
    std::uint64_t mirror_revision() override { return revision; }
    // One commit for all of them, as in the rooms; refused whole because of one that cannot.
    Result<void> together(Step step, Devices devices) {
        for (const auto& d : devices)
            if (stuck.contains(d)) return fail(Errc::storage);
        const auto others = [&] {
            for (const auto& d : devices.subspan(1)) {
                ++calls[std::string(name(step)) + " " + std::to_string(d.bytes[0])];
                order.push_back(std::string(name(step)) + " " + std::to_string(d.bytes[0]));
            }
        };
        return act(step, Subject::of(devices[0]), others);
    }
    Result<void> tokens_refused(Devices d) override { return together(Step::tokens_refused, d); }
    Result<void> cut_requests(Devices d) override { return together(Step::requests_cut, d); }
    void destroy_mailboxes(Devices d, std::function<void(const Result<void>&)> done) override {
        auto ok = together(Step::mailbox_destroyed, d);
        if (mailbox_waits) mailboxes.emplace_back([ok, done] { done(ok); });
        else done(ok);
    }
    Result<void> destroy_seal_keys(Devices d) override { return together(Step::seal_keys_destroyed, d); }
    Result<void> shares_withheld(Devices d) override { return together(Step::share_withheld, d); }
    Result<void> delete_shares(Devices d) override { return together(Step::share_deleted, d); }
    Result<void> order_wipes(Devices d) override { return together(Step::wipe_ordered, d); }
    Result<std::vector<Owed>> owed(const std::set<DeviceId>& devices) override {
        if (auto ok = act(Step::chains_listed, Subject::of(*devices.begin())); !ok) return pass(ok);
        return chains;
    }
    Result<void> drop_renewed(std::vector<Owed>& all) override {
        std::erase_if(all, [&](const Owed& o) { return std::find(chains.begin(), chains.end(), o) == chains.end(); });
        return {};
    }
    std::vector<DeviceId> revoked() override {
        std::vector<DeviceId> out;
        for (const auto& [d, s] : state)
            if (s == "revoked") out.push_back(d);
        return out;
    }
    std::optional<Found> revoked(const DeviceId& d) override {
        const auto at = state.find(d);
        if (at == state.end() || at->second != "revoked") return std::nullopt;
        return Found{"device of its owner", RevokeReason::lost, false};
    }
};

struct FakeNames final : Names {
    const FakeHands& hands;
    std::map<DeviceId, std::string> elsewhere;  // whose unit is not Celle
    std::vector<BrokerLine> lines;
    explicit FakeNames(const FakeHands& h) : hands(h) {}
    std::optional<UserId> user(const ServiceAddress& address) const override {
        if (address.text() == "anna@polizei.example") return revocation::user(1);
        return std::nullopt;
    }
    std::vector<UserId> unit(const std::string& name) const override {
        return name == "Celle" ? std::vector{revocation::user(1), revocation::user(2)} : std::vector<UserId>{};
    }
    std::string address(const Subject& subject) const override { return "p" + std::to_string(subject.id[0]); }
    std::string unit_of(const Subject& subject) const override {
        const auto at = subject.is_device() ? elsewhere.find(subject.device()) : elsewhere.end();
        return at == elsewhere.end() ? "Celle" : at->second;
    }
    std::vector<BrokerLine> brokers() const override { return lines; }
    std::optional<std::string> state(const DeviceId& d) const override {
        const auto at = hands.state.find(d);
        return at == hands.state.end() ? std::nullopt : std::optional(at->second);
    }
};

struct FakeKeeper final : Keeper {
    std::set<std::string> kept;  // addresses
    std::set<std::string> asked;
    std::mutex mutex;
    Result<Held> may_shut_out(const std::set<std::string>& addresses) override {
        asked = addresses;
        for (const auto& address : addresses)
            if (kept.contains(address)) return fail(Errc::forbidden, "the last owner");
        return Held(mutex);
    }
};

struct World {
    FailingStore store;
    HandClock clock;
    FakeHands hands;
    FakeNames names{hands};
    FakeKeeper keeper;
    std::ostringstream lines;
    operations::Log log{clock, operations::Level::error, lines};
    std::unique_ptr<audit::Log> audit;
    std::unique_ptr<Runner> runner;

    World() {
        for (std::uint8_t n = 11; n <= 14; ++n) {
            hands.state[device(n)] = "active";
            hands.owner[device(n)] = user(n < 13 ? 1 : 2);
        }
        start();
    }
    // As a process does, whatever became of the one before.
    void start() {
        runner.reset();
        hands.mailboxes.clear();
        audit = audit::Log::open(store, clock).value();
        runner = std::make_unique<Runner>(Runner::Needs{store, hands, names, keeper, *audit, clock, log});
        hands.shut_out = [this](const DeviceId& d) { runner->noticed(d); };
        REQUIRE(runner->load());
    }
    // As the thread and the broker would, for some minutes.
    void settle() {
        for (int i = 0; i < 10; ++i) {
            runner->round();
            runner->told(hands.revision);
            (void)runner->obeyed(hands.revision);
            clock.time += kMinute;
        }
    }
    Draft draft(Kind kind, std::vector<DeviceId> devices) const {
        Draft out;
        out.kind = kind;
        if (kind == Kind::revoke) out.reason = RevokeReason::stolen;
        out.wipe = kind == Kind::revoke;
        out.scope = "list";
        out.who = "uid 998";
        out.why = "found in a ditch";
        out.devices = std::move(devices);
        return out;
    }
    // "what" of each entry.
    std::vector<std::string> acts() {
        std::vector<std::string> out;
        const auto all = audit->read(1, 100).value();
        for (const auto& line : all) out.push_back(nlohmann::json::parse(line).at("what"));
        return out;
    }
    bool done(std::uint64_t id, std::uint8_t n, Step step) {
        const auto found = runner->find(id).value().value();
        for (const auto& t : found.targets)
            if (t.subject == Subject::of(device(n))) return t.has(step);
        return false;
    }
    std::size_t calls(Step step, std::uint8_t n) {
        return hands.calls[std::string(name(step)) + " " + std::to_string(n)];
    }
};

}  // namespace nimes::gateway::revocation
