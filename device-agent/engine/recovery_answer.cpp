// A request for what another device misses (recovery_ask.cpp) is judged, and answered by the chain's grant and the
// messages themselves.
#include "engine/recovery.hpp"

#include <algorithm>

#include "engine/chains.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;
using sealing::Outcome;

constexpr Millis kRequestLife = 7 * kDay;
constexpr Millis kFutureAtMost = 10 * kMinute;

Bytes count_key(const KeyRequest& r, Millis now) {
    return std::move(Writer().text("count").id(r.chain).id(r.conversation).id(r.requester).u32(utc_day(now))).take();
}
Bytes nonce_key(const KeyRequest& r) { return std::move(Writer().text("nonce").bytes(r.nonce)).take(); }

bool is_of_now(const KeyRequest& r, Millis now) { return now <= r.ts + kRequestLife && r.ts <= now + kFutureAtMost; }

bool is_member(const Roster& roster, const UserId& user) {
    return std::any_of(roster.begin(), roster.end(), [&](const Member& m) { return m.user == user; });
}

}  // namespace

Result<bool> Recovery::seen_before(Transaction& tx, const KeyRequest& request) {
    const auto now = core_.now();
    const container::PutOptions week{container::expiry_day_of(now + kRequestLife), {}};
    auto nonce = tx.get(Table::requests, nonce_key(request));
    if (!nonce) return pass(nonce);
    if (*nonce) return true;
    auto count = tx.get(Table::requests, count_key(request, now));
    if (!count) return pass(count);
    const std::uint32_t asked = *count ? Reader((*count)->value).u32() : 0;
    if (asked >= kAsksAtMost) return true;
    if (auto put = tx.put(Table::requests, nonce_key(request), Bytes{1}, week); !put) return pass(put);
    auto put = tx.put(Table::requests, count_key(request, now), std::move(Writer().u32(asked + 1)).take(), week);
    if (!put) return pass(put);
    return false;
}

Result<Outcome> Recovery::requested(Transaction& tx, const KeyRequest& request, const UserId& claimed) {
    const auto now = core_.now();
    if (request.owner != core_.own().device) return Outcome::dropped;
    if (!is_of_now(request, now))
        return core_.clock_doubted() && is_of_now(request, core_.token_time()) ? Outcome::held : Outcome::dropped;
    const auto* entry = core_.directory->find(claimed);
    const auto* cert = entry != nullptr ? entry->entry.cert(request.requester) : nullptr;
    if (cert == nullptr) {
        // Of an entry that is newer than the request names, absence is an answer.
        if (entry != nullptr && entry->revision >= request.dir_revision) return Outcome::dropped;
        core_.wanted_users.insert(claimed);
        return Outcome::held;
    }
    if (!entry->entry.active(request.requester, now) || !verify_key_request(request, cert->identity))
        return Outcome::dropped;
    const auto named = core_.directory->judge_named(request.dir_revision, request.dir_head, request.ts);
    if (named == directory::HeldDirectory::Named::failed) return Outcome::dropped;
    if (named == directory::HeldDirectory::Named::unknown) {
        core_.want_head(request.dir_revision);
        return Outcome::held;
    }
    const auto at = core_.conversations.find(request.conversation);
    if (at == core_.conversations.end() || !is_member(at->second.agreed(), claimed)) return Outcome::dropped;
    if (!core_.directory->head_fresh(now) || core_.stale.contains(claimed) ||
        entry->seal_key(request.requester, now) == nullptr) {
        core_.wanted_users.insert(claimed);
        return Outcome::held;
    }
    if (compose_.on_hold(*entry, *cert)) return Outcome::held;
    auto sealed = messages_of_chain(tx, request.chain);
    if (!sealed) return pass(sealed);
    auto current = find_sending(tx, request.conversation);
    if (!current) return pass(current);
    // Invented chains would cost a seal, an upload and two rows each, without end.
    if (sealed->empty() && (!*current || (*current)->id != request.chain)) return Outcome::dropped;
    auto seen = seen_before(tx, request);
    if (!seen) return pass(seen);
    if (*seen) return Outcome::dropped;
    if (auto ok = compose_.grant_again(tx, at->second, *cert); !ok) return pass(ok);
    std::erase_if(*sealed, [&](const MessageRow& m) {
        return request.kind == RequestKind::messages && m.message.index < request.have_index;
    });
    if (auto ok = compose_.send_again(tx, at->second, *cert, *sealed); !ok) return pass(ok);
    return Outcome::opened;
}

Result<void> Recovery::send_again(const MessageId& id, const std::vector<DeviceId>& devices) {
    return core_.transact([&](Transaction& tx) -> Result<void> {
        auto row = find_message(tx, core_.own().device, id);
        if (!row) return pass(row);
        if (!*row) return {};
        const auto at = core_.conversations.find((*row)->message.conversation);
        if (at == core_.conversations.end()) return {};
        for (const auto& member : at->second.agreed()) {
            const auto* entry = core_.directory->find(member.user);
            if (entry == nullptr) continue;
            for (const auto* cert : entry->entry.active_devices(core_.now())) {
                if (std::find(devices.begin(), devices.end(), cert->device) == devices.end()) continue;
                if (entry->seal_key(cert->device, core_.now()) == nullptr || compose_.on_hold(*entry, *cert)) continue;
                if (auto ok = compose_.send_again(tx, at->second, *cert, {**row}); !ok) return ok;
            }
        }
        return {};
    });
}

}  // namespace nimes::agent::engine
