#include "oracle.hpp"

#include "nimes/encoding.hpp"

namespace nimes::model {

using agent::engine::MessageState;

void Oracle::said(Handset& sender, const ConversationId& to, const MessageId& id, const std::string& text,
                  const std::set<DeviceId>& active) {
    auto& core = sender.core();
    Said out{to, sender.user(), text, {}, {}, active, core.clock.now()};
    for (const auto& m : core.conversations.at(to).agreed()) {
        out.audience.insert(m.user);
        if (const auto* entry = core.directory->find(m.user))
            for (const auto& r : entry->entry.revokes) out.shut_out.insert(r.device);
    }
    said_[{sender.device(), id}] = std::move(out);
    current_.push_back({sender.device(), id});
}

void Oracle::look(Handset& at) {
    judge_directory(at);
    if (const auto* group = group_at(at))
        for (const auto& m : group->now().roster)
            if (!users_.contains(m.user)) throw Broken("rule 12: an invented member stands in a roster");
    auto& row = looked_[at.device()];
    for (const auto& shown : at.shown_after(row)) {
        row = shown.sequence;
        const auto& m = shown.message;
        if (m.device == at.device() || m.state == MessageState::awaited) continue;
        const auto* text = std::get_if<agent::conversation::Text>(&shown.meaning);
        if (m.state != MessageState::opened) throw Broken("rule 7: shown, and not as it was sealed");
        if (text == nullptr) continue;
        const auto said = said_.find({m.device, m.id});
        if (said == said_.end()) throw Broken("rule 1: shown, and never said: " + text->text);
        const auto& s = said->second;
        if (s.text != text->text || s.conversation != m.conversation || s.user != m.user)
            throw Broken("rule 1: shown otherwise than it was said: " + text->text + " for " + s.text +
                         (s.conversation != m.conversation ? ", another conversation" : "") +
                         (s.user != m.user ? ", another user" : ""));
        if (!s.audience.contains(at.user())) throw Broken("rule 3: opened by somebody who was not in the roster");
        if (s.shut_out.contains(at.device())) throw Broken("rule 3: opened by a device that was seen revoked");
        if (!shown_[at.device()].insert({m.device, m.id}).second) throw Broken("rule 4: shown twice");
        ++opened;
    }
}

std::vector<std::string> Oracle::missing(std::vector<std::unique_ptr<Handset>>& all) {
    std::vector<std::string> out;
    for (const auto& key : current_) {
        const auto& said = said_.at(key);
        if (!server_.accepted.contains(key) || revoked_.contains(key.first) ||
            removed_.contains({said.conversation, said.user}))
            continue;
        for (auto& h : all) {
            const auto device = h->device();
            if (device == key.first || h->out() || revoked_.contains(device) || !said.reachable.contains(device) ||
                !said.audience.contains(h->user()) || removed_.contains({said.conversation, h->user()}))
                continue;
            const bool here = shown_[device].contains(key);
            if (robbed_.contains(device) || robbed_.contains(key.first)) {
                ++(here ? repaired : lost_to_robbery);
                continue;
            }
            if (!here) out.push_back(said.text + " at " + to_text(device));
        }
    }
    return out;
}

void Oracle::judge_alarms() {
    for (const auto& [at, text, after] : alarms_)
        if (!at->out() && !at->alarmed_of(text, after)) throw Broken("no alarm where proof was shown: " + text);
    alarms_.clear();
}

void Oracle::next_schedule(std::vector<ConversationId> places) {
    places_ = std::move(places);
    current_.clear();
    robbed_.clear();
    removed_.clear();
}

const agent::conversation::ConversationState* Oracle::group_at(Handset& at) const {
    if (places_.empty()) return nullptr;
    const auto found = at.core().conversations.find(places_.front());
    return found == at.core().conversations.end() ? nullptr : &found->second;
}

}  // namespace nimes::model
