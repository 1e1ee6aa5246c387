#include "media/media_store.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>

namespace nimes::gateway::media {
namespace {

constexpr std::string_view kHeadKey = "h";
constexpr std::size_t kScan = 1'000;
constexpr std::size_t kMaxSlots = 10'000;
constexpr auto kTakeOverPatience = std::chrono::seconds(2);

std::string raw(const BlobId& blob) { return std::string(as_text(blob.view())); }
store::Partition index_of(const BlobId& blob) { return {store::Family::media_index, raw(blob)}; }
store::Partition blocks_of(const BlobId& blob) { return {store::Family::media_blocks, raw(blob)}; }

std::uint64_t charge(std::uint64_t length) { return std::max(length, kLeastCharge); }

store::Batch head_batch(const BlobId& blob, const MediumHead& head) {
    store::Batch batch(index_of(blob));
    batch.put(std::string(kHeadKey), head.encode());
    return batch;
}

}  // namespace

// Guards one medium's bytes; lives while somebody deals with it.
struct MediaStore::Slot {
    std::mutex mutex;
    std::condition_variable freed;
    std::uint64_t fence = 0;
    std::uint64_t writing = 0;  // the fence of the writer that lives; 0: none
    std::function<void()> hang_up;
};

Bytes MediumHead::encode() const {
    return std::move(nimes::Writer().id(owner).u64(length).u64(offset).u64(created).u64(expires)).take();
}

Result<MediumHead> MediumHead::parse(ByteView bytes) {
    Reader in(bytes);
    MediumHead out;
    out.owner = in.id<DeviceId>();
    out.length = in.u64();
    out.offset = in.u64();
    out.created = in.u64();
    out.expires = in.u64();
    if (!in.done()) return fail(Errc::storage, "a stored medium's head is damaged");
    return out;
}

MediaStore::~MediaStore() = default;

Result<std::unique_ptr<MediaStore>> MediaStore::open(store::Store& store, const Clock& clock, Limits limits) {
    std::unique_ptr<MediaStore> out(new MediaStore(store, clock, limits));
    if (auto ok = out->count(); !ok) return pass(ok);
    return out;
}

Result<void> MediaStore::count() {
    for (std::string from;;) {
        auto names = store_.partitions(store::Family::media_index, from, kScan);
        if (!names) return pass(names);
        for (const auto& name : *names)
            if (auto head = stored_head(BlobId::from(as_bytes(name))); head) used_[head->owner] += charge(head->length);
        if (names->size() < kScan) return {};
        from = names->back() + '\0';
    }
}

Result<MediumHead> MediaStore::stored_head(const BlobId& blob) {
    auto stored = store_.get(index_of(blob), kHeadKey);
    if (!stored) return pass(stored);
    if (!*stored) return fail(Errc::not_found);
    return MediumHead::parse(**stored);
}

Result<MediumHead> MediaStore::head_of(const BlobId& blob) {
    auto head = stored_head(blob);
    if (head && clock_.now() >= head->expires) return fail(Errc::not_found);
    return head;
}

Result<MediumHead> MediaStore::own_head(const BlobId& blob, const DeviceId& owner) {
    auto head = head_of(blob);
    if (head && head->owner != owner) return fail(Errc::not_found);
    return head;
}

std::shared_ptr<MediaStore::Slot> MediaStore::slot_of(const BlobId& blob) {
    const std::lock_guard lock(mutex_);
    if (slots_.size() >= kMaxSlots) std::erase_if(slots_, [](const auto& item) { return item.second.expired(); });
    auto& known = slots_[blob];
    auto slot = known.lock();
    if (!slot) known = slot = std::make_shared<Slot>();
    return slot;
}

Result<MediumHead> MediaStore::create(const BlobId& blob, const DeviceId& owner, std::uint64_t length) {
    if (length > limits_.max_bytes) return fail(Errc::too_large);
    const auto slot = slot_of(blob);
    const std::lock_guard writing(slot->mutex);
    const auto now = clock_.now();
    auto there = stored_head(blob);
    if (there && now >= there->expires) {  // not swept yet
        if (auto ok = erase(blob, *there, *slot); !ok) return pass(ok);
        there = fail(Errc::not_found);
    }
    if (there && there->owner == owner && there->length == length) return there;
    if (there) return fail(Errc::exists);
    if (there.error().code != Errc::not_found) return there;
    {
        const std::lock_guard lock(mutex_);
        if (used_[owner] + charge(length) > limits_.device_bytes) return fail(Errc::quota);
        used_[owner] += charge(length);
    }
    const MediumHead head{owner, length, 0, now, now + limits_.unlinked_life};
    if (auto ok = store_.commit(head_batch(blob, head), store::Sync::yes); !ok) {
        const std::lock_guard lock(mutex_);
        used_[owner] -= charge(length);
        return pass(ok);
    }
    return head;
}

// With slot.mutex held.
Result<void> MediaStore::erase(const BlobId& blob, const MediumHead& head, Slot& slot) {
    ++slot.fence;  // a writer that is still there would bring the head back, without its blocks
    if (auto ok = store_.drop(blocks_of(blob)); !ok) return ok;
    if (auto ok = store_.drop(index_of(blob)); !ok) return ok;
    const std::lock_guard lock(mutex_);
    auto& used = used_[head.owner];
    used -= std::min(used, charge(head.length));
    return {};
}

Result<void> MediaStore::remove(const BlobId& blob, const DeviceId& owner) {
    if (auto ended = take_over(blob, owner); !ended) return pass(ended);
    const auto slot = slot_of(blob);
    const std::lock_guard writing(slot->mutex);
    const auto head = own_head(blob, owner);  // somebody else may have come between
    if (!head) return fail(head.error().code);
    return erase(blob, *head, *slot);
}

Result<MediumHead> MediaStore::find(const BlobId& blob) {
    auto head = head_of(blob);
    if (head && !head->finished()) return fail(Errc::not_found);
    return head;
}

Result<Bytes> MediaStore::read(const BlobId& blob, std::uint64_t block) {
    auto bytes = store_.get(blocks_of(blob), store::key_u64(block));
    if (!bytes) return pass(bytes);
    if (!*bytes) return fail(Errc::not_found);  // expired meanwhile
    return std::move(**bytes);
}

Result<void> MediaStore::link(const BlobId& blob, const DeviceId& owner, Millis expires) {
    const auto slot = slot_of(blob);
    const std::lock_guard writing(slot->mutex);
    auto head = own_head(blob, owner);
    if (!head) return pass(head);
    if (!head->finished()) return fail(Errc::not_found, "the upload is not finished");
    if (head->expires >= expires) return {};
    head->expires = expires;
    return store_.commit(head_batch(blob, *head), store::Sync::yes);
}

Result<MediaStore::Writer> MediaStore::write(const BlobId& blob, const DeviceId& owner, std::function<void()> hang_up) {
    if (auto own = own_head(blob, owner); !own) return pass(own);  // a stranger disturbs nobody
    const auto slot = slot_of(blob);
    std::unique_lock lock(slot->mutex);
    const auto earlier = std::exchange(slot->hang_up, std::move(hang_up));
    if (slot->writing != 0 && earlier) {
        lock.unlock();
        earlier();
        lock.lock();
        // Its connection ends, and what it has taken goes to disk first; one that hangs is not waited for.
        slot->freed.wait_for(lock, kTakeOverPatience, [&] { return slot->writing == 0; });
    }
    auto head = own_head(blob, owner);
    if (!head) return pass(head);
    const auto fence = ++slot->fence;
    slot->writing = fence;
    std::shared_ptr<void> lease(nullptr, [slot, fence](void*) {
        {
            const std::lock_guard ending(slot->mutex);
            if (slot->writing == fence) slot->writing = 0;
        }
        slot->freed.notify_all();
    });
    lock.unlock();  // the lease's end takes it
    Writer writer(*this, blob, slot, fence, *head, std::move(lease));
    if (const auto partial = head->offset % kBlock; partial != 0) {
        auto block = read(blob, head->offset / kBlock);
        if (!block) return pass(block);
        block->resize(partial);
        writer.buffer_ = std::move(*block);
        writer.partial_ = partial;
    }
    return writer;
}

Result<MediumHead> MediaStore::take_over(const BlobId& blob, const DeviceId& owner) {
    auto writer = write(blob, owner, {});
    if (!writer) return pass(writer);
    return writer->head();
}

Result<void> MediaStore::Writer::append(ByteView bytes) {
    if (bytes.size() > head_.length - offset()) return fail(Errc::upload_length, "more bytes than Upload-Length");
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    if (buffer_.size() < kFlush) return {};
    auto flushed = flush();
    if (!flushed) return pass(flushed);
    return {};
}

Result<std::uint64_t> MediaStore::Writer::flush() {
    const std::lock_guard writing(slot_->mutex);
    if (slot_->fence != fence_) return fail(Errc::upload_locked, "another request went on with this upload");
    if (buffer_.size() == partial_) return head_.offset;
    auto head = head_;
    const auto first = head.offset / kBlock;
    head.offset = offset();
    std::vector<store::Batch> batches{store::Batch(blocks_of(blob_)), head_batch(blob_, head)};
    for (std::size_t at = 0; at < buffer_.size(); at += kBlock)
        batches[0].put(store::key_u64(first + at / kBlock),
                       ByteView(buffer_).subspan(at, std::min(kBlock, buffer_.size() - at)));
    // Blocks first, then the offset that counts them, with one sync.
    if (auto ok = media_.store_.commit(batches, store::Sync::yes); !ok) return pass(ok);
    head_ = head;
    const auto whole = buffer_.size() / kBlock * kBlock;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(whole));
    partial_ = buffer_.size();
    return head_.offset;
}

Result<std::size_t> MediaStore::expire() {
    std::size_t gone = 0;
    const auto now = clock_.now();
    for (std::string from;;) {
        auto names = store_.partitions(store::Family::media_index, from, kScan);
        if (!names) return pass(names);
        for (const auto& name : *names) {
            const auto blob = BlobId::from(as_bytes(name));
            const auto slot = slot_of(blob);
            const std::lock_guard writing(slot->mutex);
            auto stored = store_.get(index_of(blob), kHeadKey);
            if (!stored) return pass(stored);
            const auto head = *stored ? MediumHead::parse(**stored) : fail(Errc::not_found);
            if (!head || now < head->expires) continue;
            if (auto ok = erase(blob, *head, *slot); !ok) return pass(ok);
            ++gone;
        }
        if (names->size() < kScan) return gone;
        from = names->back() + '\0';
    }
}

}  // namespace nimes::gateway::media
