#include "media/plain_pipe.hpp"

#include <sodium.h>

#include <cassert>

#include "media/block_ring.hpp"

namespace nimes::agent::media {

struct PlainPipe::Impl {
    explicit Impl(PassingHash* h) : hash(h) {}

    void work_all() {
        while (ring.wait_full()) {
            hash->update(ring.emptying().view());
            ring.take_back();
        }
    }
    void hand_over() {
        if (helper.joinable()) {
            ring.give();
            (void)ring.wait_room();
        } else if (hash != nullptr) {
            hash->update(ring.filling().view());
        }
        ring.filling().used = taken = 0;
    }
    void stop() {
        ring.over();
        if (helper.joinable()) helper.join();
    }

    PassingHash* hash;
    Ring ring;
    std::size_t taken = 0;  // of the block that is filled, with padding
    std::thread helper;
};

PlainPipe::PlainPipe(PassingHash* hash, const BlobShape& shape) : impl_(std::make_unique<Impl>(hash)) {
    if (hash != nullptr && helped(shape)) impl_->helper = std::thread([impl = impl_.get()] { impl->work_all(); });
}

PlainPipe::~PlainPipe() {
    impl_->stop();
    impl_->ring.each([](Block& block) { sodium_memzero(block.bytes.data(), block.bytes.size()); });
}

std::span<std::uint8_t> PlainPipe::next(std::size_t size, std::size_t counted) {
    assert(size <= kBlockBytes && counted <= size);
    if (impl_->taken + size > kBlockBytes) impl_->hand_over();
    auto& block = impl_->ring.filling();
    const auto out = std::span(block.bytes).subspan(impl_->taken, size);
    impl_->taken += size;
    block.used += counted;
    return out;
}

void PlainPipe::finish() {
    impl_->hand_over();
    if (!impl_->helper.joinable()) return;
    impl_->ring.last();
    impl_->helper.join();
}

}  // namespace nimes::agent::media
