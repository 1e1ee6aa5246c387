#include "media/outgoing.hpp"

#include <algorithm>
#include <memory>

#include "media/plain_pipe.hpp"
#include "media/sealed_pipe.hpp"
#include "nimes/message.hpp"

namespace nimes::agent::media {
namespace {

// Fills one chunk from the source, then with zeros up to the padded length.
Result<void> fill(std::span<std::uint8_t> chunk, std::size_t wanted, const Source& source) {
    std::size_t got = 0;
    while (got < wanted) {
        const auto n = source(chunk.subspan(got, wanted - got));
        if (!n) return fail(n.error().code, n.error().detail);
        if (*n == 0) return fail(Errc::malformed, "the medium is shorter than it was");
        got += *n;
    }
    std::fill(chunk.begin() + static_cast<std::ptrdiff_t>(wanted), chunk.end(), std::uint8_t{0});
    return {};
}

Result<void> at_its_end(const Source& source) {
    std::uint8_t one = 0;
    const auto n = source({&one, 1});
    if (!n) return fail(n.error().code, n.error().detail);
    if (*n != 0) return fail(Errc::malformed, "the medium is longer than it was");
    return {};
}

Result<Digest> seal_to(const std::filesystem::path& part, const BlobReference& blob, const Source& source,
                       PassingHash* of_plain) {
    auto file = File::create_new(part);
    if (!file) return pass(file);
    const auto shape = blob.shape();
    SealedWriter out(*file, shape);
    PlainPipe in(of_plain, shape);
    auto left = blob.plain_length;
    for (std::uint64_t i = 0; i < shape.chunks(); ++i) {
        const auto size = shape.chunk_plain(i);
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, left));
        const auto plain = in.next(size, wanted);
        if (auto ok = fill(plain, wanted, source); !ok) return pass(ok);
        left -= wanted;
        seal_chunk(out.next(size + kBlobTag), shape, blob.key, i, plain);
    }
    in.finish();
    auto digest = out.finish();
    if (!digest) return digest;
    if (auto ok = at_its_end(source); !ok) return pass(ok);
    if (auto ok = file->sync(); !ok) return pass(ok);
    return digest;
}

}  // namespace

Source source_of(ByteView bytes) {
    return [bytes, at = std::size_t{0}](std::span<std::uint8_t> into) mutable -> Result<std::size_t> {
        const auto n = std::min(into.size(), bytes.size() - at);
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), n, into.begin());
        at += n;
        return n;
    };
}

Result<Source> source_of(const std::filesystem::path& path) {
    auto file = File::read(path);
    if (!file) return pass(file);
    auto shared = std::make_shared<File>(std::move(*file));
    return Source([shared](std::span<std::uint8_t> into) { return shared->read(into); });
}

Result<BlobReference> seal(const std::filesystem::path& media, const ConversationId& conversation, const Source& source,
                           std::uint64_t length, RandomSource& random, PassingHash* of_plain) {
    if (auto ok = make_media_directory(media); !ok) return pass(ok);
    BlobReference out;
    out.blob = random.id<BlobId>();
    out.conversation = conversation;
    random.fill(out.key.edit());
    out.plain_length = length;
    out.padded_length = padme(length);
    if (auto ok = out.check(); !ok) return pass(ok);
    const auto part = part_path(media, out.blob);
    auto digest = seal_to(part, out, source, of_plain);
    if (!digest) {
        std::error_code ignored;
        std::filesystem::remove(part, ignored);
        return pass(digest);
    }
    out.digest = *digest;
    if (auto ok = rename_durably(part, sealed_path(media, out.blob)); !ok) return pass(ok);
    return out;
}

Result<void> upload(const std::filesystem::path& media, const BlobId& blob, Transfer& transfer,
                    const Progress& progress, const std::stop_token& stop) {
    const auto file = sealed_path(media, blob);
    if (!std::filesystem::exists(file)) return fail(Errc::not_found, "the sealed file is gone");
    return transfer.upload(blob, file, progress, stop);
}

}  // namespace nimes::agent::media
