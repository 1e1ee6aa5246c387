#include "hostile.hpp"

#include <algorithm>

namespace nimes::model {
namespace {

std::string* payload_of(v1::Envelope& e) {
    if (e.has_grant()) return e.mutable_grant();
    if (e.has_message()) return e.mutable_message();
    if (e.has_event()) return e.mutable_event();
    if (e.has_control()) return e.mutable_control();
    return nullptr;
}

}  // namespace

// Something that waits for the device, or that it had already.
std::optional<v1::Envelope> Hostile::any(const DeviceId& device) {
    auto& bag = server_.bag(device);
    const auto n = bag.waiting.size() + bag.handed.size();
    if (n == 0) return std::nullopt;
    const auto i = chance_.below(n);
    return i < bag.waiting.size() ? bag.waiting[i] : bag.handed[i - bag.waiting.size()];
}

void Hostile::slip_in(const DeviceId& device, v1::Envelope envelope) {
    auto& waiting = server_.bag(device).waiting;
    waiting.insert(waiting.begin() + static_cast<std::ptrdiff_t>(chance_.below(waiting.size() + 1)),
                   std::move(envelope));
}

void Hostile::tamper(const DeviceId& at, const DeviceId& other) {
    auto mine = any(at), theirs = any(other);
    if (!mine || !theirs) return;
    switch (chance_.below(6)) {
        case 0: {  // one bit
            auto* payload = payload_of(*mine);
            if (payload == nullptr || payload->empty()) return;
            (*payload)[chance_.below(payload->size())] ^= static_cast<char>(1u << chance_.below(8));
            ++done["flipped bit"];
            break;
        }
        case 1:  // another sender
            mine->set_sender_user(theirs->sender_user());
            mine->set_sender_device(theirs->sender_device());
            ++done["lied about the sender"];
            break;
        case 2:  // another conversation
            mine->set_conversation(theirs->conversation());
            *mine->mutable_users() = theirs->users();
            ++done["lied about the conversation"];
            break;
        case 3:  // another id
            mine->set_message_id(theirs->message_id());
            ++done["lied about the id"];
            break;
        case 4: {  // the shared part of one grant, the wrap of another
            if (!mine->has_grant() || !theirs->has_grant()) return;
            auto spliced = mine->grant();
            spliced.replace(kGrantShared, std::string::npos, theirs->grant(), kGrantShared, std::string::npos);
            mine->set_grant(spliced);
            ++done["spliced grant"];
            break;
        }
        default: {  // a message that ends as another does
            if (!mine->has_message() || !theirs->has_message()) return;
            auto spliced = mine->message();
            const auto tail = std::min<std::size_t>({64, spliced.size(), theirs->message().size()});
            spliced.replace(spliced.size() - tail, tail, theirs->message(), theirs->message().size() - tail, tail);
            mine->set_message(spliced);
            ++done["spliced message"];
        }
    }
    slip_in(at, std::move(*mine));
}

// The roster's change itself, and what is asked for it afterwards: nobody is robbed for good, for who is spoken to
// hears of it.
void Hostile::withhold_event(Handset& at) {
    auto& waiting = server_.bag(at.device()).waiting;
    const auto event = std::find_if(waiting.begin(), waiting.end(), [](const auto& e) { return e.has_event(); });
    if (event == waiting.end()) return;
    waiting.erase(event);
    at.network().events_withheld = 2;
    ++done["withheld an event"];
}

void Hostile::act(Handset& at, std::vector<std::unique_ptr<Handset>>& all) {
    const auto device = at.device();
    const auto& other = *all[chance_.below(all.size())];
    auto& waiting = server_.bag(device).waiting;
    switch (chance_.below(10)) {
        case 0:
            if (waiting.empty()) return;
            waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(chance_.below(waiting.size())));
            oracle_.robbed(device);
            ++done["dropped"];
            return;
        case 1:
            if (auto copy = any(device)) slip_in(device, std::move(*copy)), ++done["repeated"];
            return;
        case 2:
            if (waiting.size() < 2) return;
            std::swap(waiting[chance_.below(waiting.size())], waiting[chance_.below(waiting.size())]);
            ++done["reordered"];
            return;
        case 3:
            if (auto copy = any(other.device())) slip_in(device, std::move(*copy)), ++done["handed to another"];
            return;
        case 4:
            return forge_event(at);
        case 5:
            return lie_to(at);
        case 6:
            return withhold_event(at);
        default:
            return tamper(device, other.device());
    }
}

}  // namespace nimes::model
