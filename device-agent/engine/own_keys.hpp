// This device's own seal keys: published, compared with what the gateway shows, and erased when their time is over
// (FORMATS.md 2.4; the rules are sealing/seal_key_rules.hpp).
//
// Private halves are in the container before their public halves leave, and what is tried is written down before it is
// tried: a crash, or an answer that is lost, repeats the same publication. Functions take the core's lock; run() lets
// go of it while the network answers. Errors: the store's, and what Network says.
#pragma once

#include "engine/core.hpp"
#include "engine/network.hpp"

namespace nimes::agent::engine {

class OwnKeys {
  public:
    OwnKeys(Core& core, Network& network) : core_(core), network_(network) {}

    // After a look-up of the own entry: judges the keys that the gateway shows, then publishes what is due.
    Result<void> run(Lock& lock);
    // The number that the gateway's welcome names.
    Result<void> welcomed(std::uint32_t batch_no);
    // The time to note before Hello goes out, for drained().
    [[nodiscard]] Millis erasing_now() const;
    // What was in the mailbox at `at` is here.
    Result<void> drained(Millis at);
    Result<void> erase_over();

  private:
    using Change = std::function<Result<void>(container::Transaction&, sealing::SealBook&)>;
    Result<void> change(const Change& change);
    Result<void> judge_shown();
    Result<void> alarm(container::Transaction& tx, sealing::SealBook& book, std::uint32_t batch_no,
                       std::uint32_t key_id);
    Result<void> publish(Lock& lock);
    Result<void> publish_again(Lock& lock);
    Result<void> refill(Lock& lock);
    Result<void> send(Lock& lock, const v1::SealKeyBatch& batch);

    Core& core_;
    Network& network_;
};

// Rows of Table::seal_keys, by key id.
Result<std::optional<sealing::OwnSealKey>> find_seal_key(container::Transaction& tx, std::uint32_t key_id);
Result<void> put_seal_key(container::Transaction& tx, const sealing::OwnSealKey& key);
Result<std::uint64_t> count_one_time(container::Transaction& tx);
Result<void> erase_seal_key(container::Transaction& tx, std::uint32_t key_id);

}  // namespace nimes::agent::engine
