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

void Hostile::did(std::string_view harm) {
    if (std::find(kHarms.begin(), kHarms.end(), harm) == kHarms.end()) throw std::logic_error("a harm without a name");
    ++done[std::string(harm)];
}

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

void Hostile::drop(const DeviceId& device) {
    auto& waiting = server_.bag(device).waiting;
    if (waiting.empty()) return;
    const auto at = waiting.begin() + static_cast<std::ptrdiff_t>(chance_.below(waiting.size()));
    dropped_.emplace_back(device, std::move(*at));
    waiting.erase(at);
    oracle_.robbed(device);
    did("dropped");
}

void Hostile::bring_back() {
    for (auto& [device, envelope] : dropped_) {
        slip_in(device, std::move(envelope));
        did("brought back what was dropped");
    }
    dropped_.clear();
}

// What waits comes twice, or what was opened long ago comes again.
void Hostile::again(const DeviceId& device) {
    const auto& bag = server_.bag(device);
    const bool waits = chance_.one_in(2);
    const auto from = waits ? bag.waiting.size() : bag.handed.size();
    if (from == 0) return;
    const auto which = chance_.below(from);
    auto copy = waits ? bag.waiting[which] : bag.handed[which];
    slip_in(device, std::move(copy));
    did(waits ? "repeated" : "replayed");
}

void Hostile::splice(const DeviceId& at, v1::Envelope mine, const v1::Envelope& theirs) {
    if (mine.has_grant() && theirs.has_grant()) {  // the shared part of one grant, the wrap of another
        auto spliced = mine.grant();
        spliced.replace(kGrantShared, std::string::npos, theirs.grant(), kGrantShared, std::string::npos);
        if (spliced == mine.grant() || spliced == theirs.grant()) return;
        mine.set_grant(spliced);
        did("spliced grant");
    } else if (mine.has_message() && theirs.has_message()) {  // a message that ends as another does
        auto spliced = mine.message();
        const auto tail = std::min<std::size_t>({64, spliced.size(), theirs.message().size()});
        spliced.replace(spliced.size() - tail, tail, theirs.message(), theirs.message().size() - tail, tail);
        if (spliced == mine.message() || spliced == theirs.message()) return;
        mine.set_message(spliced);
        did("spliced message");
    } else {
        return;
    }
    slip_in(at, std::move(mine));
}

void Hostile::tamper(const DeviceId& at, const DeviceId& other) {
    auto mine = any(at), theirs = any(other);
    if (!mine || !theirs) return;
    const auto honest = mine->SerializeAsString();
    const char* harm = nullptr;
    switch (chance_.below(6)) {
        case 0: {
            auto* payload = payload_of(*mine);
            if (payload == nullptr || payload->empty()) return;
            (*payload)[chance_.below(payload->size())] ^= static_cast<char>(1u << chance_.below(8));
            harm = "flipped bit";
            break;
        }
        case 1:
            mine->set_sender_user(theirs->sender_user());
            mine->set_sender_device(theirs->sender_device());
            harm = "lied about the sender";
            break;
        case 2:
            mine->set_conversation(theirs->conversation());
            *mine->mutable_users() = theirs->users();
            harm = "lied about the conversation";
            break;
        case 3:
            mine->set_message_id(theirs->message_id());
            harm = "lied about the id";
            break;
        default:
            return splice(at, std::move(*mine), *theirs);
    }
    if (mine->SerializeAsString() == honest) return;
    did(harm);
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
    did("withheld an event");
}

void Hostile::act(Handset& at, std::vector<std::unique_ptr<Handset>>& all) {
    const auto device = at.device();
    const auto& other = *all[chance_.below(all.size())];
    auto& waiting = server_.bag(device).waiting;
    switch (chance_.below(10)) {
        case 0:
            return drop(device);
        case 1:
            return again(device);
        case 2: {
            const auto n = waiting.size();
            const auto a = chance_.below(n), b = chance_.below(n);
            if (a == b) return;
            std::swap(waiting[a], waiting[b]);
            return did("reordered");
        }
        case 3:
            if (other.device() == device) return;
            if (auto copy = any(other.device())) slip_in(device, std::move(*copy)), did("handed to another");
            return;
        case 4:
            return forge_event(at, all);
        case 5:
            lie_to(at);
            if (chance_.one_in(2)) stir(at);
            return;
        case 6:
            return withhold_event(at);
        default:
            return tamper(device, other.device());
    }
}

}  // namespace nimes::model
