#include "app/adapters.hpp"

#include <algorithm>

namespace nimes::gateway::app {
namespace {

std::string_view name(RevokeReason reason) {
    switch (reason) {
        case RevokeReason::replaced:
            return "replaced";
        case RevokeReason::lost:
            return "lost";
        case RevokeReason::stolen:
            return "stolen";
        case RevokeReason::left:
            return "left";
    }
    return "";
}

std::string state_of(const directory::DeviceFacts& device, Millis now) {
    if (device.revoke) return "revoked";
    if (device.suspended) return "suspended";
    if (now < device.cert.not_before) return "waiting";
    return now < device.cert.not_after ? "active" : "expired";
}

}  // namespace

Result<std::vector<mailbox::Target>> MailboxPeople::devices_of(const UserId& user) const {
    const auto targets = directory_.targets_of(user);
    if (!targets) return fail(targets.error().code);
    std::vector<mailbox::Target> out;
    for (const auto& t : *targets) out.push_back({t.device, t.user, t.dev_no});
    return out;
}

mailbox::HeadHint MailboxPeople::head_since(std::uint64_t revision) const {
    auto changes = directory_.changes_since(revision);
    return {changes.revision, std::move(changes.users), changes.too_many};
}

std::optional<UserId> EnrolmentRoster::find(const ServiceAddress& address) const {
    if (!organisation_.has_domain(address.domain())) return std::nullopt;
    const auto person = directory_.person(address);
    if (!person || directory_.closed(person->user)) return std::nullopt;
    return person->user;
}

// A device that is held or suspended will vouch again, one that is revoked or past its dates never.
Admission EnrolmentRoster::next_admission(const UserId& user) const {
    const auto devices = directory_.devices(user);
    const auto now = clock_.now();
    const bool any_left =
        std::any_of(devices.begin(), devices.end(), [&](const auto& d) { return !d.revoke && now < d.cert.not_after; });
    if (devices.empty()) return Admission::first;
    return any_left && !approve_each_ ? Admission::vouched : Admission::approved;
}

Bytes EnrolmentRoster::person_record(const UserId& user) const {
    const auto person = directory_.person(user);
    return person ? person->record : Bytes{};
}

Result<admin::Registry::Change> AdminRegistry::put_person(const admin::PersonFields& person, const store::Batch& row) {
    const auto put = directory_.put_person({person.address, person.name, person.rank, person.unit}, &row);
    if (!put) return fail(put.error().code, put.error().detail);
    switch (*put) {
        case directory::Directory::Put::added:
            return Change::added;
        case directory::Directory::Put::changed:
            return Change::changed;
        case directory::Directory::Put::unchanged:
            break;
    }
    return Change::unchanged;
}

std::vector<admin::PersonLine> AdminRegistry::people() const {
    std::vector<admin::PersonLine> out;
    for (const auto& p : directory_.people())
        out.push_back({p.address, p.name, p.rank, p.unit, directory_.closed(p.user)});
    return out;
}

std::vector<admin::DeviceLine> AdminRegistry::devices(const std::optional<ServiceAddress>& of) const {
    std::optional<UserId> user;
    if (of) {
        const auto person = directory_.person(*of);
        if (!person) return {};
        user = person->user;
    }
    std::vector<admin::DeviceLine> out;
    const auto now = clock_.now();
    for (const auto& device : directory_.devices(user)) {
        const auto person = directory_.person(device.cert.user);
        if (!person) continue;
        out.push_back({device.cert.device, person->address, person->name, person->unit, state_of(device, now),
                       device.revoke ? std::string(name(device.revoke->reason)) : std::string{}, device.cert.role,
                       device.cert.platform, device.cert.not_before, device.cert.not_after});
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
        return std::tie(a.name, a.address, a.device) < std::tie(b.name, b.address, b.device);
    });
    return out;
}

std::optional<admin::PersonLine> AdminRegistry::owner_of(const DeviceId& device) const {
    const auto facts = directory_.device(device);
    const auto p = facts ? directory_.person(facts->cert.user) : std::nullopt;
    if (!p) return std::nullopt;
    return admin::PersonLine{p->address, p->name, p->rank, p->unit, directory_.closed(p->user)};
}

Result<std::vector<admin::WaitingLine>> AdminApprovals::waiting() {
    const auto certs = enrolment_.waiting();
    if (!certs) return fail(certs.error().code);
    std::vector<admin::WaitingLine> out;
    for (const auto& cert : *certs)
        if (const auto person = directory_.person(cert.user))
            out.push_back({cert.device, person->address, person->name, person->unit, cert.platform,
                           directory_.closed(cert.user)});
    return out;
}

rights::People::Standing RightsPeople::standing(const std::string& text) const {
    const auto address = ServiceAddress::parse(text);
    const auto person = address ? directory_.person(*address) : std::nullopt;
    if (!person) return Standing::unknown;
    return directory_.closed(person->user) ? Standing::shut_out : Standing::stands;
}

Result<admin::WipeLine> AdminWipes::wipe(const DeviceId& device) {
    const auto facts = orders_.facts(device);
    if (!facts) return fail(facts.error().code, facts.error().detail);
    return admin::WipeLine{facts->ordered, facts->expires, facts->delivered, facts->receipted,
                           facts->result == WipeResult::files_remain};
}

std::optional<shares::KnownDevice> ShareDevices::find(const DeviceId& device) const {
    const auto facts = directory_.device(device);
    if (!facts) return std::nullopt;
    shares::KnownDevice out{facts->cert.user, device, facts->cert.identity, false};
    if (facts->revoke)
        out.to_be_wiped =
            facts->revoke->actor == key_actor(directory_.secrets().administrator.public_key) &&
            (facts->revoke->reason == RevokeReason::lost || facts->revoke->reason == RevokeReason::stolen);
    return out;
}

Result<void> ShareDevices::admit(const DeviceId& device) const {
    const auto user = directory_.admit(device);
    if (!user) return fail(user.error().code);
    return {};
}

Result<shares::KnownDevice> ShareDevices::recognise(std::string_view text) const {
    const auto token = Token::parse(text);
    if (!token) return fail(token.error().code);
    const auto known = find(token->device);
    if (!known) return fail(Errc::token_invalid);
    if (auto ok = token->check(known->identity, here_, clock_.now(), Token::kHttpsWindow); !ok) return pass(ok);
    return *known;
}

Result<v1::LookupAnswer> ShareDevices::entry(const UserId& user, std::uint64_t held_revision) const {
    v1::LookupRequest request;
    request.add_users(std::string(as_text(user.view())));
    request.set_held_revision(held_revision);
    return directory_.lookup(request);
}

Result<http::Caller> TokenAuthoriser::authorise(std::string_view text) {
    const auto token = Token::parse(text);
    if (!token) return fail(token.error().code);
    const auto identity = directory_.identity_of(token->device);
    if (!identity) return fail(Errc::token_invalid);
    if (auto ok = token->check(*identity, here_, clock_.now(), Token::kHttpsWindow); !ok) return pass(ok);
    const auto user = directory_.admit(token->device);
    if (!user) return fail(user.error().code);
    return http::Caller{*user, token->device};
}

}  // namespace nimes::gateway::app
