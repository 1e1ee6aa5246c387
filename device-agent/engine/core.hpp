// What the engine's steps share: the open container and what of it is held in memory.
//
// One mutex guards everything in here; each step says whether it wants it held. Network calls are made without it: what
// they answered is judged against the state as it is afterwards. `changed` is notified after every change somebody may
// wait for. Ownership: the Agent owns it; steps refer to it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "container/container.hpp"
#include "conversation/content.hpp"
#include "conversation/roster_state.hpp"
#include "directory/level.hpp"
#include "engine/flight_recorder.hpp"
#include "engine/provisioning.hpp"
#include "engine/records.hpp"
#include "sealing/one_time_pool.hpp"
#include "sealing/seal_key_rules.hpp"

namespace nimes::agent::engine {

using Lock = std::unique_lock<std::mutex>;

// What messages of kind info said last.
struct ConversationInfo {
    std::string title;
    std::uint32_t expires_after_s = 0;  // put into every message that is sent there
    BlobId picture;                     // zero: none
};
ConversationInfo info_of(const conversation::Info& info);

// That a message named and no event brought yet: until then nothing is sent there.
struct NewerEpoch {
    std::uint64_t epoch = 0;
    Millis since = 0;
    bool alarmed = false;
};

// What a group comes to with changes that wait for an administrator's word, as they were fetched last.
struct Doubt {
    conversation::ConversationState state;
    Millis told = 0;  // when the person was told of it
};

// What could not be opened, by reason; since the device was enrolled.
struct Failures {
    std::uint64_t damaged = 0;     // signature or ciphertext
    std::uint64_t unreadable = 0;  // authentic, and malformed
    std::uint64_t refused = 0;     // grants and events against the rules
    std::uint64_t lost = 0;        // held until its time was over, or no room to hold it
    bool operator==(const Failures&) const = default;
};

struct Core {
    Core(const Clock& c, RandomSource& r) : clock(c), random(r) {}

    // Reads everything from an open container.
    Result<void> load();
    // What the door holds alone: who this device is, and whom it trusts.
    Result<void> load_door();
    // Lets go of all that load() read behind the door: the container is locked.
    void forget();
    [[nodiscard]] Millis now() const;  // for admitting: never behind the newest head
    // The server's word about time (FORMATS.md 2.1): its offset corrects tokens whatever it is, admitting only up to
    // ten minutes, and never what is erased. It is kept by the clock that counts since boot: the other one may be set
    // at any moment. Any thread.
    void learn_time(Millis server);
    // The server's clock minus ours, ms; nullopt: nobody said. Any thread.
    [[nodiscard]] std::optional<std::int64_t> clock_offset() const;
    // Our clock and the server's are too far apart to say what is true.
    [[nodiscard]] bool clock_doubted() const;
    [[nodiscard]] Millis token_time() const;
    // For what this device says of when it said something: others judge it by their clocks, so a clock that is wrong by
    // an hour must not show. Nothing is admitted or erased by it.
    [[nodiscard]] Millis stamp() const;
    // So much time after `since`, a stamp() of earlier. One that lies ahead is of a clock that was wrong: true.
    [[nodiscard]] bool has_passed(Millis since, Millis time) const;
    [[nodiscard]] bool enrolled() const { return door.cert.has_value(); }
    [[nodiscard]] const DeviceCert& own() const { return *door.cert; }
    // A signed policy, as the gateway told it: obeyed when it returns, also when no disk takes it. Errors of
    // Policy::open; the first that no administrator signed raises an alarm, once the container is open.
    Result<void> take_policy(ByteView record);
    // What of that is still to be stored, or to be told of; as often as somebody likes.
    void settle_policy();
    // Of a door that was read: the newest policy that counts, also of what this process heard.
    void find_policy(const Bytes& heard);
    // What policy lets this person do with content now: their unit may be in pilot.
    [[nodiscard]] ContentRules rules() const;
    // As `door` is now, with the identity that the container holds; or with a new one.
    Result<void> store_door();
    Result<void> store_door(const Secret<32>& identity_seed);
    // The identity stays in the container's locked memory: what signs takes this, and lets it die. Needs set_door();
    // Errc::locked once the container is shut.
    [[nodiscard]] Result<SigningKeyPair> identity() const;

    // Runs `write` in one transaction: all of it is stored, or nothing.
    Result<void> transact(const std::function<Result<void>(container::Transaction&)>& write);

    // Entries of which the gateway said that they moved: looked up before anything is sealed to them.
    void mark_changed(const std::vector<UserId>& users, bool too_many);
    Result<void> raise_alarm(container::Transaction& tx, std::string_view text);
    Result<std::uint64_t> append_alarm(container::Transaction& tx, std::string_view text);  // answers its row

    Result<void> put_conversation(container::Transaction& tx, const conversation::ConversationState& state);
    // The counters, if they moved since they were stored.
    Result<void> put_failures(container::Transaction& tx);
    static Result<void> put_seal_book(container::Transaction& tx, const sealing::SealBook& book);
    Result<void> put_entry(container::Transaction& tx, const directory::HeldEntry& entry) const;
    Result<void> put_head(container::Transaction& tx);
    // Who moved, if that has changed since it was stored: the head that said so is not asked again after a restart.
    Result<void> put_stale(container::Transaction& tx);
    [[nodiscard]] std::uint32_t expiry_day(Millis sent, Millis received) const;
    // Active devices of its users, our own included.
    [[nodiscard]] std::size_t devices_of(const conversation::ConversationState& state) const;
    // A message names an epoch beyond ours: the events that lead there are wanted.
    Result<void> note_newer_epoch(container::Transaction& tx, const ConversationId& id, std::uint64_t epoch);
    void note_typing(const ConversationId& conversation, const UserId& user, Millis sent);

    const Clock& clock;
    RandomSource& random;
    std::mutex mutex;
    std::condition_variable changed;

    std::unique_ptr<container::Container> box;
    DoorInfo door;
    std::optional<Provisioning> provisioning;
    struct ToldPolicy {
        std::optional<Error> refused;  // why the last one that came does not count, if it was a new one
        bool forged = false;           // one was signed by no administrator
        bool alarmed = false;          // and people were told so
        bool unstored = false;         // not behind the door yet
    } told_policy;

    std::optional<directory::HeldDirectory> directory;
    std::set<UserId> stale;         // moved since they were looked up
    std::set<UserId> stored_stale;  // as on disk
    std::uint64_t stored_head = 0;  // its revision
    // Whom a name meant, as long as the directory has not moved: who writes ten texts asks once.
    struct Found {
        UserId user;
        std::uint64_t revision = 0;
        Millis until = 0;  // boot clock: a namesake without a handset moves no head
    };
    std::map<std::string, Found> found_people;
    std::set<DeviceId> known_own_devices;
    std::map<std::uint64_t, Millis> monitored;     // revisions, see monitor.hpp
    std::map<DeviceId, std::uint64_t> own_alarms;  // devices that the person has not answered for: rows of the alarms
    directory::ScannedDevices scanned;
    std::map<ConversationId, conversation::ConversationState> conversations;
    std::map<ConversationId, ConversationInfo> infos;
    std::map<ConversationId, NewerEpoch> newer_epochs;
    std::map<ConversationId, Doubt> doubted;  // see doubts.hpp
    std::map<ConversationId, std::map<UserId, Millis>> typing;
    std::set<BlobId> erased_media;  // files still to be removed
    Failures failures;
    Failures stored_failures;
    std::map<ConversationId, Millis> peer_chain_opened;
    std::map<std::uint8_t, std::uint64_t> marks;  // by lane: everything up to here is stored
    sealing::SealBook seal_book;                  // own seal keys
    std::optional<std::size_t> one_time_left;     // own, at the gateway, as it said last
    std::size_t one_time_used = 0;                // own, that something was sealed to since then
    sealing::OneTimePool one_time;                // of others
    std::uint64_t newest_message = 0;             // row id: who waits for messages looks at it

    // Needed to go on with something that is held.
    void want_head(std::uint64_t revision);
    std::set<UserId> wanted_users;
    std::set<std::uint64_t> wanted_heads;
    bool wanted_newest_head = false;
    [[nodiscard]] bool wants() const { return wanted_newest_head || !wanted_users.empty() || !wanted_heads.empty(); }
    std::set<ConversationId> wanted_events;  // of groups whose roster is behind, or not known at all

    FlightRecorder flight;

    std::set<BlobId> uploading;
    std::optional<Errc> shut_out;  // the gateway refuses this device, or a proven revocation

  private:
    std::atomic<std::int64_t> server_at_boot_ = 0;  // the server's clock when this device's was 0
    std::atomic<bool> knows_time_ = false;
};

// Keys in Table::settings.
namespace setting {
inline constexpr std::string_view kMarks = "marks", kSeal = "seal", kOwnDevices = "own-devices", kRevoked = "revoked",
                                  kFailures = "failures", kFork = "fork", kDoubted = "doubted", kStale = "stale";
}
Bytes setting_key(std::string_view name);
Bytes own_digest_key(const ConversationId& conversation);
Bytes last_digest_key(const DeviceId& device, const ConversationId& conversation);

}  // namespace nimes::agent::engine
