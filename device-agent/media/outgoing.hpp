// Photo, step 2, seal. (Before: prepare.hpp. Next: upload, transport/tus_upload.hpp.)
//
// A medium is sealed chunk by chunk into
// HOME/media, under a fresh key, then uploaded from that file. The engine stores the reference in the container and the
// message in the outbox before it uploads; after a restart it calls upload() again with the same id: the sealed bytes
// are the same, so a half-done upload goes on.
//
// Memory is some blocks of two chunks, whatever the length. Plaintext never touches the disk. Errors: what File,
// Transfer and the source say; Errc::malformed when the source is not as long as it said. Threads: one for each call;
// media directory made already.
#pragma once

#include <functional>

#include "media/sealed_file.hpp"
#include "media/transfer.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::media {

// Fills `into` from its start; fewer bytes only at the end.
using Source = std::function<Result<std::size_t>(std::span<std::uint8_t> into)>;
Source source_of(ByteView bytes);  // the bytes must live as long
// The file must not change meanwhile.
Result<Source> source_of(const std::filesystem::path& file);

class PassingHash;

// Seals `length` bytes of `source` for one conversation. The file is synced under its final name when it returns.
// `of_plain` is given those bytes, on a thread beside the cipher, and is the caller's again when it returns.
Result<BlobReference> seal(const std::filesystem::path& media, const ConversationId& conversation, const Source& source,
                           std::uint64_t length, RandomSource& random, PassingHash* of_plain = nullptr);

// Errc::not_found when the sealed file is gone (expired).
Result<void> upload(const std::filesystem::path& media, const BlobId& blob, Transfer& transfer,
                    const Progress& progress = {}, const std::stop_token& stop = {});

}  // namespace nimes::agent::media
