#include "waiting.hpp"

#include "group.hpp"
#include "mailbox/commit.hpp"

namespace nimes::load {
namespace {

using namespace gateway;

constexpr std::size_t kRecord = 240;

class People final : public mailbox::People {
  public:
    explicit People(const directory::Directory& directory) : directory_(directory) {}
    Result<UserId> sender(const DeviceId& device) const override { return directory_.admit(device); }
    Result<std::vector<mailbox::Target>> devices_of(const UserId& user) const override {
        const auto targets = directory_.targets_of(user);
        if (!targets) return fail(targets.error().code);
        std::vector<mailbox::Target> out;
        for (const auto& t : *targets) out.push_back({t.device, t.user, t.dev_no});
        return out;
    }
    mailbox::HeadHint head_since(std::uint64_t) const override { return {}; }
    std::uint32_t seal_batch(const DeviceId&) const override { return 0; }

  private:
    const directory::Directory& directory_;
};

struct NoMedia final : mailbox::MediaLinks {
    Result<void> link(const BlobId&, const DeviceId&, Millis) override { return fail(Errc::not_found); }
};

Result<void> commit(mailbox::Committer& committer, const Account& sender, mailbox::Submit submit, Millis now) {
    const mailbox::Waiting waiting{sender.device, std::move(submit)};
    auto outcomes = committer.commit({&waiting, 1}, now);
    return std::move(outcomes.front().accepted);
}

}  // namespace

Result<std::uint64_t> fill_mailboxes(store::Store& store, const directory::Directory& directory,
                                     const std::vector<Account>& accounts, std::uint64_t entries, Millis now,
                                     RandomSource& random) {
    const People people(directory);
    NoMedia media;
    const mailbox::Options options;
    mailbox::Committer committer(store, people, media, options);
    const auto& sender = accounts.front();
    std::vector<const Account*> members;
    for (const auto& account : accounts) members.push_back(&account);
    const auto event = group_of(members, now, random);

    mailbox::Submit submit;
    submit.id = random.id<MessageId>();
    submit.conversation = event.conversation;
    submit.kind = mailbox::Payload::event;
    submit.payload = event.encode();
    if (auto ok = commit(committer, sender, submit, now); !ok) return pass(ok);
    std::uint64_t waiting = accounts.size() - 1;
    submit.kind = mailbox::Payload::message;
    while (waiting < entries) {
        submit.id = random.id<MessageId>();
        submit.payload.resize(kRecord);
        random.fill(submit.payload);
        if (auto ok = commit(committer, sender, submit, now); !ok) return pass(ok);
        waiting += accounts.size() - 1;
    }
    return waiting;
}

}  // namespace nimes::load
