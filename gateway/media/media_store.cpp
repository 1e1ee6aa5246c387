#include "media/media_store.hpp"

#include <algorithm>

namespace nimes::gateway::media {
namespace {

constexpr std::size_t kScan = 1'000;
constexpr std::size_t kMaxSlots = 10'000;

bool same_plan(const MediumHead& head, const MediaStore::Plan& plan, std::uint64_t most) {
    const bool partial = head.kind == MediumKind::partial;
    if (head.kind == MediumKind::composed || partial != plan.partial) return false;
    if (plan.length) return !head.deferred && head.length == *plan.length;
    return !head.deferred || head.length == most;  // its length may have been told since
}

}  // namespace

MediaStore::~MediaStore() = default;

Result<std::unique_ptr<MediaStore>> MediaStore::open(const Needs& needs, const Limits& limits) {
    std::unique_ptr<MediaStore> out(new MediaStore(needs, limits));
    if (auto ok = out->count(); !ok) return pass(ok);
    return out;
}

Result<void> MediaStore::count() {
    for (std::string from = "h";;) {
        auto names = needs_.store.partitions(store::Family::media_index, from, kScan);
        if (!names) return pass(names);
        for (const auto& name : *names) {
            if (!name.starts_with('h') || name.size() != 1 + BlobId::size) return {};
            if (auto head = stored_head(BlobId::from(as_bytes(name).subspan(1)))) quotas_.count(*head);
        }
        if (names->size() < kScan) return {};
        from = names->back() + '\0';
    }
}

Result<MediumHead> MediaStore::stored_head(const BlobId& blob) {
    auto stored = needs_.store.get(index_of(blob), kHeadKey);
    if (!stored) return pass(stored);
    if (!*stored) return fail(Errc::not_found);
    return MediumHead::parse(**stored);
}

Result<MediumHead> MediaStore::head_of(const BlobId& blob) {
    auto head = stored_head(blob);
    if (head && needs_.clock.now() >= head->expires) return fail(Errc::not_found);
    return head;
}

Result<MediumHead> MediaStore::own_head(const BlobId& blob, const DeviceId& owner) {
    auto head = head_of(blob);
    if (head && head->owner != owner) return fail(Errc::not_found);
    return head;
}

std::shared_ptr<Slot> MediaStore::slot_of(const BlobId& blob) {
    const std::lock_guard lock(mutex_);
    if (slots_.size() >= kMaxSlots) std::erase_if(slots_, [](const auto& item) { return item.second.expired(); });
    auto& known = slots_[blob];
    auto slot = known.lock();
    if (!slot) known = slot = std::make_shared<Slot>();
    return slot;
}

Result<MediumHead> MediaStore::create(const BlobId& blob, const Uploader& who, const Plan& plan) {
    if (plan.length.value_or(0) > limits_.max_bytes) return fail(Errc::too_large);
    const auto slot = slot_of(blob);
    const std::lock_guard writing(slot->mutex);
    const auto now = needs_.clock.now();
    auto there = stored_head(blob);
    if (there && now >= there->expires) {  // not swept yet
        if (auto ok = erase(blob, *there, *slot); !ok) return pass(ok);
        there = fail(Errc::not_found);
    }
    if (there && there->owner == who.device && same_plan(*there, plan, limits_.max_bytes)) return there;
    if (there) return fail(Errc::exists);
    if (there.error().code != Errc::not_found) return there;
    MediumHead head;
    head.user = who.user;
    head.owner = who.device;
    head.kind = plan.partial ? MediumKind::partial : MediumKind::whole;
    head.deferred = !plan.length;
    head.length = plan.length.value_or(limits_.max_bytes);
    head.created = now;
    head.expires = now + limits_.unlinked_life;
    if (auto ok = make_room(blob, head); !ok) return pass(ok);
    return head;
}

// Within the quotas and on disk. With slot.mutex held.
Result<void> MediaStore::make_room(const BlobId& blob, const MediumHead& head) {
    if (auto ok = quotas_.take(head); !ok) return ok;
    // The expiry first: a crash between the two must not leave a head that nothing ever ends.
    const store::Batch batches[] = {expiry_batch(blob, head.expires), head_batch(blob, head)};
    auto ok = needs_.store.commit(batches, store::Sync::yes);
    if (!ok) quotas_.give(head);
    return ok;
}

Result<void> MediaStore::remove(const BlobId& blob, const Uploader& who) {
    const auto before = head_of(blob);
    if (!before || before->user != who.user) return fail(before ? Errc::not_found : before.error().code);
    if (before->part_of != BlobId{} && head_of(before->part_of))
        return fail(Errc::forbidden, "it is part of a finished medium");
    if (before->kind != MediumKind::composed)
        if (auto ended = approach(blob, before->owner); !ended) return pass(ended);  // erase() refuses what it has
    const auto slot = slot_of(blob);
    const std::lock_guard writing(slot->mutex);
    const auto head = own_head(blob, before->owner);  // somebody else may have come between
    if (!head) return fail(head.error().code);
    return erase(blob, *head, *slot);
}

Result<MediumHead> MediaStore::find(const BlobId& blob) {
    auto head = head_of(blob);
    if (head && (!head->finished() || head->kind == MediumKind::partial)) return fail(Errc::not_found);
    return head;
}

Result<std::size_t> MediaStore::read(const BlobId& blob, const MediumHead& head, std::uint64_t offset,
                                     std::span<std::uint8_t> into) {
    MediumPart part{blob, head.length, head.created};
    for (const auto& each : head.parts) {
        part = each;
        if (offset < each.length) break;
        offset -= each.length;
    }
    if (offset >= part.length) return std::size_t{0};
    const auto most = std::min<std::uint64_t>(into.size(), part.length - offset);
    auto n = needs_.store.read(blocks_of(part.blob, part.created), store::key_u64(offset / kBlock),
                               static_cast<std::size_t>(offset % kBlock), into.first(static_cast<std::size_t>(most)));
    if (!n) return pass(n);
    if (!*n) return fail(Errc::not_found);  // expired meanwhile
    if (**n == 0) return fail(Errc::storage, "a stored block is too short");
    return **n;
}

Result<void> MediaStore::link(const BlobId& blob, const DeviceId& owner, Millis expires) {
    const auto slot = slot_of(blob);
    const std::lock_guard writing(slot->mutex);
    auto head = own_head(blob, owner);
    if (!head) return pass(head);
    if (!head->finished() || head->kind == MediumKind::partial)
        return fail(Errc::not_found, "the upload is not finished");
    if (head->expires >= expires) return {};
    head->expires = expires;
    const store::Batch batches[] = {expiry_batch(blob, expires), head_batch(blob, *head)};
    return needs_.store.commit(batches, store::Sync::yes);
}

Result<MediaStore::Place> MediaStore::approach(const BlobId& blob, const DeviceId& owner) {
    if (auto own = own_head(blob, owner); !own) return pass(own);  // a stranger disturbs nobody
    Place place;
    place.blob_ = blob;
    place.owner_ = owner;
    place.slot_ = slot_of(blob);
    place.ticket_ = place.slot_->turns.arrive();
    return place;
}

Result<UploadWriter> MediaStore::write(const Place& place, std::function<void()> hang_up) {
    const auto& slot = place.slot_;
    const auto ticket = place.ticket_;
    std::unique_lock lock(slot->mutex);
    const auto opening = needs_.store.opening();
    auto head = own_head(place.blob_, place.owner_);
    if (!head) return pass(head);
    if (!slot->turns.begin(ticket, std::move(hang_up)))
        return fail(Errc::upload_locked, "another request went on with this upload");
    std::shared_ptr<void> lease(nullptr, [slot, ticket](void*) { slot->turns.end(ticket); });
    const auto fence = ++slot->fence;
    lock.unlock();
    return UploadWriter({needs_.store, needs_.clock, quotas_, behind_, opening}, place.blob_, slot, fence,
                        std::move(*head), std::move(lease));
}

Result<UploadWriter> MediaStore::write(const BlobId& blob, const DeviceId& owner, std::function<void()> hang_up) {
    auto place = approach(blob, owner);
    if (!place) return pass(place);
    return write(*place, std::move(hang_up));
}

Result<MediumHead> MediaStore::take_over(const BlobId& blob, const DeviceId& owner) {
    auto writer = write(blob, owner, {});
    if (!writer) return pass(writer);
    return writer->head();
}

}  // namespace nimes::gateway::media
