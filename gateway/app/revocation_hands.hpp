// The steps of a revocation, done by the rooms that know how; and the names in orders.
//
// Threads: as revocation/ports.hpp says; all state belongs to the rooms. References must outlive it.
#pragma once

#include "admin/ports.hpp"
#include "app/obedience.hpp"
#include "directory/directory.hpp"
#include "http/server.hpp"
#include "mailbox/mailroom.hpp"
#include "revocation/runner.hpp"
#include "rights/administrators.hpp"
#include "shares/shares.hpp"
#include "shares/wipes.hpp"
#include "wake/endpoints.hpp"

namespace nimes::gateway::app {

class RevocationHands final : public revocation::Hands {
  public:
    struct Needs {
        store::Store& store;
        directory::Directory& directory;
        http::Server& server;
        mailbox::Mailroom& mailroom;
        shares::Shares& shares;
        shares::WipeOrders& wipes;
        const shares::Devices& share_devices;
        wake::Endpoints* endpoints;  // nullptr: nobody is woken
    };
    explicit RevocationHands(const Needs& needs) : needs_(needs) {}

    Result<void> record(const revocation::Order& order, std::span<const DeviceId> devices) override;
    Result<std::vector<DeviceId>> record(const revocation::Order& order, const UserId& user) override;
    std::uint64_t mirror_revision() override { return needs_.directory.mirror_revision(); }
    Result<void> tokens_refused(Devices devices) override;
    Result<void> cut_requests(Devices devices) override;
    void destroy_mailboxes(Devices devices, std::function<void(const Result<void>&)> done) override;
    Result<void> destroy_seal_keys(Devices devices) override { return needs_.directory.destroy_seal_keys(devices); }
    Result<void> shares_withheld(Devices devices) override;
    Result<void> delete_shares(Devices devices) override { return needs_.shares.erase(devices); }
    Result<void> order_wipes(Devices devices) override { return needs_.wipes.order(devices); }
    Result<std::vector<revocation::Owed>> owed(const std::set<DeviceId>& devices) override;
    Result<void> drop_renewed(std::vector<revocation::Owed>& owed) override;
    std::vector<DeviceId> revoked() override;
    std::optional<Found> revoked(const DeviceId& device) override;

  private:
    [[nodiscard]] Found found(const directory::DeviceFacts& facts) const;
    [[nodiscard]] bool out(const DeviceId& device) const;
    const Needs needs_;
};

// Those who left the roster.
class AdminSuspensions final : public admin::Suspensions {
  public:
    AdminSuspensions(revocation::Runner& runner, const revocation::Names& names) : runner_(runner), names_(names) {}
    Result<std::uint64_t> suspend(const std::vector<std::string>& addresses, const std::string& who,
                                  const std::string& why) override;

  private:
    revocation::Runner& runner_;
    const revocation::Names& names_;
};

// The last owner.
class OwnerKeeper final : public revocation::Keeper {
  public:
    explicit OwnerKeeper(rights::Administrators& administrators) : administrators_(administrators) {}
    Result<Held> may_shut_out(const std::set<std::string>& addresses) override {
        return administrators_.may_shut_out(addresses);
    }

  private:
    rights::Administrators& administrators_;
};

class RevocationNames final : public revocation::Names {
  public:
    // `brokers` may be nullptr: nothing is known of them.
    explicit RevocationNames(const directory::Directory& directory, const Obedience* brokers = nullptr)
        : directory_(directory), brokers_(brokers) {}
    std::optional<UserId> user(const ServiceAddress& address) const override;
    std::vector<UserId> unit(const std::string& name) const override;
    std::string address(const revocation::Subject& subject) const override;
    std::string unit_of(const revocation::Subject& subject) const override;
    std::optional<std::string> state(const DeviceId& device) const override;
    std::vector<revocation::BrokerLine> brokers() const override {
        return brokers_ == nullptr ? std::vector<revocation::BrokerLine>{} : brokers_->lines();
    }

  private:
    [[nodiscard]] std::optional<directory::Person> person(const revocation::Subject& subject) const;
    const directory::Directory& directory_;
    const Obedience* brokers_;
};

}  // namespace nimes::gateway::app
