// A post office in memory: people with devices, packets as devices make them, and what went out to each device.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "mailbox/delivery.hpp"
#include "mailbox/expiry.hpp"
#include "nimes/topics.hpp"
#include "nimes/v1/transport.pb.h"
#include "store/memory_store.hpp"

namespace nimes::gateway::mailbox {

inline constexpr Millis kStart = 1'780'000'000'000;

template <class IdType>
IdType made(std::uint8_t n) {
    IdType out;
    out.bytes.fill(n);
    return out;
}
template <class IdType>
std::string raw(const IdType& id) {
    return std::string(as_text(id.view()));
}

// User n has the devices 10n, 10n + 1, …; their numbers in grants are the same.
struct FakePeople final : People {
    std::map<UserId, std::vector<Target>> users;
    std::set<DeviceId> shut_out;
    HeadHint head{1, {}, false};
    std::map<std::uint64_t, std::vector<UserId>> changed_since;

    FakePeople() {
        for (std::uint8_t n = 1; n <= 4; ++n) {
            const auto user = made<UserId>(n);
            for (std::uint8_t k = 0; k < (n == 2 ? 2 : 1); ++k) {
                const auto number = static_cast<std::uint8_t>(10 * n + k);
                users[user].push_back({made<DeviceId>(number), user, number});
            }
        }
    }
    Result<UserId> sender(const DeviceId& device) const override {
        if (shut_out.contains(device)) return fail(Errc::device_revoked);
        for (const auto& [user, devices] : users)
            for (const auto& d : devices)
                if (d.device == device) return user;
        return fail(Errc::device_unknown);
    }
    Result<std::vector<Target>> devices_of(const UserId& user) const override {
        const auto at = users.find(user);
        if (at == users.end()) return fail(Errc::recipient_unknown);
        auto out = at->second;
        std::erase_if(out, [&](const Target& t) { return shut_out.contains(t.device); });
        return out;
    }
    HeadHint head_since(std::uint64_t held) const override {
        const auto at = changed_since.find(held);
        return at == changed_since.end() ? head : HeadHint{head.revision, at->second, head.too_many};
    }
    std::uint32_t seal_batch(const DeviceId&) const override { return 7; }
};

struct FakeMedia final : MediaLinks {
    std::set<BlobId> finished;
    std::map<BlobId, Millis> linked;
    Result<void> link(const BlobId& blob, const DeviceId&, Millis expires) override {
        if (!finished.contains(blob)) return fail(Errc::not_found);
        linked[blob] = expires;
        return {};
    }
};

struct FakeOutlet final : Outlet {
    std::map<DeviceId, std::vector<v1::Down>> sent;
    void done(std::size_t, std::uint64_t) override {}
    void flush() override {}
    void send(const DeviceId& device, ByteView down) override {
        v1::Down parsed;
        REQUIRE(down.size() <= topic::kMaxPacket);
        REQUIRE(parsed.ParseFromArray(down.data(), static_cast<int>(down.size())));
        sent[device].push_back(std::move(parsed));
    }
};

// A store whose next commit breaks, or whose commit ends after some of its batches: a crash.
struct FaultyStore final : store::Store {
    store::MemoryStore inner;
    bool broken = false;
    std::optional<std::size_t> crash_after;

    using store::Store::commit;
    Result<void> commit(std::span<const store::Batch> batches, store::Sync sync) override {
        if (broken) return fail(Errc::storage);
        if (crash_after) {
            for (const auto& batch : batches.first(std::min(*crash_after, batches.size())))
                REQUIRE(inner.commit(batch, sync));
            return fail(Errc::storage);
        }
        return inner.commit(batches, sync);
    }
    Result<std::optional<Bytes>> get(const store::Partition& p, std::string_view key) override {
        return inner.get(p, key);
    }
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
    Result<void> check() override { return inner.check(); }
};

inline Bytes wire_message(const ChainId& chain, std::uint32_t index, std::size_t padded = 128) {
    MessageHeader header;
    header.chain = chain;
    header.index = index;
    auto out = header.encode();
    out.resize(out.size() + padded + 16 + 64, 0x5a);
    return out;
}

inline Bytes wire_grant(const DeviceId& sender, const ConversationId& conversation, const ChainId& chain,
                        const std::vector<std::uint32_t>& numbers) {
    GrantHeader header;
    header.conversation = conversation;
    header.device = sender;
    header.chain = chain;
    header.n_wraps = static_cast<std::uint32_t>(numbers.size());
    std::vector<Wrap> wraps;
    for (const auto n : numbers) {
        Wrap wrap{n, 1, {}};
        wrap.sealed.fill(static_cast<std::uint8_t>(n));
        wraps.push_back(wrap);
    }
    return encode_grant(header, Bytes(kGrantCiphertext, 0x11), wraps);
}

struct Post {
    FaultyStore store;
    FakePeople people;
    FakeMedia media;
    FakeOutlet outlet;
    Options options;
    operations::Metrics metrics{"test", "test"};
    std::optional<Committer> committer;
    std::optional<Delivery> delivery;
    Millis now = kStart;

    Post() { restart(); }
    void restart() {
        delivery.reset();
        committer.emplace(store, people, media, options);
        (void)committer->gaps();  // noted at its start
        delivery.emplace(store, *committer, people, outlet, options, metrics);
    }

    // A message of the conversation between users a and b.
    static v1::Submit pair_message(std::uint8_t id, std::uint8_t a, std::uint8_t b, std::uint32_t index = 0) {
        v1::Submit s;
        s.set_message_id(raw(made<MessageId>(id)));
        s.set_lane(v1::LANE_CHAT);
        s.set_conversation(raw(pair_id(made<UserId>(a), made<UserId>(b))));
        s.add_users(raw(made<UserId>(a)));
        s.add_users(raw(made<UserId>(b)));
        s.set_message(std::string(as_text(wire_message(made<ChainId>(a), index))));
        return s;
    }
    Outcome submit(std::uint8_t device, const v1::Submit& submit) {
        v1::Up up;
        *up.mutable_submit() = submit;
        const auto bytes = up.SerializeAsString();
        auto decoded = decode_up(made<DeviceId>(device), as_bytes(bytes));
        if (const auto* refused = std::get_if<Refused>(&decoded)) {
            Outcome out;
            out.accepted = fail(refused->error.code, refused->error.detail);
            return out;
        }
        const Waiting waiting{made<DeviceId>(device), std::get<Submit>(std::get<Command>(decoded))};
        auto outcomes = committer->commit(std::span(&waiting, 1), now);
        REQUIRE(outcomes.size() == 1);
        delivery->offer(outcomes[0], now);
        delivery->flush();
        return std::move(outcomes[0]);
    }
    void hello(std::uint8_t device, std::vector<Mark> held = {}) {
        delivery->hello(made<DeviceId>(device), Hello{std::move(held), 0}, now);
    }
    void ack(std::uint8_t device, std::uint64_t sequence) {
        delivery->acknowledge(made<DeviceId>(device), Ack{{{Lane::chat, sequence}}}, now);
    }
    // All envelopes that went out to the device so far, in order.
    std::vector<v1::Envelope> received(std::uint8_t device) {
        std::vector<v1::Envelope> out;
        for (const auto& down : outlet.sent[made<DeviceId>(device)])
            for (const auto& e : down.deliver().envelopes()) out.push_back(e);
        return out;
    }
};

// A signed-looking event; the gateway judges form, order and roles, members judge signatures.
inline ConvEvent group_event(EventKind kind, const Group* before, std::uint8_t actor_user, std::uint8_t actor_device,
                             std::vector<RosterItem> items, const Roster& after) {
    ConvEvent e;
    e.kind = kind;
    e.epoch = before == nullptr ? 1 : before->epoch + 1;
    e.prev_hash = before == nullptr ? made<Digest>(9) : before->state;
    e.actor_user = made<UserId>(actor_user);
    e.actor_device = made<DeviceId>(actor_device);
    e.ts = kStart;
    e.dir_revision = 1;
    e.items = std::move(items);
    e.roster_root = roster_root(after);
    return e;
}

inline ConvEvent creation_of(const Roster& roster) {
    std::vector<RosterItem> items;
    for (const auto& m : roster) items.push_back({m.user, m.role, RosterOp::add});
    auto event = group_event(EventKind::create, nullptr, 1, 10, items, roster);
    event.conversation = event.id_of_create();
    return event;
}

inline v1::Submit submission(std::uint8_t id, const ConvEvent& event) {
    v1::Submit s;
    s.set_message_id(raw(made<MessageId>(id)));
    s.set_lane(v1::LANE_CHAT);
    s.set_conversation(raw(event.conversation));
    s.set_event(std::string(as_text(event.encode())));
    return s;
}

}  // namespace nimes::gateway::mailbox
