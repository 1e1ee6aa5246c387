#include "app/revocation_hands.hpp"

#include <algorithm>

#include "mailbox/conversations.hpp"
#include "nimes/encoding.hpp"

namespace nimes::gateway::app {
namespace {

using revocation::Kind;
using revocation::Owed;
constexpr std::size_t kAtOnce = 1'000;

}  // namespace

// A device that was revoked in between is out already; its own order goes on.
Result<void> RevocationHands::record(const revocation::Order& order, std::span<const DeviceId> devices) {
    if (order.kind == Kind::revoke) return needs_.directory.revoke(devices, order.reason.value_or(RevokeReason::lost));
    std::vector<DeviceId> standing(devices.begin(), devices.end());
    std::erase_if(standing, [this](const DeviceId& d) { return out(d); });
    return order.kind == Kind::suspend ? needs_.directory.suspend(standing) : needs_.directory.resume(standing);
}

Result<std::vector<DeviceId>> RevocationHands::record(const revocation::Order& order, const UserId& user) {
    if (auto ok = needs_.directory.set_closed(user, order.kind != Kind::reinstate); !ok) return pass(ok);
    std::vector<DeviceId> devices;
    for (const auto& d : needs_.directory.devices(user))
        if (!d.revoke && (order.kind != Kind::reinstate || d.suspended)) devices.push_back(d.cert.device);
    return devices;
}

Result<void> RevocationHands::tokens_refused(Devices devices) {
    for (const auto& device : devices)
        if (needs_.directory.admit(device)) return fail(Errc::internal, "a device that is shut out is still admitted");
    needs_.mailroom.shut({devices.begin(), devices.end()});
    return {};
}

Result<void> RevocationHands::cut_requests(Devices devices) {
    for (const auto& device : devices) needs_.server.cut(device);
    return {};
}

void RevocationHands::destroy_mailboxes(Devices devices, std::function<void(const Result<void>&)> done) {
    if (needs_.endpoints != nullptr)
        if (auto ok = needs_.endpoints->erase_all(devices); !ok) return done(ok);
    needs_.mailroom.purge({devices.begin(), devices.end()}, std::move(done));
}

Result<void> RevocationHands::shares_withheld(Devices devices) {
    for (const auto& device : devices)
        if (needs_.shares.get(device)) return fail(Errc::internal, "the share of a suspended device is given out");
    return {};
}

bool RevocationHands::out(const DeviceId& device) const {
    const auto facts = needs_.directory.device(device);
    return !facts || facts->revoke.has_value();
}

Result<std::vector<Owed>> RevocationHands::owed(const std::set<DeviceId>& devices) {
    std::vector<Owed> out_of;
    for (std::string from;;) {
        const auto names = needs_.store.partitions(store::Family::conversation, from, kAtOnce);
        if (!names) return fail(names.error().code, names.error().detail);
        for (const auto& name : *names) {
            if (name.size() != ConversationId::size) continue;
            const auto id = ConversationId::from(as_bytes(name));
            auto chains = mailbox::Conversations::newest_chains(needs_.store, id);
            if (!chains) return pass(chains);
            for (const auto& chain : *chains) {
                const bool holds = std::any_of(chain.devices.begin(), chain.devices.end(),
                                               [&](const DeviceId& d) { return devices.contains(d); });
                if (holds && !out(chain.sender)) out_of.push_back({id, chain.sender, chain.chain});
            }
        }
        if (names->size() < kAtOnce) return out_of;
        from = names->back() + '\0';
    }
}

Result<void> RevocationHands::drop_renewed(std::vector<Owed>& owed) {
    std::map<ConversationId, std::vector<mailbox::Conversations::Granted>> chains;
    for (const auto& o : owed) {
        if (chains.contains(o.conversation)) continue;
        auto read = mailbox::Conversations::newest_chains(needs_.store, o.conversation);
        if (!read) return pass(read);
        chains[o.conversation] = std::move(*read);
    }
    std::erase_if(owed, [&](const Owed& o) {
        const auto& all = chains[o.conversation];
        return out(o.sender) || std::none_of(all.begin(), all.end(),
                                             [&](const auto& g) { return g.sender == o.sender && g.chain == o.chain; });
    });
    return {};
}

revocation::Hands::Found RevocationHands::found(const directory::DeviceFacts& facts) const {
    const auto admin = key_actor(needs_.directory.secrets().administrator.public_key);
    const auto known = needs_.share_devices.find(facts.cert.device);
    return {facts.revoke->actor == admin ? "gateway" : "device " + to_text(facts.revoke->actor), facts.revoke->reason,
            known && known->to_be_wiped};
}

std::vector<DeviceId> RevocationHands::revoked() {
    std::vector<DeviceId> out_of;
    for (const auto& facts : needs_.directory.revoked_devices()) out_of.push_back(facts.cert.device);
    return out_of;
}

std::optional<revocation::Hands::Found> RevocationHands::revoked(const DeviceId& device) {
    const auto facts = needs_.directory.device(device);
    if (!facts || !facts->revoke) return std::nullopt;
    return found(*facts);
}

Result<std::uint64_t> AdminSuspensions::suspend(const std::vector<std::string>& addresses, const std::string& who,
                                                const std::string& why) {
    revocation::Draft draft;
    draft.scope = "roster";
    draft.who = who;
    draft.why = why;
    for (const auto& text : addresses) {
        const auto address = ServiceAddress::parse(text);
        const auto user = address ? names_.user(*address) : std::nullopt;
        if (!user) return fail(Errc::not_found, "somebody who was known before");
        draft.people.push_back(*user);
    }
    auto order = runner_.order(draft);
    if (!order) return pass(order);
    return order->id;
}

std::optional<UserId> RevocationNames::user(const ServiceAddress& address) const {
    const auto person = directory_.person(address);
    if (!person) return std::nullopt;
    return person->user;
}

std::vector<UserId> RevocationNames::unit(const std::string& name) const {
    std::vector<UserId> out;
    for (const auto& person : directory_.people())
        if (person.unit == name) out.push_back(person.user);
    return out;
}

std::optional<directory::Person> RevocationNames::person(const revocation::Subject& subject) const {
    if (!subject.is_device()) return directory_.person(subject.user());
    const auto facts = directory_.device(subject.device());
    return facts ? directory_.person(facts->cert.user) : std::nullopt;
}

std::string RevocationNames::address(const revocation::Subject& subject) const {
    const auto known = person(subject);
    return known ? known->address : std::string{};
}

std::string RevocationNames::unit_of(const revocation::Subject& subject) const {
    const auto known = person(subject);
    return known ? known->unit : std::string{};
}

std::optional<std::string> RevocationNames::state(const DeviceId& device) const {
    const auto facts = directory_.device(device);
    if (!facts) return std::nullopt;
    return facts->revoke ? "revoked" : facts->suspended ? "suspended" : "active";
}

}  // namespace nimes::gateway::app
