// One person's device: the facade of the engine, for the command line and the C interface.
//
// open() takes a home that this process has locked. Every function may be called from any thread; they wait for each
// other where they must, and never while the network answers. Ownership: the agent owns container, connections and
// threads; clock and random source must outlive it.
// Errors: Errc::not_enrolled, passphrase_wrong, passphrase_wait, device_revoked, device_suspended, ambiguous,
// not_found, offline, timed_out (accepted by nobody yet: it is in the outbox), and what the steps say.
#pragma once

#include <stop_token>

#include "engine/people.hpp"
#include "engine/view.hpp"
#include "media/transfer.hpp"

namespace nimes::agent::engine {

struct SentMessage {
    MessageId id;
    std::uint64_t sequence = 0;
    std::vector<DeviceId> devices;
    std::vector<DeviceId> stale;
    bool accepted = false;
};

struct SentPhoto {
    SentMessage message;
    BlobId blob;
    Digest sha256;  // of what was sealed
    std::uint64_t bytes = 0;
    bool stripped = false;  // false: no JPEG, sent with all that its maker wrote into it
};

struct FetchedMedia {
    BlobId blob;
    std::uint64_t bytes = 0;
    Digest sha256;
};

struct PendingDevice {
    DeviceId device;
    std::uint16_t platform = 0;
    Millis not_before = 0;
};

struct OwnDevice {
    DeviceId device;
    std::string state;  // active, waiting, revoked, expired
    std::uint16_t platform = 0;
    bool self = false;
};

struct GroupLine {
    ConversationId id;
    std::string title;
    std::size_t members = 0;
};

struct Status {
    bool enrolled = false;
    bool connected = false;
    bool synced = false;
    std::string address;
    std::optional<DeviceId> device;
    std::optional<UserId> user;
    std::uint64_t directory_revision = 0;
    std::size_t outbox = 0;
    std::optional<Errc> shut_out;
};

// Whom a query could mean, when it was ambiguous.
using Candidates = std::vector<directory::PersonInfo>;

class Agent {
  public:
    static Result<std::unique_ptr<Agent>> open(
        container::HomeLock home, ByteView passphrase, bool create, const Clock& clock, RandomSource& random,
        const container::PassphraseCost& cost = container::PassphraseCost::standard());
    ~Agent();
    Result<void> check_passphrase(ByteView passphrase);

    // Without a code: asks for one, or goes on with an enrolment that waits. Answers whether this device is enrolled
    // now.
    enum class Enrolled : std::uint8_t { code_sent, done };
    Result<Enrolled> enrol(ByteView provisioning_file, const std::string& address, const std::string& code);

    // Connects, if it is not connected yet; does not wait.
    Result<void> go_online();
    Status status();
    // Waits until the mailbox is fetched; false when time is over.
    bool wait_synced(Millis patience, const std::stop_token& stop);

    Result<std::vector<directory::PersonInfo>> people(const std::string& query);
    Result<SentMessage> send_text(const std::string& to, const std::string& text, const MessageId& id, Millis patience,
                                  Candidates& candidates);
    Result<SentPhoto> send_photo(const std::string& to, const std::filesystem::path& file, const std::string& caption,
                                 const MessageId& id, Millis patience, const media::Progress& progress,
                                 const std::stop_token& stop, Candidates& candidates);
    Result<GroupLine> create_group(const std::string& title, const std::vector<std::string>& with, Millis patience,
                                   Candidates& candidates);
    std::vector<GroupLine> groups();
    Result<std::vector<Shown>> messages(std::uint64_t after, std::size_t limit);
    Result<std::vector<Alarm>> alarms(std::uint64_t after);
    // Waits for a message beyond `after`; false when time is over or `stop` was asked for.
    bool wait_message(std::uint64_t after, Millis patience, const std::stop_token& stop);
    Result<FetchedMedia> fetch_media(const BlobId& blob, const std::filesystem::path& out,
                                     const media::Progress& progress, const std::stop_token& stop);

    Result<std::vector<OwnDevice>> devices();
    Result<std::vector<PendingDevice>> pending_devices();
    Result<void> vouch(const DeviceId& device);
    Result<std::string> token(const std::string& audience);

  private:
    struct Impl;
    explicit Agent(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::agent::engine
