// Where the rooms meet: each room's small interface, answered by the room that knows. Nothing here decides anything.
//
// Threads: as the interfaces say; all state belongs to the rooms. References must outlive the adapters.
#pragma once

#include "admin/organisation.hpp"
#include "admin/ports.hpp"
#include "broker/link.hpp"
#include "broker/mirror_feed.hpp"
#include "directory/directory.hpp"
#include "directory/policy_book.hpp"
#include "enrolment/enrolment.hpp"
#include "enrolment/limits.hpp"
#include "http/bearer.hpp"
#include "mailbox/ports.hpp"
#include "media/media_store.hpp"
#include "nimes/token.hpp"
#include "rights/administrators.hpp"
#include "shares/wipes.hpp"
#include "wake/waker.hpp"

namespace nimes::gateway::app {

class MailboxPeople final : public mailbox::People {
  public:
    MailboxPeople(const directory::Directory& directory, directory::PolicyBook& policy)
        : directory_(directory), policy_(policy) {}
    Result<UserId> sender(const DeviceId& device) const override { return directory_.admit(device); }
    Result<std::vector<mailbox::Target>> devices_of(const UserId& user) const override;
    mailbox::HeadHint head_since(std::uint64_t revision) const override;
    std::uint32_t seal_batch(const DeviceId& device) const override { return directory_.seal_batch(device); }
    Bytes policy_since(std::uint64_t serial) const override { return policy_.newer_than(serial); }

  private:
    const directory::Directory& directory_;
    directory::PolicyBook& policy_;
};

class MailboxMedia final : public mailbox::MediaLinks {
  public:
    explicit MailboxMedia(media::MediaStore& media) : media_(media) {}
    Result<void> link(const BlobId& blob, const DeviceId& sender, Millis expires) override {
        return media_.link(blob, sender, expires);
    }

  private:
    media::MediaStore& media_;
};

// The brokers are made after the mailroom that writes to them.
class MailboxOutlet final : public mailbox::Outlet {
  public:
    void connect(mailbox::Outlet& brokers) { brokers_ = &brokers; }
    void send(const DeviceId& device, ByteView down) override { brokers_->send(device, down); }
    void done(std::size_t broker, std::uint64_t up_batch) override { brokers_->done(broker, up_batch); }
    void flush() override { brokers_->flush(); }

  private:
    mailbox::Outlet* brokers_ = nullptr;
};

class MailboxDoorbell final : public mailbox::Doorbell {
  public:
    void connect(wake::Waker& waker) { waker_ = &waker; }
    void waits(const DeviceId& device) override {
        if (waker_ != nullptr) waker_->waits(device);
    }

  private:
    wake::Waker* waker_ = nullptr;
};

class EnrolmentRoster final : public enrolment::Roster {
  public:
    // `approve_each`: policy wants an administrator's word for each further device.
    EnrolmentRoster(directory::Directory& directory, const admin::Organisation& organisation, const Clock& clock,
                    bool approve_each = false)
        : directory_(directory), organisation_(organisation), clock_(clock), approve_each_(approve_each) {}
    std::optional<UserId> find(const ServiceAddress& address) const override;
    Admission next_admission(const UserId& user) const override;
    std::pair<DeviceId, Signature> approve(const DeviceCert& cert) const override { return directory_.approve(cert); }
    Result<DeviceCert> draft(const UserId& user, const PublicKey& identity, DeviceRole role, Admission admission,
                             std::uint16_t platform, Millis not_before) const override {
        return directory_.draft(user, identity, role, admission, platform, not_before);
    }
    Result<DeviceCert> certify(const DeviceCert& cert) override { return directory_.certify(cert); }
    std::optional<PublicKey> identity_of(const DeviceId& device) const override {
        return directory_.identity_of(device);
    }
    Bytes person_record(const UserId& user) const override;

  private:
    directory::Directory& directory_;
    const admin::Organisation& organisation_;
    const Clock& clock_;
    const bool approve_each_;
};

class AdminRegistry final : public admin::Registry {
  public:
    AdminRegistry(directory::Directory& directory, const Clock& clock) : directory_(directory), clock_(clock) {}
    Result<Change> put_person(const admin::PersonFields& person, const store::Batch& row) override;
    std::vector<admin::PersonLine> people() const override;
    std::vector<admin::DeviceLine> devices(const std::optional<ServiceAddress>& of) const override;
    std::optional<admin::PersonLine> owner_of(const DeviceId& device) const override;

  private:
    directory::Directory& directory_;
    const Clock& clock_;
};

class AdminApprovals final : public admin::Approvals {
  public:
    AdminApprovals(enrolment::Enrolment& enrolment, const directory::Directory& directory)
        : enrolment_(enrolment), directory_(directory) {}
    Result<std::vector<admin::WaitingLine>> waiting() override;
    Result<void> approve(const DeviceId& device) override { return enrolment_.approve(device); }

  private:
    enrolment::Enrolment& enrolment_;
    const directory::Directory& directory_;
};

class RightsPeople final : public rights::People {
  public:
    explicit RightsPeople(const directory::Directory& directory) : directory_(directory) {}
    Standing standing(const std::string& address) const override;

  private:
    const directory::Directory& directory_;
};

class AdminWipes final : public admin::Wipes {
  public:
    explicit AdminWipes(shares::WipeOrders& orders) : orders_(orders) {}
    Result<admin::WipeLine> wipe(const DeviceId& device) override;

  private:
    shares::WipeOrders& orders_;
};

class ShareDevices final : public shares::Devices {
  public:
    ShareDevices(const directory::Directory& directory, const Audience& here, const Clock& clock)
        : directory_(directory), here_(here), clock_(clock) {}
    std::optional<shares::KnownDevice> find(const DeviceId& device) const override;
    Result<void> admit(const DeviceId& device) const override;
    Result<shares::KnownDevice> recognise(std::string_view token) const override;
    Result<v1::LookupAnswer> entry(const UserId& user, std::uint64_t held_revision) const override;

  private:
    const directory::Directory& directory_;
    const Audience here_;
    const Clock& clock_;
};

class OrgSigner final : public shares::Signer {
  public:
    explicit OrgSigner(const directory::OrgSecrets& secrets) : secrets_(secrets) {}
    void sign(WipeOrder& order) const override {
        order.sign(secrets_.administrator, secrets_.directory.secret, secrets_.org);
    }

  private:
    const directory::OrgSecrets& secrets_;
};

// A handset says farewell once; thieves of many devices share a network.
class FarewellGate final : public shares::Gate {
  public:
    explicit FarewellGate(const Clock& clock) : clock_(clock) {}
    bool from_network(const std::string& peer) override {
        return networks_.take(enrolment::network_of(peer), clock_.boot());
    }
    bool from_device(const DeviceId& device) override {
        return devices_.take(std::string(as_text(device.view())), clock_.boot());
    }

  private:
    const Clock& clock_;
    enrolment::Limits networks_{300, kMinute};
    enrolment::Limits devices_{10, kMinute};
};

class DirectoryMirror final : public broker::MirrorSource {
  public:
    explicit DirectoryMirror(const directory::Directory& directory) : directory_(directory) {}
    std::uint64_t revision() const override { return directory_.mirror_revision(); }
    std::vector<MirrorItem> all() const override { return directory_.mirror_all(); }
    std::optional<std::vector<MirrorItem>> since(std::uint64_t revision) const override {
        return directory_.mirror_since(revision);
    }

  private:
    const directory::Directory& directory_;
};

// Bearer tokens: form, signature by the device's key, audience, time; then whether the device may enter.
class TokenAuthoriser final : public http::Authoriser {
  public:
    TokenAuthoriser(const directory::Directory& directory, const Audience& here, const Clock& clock)
        : directory_(directory), here_(here), clock_(clock) {}
    Result<http::Caller> authorise(std::string_view token) override;

  private:
    const directory::Directory& directory_;
    const Audience here_;
    const Clock& clock_;
};

}  // namespace nimes::gateway::app
