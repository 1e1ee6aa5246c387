// The plaintext of a medium on its way into sealing, beside the cipher: while the caller fills and seals one block,
// another thread hashes those before it.
//
// Who sends is told the digest of what left; on the cipher's own thread it would cost nearly as much as the cipher.
// Threads: one caller; the helper ends with the object, whatever stands in it then. For a medium of a few chunks, or on
// a machine of one core, the caller does all of it. Memory: four blocks of two chunks, zeroed at the end. Ownership:
// the hash must outlive it, and is the caller's again after finish() or with the object. Errors: the hash's own.
#pragma once

#include <memory>
#include <span>

#include "media/passing_hash.hpp"
#include "nimes/blob.hpp"

namespace nimes::agent::media {

class PlainPipe {
  public:
    // `hash` may be null: nobody asks for the digest.
    PlainPipe(PassingHash* hash, const BlobShape& shape);
    ~PlainPipe();
    PlainPipe(const PlainPipe&) = delete;
    PlainPipe& operator=(const PlainPipe&) = delete;

    // Where the next chunk goes, with its padding: valid, and not to be changed any more, until the next call. Of the
    // last one `counted` bytes are hashed, the rest is padding, and so is all that comes after it.
    std::span<std::uint8_t> next(std::size_t size, std::size_t counted);
    // Everything is hashed.
    void finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nimes::agent::media
