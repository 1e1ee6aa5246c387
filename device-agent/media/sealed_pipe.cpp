#include "media/sealed_pipe.hpp"

#include <algorithm>
#include <cassert>

#include "media/block_ring.hpp"
#include "media/passing_hash.hpp"

namespace nimes::agent::media {
struct SealedWriter::Impl {
    explicit Impl(File& f) : file(f) {}

    void work(const Block& block) {
        if (!written) return;
        hash.update(block.view());
        written = file.write(block.view());
    }
    void work_all() {
        while (ring.wait_full()) {
            work(ring.emptying());
            ring.take_back();
        }
    }
    void hand_over() {
        if (helper.joinable()) {
            ring.give();
            (void)ring.wait_room();
        } else {
            work(ring.filling());
        }
        ring.filling().used = 0;
    }

    File& file;
    PassingHash hash;
    Ring ring;
    Result<void> written;  // by the helper, while there is one
    std::thread helper;
};

SealedWriter::SealedWriter(File& file, const BlobShape& shape) : impl_(std::make_unique<Impl>(file)) {
    if (helped(shape)) impl_->helper = std::thread([impl = impl_.get()] { impl->work_all(); });
}

SealedWriter::~SealedWriter() {
    impl_->ring.over();
    if (impl_->helper.joinable()) impl_->helper.join();
}

std::span<std::uint8_t> SealedWriter::next(std::size_t size) {
    assert(size <= kBlobChunk + kBlobTag);
    if (impl_->ring.filling().used + size > kBlockBytes) impl_->hand_over();
    auto& block = impl_->ring.filling();
    const auto out = std::span(block.bytes).subspan(block.used, size);
    block.used += size;
    return out;
}

Result<Digest> SealedWriter::finish() {
    impl_->hand_over();
    if (impl_->helper.joinable()) {
        impl_->ring.wait_empty();
        impl_->ring.last();
        impl_->helper.join();
    }
    if (!impl_->written) return fail(impl_->written.error().code, impl_->written.error().detail);
    return impl_->hash.finish();
}

struct SealedReader::Impl {
    Impl(File& f, std::uint64_t bytes) : file(f), left(bytes) {}

    // False: the file fails, or ends too early.
    bool fill(Block& block) {
        block.used = static_cast<std::size_t>(std::min<std::uint64_t>(left, kBlockBytes));
        const auto got = file.read(std::span(block.bytes).first(block.used));
        if (!got) broken = fail(got.error().code, got.error().detail);
        else if (*got != block.used) broken = fail(Errc::undecryptable, "a sealed file that is too short");
        left -= block.used;
        return broken.has_value();
    }
    void look_beyond() {
        std::uint8_t beyond = 0;
        const auto more = file.read(std::span(&beyond, 1));
        if (!more) broken = fail(more.error().code, more.error().detail);
        else if (*more != 0) broken = fail(Errc::undecryptable, "a sealed file that is too long");
    }
    void read_all() {
        bool goes_on = true;
        while (goes_on && left > 0 && fill(ring.filling())) {
            const auto& block = ring.filling();
            ring.give();
            hash.update(block.view());  // nobody but this thread writes it
            goes_on = ring.wait_room();
        }
        if (goes_on && broken) look_beyond();
        ring.last();
    }
    bool next_block() {
        if (!helper.joinable()) {
            if (left == 0 || !fill(ring.filling())) return false;
            hash.update(ring.filling().view());
            at = 0;
            return true;
        }
        if (holds) ring.take_back();
        holds = ring.wait_full();
        at = 0;
        return holds;
    }
    [[nodiscard]] tl::unexpected<Error> why_not() const {
        if (!broken) return fail(broken.error().code, broken.error().detail);
        return fail(Errc::undecryptable, "a sealed file that is too short");
    }
    [[nodiscard]] const Block& current() { return helper.joinable() ? ring.emptying() : ring.filling(); }

    File& file;
    std::uint64_t left;
    PassingHash hash;
    Ring ring;
    Result<void> broken;  // by the helper, until ring.last()
    bool begun = false, holds = false;
    std::size_t at = 0;
    std::thread helper;
};

SealedReader::SealedReader(File& file, const BlobShape& shape)
    : impl_(std::make_unique<Impl>(file, shape.sealed_size())) {
    if (helped(shape)) impl_->helper = std::thread([impl = impl_.get()] { impl->read_all(); });
}

SealedReader::~SealedReader() {
    impl_->ring.over();
    if (impl_->helper.joinable()) impl_->helper.join();
}

Result<ByteView> SealedReader::next(std::size_t size) {
    auto& in = *impl_;
    if (!in.begun || in.at == in.current().used) {
        in.begun = true;
        if (!in.next_block()) return in.why_not();
    }
    const auto whole = in.current().view();
    if (whole.size() - in.at < size) return fail(Errc::undecryptable, "a sealed file that is too short");
    const auto out = whole.subspan(in.at, size);
    in.at += size;
    return out;
}

Result<Digest> SealedReader::finish() {
    auto& in = *impl_;
    if (in.helper.joinable()) {
        if (in.holds) in.ring.take_back();
        in.holds = false;
        in.helper.join();
    } else if (in.broken) {
        in.look_beyond();
    }
    if (!in.broken) return fail(in.broken.error().code, in.broken.error().detail);
    return in.hash.finish();
}

}  // namespace nimes::agent::media
