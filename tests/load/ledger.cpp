#include "ledger.hpp"

#include <algorithm>

namespace nimes::load {

MessageId Ledger::next(std::uint32_t sender, Kind kind, const std::vector<std::uint32_t>* receivers, Micros now) {
    auto& s = senders_[sender];
    std::uint32_t number = others_;
    if (kind == Kind::message) {
        number = static_cast<std::uint32_t>(s.sent.size());
        s.sent.push_back(now);
        s.accepted.push_back(false);
        if (receivers != nullptr && s.receivers.empty()) s.receivers = *receivers;
        ++counts.sent;
    } else {
        ++others_;
    }
    Writer out;
    out.u32(run_).u32(sender).u32(static_cast<std::uint32_t>(kind)).u32(number);
    return MessageId::from(out.view());
}

std::optional<Ledger::Where> Ledger::where(const MessageId& id) const {
    Reader in(id.view());
    const auto run = in.u32();
    Where out;
    out.sender = in.u32();
    out.kind = static_cast<Kind>(in.u32());
    out.number = in.u32();
    if (run != run_ || out.sender >= senders_.size()) return std::nullopt;
    if (out.kind == Kind::message && out.number >= senders_[out.sender].sent.size()) return std::nullopt;
    return out;
}

void Ledger::accepted(const MessageId& id, Micros now) {
    const auto w = where(id);
    if (!w || w->kind != Kind::message) return;
    auto& s = senders_[w->sender];
    if (s.accepted[w->number]) return;
    s.accepted[w->number] = true;
    ++s.accepted_count;
    ++counts.accepted;
    if (s.sent[w->number] >= measured_from_) accept_time.add(now - s.sent[w->number]);
    if (on_accepted) on_accepted(w->sender);
}

void Ledger::rejected(const MessageId& id, const std::string& code) {
    ++counts.rejected;
    ++rejections_[code];
    if (const auto w = where(id); w && w->kind == Kind::message && on_accepted) on_accepted(w->sender);
}

void Ledger::delivered(std::uint32_t receiver, const MessageId& id, Micros now) {
    const auto w = where(id);
    if (!w || w->kind != Kind::message) return;  // of an earlier run, or a grant
    auto& track = receivers_[receiver][w->sender];
    if (track.has(w->number)) {
        ++counts.duplicates;
        return;
    }
    if (w->number < track.next) {
        ++counts.out_of_order;
        track.missing.erase(w->number);
    }
    for (; track.next <= w->number; ++track.next)
        if (track.next < w->number) track.missing.insert(track.next);
    ++counts.delivered;
    if (has_left(receiver)) ++delivered_to_left_;
    const auto sent = senders_[w->sender].sent[w->number];
    if (sent >= measured_from_) deliver_time.add(now - sent);
    if (on_delivered) on_delivered(receiver, w->sender, w->number);
}

void Ledger::measure_from_here() {
    measured_from_ = micros_now();
    accept_time = {};
    deliver_time = {};
}

std::uint64_t Ledger::expected() const {
    std::uint64_t out = 0;
    for (const auto& s : senders_) {
        auto staying = s.receivers.size();
        if (!left_.empty())
            staying -= static_cast<std::size_t>(
                std::count_if(s.receivers.begin(), s.receivers.end(), [this](auto r) { return has_left(r); }));
        out += s.accepted_count * staying;
    }
    return out;
}

void Ledger::leave(std::uint32_t receiver) {
    if (!left_.insert(receiver).second) return;
    for (const auto& [sender, track] : receivers_[receiver]) delivered_to_left_ += track.next - track.missing.size();
}

void Ledger::settle() {
    counts.lost = 0;
    for (std::uint32_t sender = 0; sender < senders_.size(); ++sender)
        for (const auto receiver : senders_[sender].receivers) {
            if (has_left(receiver)) continue;
            const auto& track = receivers_[receiver][sender];
            for (std::uint32_t n = 0; n < senders_[sender].sent.size(); ++n)
                if (senders_[sender].accepted[n] && !track.has(n)) ++counts.lost;
        }
}

}  // namespace nimes::load
