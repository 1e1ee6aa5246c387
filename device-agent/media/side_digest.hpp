// D of a medium, hashed beside the cipher: another thread hashes what the caller has sealed or is about to open.
//
// D must be a hash that nobody finds two media for, so it costs about as much as the cipher: a member who knows the key
// makes two media of the same Poly1305 tags at will, and the server could show one to each reader (FORMATS.md 2.10).
// OpenSSL's SHA-256 has the processor's own instructions; libsodium's hashes take two to four times as long. Memory:
// three blocks of four chunks. Threads: one caller; the helper ends with the object. A medium of a few chunks, or a
// machine of one core, is hashed by the caller. Errors: Errc::internal when OpenSSL has no memory.
#pragma once

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "nimes/blob.hpp"

namespace nimes::agent::media {

class SideDigest {
  public:
    explicit SideDigest(std::uint64_t chunks);
    ~SideDigest();
    SideDigest(const SideDigest&) = delete;
    SideDigest& operator=(const SideDigest&) = delete;

    // Where the next sealed chunk goes, of at most kBlobChunk + kBlobTag bytes; what was put into the last one counts
    // now. Waits while the helper is three blocks behind.
    std::span<std::uint8_t> next(std::size_t size);
    Result<Digest> finish();

  private:
    static constexpr std::size_t kBlocks = 3;
    static constexpr std::size_t kBlockBytes = 4 * (kBlobChunk + kBlobTag);
    struct Block {
        Bytes bytes;
        std::size_t used = 0;
    };

    void hand_over();
    void hash_all();

    std::array<Block, kBlocks> blocks_;
    std::uint64_t filling_ = 0;  // number of the block that the caller fills
    struct Hash;
    std::unique_ptr<Hash> hash_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t given_ = 0;
    std::uint64_t hashed_ = 0;
    bool ending_ = false;
    std::thread helper_;
};

}  // namespace nimes::agent::media
