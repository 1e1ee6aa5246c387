// One person's device: the engine's steps over a real container, driven by hand.
//
// Nothing is sent: what lies in the outbox is asked for, and what arrives is given in. Errors of the steps are the
// test's to judge. Threads: one. Town, clock and random source must outlive it.
#pragma once

#include <filesystem>

#include "engine/inbox.hpp"
#include "engine/outbox.hpp"
#include "engine/view.hpp"
#include "town.hpp"
#include "transport/mqtt_session.hpp"

namespace nimes::test {

class Handset {
  public:
    static constexpr std::string_view kPassphrase = "korrekt pferd batterie";

    Handset(const Town& town, std::size_t who, std::filesystem::path home, const Clock& clock, RandomSource& random);
    ~Handset();
    Handset(const Handset&) = delete;
    Handset& operator=(const Handset&) = delete;

    // A home that is enrolled and knows nobody yet; leaves it closed.
    Result<void> make();
    Result<void> open();
    void close();
    // What the sync would: newest head, all entries, own seal keys of the day.
    Result<void> learn();

    Result<agent::engine::Composed> say(std::size_t to, const MessageId& id, agent::conversation::Meaning meaning,
                                        const BlobId& medium = {});
    // In the order of sending.
    std::vector<agent::engine::OutboxItem> waiting();
    Result<void> accepted(const MessageId& id);
    Result<void> rejected(const MessageId& id, const Error& error) { return parts_->outbox.rejected(id, error, 0); }
    // By a gateway whose store accepted nothing then.
    Result<void> welcomed(Millis after, Millis until) { return parts_->outbox.lost_by_gateway({{after, until}}); }
    Result<void> take(const v1::Envelope& envelope);
    Result<void> take(const std::vector<v1::Envelope>& envelopes);  // in one packet
    Result<bool> ask();
    // What is held is looked at again, as after each look-up.
    Result<void> retry();
    // Every row of the table, in a transaction that changes nothing.
    std::vector<agent::container::Row> rows(agent::container::Table table);

    [[nodiscard]] ConversationId with(std::size_t other) const;
    [[nodiscard]] const Person& person() const { return town_.people[who_]; }
    [[nodiscard]] bool is_open() const { return parts_ != nullptr; }
    agent::engine::Core& core() { return parts_->core; }
    agent::engine::Compose& compose() { return parts_->compose; }
    agent::engine::Inbox& inbox() { return parts_->inbox; }
    [[nodiscard]] const std::filesystem::path& home() const { return home_; }

  private:
    struct Parts {
        Parts(const Clock& clock, RandomSource& random)
            : core(clock, random),
              compose(core),
              inbox(core, compose),
              recovery(core, compose),
              session({}, {}, {}, clock, random),
              outbox(core, session) {}
        agent::engine::Core core;
        agent::engine::Compose compose;
        agent::engine::Inbox inbox;
        agent::engine::Recovery recovery;
        agent::transport::MqttSession session;  // never started: everything stays in the outbox
        agent::engine::Outbox outbox;
    };

    const Town& town_;
    std::size_t who_;
    std::filesystem::path home_;
    const Clock& clock_;
    RandomSource& random_;
    agent::container::FileKeystore keystore_;
    std::unique_ptr<Parts> parts_;
};

}  // namespace nimes::test
