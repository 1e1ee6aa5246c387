// A device of the model: the shipped engine with its container, driven step by step instead of by threads and sockets.
#pragma once

#include <filesystem>
#include <functional>

#include "engine/compose.hpp"
#include "engine/enrol.hpp"
#include "engine/link.hpp"
#include "engine/view.hpp"
#include "server.hpp"

namespace nimes::model {

// The gateway's rooms as the engine's Network. What `lie` does to an answer is the hostile server's.
class ModelNetwork final : public agent::engine::Network {
  public:
    explicit ModelNetwork(Server& server) : server_(server) {}
    void caller(const UserId& user, const DeviceId& device) {
        user_ = user;
        device_ = device;
    }
    // `older`: what was answered to the same question some time before.
    std::function<void(v1::LookupAnswer& answer, const v1::LookupAnswer& older)> lie;
    bool looks_back = false;  // the look-up that is lied to is of an entry under an older head
    bool down = false;
    int events_withheld = 0;  // so many answers tell of no event

    Result<v1::LookupAnswer> lookup(const v1::LookupRequest& request) override;
    Result<v1::HeadAnswer> head(std::uint64_t held) override;
    Result<v1::OldHeadAnswer> old_head(std::uint64_t revision, std::uint64_t under) override;
    Result<v1::ConversationEvents> events(const ConversationId& id, std::uint64_t from) override;
    Result<v1::People> people(const std::string&, const std::string&) override { return v1::People{}; }
    Result<void> seal_keys(const v1::SealKeyBatch& batch) override;
    Result<void> enrol_code(const v1::CodeRequest&) override { return {}; }
    Result<v1::EnrolOffer> enrol_begin(const v1::EnrolBegin& request) override;
    Result<v1::EnrolResult> enrol_finish(const v1::EnrolFinish& request) override;
    Result<v1::PendingDevices> pending() override { return v1::PendingDevices{}; }
    Result<void> vouch(const v1::Voucher&) override { return {}; }
    Result<void> revoke(const v1::Revocation& revocation) override {
        const auto record = DeviceRevoke::parse(as_bytes(revocation.record()));
        return record ? server_.directory().revoke_own(device_, *record) : fail(record.error().code);
    }
    Result<void> upload(const BlobId&, const std::filesystem::path&, const agent::media::Progress&,
                        const std::stop_token&) override {
        return fail(Errc::offline);
    }
    Result<void> download(const BlobId&, const std::filesystem::path&, std::uint64_t, const agent::media::Progress&,
                          const std::stop_token&) override {
        return fail(Errc::offline);
    }

    // Of a further device: the administrator's approval stands in for a voucher.
    Admission admission = Admission::first;

  private:
    Server& server_;
    UserId user_;
    DeviceId device_;
    std::optional<DeviceCert> draft_;
    std::map<std::string, v1::LookupAnswer> older_;  // by what was asked
    std::uint64_t asked_ = 0;
};

class Handset {
  public:
    Handset(Server& server, const ModelClock& clock, Chance& chance, std::filesystem::path home, int person);
    ~Handset();

    void enrol(Admission admission);
    // Ends without a word and begins again from what is on disk. `meanwhile` may put another copy of the home there.
    void restart(const std::function<void(const std::filesystem::path& home)>& meanwhile = {});
    void reconnect();

    // What a person does. False: refused, with nothing sent.
    Result<agent::engine::Composed> say(const ConversationId& to, agent::conversation::Meaning meaning);
    Result<ConversationId> create_group(const std::vector<UserId>& others);
    Result<void> change(const ConversationId& group, const UserId& who, RosterOp op, MemberRole role);
    ConversationId pair_with(const UserId& other);
    // Vouches for a group's changes that wait for an administrator's word.
    Result<void> confirm(const ConversationId& group);

    // Gives one of the gateway's envelopes, all answers, a second of time.
    void take(const v1::Envelope& envelope);
    void settle();
    void tick();

    [[nodiscard]] const DeviceId& device() const { return core_->own().device; }
    [[nodiscard]] const UserId& user() const { return core_->own().user; }
    agent::engine::Core& core() { return *core_; }
    ModelNetwork& network() { return network_; }
    [[nodiscard]] bool out() const { return core_->shut_out.has_value(); }
    int person() const { return person_; }
    Result<UserId> find(const std::string& address);
    // Did it raise an alarm that says this, after the one of that number?
    bool alarmed_of(const std::string& text, std::uint64_t after = 0);
    std::uint64_t newest_alarm();
    // Rows after `row` that a person would see.
    std::vector<agent::engine::Shown> shown_after(std::uint64_t row);

  private:
    struct Session;
    void open(bool create);
    void close();
    void flush();
    std::vector<UserId> users_of(const ConversationId& id);

    Server& server_;
    const ModelClock& clock_;
    Chance& chance_;
    std::filesystem::path home_;
    int person_;
    ModelNetwork network_;
    std::optional<agent::container::FileKeystore> keystore_;
    std::unique_ptr<agent::engine::Core> core_;
    std::optional<agent::engine::Compose> compose_;
    std::optional<agent::engine::Sync> sync_;
    std::optional<agent::engine::Link> link_;
};

}  // namespace nimes::model
