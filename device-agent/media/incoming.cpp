#include "media/incoming.hpp"

#include <algorithm>

#include "media/sealed_pipe.hpp"

namespace nimes::agent::media {
namespace {

constexpr const char* kBroken = "a chunk or the digest does not hold";

// Walks all chunks: each must open, and all together must have the digest. `take` sees the plaintext, padding included.
Result<void> walk(File& file, const BlobReference& reference, const Sink& take) {
    const auto shape = reference.shape();
    SealedReader in(file, shape);
    Bytes plain;
    for (std::uint64_t i = 0; i < shape.chunks(); ++i) {
        plain.resize(shape.chunk_plain(i));
        const auto sealed = in.next(plain.size() + kBlobTag);
        if (!sealed) return fail(sealed.error().code, sealed.error().detail);
        if (!open_chunk(plain, shape, reference.key, i, *sealed)) return fail(Errc::undecryptable, kBroken);
        if (auto ok = take(plain); !ok) return ok;
    }
    sodium_memzero(plain.data(), plain.size());
    const auto whole = in.finish();
    if (!whole) return fail(whole.error().code, whole.error().detail);
    if (*whole != reference.digest) return fail(Errc::undecryptable, kBroken);
    return {};
}

}  // namespace

bool is_fetched(const std::filesystem::path& media, const BlobId& blob) {
    std::error_code ignored;
    return std::filesystem::exists(sealed_path(media, blob), ignored);
}

Result<void> fetch(const std::filesystem::path& media, const BlobReference& reference, Transfer& transfer,
                   const Progress& progress, const std::stop_token& stop) {
    if (is_fetched(media, reference.blob)) return {};
    if (auto ok = reference.check(); !ok) return ok;
    if (auto ok = make_media_directory(media); !ok) return ok;
    const auto part = part_path(media, reference.blob);
    if (auto ok = transfer.download(reference.blob, part, reference.shape().sealed_size(), progress, stop); !ok)
        return ok;
    auto file = File::read(part);
    if (!file) return pass(file);
    const auto whole = walk(*file, reference, [](ByteView) -> Result<void> { return {}; });
    if (!whole) {
        std::error_code ignored;
        std::filesystem::remove(part, ignored);
        return whole;
    }
    return rename_durably(part, sealed_path(media, reference.blob));
}

Result<void> open(const std::filesystem::path& media, const BlobReference& reference, const Sink& sink) {
    if (auto ok = reference.check(); !ok) return ok;
    auto file = File::read(sealed_path(media, reference.blob));
    if (!file) return fail(file.error().code, "not fetched yet");
    auto left = reference.plain_length;
    return walk(*file, reference, [&](ByteView plain) -> Result<void> {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, plain.size()));
        left -= n;
        if (n == 0) return {};
        return sink(plain.first(n));
    });
}

Result<void> export_to(const std::filesystem::path& media, const BlobReference& reference,
                       const std::filesystem::path& out, bool export_allowed) {
    if (!export_allowed) return fail(Errc::export_forbidden);
    auto file = File::create_new(out);
    if (!file) return pass(file);
    auto done = open(media, reference, [&](ByteView plain) { return file->write(plain); });
    if (done) done = file->sync();
    if (!done) {
        std::error_code ignored;
        std::filesystem::remove(out, ignored);
    }
    return done;
}

Result<void> erase(const std::filesystem::path& media, const BlobId& blob) {
    std::error_code error;
    std::filesystem::remove(part_path(media, blob), error);
    std::filesystem::remove(sealed_path(media, blob), error);
    if (error) return fail(Errc::storage, "cannot erase a sealed file");
    return {};
}

}  // namespace nimes::agent::media
