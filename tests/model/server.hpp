// The server of the model: the gateway's own rooms over a store in memory, and a post bag for each device that a
// hostile hand can reach into (hostile.hpp).
//
// Ingest, dedupe, expansion, mailboxes and directory are the shipped code. The last step alone is the model's: what
// lies in a mailbox is moved into the device's bag, from where it is handed out under sequences of the bag's own, so
// that something can vanish, come twice or change places. Threads: one. Errors of the rooms are faults of the model:
// they throw std::runtime_error.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>

#include "chance.hpp"
#include "directory/directory.hpp"
#include "directory/provisioning.hpp"
#include "mailbox/answers.hpp"
#include "mailbox/event_log.hpp"
#include "nimes/conversation_event.hpp"
#include "nimes/grant.hpp"
#include "nimes/v1/transport.pb.h"
#include "store/memory_store.hpp"

namespace nimes::model {

template <class T>
T must(Result<T> result, const char* what) {
    if (!result) throw std::runtime_error(std::string(what) + ": " + result.error().text());
    return std::move(*result);
}
inline void must(const Result<void>& result, const char* what) {
    if (!result) throw std::runtime_error(std::string(what) + ": " + result.error().text());
}

class People final : public gateway::mailbox::People {
  public:
    explicit People(const gateway::directory::Directory& directory) : directory_(directory) {}
    Result<UserId> sender(const DeviceId& device) const override { return directory_.admit(device); }
    Result<std::vector<gateway::mailbox::Target>> devices_of(const UserId& user) const override;
    gateway::mailbox::HeadHint head_since(std::uint64_t revision) const override;
    std::uint32_t seal_batch(const DeviceId& device) const override { return directory_.seal_batch(device); }

  private:
    const gateway::directory::Directory& directory_;
};

struct NoMedia final : gateway::mailbox::MediaLinks {
    Result<void> link(const BlobId&, const DeviceId&, Millis) override { return fail(Errc::not_found); }
};

struct Bag {
    std::deque<v1::Envelope> waiting;
    std::vector<v1::Envelope> handed;  // by sequence - 1
    std::deque<Bytes> answers;         // Down packets that are no deliveries
    std::uint64_t taken = 0;           // of the mailbox, in the chat lane
};

class Server {
  public:
    Server(const ModelClock& clock, Chance& chance);

    Bytes provisioning();
    [[nodiscard]] Millis now() const { return clock_.now(); }
    UserId person(int number);
    static std::string address(int number) { return "p" + std::to_string(number) + "@polizei.example"; }

    // One Up of a device.
    void up(const DeviceId& device, ByteView packet);
    // The next of the bag, under the next sequence.
    std::optional<v1::Envelope> hand_out(const DeviceId& device);

    gateway::directory::Directory& directory() { return *directory_; }
    gateway::mailbox::EventLog& events() { return events_; }
    Bag& bag(const DeviceId& device) { return bags_[device]; }
    std::map<DeviceId, Bag>& bags() { return bags_; }

    // What was accepted, and every message's wire bytes by chain and index: two of one place would be a two-time pad.
    std::map<std::pair<ChainId, std::uint32_t>, Bytes> sealed;
    std::map<std::pair<DeviceId, MessageId>, std::uint64_t> accepted;
    std::uint64_t reused = 0;
    // What was truly made: heads that the directory published, whose chain is whose, of which batch a seal key is.
    std::map<std::uint64_t, Digest> heads;
    std::map<ChainId, DeviceId> chains;
    std::map<std::pair<DeviceId, std::uint32_t>, std::uint32_t> batches;
    std::vector<Bytes> outrun;  // events that lost their epoch to another one
    // A handset is about to take something in, or to do what time tells it.
    std::function<void(const DeviceId& device)> before;
    // Each grant, when it is sent first.
    std::function<void(const DeviceId& sender, const GrantUpload& grant)> granted;
    // Each change of a roster that a handset sends, taken or not.
    std::function<void(const ConvEvent& event)> changed;

    void note_head(const std::string& head160);
    void note_keys(const v1::SealKeyBatch& batch);

  private:
    void submit(const DeviceId& device, gateway::mailbox::Submit submit);
    void fill_bag(const DeviceId& device);

    const ModelClock& clock_;
    gateway::store::MemoryStore store_;
    std::unique_ptr<gateway::directory::Directory> directory_;
    std::optional<People> people_;
    NoMedia media_;
    gateway::mailbox::Options options_;
    std::optional<gateway::mailbox::Committer> committer_;
    gateway::mailbox::EventLog events_;
    std::map<DeviceId, Bag> bags_;
    std::set<Digest> grants_;  // by commitment
    std::uint64_t order_ = 0;
};

gateway::directory::OrgSecrets organisation();

}  // namespace nimes::model
