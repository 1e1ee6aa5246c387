// Where the records of media lie in the store, as LAYOUT.md says. Private to this room; pure.
#pragma once

#include <mutex>
#include <string>

#include "media/medium_head.hpp"
#include "media/turns.hpp"
#include "store/store.hpp"

namespace nimes::gateway::media {

inline constexpr std::size_t kBlock = 256 * 1024;
inline constexpr std::string_view kHeadKey = "h";

inline std::string raw(const BlobId& blob) { return std::string(as_text(blob.view())); }
inline store::Partition index_of(const BlobId& blob) { return {store::Family::media_index, "h" + raw(blob)}; }
inline store::Partition expiry_of(std::uint64_t hour) {
    return {store::Family::media_index, "x" + store::key_u64(hour)};
}
// By the hour of creation first: what was made together mostly ends together, and so do the files that hold it.
inline store::Partition blocks_of(const BlobId& blob, Millis created) {
    return {store::Family::media_blocks, store::key_u64(created / kHour) + raw(blob)};
}

inline store::Batch head_batch(const BlobId& blob, const MediumHead& head) {
    store::Batch batch(index_of(blob));
    batch.put(std::string(kHeadKey), head.encode());
    return batch;
}
inline store::Batch expiry_batch(const BlobId& blob, Millis expires) {
    store::Batch batch(expiry_of(expires / kHour));
    batch.put(raw(blob), {});
    return batch;
}

// One medium while somebody deals with it. `mutex` guards its records, and is held while they go to disk: who waits for
// a turn does not wait for that. `fence` is the number of the writer whose bytes are taken.
struct Slot {
    std::mutex mutex;
    std::uint64_t fence = 0;
    Turns turns;
};

}  // namespace nimes::gateway::media
