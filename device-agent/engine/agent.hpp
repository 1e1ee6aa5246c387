// One person's device: the facade of the engine, for the command line and the C interface.
//
// open() takes a home that this process has locked. It answers behind the door, too, when the passphrase is right and
// the gateway's share cannot be had: locking() says why, and verbs are refused until that is over. Every function may
// be called from any thread; they wait for each other where they must, and never while the network answers. Ownership:
// the agent owns container, connections and threads; clock and random source must outlive it. Errors:
// Errc::not_enrolled, passphrase_wrong, passphrase_wait, device_revoked, device_suspended, ambiguous, not_found,
// offline, timed_out (accepted by nobody yet: it is in the outbox), and what the steps say.
#pragma once

#include <stop_token>

#include "directory/audit.hpp"
#include "engine/doctor.hpp"
#include "engine/owed.hpp"
#include "engine/people.hpp"
#include "engine/view.hpp"
#include "media/seek.hpp"

namespace nimes::agent::engine {

struct SentMessage {
    MessageId id;
    std::uint64_t sequence = 0;
    std::vector<DeviceId> devices;
    std::vector<DeviceId> stale;
    bool accepted = false;
};

// Which one of a photo goes: the small one where the measured rate is too poor for the original, or as somebody says.
enum class Variant : std::uint8_t { automatic, original, small };

// What is said of a medium beside the file.
struct MediaWish {
    std::string caption;
    std::uint32_t duration_ms = 0;  // of a voice message or a video
    std::string media_type;         // "": by what the file is
    conversation::Lifetime lifetime;
    Variant variant = Variant::automatic;
    bool group_picture = false;  // it becomes the group's picture, and no message of its own
    bool as_it_is = false;       // with all that its maker wrote into it
};

struct Typing {
    ConversationId conversation;
    std::string title;
    std::string name;
};

struct SentPhoto {
    SentMessage message;
    BlobId blob;
    Digest sha256;  // of what was sealed
    std::uint64_t bytes = 0;
    bool stripped = false;  // false: sent with all that its maker wrote into it
    Variant variant = Variant::original;
    std::uint64_t original_bytes = 0;
    std::optional<std::uint64_t> rate;  // bytes a second, as measured; nullopt: not at all
    bool video_without_frame = false;   // for want of ffmpeg, or because it could not read it
};

struct FetchedMedia {
    BlobId blob;
    std::uint64_t bytes = 0;
    Digest sha256;
};

// What policy is asked: may it leave as a file or bytes, may another program show it? Fetching alone is always allowed.
enum class MediaUse : std::uint8_t { fetch, show, save };

struct PendingDevice {
    DeviceId device;
    std::uint16_t platform = 0;
    Millis not_before = 0;
};

struct PersonDevice {
    DeviceId device;
    std::string state;  // active, waiting, revoked, expired
    std::uint16_t platform = 0;
    bool self = false;
    bool stale = false;  // has no seal key of today: nothing can be sealed to it
    directory::DeviceTrust trust;
};

// What two people compare, and what one shows the other.
struct Verification {
    UserId user;
    std::string name;
    directory::PersonTrust trust;
    std::string safety_number;
    std::string code;                 // of this device, for the other one to scan
    std::optional<DeviceId> scanned;  // verified just now
    std::vector<PersonDevice> devices;
};

// A history may go from `old_device` to `new_device` when both screens show this code.
struct HistoryPeer {
    DeviceId old_device;
    DeviceId new_device;
    std::string code;  // as it is typed
    Digest full;       // as it is scanned
    bool offered = false;
};
struct OfferedHistory {
    std::uint32_t conversations = 0;
    std::uint32_t messages = 0;
    bool cut = false;  // the oldest did not fit
    bool accepted = false;
};
struct TakenHistory {
    DeviceId from;
    std::uint32_t conversations = 0;
    std::uint32_t imported = 0;
    std::uint32_t left_out = 0;  // here already, expired meanwhile, or not this person's to read
};

struct GroupLine {
    ConversationId id;
    std::string title;
    std::size_t members = 0;
    bool closed = false;
    std::string owed{};  // why the next message opens a new chain; "": it need not
};

struct GroupMember {
    UserId user;
    std::string name;
    MemberRole role = MemberRole::poster;
};
struct GroupDetails {
    GroupLine line;
    std::uint64_t epoch = 0;
    std::uint32_t expires_after_s = 0;
    BlobId picture;
    bool forked = false;
    std::uint64_t newer_epoch = 0;  // named by a member, and not here yet; 0: none
    std::vector<GroupMember> members;
    // With changes that wait for an administrator's word; no members: none do.
    struct Doubted {
        std::vector<GroupMember> members;
        Digest state;  // what is confirmed
        bool closed = false;
        bool may_confirm = false;  // this person
    } doubted;
};
// What is to be said of a group; what is left out stays.
struct GroupWish {
    std::optional<std::string> title;
    std::optional<std::uint32_t> expires_after_s;
};

// Makes what is said about a message from that message; called with the core's lock held, so it must not block.
using AboutMessage = std::function<Result<conversation::Meaning>(const Shown&)>;

struct Status {
    bool enrolled = false;
    bool connected = false;
    bool synced = false;
    std::string address;
    std::optional<DeviceId> device;
    std::optional<UserId> user;
    std::uint64_t directory_revision = 0;
    std::size_t outbox = 0;
    std::vector<Facts::Stuck> stuck;  // of the outbox, for a reason that the gateway named
    std::size_t held = 0;             // came, and wait for something
    Failures failures;
    std::vector<OwedChain> owed;
    std::uint32_t seal_batch = 0;     // newest that this device published; 0: none
    std::uint64_t one_time_keys = 0;  // private halves of one-time keys that are here
    std::vector<Alarm> alarms;        // that wait for an answer
    std::optional<Errc> shut_out;
    std::string version;                  // of this program
    std::optional<Policy> policy;         // once enrolled
    ContentRules rules;                   // of this person's unit
    std::optional<Error> policy_refused;  // why one that the gateway told does not count
    bool outdated = false;                // by policy: it must be updated before anything new is said
};

// What the doctor found, and what the flight recorder holds of the last connections, in words.
struct HealthReport {
    std::vector<Finding> findings;
    struct Line {
        Millis at = 0;
        std::string text;
    };
    std::vector<Line> recent;
};

// What the container is, and why (keeper.hpp): state open, door, shut or wiped.
struct Locking {
    std::string state;
    std::string why;     // "" when open
    bool share = false;  // it opens with the gateway's share alone
    std::optional<Millis> lease_left;
    std::uint32_t wrong_tries = 0;
};

// Whom a query could mean, when it was ambiguous.
using Candidates = std::vector<directory::PersonInfo>;

class Agent {
  public:
    static const char* version();  // of this program
    static Result<std::unique_ptr<Agent>> open(
        container::HomeLock home, ByteView passphrase, bool create, const Clock& clock, RandomSource& random,
        const container::PassphraseCost& cost = container::PassphraseCost::standard());
    ~Agent();
    // Of somebody who asks through the owner of the home: checked, and what is locked opens, as far as it can; see
    // locking(). Errc::passphrase_wrong, passphrase_wait, not_enrolled (wiped).
    Result<void> check_passphrase(ByteView passphrase);

    // While one lives, something is done for the person: it is not locked for want of use. Errors: why it is locked.
    class Use;
    Result<Use> use();
    // OPEN → DOOR, now: until the passphrase comes again nothing is opened.
    Result<void> lock();
    Locking locking();
    // False when time is over.
    bool wait_open(Millis patience, const std::stop_token& stop);

    // Without a code: asks for one, or goes on with an enrolment that waits. Answers whether this device is enrolled
    // now.
    enum class Enrolled : std::uint8_t { code_sent, done };
    Result<Enrolled> enrol(ByteView provisioning_file, const std::string& address, const std::string& code);

    // Connects, if it is not connected yet; does not wait.
    Result<void> go_online();
    // The operating system's word: this device is on another network, or back on one. Connects anew at once. `name` is
    // opaque and stays here ("": not known); what is learned of a network's patience is remembered by it.
    Result<void> network_changed(const std::string& name);
    // Tries everything that a message needs on its way here, for as long as `patience` and the probes' own limits, and
    // says what is wrong. Without network, and for a home that holds no device, too.
    HealthReport examine(Millis patience, const std::stop_token& stop);
    // Where a push service wakes this device when something waits for it; "": nowhere.
    Result<void> wake(const std::string& endpoint);
    Status status();
    // Waits until the mailbox is fetched; false when time is over.
    bool wait_synced(Millis patience, const std::stop_token& stop);

    Result<std::vector<directory::PersonInfo>> people(const std::string& query);
    // `to` is a person, an address, a group's title or a conversation's id in hex.
    Result<SentMessage> say(const std::string& to, conversation::Meaning meaning, const MessageId& id, Millis patience,
                            Candidates& candidates);
    // About a message, by its number: into its conversation; what a reader may say goes to the author alone.
    Result<SentMessage> say_about(std::uint64_t sequence, const AboutMessage& make, const MessageId& id,
                                  Millis patience);
    // After a deletion: waits until the gateway lost the medium and, of a recall, all devices said what became of it.
    // When time is over: what is known by then.
    struct Recalled {
        std::optional<RecallCount> count;
        bool on_server = false;  // a medium of this person's messages is still to be taken from there
    };
    Result<Recalled> wait_recalled(std::uint64_t sequence, Millis patience, const std::stop_token& stop);
    // To who is connected now; nothing of it is kept, and nobody waits for it.
    Result<void> typing(const std::string& to, Candidates& candidates);
    Result<SentPhoto> send_photo(const std::string& to, const std::filesystem::path& file, MediaWish wish,
                                 const MessageId& id, Millis patience, const media::Progress& progress,
                                 const std::stop_token& stop, Candidates& candidates);

    Result<GroupLine> create_group(const std::string& title, const std::vector<std::string>& with, MemberRole role,
                                   Millis patience, Candidates& candidates);
    // Adds, removes, or sets the role of people. Whoever is added is told title and picture.
    Result<GroupLine> change_group(const std::string& group, RosterOp op, const std::vector<std::string>& who,
                                   MemberRole role, Millis patience, Candidates& candidates);
    Result<GroupLine> leave_group(const std::string& group, Millis patience);
    Result<GroupLine> close_group(const std::string& group, Millis patience);
    Result<GroupLine> mend_group(const std::string& group, Millis patience);
    // Vouches for changes that a device made which was revoked since, as they were `seen` (confirm.hpp). A group that
    // nobody vouched for is not known here: it goes by its id.
    Result<GroupLine> confirm_group(const std::string& group, const std::optional<Digest>& seen, Millis patience);
    Result<SentMessage> set_group(const std::string& group, const GroupWish& wish, const MessageId& id,
                                  Millis patience);
    Result<GroupDetails> group(const std::string& group);
    std::vector<GroupLine> groups();

    Result<std::vector<Shown>> messages(std::uint64_t after, std::size_t limit);
    Result<Shown> message(std::uint64_t sequence);
    // These were on a screen: what is to vanish counts from now; `read` owes the sender a receipt.
    Result<void> mark_shown(const std::vector<std::uint64_t>& sequences, bool read);
    // Who is typing, by conversation, at this moment.
    std::vector<Typing> typing_now();
    Result<std::vector<Alarm>> alarms(std::uint64_t after);
    // Waits until what this device owes by itself (receipts, reports) is said and the outbox is empty; false when time
    // is over.
    bool wait_quiet(Millis patience, const std::stop_token& stop);
    // Waits for a message beyond `after`; false when time is over or `stop` was asked for.
    bool wait_message(std::uint64_t after, Millis patience, const std::stop_token& stop);
    // Fetched, verified, and where `use` is more than that: to a new file, or to `sink` (either may be empty). Refused
    // before anything is fetched: Errc::export_forbidden.
    Result<FetchedMedia> fetch_media(const BlobId& blob, MediaUse use, const std::filesystem::path& file,
                                     const media::Sink& sink, const media::Progress& progress,
                                     const std::stop_token& stop);
    // A part, without the rest, for who looks into a video: each segment is verified before it is shown.
    Result<void> show_part(const BlobId& blob, media::Part part, const media::Sink& sink, const std::stop_token& stop);

    // Of a person; "": one's own.
    Result<std::vector<PersonDevice>> devices(const std::string& who, Candidates& candidates);
    Result<std::vector<PendingDevice>> pending_devices();
    Result<void> vouch(const DeviceId& device);
    // Answers an alarm about a device of one's own: it is mine; or it is out for good, whether it was unknown, lost or
    // given back. This very device may be revoked, too. Errc::not_found.
    Result<void> confirm_device(const DeviceId& device);
    Result<void> revoke_device(const DeviceId& device, RevokeReason reason);

    // Both entries as they are now. `scanned`: the code that the other's screen showed, or "". Errc::proof_invalid (it
    // is of somebody else, or of no device of theirs), device_revoked, malformed: nothing is verified.
    Result<Verification> verify(const std::string& who, const std::string& scanned, Candidates& candidates);
    // The directory's newest revision whole, proven; compared with a roster (CSV) where one is given. Errc::usage (no
    // roster), proof_invalid and malformed (an alarm was raised).
    Result<directory::AuditReport> audit(const std::filesystem::path& roster_file, const std::stop_token& stop);
    // As far as the entry is held.
    directory::PersonTrust trust(const UserId& user);

    // On the old device: what it shows, and the offer once the person has seen the same on the new one.
    Result<HistoryPeer> history_code_for(const DeviceId& new_device);
    // days 0: all that policy keeps. Errc::code_wrong, forbidden, device_stale: nothing was sent.
    Result<OfferedHistory> offer_history(const DeviceId& new_device, const std::string& code, std::uint32_t days,
                                         Millis patience, const media::Progress& progress, const std::stop_token& stop);
    // On the new one: a code for each device that may offer; and taking, which waits for the offer and may be repeated.
    Result<std::vector<HistoryPeer>> history_codes();
    Result<TakenHistory> take_history(const std::string& code, Millis patience, const media::Progress& progress,
                                      const std::stop_token& stop);
    Result<std::string> token(const std::string& audience);

  private:
    struct Impl;
    explicit Agent(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

class Agent::Use {
  public:
    Use(Use&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
    Use& operator=(Use&&) = delete;
    ~Use();

  private:
    friend class Agent;
    explicit Use(Impl& impl);
    Impl* impl_;
};

}  // namespace nimes::agent::engine
