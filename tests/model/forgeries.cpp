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
    auto made = server_.directory().certify(cert);
    if (!made) return;  // the seventh was certified since
    invented.push_back({*made, std::move(key)});
    did("invented a device");
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

// A change that makes the stranger an administrator: right in all but who signed it. Of an administrator by a device
// that is none of theirs, of nobody in the roster, by nobody's key; and of a true member with their true key, who is no
// administrator, but an accomplice.
void Hostile::forge_event(Handset& at, const std::vector<std::unique_ptr<Handset>>& all) {
    const auto* state = oracle_.group_at(at);
    if (state == nullptr || state->now().closed) return;
    const auto& roster = state->now().roster;
    const auto& out = stranger();
    const auto admin =
        std::find_if(roster.begin(), roster.end(), [](const Member& m) { return m.role == MemberRole::administrator; });
    const auto accomplice = std::find_if(all.begin(), all.end(), [&](const auto& h) {
        const auto* member = state->member(h->user());
        return member != nullptr && member->role != MemberRole::administrator && !oracle_.is_revoked(h->device()) &&
               !h->out();
    });
    const auto who = chance_.below(5);
    if (who >= 3 && accomplice == all.end()) return;
    const agent::conversation::EventMaker maker{admin->user, out.cert.device, out.key.secret,
                                                server_.directory().newest_head(), server_.now()};
    auto event = must(
        agent::conversation::change_group(maker, *state, {{out.cert.user, MemberRole::administrator, RosterOp::add}}),
        "event");
    auto key = out.key.secret.copy();
    if (who == 1) event.actor_user = out.cert.user;
    if (who == 2) event.actor_device = at.device();
    if (who >= 3) {
        event.actor_user = (*accomplice)->user();
        event.actor_device = (*accomplice)->device();
        key = (*accomplice)->core().identity()->secret.copy();
    }
    event.signature = sign_event(key, event.body());
    send_event(at, event);
    did(who >= 3 ? "let a member act as an administrator" : "invented a member");
}

void Hostile::send_event(Handset& at, const ConvEvent& event) {
    v1::Envelope envelope;
    envelope.set_lane(static_cast<v1::Lane>(gateway::mailbox::Lane::chat));
    envelope.set_conversation(std::string(as_text(event.conversation.view())));
    envelope.set_sender_user(std::string(as_text(event.actor_user.view())));
    envelope.set_sender_device(std::string(as_text(event.actor_device.view())));
    envelope.set_message_id(std::string(as_text(chance_.id<MessageId>().view())));
    envelope.set_received_ms(server_.now());
    envelope.set_event(std::string(as_text(event.encode())));
    slip_in(at.device(), std::move(envelope));
}

}  // namespace nimes::model
