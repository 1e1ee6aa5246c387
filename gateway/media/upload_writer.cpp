#include "media/upload_writer.hpp"

#include <algorithm>

namespace nimes::gateway::media {
namespace {

// The beginning of a block that an earlier request has left half full: a block is one record.
Result<Bytes> beginning_of(store::Store& store, const store::Partition& blocks, std::uint64_t number,
                           std::size_t size) {
    auto block = store.get(blocks, store::key_u64(number));
    if (!block) return pass(block);
    if (!*block || (*block)->size() < size) return fail(Errc::storage, "a stored block is too short");
    (*block)->resize(size);
    return std::move(**block);
}

}  // namespace

UploadWriter::UploadWriter(const Needs& needs, const BlobId& blob, std::shared_ptr<Slot> slot, std::uint64_t fence,
                           MediumHead head, std::shared_ptr<void> lease)
    : needs_(needs),
      blob_(blob),
      slot_(std::move(slot)),
      fence_(fence),
      head_(std::move(head)),
      base_(head_.offset),
      publishing_(head_.offset),
      published_(needs.clock.boot()),
      lease_(std::move(lease)) {}

// Whoever takes over must not meet a write of ours.
UploadWriter::~UploadWriter() {
    if (behind_.valid()) behind_.wait();
}

std::span<std::uint8_t> UploadWriter::room() {
    const auto most = kBlock - static_cast<std::size_t>(base_ % kBlock);
    if (buffer_.size() == filled_) buffer_.resize(std::min(most, std::max(kLeastRoom, 4 * filled_)));
    return std::span(buffer_).first(std::min(buffer_.size(), most)).subspan(filled_);
}

bool UploadWriter::publish_due() const {
    return !held_back_ && (offset() - publishing_ >= kPublish || needs_.clock.boot() - published_ >= kPublishAfter);
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
    if (auto ok = settle(); !ok) return pass(ok);
    if (offset() > head_.length) return fail(Errc::upload_length, "more bytes than Upload-Length");
    if (offset() > head_.offset) {
        if (auto ok = put(true); !ok) return pass(ok);
        if (auto ok = settle(); !ok) return pass(ok);
    }
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

// The bytes, and, to publish, the offset that counts them with one sync: in this order. Any thread.
Result<MediumHead> UploadWriter::store(const Needs& needs, const BlobId& blob, Slot& slot, std::uint64_t fence,
                                       MediumHead head, const Piece& piece, ByteView bytes) {
    const std::lock_guard writing(slot.mutex);
    if (slot.fence != fence) return fail(Errc::upload_locked, "another request went on with this upload");
    const auto before = head;
    const auto blocks = blocks_of(blob, head.created);
    std::vector<store::Batch> batches;
    Bytes whole;
    if (!bytes.empty()) {
        if (const auto inside = static_cast<std::size_t>(piece.base % kBlock); inside != 0) {
            auto beginning = beginning_of(needs.store, blocks, piece.base / kBlock, inside);
            if (!beginning) return pass(beginning);
            whole = std::move(*beginning);
            whole.insert(whole.end(), bytes.begin(), bytes.end());
            bytes = whole;
        }
        batches.emplace_back(blocks);
        batches.back().only_in(needs.opening).put_borrowed(store::key_u64(piece.base / kBlock), bytes);
    }
    if (piece.publish) {
        head.offset = piece.base + piece.filled;
        batches.push_back(head_batch(blob, head));
        batches.back().only_in(needs.opening);
    }
    if (auto ok = needs.store.commit(batches, piece.publish ? store::Sync::yes : store::Sync::no); !ok) return pass(ok);
    if (piece.publish && head.finished()) needs.quotas.changed(before, head);
    return head;
}

// What is on its way has arrived, or never will.
Result<void> UploadWriter::settle() {
    if (broken_) return fail(broken_->code, broken_->detail);
    if (!behind_.valid()) return {};
    broken_ = Error{Errc::internal, "a block was not stored"};  // should it throw: nothing may be published behind it
    return taken(behind_.get());
}

Result<void> UploadWriter::taken(Result<MediumHead> done) {
    if (!done) {
        broken_ = done.error();
        return pass(done);
    }
    head_ = std::move(*done);
    broken_.reset();
    return {};
}

// A full block goes behind, if there is room; any other piece is stored before this returns.
Result<void> UploadWriter::put(bool publish) {
    if (auto ok = settle(); !ok) return ok;
    const Piece piece{base_, filled_, publish};
    const bool full = filled_ > 0 && offset() % kBlock == 0;
    if (publish) {
        publishing_ = offset();
        published_ = needs_.clock.boot();
    }
    const auto write = [needs = needs_, blob = blob_, slot = slot_, fence = fence_, head = head_,
                        piece](ByteView bytes) {
        return store(needs, blob, *slot, fence, head, piece, bytes.first(piece.filled));
    };
    broken_ = Error{Errc::internal, "a block was not stored"};  // should something throw before the end
    if (auto begun = full ? needs_.behind.begin(buffer_, write) : std::nullopt) {
        behind_ = std::move(*begun);
        broken_.reset();
    } else if (auto ok = taken(write(buffer_)); !ok) {
        return ok;
    }
    if (full) {
        base_ += filled_;
        filled_ = 0;
    }
    return {};
}

Result<void> UploadWriter::declare(std::uint64_t length) {
    if (auto ok = settle(); !ok) return ok;
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
