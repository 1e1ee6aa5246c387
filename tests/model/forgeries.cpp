// What a server can forge that has all the organisation's own keys: people and devices, and what those sign.
#include <algorithm>

#include "conversation/events.hpp"
#include "hostile.hpp"

namespace nimes::model {

DeviceCert Hostile::draft(const UserId& victim, Admission admission, SigningKeyPair& key) {
    Key seed;
    chance_.fill(seed.edit());
    key = signing_key_from_seed(seed.view());
    auto& directory = server_.directory();
    auto cert = directory.draft(victim, key.public_key, DeviceRole::service, admission, 1, server_.now());
    if (!cert) return {};  // all seven are in use
    cert->self_signature = sign_cert_self(key.secret, cert->body());
    if (admission == Admission::approved) std::tie(cert->voucher, cert->voucher_signature) = directory.approve(*cert);
    return *cert;
}

void Hostile::invent(const UserId& victim) {
    SigningKeyPair key;
    const auto cert = draft(victim, Admission::approved, key);
    if (cert.device.is_zero()) return;
    invented.push_back({must(server_.directory().certify(cert), "invent"), std::move(key)});
    ++done["invented a device"];
}

// A person whom nobody admitted, in the directory as everybody is.
const Hostile::Invented& Hostile::stranger() {
    if (stranger_) return *stranger_;
    const auto address = must(ServiceAddress::parse("stranger@polizei.example"), "address");
    must(server_.directory().put_person({address, "Nobody", "", ""}), "person");
    SigningKeyPair key;
    const auto cert = draft(server_.directory().person(address)->user, Admission::first, key);
    stranger_ = Invented{must(server_.directory().certify(cert), "invent"), std::move(key)};
    return *stranger_;
}

// A change that makes the stranger an administrator: right in all but who signed it.
void Hostile::forge_event(Handset& at) {
    const auto* state = oracle_.group_at(at);
    if (state == nullptr || state->now().closed) return;
    const auto& out = stranger();
    const auto admin = std::find_if(state->now().roster.begin(), state->now().roster.end(),
                                    [](const Member& m) { return m.role == MemberRole::administrator; });
    const agent::conversation::EventMaker maker{admin->user, out.cert.device, out.key.secret,
                                                server_.directory().newest_head(), server_.now()};
    auto event = must(
        agent::conversation::change_group(maker, *state, {{out.cert.user, MemberRole::administrator, RosterOp::add}}),
        "event");
    const auto* key = &out.key;
    switch (chance_.below(4)) {
        case 0:  // of an administrator, by a device that is none of theirs
            break;
        case 1:  // of nobody in the roster
            event.actor_user = out.cert.user;
            break;
        case 2:  // by nobody's key
            event.actor_device = at.device();
            break;
        default: {  // of a member who is no administrator, by a device that was invented for that member
            const auto spy = std::find_if(invented.begin(), invented.end(), [&](const Invented& i) {
                const auto* m = state->member(i.cert.user);
                return m != nullptr && m->role != MemberRole::administrator;
            });
            if (spy == invented.end()) return;
            event.actor_user = spy->cert.user;
            event.actor_device = spy->cert.device;
            key = &spy->key;
        }
    }
    event.signature = sign_event(key->secret, event.body());
    v1::Envelope envelope;
    envelope.set_lane(static_cast<v1::Lane>(gateway::mailbox::Lane::chat));
    envelope.set_conversation(std::string(as_text(state->id.view())));
    envelope.set_sender_user(std::string(as_text(event.actor_user.view())));
    envelope.set_sender_device(std::string(as_text(event.actor_device.view())));
    envelope.set_message_id(std::string(as_text(chance_.id<MessageId>().view())));
    envelope.set_received_ms(server_.now());
    envelope.set_event(std::string(as_text(event.encode())));
    slip_in(at.device(), std::move(envelope));
    ++done["invented a member"];
}

}  // namespace nimes::model
