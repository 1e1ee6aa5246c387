// The end of media: by the hour in which they expire, and at once when they are taken back.
#include <algorithm>

#include "media/media_store.hpp"

namespace nimes::gateway::media {
namespace {

constexpr std::size_t kScan = 1'000;
constexpr std::uint64_t kMuch = 64 << 20;  // bytes that are worth a compaction

}  // namespace

Result<std::size_t> MediaStore::expire() {
    const auto now_hour = needs_.clock.now() / kHour;
    std::size_t gone = 0;
    for (std::string from = "x";;) {
        auto names = needs_.store.partitions(store::Family::media_index, from, kScan);
        if (!names) return pass(names);
        bool more = names->size() == kScan;
        for (const auto& name : *names) {
            const auto list = name.starts_with('x') ? std::string_view(name).substr(1) : std::string_view();
            const auto hour = store::u64_of(list).value_or(~std::uint64_t{0});  // other names come after these
            more = more && hour <= now_hour;
            if (hour > now_hour) break;
            auto some = sweep(hour);
            if (!some) return pass(some);
            gone += *some;
        }
        if (!more) break;
        from = names->back() + '\0';
    }
    reclaim();
    return gone;
}

Result<std::size_t> MediaStore::sweep(std::uint64_t hour) {
    std::size_t gone = 0;
    for (std::string from;;) {
        auto records = needs_.store.scan(expiry_of(hour), from, {}, kScan);
        if (!records) return pass(records);
        for (const auto& record : *records) {
            if (record.key.size() != BlobId::size) continue;
            auto erased = sweep_one(BlobId::from(as_bytes(record.key)), hour);
            if (!erased) return pass(erased);
            gone += *erased ? 1 : 0;
        }
        if (records->size() < kScan) return gone;
        from = records->back().key + '\0';
    }
}

// What this hour's list says of one medium is checked against its head: it may have been prolonged, or be gone.
Result<bool> MediaStore::sweep_one(const BlobId& blob, std::uint64_t hour) {
    const auto slot = slot_of(blob);
    const std::lock_guard writing(slot->mutex);
    const auto now = needs_.clock.now();
    auto head = stored_head(blob);
    if (!head && head.error().code != Errc::not_found) return pass(head);
    if (head && head->part_of != BlobId{})
        if (const auto whole = head_of(head->part_of); whole && whole->expires > head->expires) {
            head->expires = whole->expires;
            const store::Batch batches[] = {expiry_batch(blob, head->expires), head_batch(blob, *head)};
            if (auto ok = needs_.store.commit(batches, store::Sync::no); !ok) return pass(ok);
        }
    const bool due = head && now >= head->expires;
    if (head && !due && head->expires / kHour <= hour) return false;  // later in this very hour
    if (due)
        if (auto ok = erase(blob, *head, *slot); !ok) return pass(ok);
    store::Batch done(expiry_of(hour));
    done.erase(raw(blob));
    if (auto ok = needs_.store.commit(done, store::Sync::no); !ok) return pass(ok);
    return due;
}

// Blocks first, the head last: a crash between leaves something that ends again. With slot.mutex held.
Result<void> MediaStore::erase(const BlobId& blob, const MediumHead& head, Slot& slot) {
    ++slot.fence;  // a writer that is still there would bring the head back, without its blocks
    for (const auto& part : head.parts)
        if (auto ok = erase_part(blob, part); !ok) return ok;
    if (head.parts.empty())
        if (auto ok = needs_.store.drop(blocks_of(blob, head.created)); !ok) return ok;
    store::Batch gone(index_of(blob));
    gone.erase(std::string(kHeadKey));
    if (auto ok = needs_.store.commit(gone, store::Sync::no); !ok) return ok;
    quotas_.give(head);
    const auto hour = head.created / kHour;
    const std::lock_guard lock(mutex_);
    if (!erased_) erased_ = Erased{hour, hour, 0};
    erased_->first_hour = std::min(erased_->first_hour, hour);
    erased_->last_hour = std::max(erased_->last_hour, hour);
    erased_->bytes += head.offset;
    return {};
}

Result<void> MediaStore::erase_part(const BlobId& whole, const MediumPart& part) {
    const auto slot = slot_of(part.blob);
    const std::lock_guard writing(slot->mutex);
    auto head = stored_head(part.blob);
    if (!head) return head.error().code == Errc::not_found ? Result<void>{} : Result<void>(pass(head));
    if (head->part_of != whole) return {};
    return erase(part.blob, *head, *slot);
}

void MediaStore::tidy() {
    {
        const std::lock_guard lock(mutex_);
        if (!erased_ || erased_->bytes < kMuch) return;
    }
    reclaim();
}

void MediaStore::reclaim() {
    std::optional<Erased> erased;
    {
        const std::lock_guard lock(mutex_);
        erased = std::exchange(erased_, std::nullopt);
    }
    if (!erased) return;
    needs_.store.reclaim(store::Family::media_blocks, store::key_u64(erased->first_hour),
                         store::key_u64(erased->last_hour + 1));
}

}  // namespace nimes::gateway::media
