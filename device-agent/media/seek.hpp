// Photo, step 7, a part of a medium without the rest (incoming.hpp fetches all of it): for a video that is looked into
// before it is all here, or at all.
//
// The last chunk first, for it fixes the length (FORMATS.md 2.10); then the chunks that hold the part, some at a time.
// Each is verified before `sink` sees a byte of it. The digest of the whole is not: what comes from here is shown, and
// neither saved nor forwarded. Nothing is kept; what is fetched already is read from its file, and not asked for.
// Errors: Errc::undecryptable (a chunk does not hold), range_unsatisfiable, what Transfer and the sink say. Memory:
// half a MiB. Threads: one for each call.
#pragma once

#include "media/incoming.hpp"

namespace nimes::agent::media {

// Bytes of the plaintext; length 0: to its end. What reaches beyond the end is cut off.
struct Part {
    std::uint64_t from = 0;
    std::uint64_t length = 0;
};

Result<void> open_part(const std::filesystem::path& media, const BlobReference& reference, Part part,
                       Transfer& transfer, const Sink& sink, const std::stop_token& stop = {});

}  // namespace nimes::agent::media
