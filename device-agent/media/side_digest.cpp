#include "media/side_digest.hpp"

#include <openssl/evp.h>

#include <cassert>
#include <utility>

namespace nimes::agent::media {
namespace {

constexpr std::uint64_t kAlone = 8;  // chunks; a thread costs more than it saves

}  // namespace

struct SideDigest::Hash {
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    bool sound = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;

    void update(ByteView bytes) { sound = sound && EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1; }
    Result<Digest> finish() {
        Digest out;
        if (!sound || EVP_DigestFinal_ex(context.get(), out.bytes.data(), nullptr) != 1)
            return fail(Errc::internal, "a digest cannot be made");
        return out;
    }
};

SideDigest::SideDigest(std::uint64_t chunks) : hash_(std::make_unique<Hash>()) {
    const bool helped = chunks > kAlone && std::thread::hardware_concurrency() > 1;
    for (std::size_t i = 0; i < (helped ? kBlocks : 1); ++i) blocks_[i].bytes.resize(kBlockBytes);
    if (helped) helper_ = std::thread([this] { hash_all(); });
}

SideDigest::~SideDigest() {
    if (!helper_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    helper_.join();
}

std::span<std::uint8_t> SideDigest::next(std::size_t size) {
    assert(size <= kBlobChunk + kBlobTag);
    if (blocks_[filling_ % kBlocks].used + size > kBlockBytes) hand_over();
    auto& block = blocks_[filling_ % kBlocks];
    const auto out = std::span(block.bytes).subspan(block.used, size);
    block.used += size;
    return out;
}

void SideDigest::hand_over() {
    if (!helper_.joinable()) {
        auto& block = blocks_[0];
        hash_->update(ByteView(block.bytes).first(std::exchange(block.used, 0)));
        return;
    }
    std::unique_lock lock(mutex_);
    ++given_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return given_ - hashed_ < kBlocks; });
    filling_ = given_;
    blocks_[filling_ % kBlocks].used = 0;
}

void SideDigest::hash_all() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return ending_ || hashed_ < given_; });
        if (ending_) return;
        const auto& block = blocks_[hashed_ % kBlocks];
        lock.unlock();
        hash_->update(ByteView(block.bytes).first(block.used));
        lock.lock();
        ++hashed_;
        changed_.notify_all();
    }
}

Result<Digest> SideDigest::finish() {
    hand_over();
    if (helper_.joinable()) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return hashed_ == given_; });
    }
    return hash_->finish();
}

}  // namespace nimes::agent::media
