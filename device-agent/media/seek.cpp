#include "media/seek.hpp"

#include <algorithm>

namespace nimes::agent::media {
namespace {

constexpr std::uint64_t kAtOnce = 8;  // chunks of one request

// Sealed chunks [first, first + count), from the file that is here or from the gateway.
class Chunks {
  public:
    Chunks(const std::filesystem::path& media, const BlobReference& reference, Transfer& transfer,
           const std::stop_token& stop)
        : shape_(reference.shape()),
          transfer_(transfer),
          stop_(stop),
          file_(File::read(sealed_path(media, reference.blob))) {}

    Result<Bytes> read(std::uint64_t first, std::uint64_t count) {
        const auto from = shape_.sealed_offset(first);
        const auto end = first + count == shape_.chunks() ? shape_.sealed_size() : shape_.sealed_offset(first + count);
        const auto length = static_cast<std::size_t>(end - from);
        if (!file_) return transfer_.piece(shape_.blob, shape_.sealed_size(), from, length, stop_);
        Bytes out(length);
        if (auto ok = file_->seek(from); !ok) return pass(ok);
        const auto got = file_->read(out);
        if (!got) return fail(got.error().code, got.error().detail);
        if (*got != length) return fail(Errc::undecryptable, "a sealed file that is too short");
        return out;
    }

  private:
    const BlobShape shape_;
    Transfer& transfer_;
    const std::stop_token& stop_;
    Result<File> file_;
};

struct Wanted {
    std::uint64_t from, end;  // of the plaintext

    // What of chunk i is wanted.
    [[nodiscard]] ByteView of(std::uint64_t i, ByteView plain) const {
        const auto begins = i * kBlobChunk;
        const auto first = std::clamp(from, begins, begins + plain.size()) - begins;
        const auto last = std::clamp(end, begins, begins + plain.size()) - begins;
        return plain.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
    }
};

Result<void> open_all(const BlobReference& reference, std::uint64_t first, ByteView sealed, const Wanted& wanted,
                      const Sink& sink) {
    const auto shape = reference.shape();
    Bytes plain;
    Result<void> done;
    for (auto i = first; done && !sealed.empty(); ++i) {
        plain.resize(shape.chunk_plain(i));
        const auto chunk = sealed.first(plain.size() + kBlobTag);
        sealed = sealed.subspan(chunk.size());
        if (!open_chunk(plain, shape, reference.key, i, chunk)) {
            done = fail(Errc::undecryptable, "a chunk does not hold");
        } else if (const auto part = wanted.of(i, plain); !part.empty()) {
            done = sink(part);
        }
    }
    sodium_memzero(plain.data(), plain.size());
    return done;
}

}  // namespace

Result<void> open_part(const std::filesystem::path& media, const BlobReference& reference, Part part,
                       Transfer& transfer, const Sink& sink, const std::stop_token& stop) {
    if (auto ok = reference.check(); !ok) return ok;
    if (part.from >= reference.plain_length) return fail(Errc::range_unsatisfiable, "it begins beyond the end");
    const auto left = reference.plain_length - part.from;
    const Wanted wanted{part.from, part.from + (part.length == 0 ? left : std::min(left, part.length))};
    const auto last = reference.shape().chunks() - 1;
    Chunks chunks(media, reference, transfer, stop);
    const auto end = chunks.read(last, 1);
    if (!end) return fail(end.error().code, end.error().detail);
    const Wanted nothing{0, 0};
    if (auto ok = open_all(reference, last, *end, nothing, sink); !ok) return ok;
    for (auto i = wanted.from / kBlobChunk; i * kBlobChunk < wanted.end && i < last;) {
        if (stop.stop_requested()) return fail(Errc::busy, "stopped");
        const auto count = std::min({kAtOnce, last - i, (wanted.end - 1) / kBlobChunk - i + 1});
        const auto sealed = chunks.read(i, count);
        if (!sealed) return fail(sealed.error().code, sealed.error().detail);
        if (auto ok = open_all(reference, i, *sealed, wanted, sink); !ok) return ok;
        i += count;
    }
    return open_all(reference, last, *end, wanted, sink);
}

}  // namespace nimes::agent::media
