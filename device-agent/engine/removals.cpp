#include "engine/removals.hpp"

#include <filesystem>

#include "engine/history.hpp"
#include "media/incoming.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;
using container::Transaction;

constexpr Millis kSweepEvery = kHour;
constexpr auto kLeftAlone = std::chrono::hours(24);  // whatever is under way touched its file since
constexpr std::size_t kAtOnce = 50;

// 32 hex digits and a known end; anything else is not ours to touch.
std::optional<BlobId> blob_of(const std::filesystem::path& file) {
    if (file.extension() != ".sealed" && file.extension() != ".part") return std::nullopt;
    const auto id = id_from_hex<BlobId>(file.stem().string());
    return id ? std::optional(*id) : std::nullopt;
}

}  // namespace

RecallCount count_recall(const Core& core, const StoredMessage& message, const conversation::Face& face) {
    const auto counts = [&](const UserId& user) { return user != message.user && user != core.own().user; };
    std::set<DeviceId> devices;
    if (const auto at = core.conversations.find(message.conversation); at != core.conversations.end()) {
        const auto* then = at->second.at(message.conv_epoch);
        for (const auto& member : then != nullptr ? then->roster : at->second.now().roster) {
            const auto* entry = core.directory->find(member.user);
            if (entry == nullptr || !counts(member.user)) continue;
            for (const auto* cert : entry->entry.active_devices(core.now()))
                if (cert->not_before <= message.sent) devices.insert(cert->device);
        }
    }
    RecallCount out;
    std::set<DeviceId> delivered, opened;
    for (const auto& [device, receipt] : face.receipts) {
        if (!counts(receipt.user)) continue;
        delivered.insert(device);
        if (receipt.read) opened.insert(device);
    }
    for (const auto& [device, state] : face.recalled) {
        delivered.insert(device);
        if (state == conversation::Recalled::opened) opened.insert(device);
    }
    devices.insert(delivered.begin(), delivered.end());
    out.devices = devices.size();
    out.delivered = delivered.size();
    out.opened = opened.size();
    out.erased = face.recalled.size();
    out.unreachable = out.devices - out.erased;
    return out;
}

Result<void> owe_removal(Transaction& tx, const Core& core, const StoredMessage& message, const BlobId& blob) {
    if (message.user != core.own().user) return {};
    const auto put =
        tx.put(Table::recalled, to_bytes(blob.view()), Bytes{1}, {core.expiry_day(message.sent, message.received), {}});
    if (!put) return fail(put.error().code, put.error().detail);
    return {};
}

Result<bool> removals_owed(Transaction& tx) {
    const auto rows = tx.count(Table::recalled);
    if (!rows) return fail(rows.error().code, rows.error().detail);
    return *rows > 0;
}

Result<void> Removals::run(Lock& lock, bool online) {
    const auto boot = core_.clock.boot();
    if (!core_.erased_media.empty())
        if (auto ok = remove_files(); !ok) return ok;
    if (boot >= next_sweep_) {
        next_sweep_ = boot + kSweepEvery;
        if (auto ok = sweep(); !ok) return ok;
    }
    if (!online || core_.shut_out || boot < next_try_) return {};
    return tell_gateway(lock);
}

Result<std::set<BlobId>> Removals::needed() {
    auto out = core_.uploading;
    auto tx = core_.box->begin();
    if (!tx) return pass(tx);
    const auto rows = tx->scan(Table::outbox);
    if (!rows) return fail(rows.error().code, rows.error().detail);
    for (const auto& row : *rows)
        if (const auto item = OutboxItem::parse(row.value); item && !item->upload.is_zero()) out.insert(item->upload);
    auto bundles = History::bundles(*tx);
    if (!bundles) return pass(bundles);
    out.merge(*bundles);
    return out;
}

Result<void> Removals::remove_files() {
    const auto busy = needed();
    if (!busy) return fail(busy.error().code, busy.error().detail);
    const auto folder = core_.box->home() / "media";
    std::erase_if(core_.erased_media,
                  [&](const BlobId& blob) { return !busy->contains(blob) && media::erase(folder, blob).has_value(); });
    return {};
}

Result<void> Removals::sweep() {
    const auto busy = needed();
    if (!busy) return fail(busy.error().code, busy.error().detail);
    const auto old = std::max(began_, std::filesystem::file_time_type::clock::now() - kLeftAlone);
    auto tx = core_.box->begin();
    if (!tx) return pass(tx);
    std::error_code error;
    for (std::filesystem::directory_iterator at(core_.box->home() / "media", error), end; !error && at != end;
         at.increment(error)) {
        const auto blob = blob_of(at->path());
        std::error_code gone;
        if (!blob || busy->contains(*blob) || std::filesystem::last_write_time(at->path(), gone) > old || gone)
            continue;
        const auto row = tx->get(Table::media, to_bytes(blob->view()));
        if (!row) return fail(row.error().code, row.error().detail);
        if (!*row) core_.erased_media.insert(*blob);  // with the next run
    }
    return {};
}

Result<void> Removals::tell_gateway(Lock& lock) {
    std::vector<BlobId> owed;
    {
        auto tx = core_.box->begin();
        if (!tx) return pass(tx);
        const auto rows = tx->scan(Table::recalled, 0, kAtOnce);
        if (!rows) return fail(rows.error().code, rows.error().detail);
        for (const auto& row : *rows)
            if (row.key.size() == BlobId::size) owed.push_back(BlobId::from(row.key));
    }
    if (owed.empty()) return {};
    const auto busy = needed();
    if (!busy) return fail(busy.error().code, busy.error().detail);
    std::erase_if(owed, [&](const BlobId& blob) { return busy->contains(blob); });
    for (const auto& blob : owed) {
        lock.unlock();
        const auto gone = network_.remove(blob);
        lock.lock();
        // Its end came by itself, or another device of this person was first.
        const bool done = gone || !gone.error().row().retry;
        if (!done) {
            next_try_ = core_.clock.boot() + kTryAgain;
            return {};
        }
        auto stored = core_.transact([&](Transaction& tx) -> Result<void> {
            auto erased = tx.erase(Table::recalled, to_bytes(blob.view()));
            if (!erased) return pass(erased);
            return {};
        });
        if (!stored) return stored;
        core_.erased_media.insert(blob);
        core_.changed.notify_all();
    }
    return {};
}

}  // namespace nimes::agent::engine
