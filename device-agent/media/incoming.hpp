// Photo, step 7, fetch and open. (Before: the gateway's downloads.cpp.)
//
// The sealed file is downloaded as it is, every chunk's tag and the digest
// are checked, and only then it has its final name. It stays sealed; opening streams it, chunk by chunk, to whoever
// shows it.
//
// Errors: Errc::undecryptable when a chunk or the digest does not hold (the file is erased; the engine raises the
// alarm), export_forbidden, not_found (not fetched yet), malformed (a reference that cannot be), exists (export never
// overwrites), what Transfer and File say. Memory is one chunk. Threads: one for each call.
#pragma once

#include "media/sealed_file.hpp"
#include "media/transfer.hpp"

namespace nimes::agent::media {

// Takes plaintext in order, without the padding.
using Sink = std::function<Result<void>(ByteView plain)>;

// Idempotent: answers at once when it is there already (one's own media are).
Result<void> fetch(const std::filesystem::path& media, const BlobReference& reference, Transfer& transfer,
                   const Progress& progress = {}, const std::stop_token& stop = {});

[[nodiscard]] bool is_fetched(const std::filesystem::path& media, const BlobId& blob);

Result<void> open(const std::filesystem::path& media, const BlobReference& reference, const Sink& sink);

// Writes the plaintext to a new file outside the container, mode 0600, if policy says so.
Result<void> export_to(const std::filesystem::path& media, const BlobReference& reference,
                       const std::filesystem::path& out, bool export_allowed);

// Expiry or recall: overwritten keys make this enough. Nothing there is no error.
Result<void> erase(const std::filesystem::path& media, const BlobId& blob);

}  // namespace nimes::agent::media
