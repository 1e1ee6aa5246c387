// Sealed media on their way to and from a file, beside the cipher: while the caller seals or opens one block, another
// thread hashes the others, and writes or reads them.
//
// D must be a hash that nobody finds two media for, so it costs about as much as the cipher: a member who knows the key
// makes two media of the same Poly1305 tags at will, and the server could show one to each reader (FORMATS.md 2.10).
// OpenSSL's SHA-256 has the processor's own instructions; libsodium's hashes take two to four times as long. Memory:
// four blocks of two chunks. Threads: one caller; the helper ends with the object. For a medium of a few chunks, or
// on a machine of one core, the caller does all of it. Ownership: the file must outlive it. Errors: what File says;
// Errc::internal when OpenSSL has no memory; Errc::undecryptable for a file that is shorter or longer than its shape.
#pragma once

#include <array>
#include <memory>
#include <thread>

#include "media/sealed_file.hpp"
#include "nimes/blob.hpp"

namespace nimes::agent::media {

class SealedWriter {
  public:
    SealedWriter(File& file, const BlobShape& shape);
    ~SealedWriter();
    SealedWriter(const SealedWriter&) = delete;
    SealedWriter& operator=(const SealedWriter&) = delete;

    // Where the next sealed chunk goes, of at most kBlobChunk + kBlobTag bytes; what was put into the last one is on
    // its way now. Waits while the helper is four blocks behind.
    std::span<std::uint8_t> next(std::size_t size);
    // Everything is written, not synced: D, or the first thing that failed.
    Result<Digest> finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

class SealedReader {
  public:
    SealedReader(File& file, const BlobShape& shape);
    ~SealedReader();
    SealedReader(const SealedReader&) = delete;
    SealedReader& operator=(const SealedReader&) = delete;

    // The next sealed chunk, which has that many bytes; valid until the next call.
    Result<ByteView> next(std::size_t size);
    // After the last chunk: D of what was read, and nothing stands behind it.
    Result<Digest> finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::agent::media
