#include "media/upload_writer.hpp"

#include <algorithm>

namespace nimes::gateway::media {

UploadWriter::UploadWriter(const Needs& needs, const BlobId& blob, std::shared_ptr<Slot> slot, std::uint64_t fence,
                           MediumHead head, std::shared_ptr<void> lease)
    : needs_(needs),
      blob_(blob),
      slot_(std::move(slot)),
      fence_(fence),
      head_(std::move(head)),
      base_(head_.offset),
      published_(needs.clock.boot()),
      lease_(std::move(lease)) {}

std::span<std::uint8_t> UploadWriter::room() {
    const auto most = kBlock - static_cast<std::size_t>(base_ % kBlock);
    if (buffer_.size() == filled_) buffer_.resize(std::min(most, std::max(kLeastRoom, 2 * filled_)));
    return std::span(buffer_).subspan(filled_);
}

bool UploadWriter::publish_due() const {
    return !held_back_ && (offset() - head_.offset >= kPublish || needs_.clock.boot() - published_ >= kPublishAfter);
}

bool UploadWriter::took(std::size_t n) {
    filled_ += n;
    return offset() % kBlock == 0 || offset() > head_.length || publish_due();
}

Result<void> UploadWriter::work() {
    if (offset() > head_.length) return fail(Errc::upload_length, "more bytes than Upload-Length");
    if (publish_due()) return put(true);
    return offset() % kBlock == 0 && filled_ > 0 ? put(false) : Result<void>{};
}

Result<std::uint64_t> UploadWriter::flush() {
    if (offset() > head_.length) return fail(Errc::upload_length, "more bytes than Upload-Length");
    if (offset() > head_.offset)
        if (auto ok = put(true); !ok) return pass(ok);
    return head_.offset;
}

Result<void> UploadWriter::append(ByteView bytes) {
    while (!bytes.empty()) {
        const auto into = room();
        const auto n = std::min(into.size(), bytes.size());
        std::copy_n(bytes.begin(), n, into.begin());
        bytes = bytes.subspan(n);
        if (!took(n)) continue;
        if (auto ok = work(); !ok) return ok;
    }
    return {};
}

// The beginning of a block that an earlier request has left half full: a block is one record.
Result<void> UploadWriter::load_prefix() {
    const auto before = static_cast<std::size_t>(base_ % kBlock);
    if (before == 0) return {};
    auto block = needs_.store.get(blocks_of(blob_, head_.created), store::key_u64(base_ / kBlock));
    if (!block) return pass(block);
    if (!*block || (*block)->size() < before) return fail(Errc::storage, "a stored block is too short");
    buffer_.insert(buffer_.begin(), (*block)->begin(), (*block)->begin() + static_cast<std::ptrdiff_t>(before));
    filled_ += before;
    base_ -= before;
    return {};
}

// The buffer's bytes, and, to publish, the offset that counts them with one sync: in this order.
Result<void> UploadWriter::put(bool publish) {
    const std::lock_guard writing(slot_->mutex);
    if (slot_->fence != fence_) return fail(Errc::upload_locked, "another request went on with this upload");
    if (filled_ > 0)
        if (auto ok = load_prefix(); !ok) return ok;
    auto head = head_;
    head.offset = offset();
    std::vector<store::Batch> batches;
    if (filled_ > 0) {
        batches.emplace_back(blocks_of(blob_, head_.created));
        batches.back().put_borrowed(store::key_u64(base_ / kBlock), ByteView(buffer_).first(filled_));
    }
    if (publish) batches.push_back(head_batch(blob_, head));
    if (auto ok = needs_.store.commit(batches, publish ? store::Sync::yes : store::Sync::no); !ok) return ok;
    if (filled_ == kBlock) {
        base_ += filled_;
        filled_ = 0;
    }
    if (!publish) return {};
    if (head.finished()) needs_.quotas.changed(head_, head);
    head_ = std::move(head);
    published_ = needs_.clock.boot();
    return {};
}

Result<void> UploadWriter::declare(std::uint64_t length) {
    if (!head_.deferred && length == head_.length) return {};
    if (!head_.deferred) return fail(Errc::upload_length, "another Upload-Length was given before");
    if (length > head_.length) return fail(Errc::too_large, "at most " + std::to_string(head_.length) + " bytes");
    if (length < offset()) return fail(Errc::upload_length, "more bytes than that are there already");
    const std::lock_guard writing(slot_->mutex);
    if (slot_->fence != fence_) return fail(Errc::upload_locked, "another request went on with this upload");
    auto head = head_;
    head.deferred = false;
    head.length = length;
    if (auto ok = needs_.store.commit(head_batch(blob_, head), store::Sync::yes); !ok) return ok;
    needs_.quotas.changed(head_, head);
    head_ = std::move(head);
    return {};
}

}  // namespace nimes::gateway::media
