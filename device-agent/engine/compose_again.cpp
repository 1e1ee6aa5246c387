// Of step 1, compose: the same once more, for one device that could not open it (FORMATS.md 2.9).
#include <algorithm>

#include "engine/chains.hpp"
#include "engine/compose.hpp"
#include "sealing/message_sealer.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using conversation::ConversationState;

Bytes resend_no_key(const ConversationId& id) { return std::move(Writer().text("resend").id(id)).take(); }

Result<std::uint32_t> last_resend_no(Transaction& tx, const ConversationId& id) {
    auto row = tx.get(Table::settings, resend_no_key(id));
    if (!row) return pass(row);
    return *row ? Reader((*row)->value).u32() : 0u;
}

}  // namespace

Result<void> Compose::send_direct(Transaction& tx, const ConversationState& state, Direct kind, const DeviceId& device,
                                  ByteView payload) {
    OutboxItem item{core_.random.id<MessageId>(), state.id, false, {}, {}};
    item.up = direct_packet(item.id, state, kind, device, payload);
    return put_outbox(tx, std::move(item));
}

Result<void> Compose::grant_again(Transaction& tx, const ConversationState& state, const DeviceCert& cert) {
    auto chain = find_sending(tx, state.id);
    if (!chain) return pass(chain);
    if (!*chain || core_.now() >= (*chain)->expires || (*chain)->index > (*chain)->max_index) return {};
    (*chain)->granted.erase(cert.device);
    if (auto ok = grant(tx, state, **chain, Recipients{{&cert}, {}}); !ok) return ok;
    return put_sending(tx, **chain);
}

std::vector<MessageRow> Compose::readable_by(const ConversationState& state, const DeviceCert& cert,
                                             const std::vector<MessageRow>& messages) const {
    std::vector<MessageRow> out;
    for (const auto& m : messages) {
        const auto& message = m.message;
        // A request may name a chain of one conversation and another conversation: nothing crosses.
        if (message.conversation != state.id) continue;
        const auto* then = state.at(message.conv_epoch);
        const bool member = then != nullptr && std::any_of(then->roster.begin(), then->roster.end(),
                                                           [&](const Member& x) { return x.user == cert.user; });
        const bool sent = message.state == MessageState::sending || message.state == MessageState::sent;
        if (member && sent && message.device == core_.own().device && message.sent >= cert.not_before) out.push_back(m);
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.message.index < b.message.index; });
    return out;
}

Result<void> Compose::send_again(Transaction& tx, const ConversationState& state, const DeviceCert& cert,
                                 const std::vector<MessageRow>& messages) {
    const auto again = readable_by(state, cert, messages);
    const auto* entry = core_.directory->find(cert.user);
    const auto* key = entry != nullptr ? entry->seal_key(cert.device, core_.now()) : nullptr;
    if (again.empty() || key == nullptr) return {};
    auto last = last_resend_no(tx, state.id);
    if (!last) return pass(last);
    sealing::ChainStart start;
    start.conversation = state.id;
    start.device = core_.own().device;
    start.last_chain_no = *last;
    start.conv_epoch = state.epoch;
    start.devices = 1'000;  // the longest chain that lives a day: all of another chain fits
    start.resend = true;
    auto chain = sealing::open_chain(start, core_.stamp(), core_.random);
    auto put = tx.put(Table::settings, resend_no_key(state.id), std::move(Writer().u32(chain.chain_no)).take());
    if (!put) return pass(put);
    const sealing::GrantRecipient to{entry->devices.at(cert.device).dev_no, key->key_id, key->key};
    auto identity = core_.identity();
    if (!identity) return pass(identity);
    auto uploads = sealing::seal_grant(chain, binding(state), identity->secret, {&to, 1}, core_.random);
    if (!uploads) return pass(uploads);
    for (const auto& upload : *uploads)
        if (auto ok = send_direct(tx, state, Direct::grant, cert.device, upload); !ok) return ok;
    for (const auto& m : again) {
        if (chain.index > chain.max_index) break;
        Content content;
        content.kind = m.message.kind;
        content.resent = true;
        content.sent = m.message.sent;
        content.conv_epoch = m.message.conv_epoch;
        content.id = m.message.id;
        content.body = m.message.body;
        auto wire = sealing::seal_message(chain, core_.own().user, core_.own().device, content, core_.random);
        if (!wire) return pass(wire);
        if (auto ok = send_direct(tx, state, Direct::message, cert.device, *wire); !ok) return ok;
    }
    return {};
}

}  // namespace nimes::agent::engine
