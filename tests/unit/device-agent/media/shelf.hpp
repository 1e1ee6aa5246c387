// A gateway in a folder, and a medium that was sealed and put there.
#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "media/incoming.hpp"
#include "media/outgoing.hpp"
#include "nimes/encoding.hpp"

namespace nimes::test {

using namespace nimes::agent::media;

namespace fs = std::filesystem;

struct Folder {
    Folder() : path(::mkdtemp(name)) {}
    ~Folder() { fs::remove_all(path); }
    char name[32] = "/tmp/nimes-media-XXXXXX";
    fs::path path;
};

inline Bytes read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_file(const fs::path& path, const Bytes& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// A gateway in a folder; `spoil` changes what it hands out.
struct Shelf final : Transfer {
    Folder folder;
    std::function<void(Bytes&)> spoil = [](Bytes&) {};
    Result<void> upload(const BlobId& id, const fs::path& file, const Progress&, const std::stop_token&) override {
        fs::copy_file(file, folder.path / to_hex(id.view()), fs::copy_options::overwrite_existing);
        return {};
    }
    Result<void> download(const BlobId& id, const fs::path& file, std::uint64_t size, const Progress&,
                          const std::stop_token&) override {
        auto bytes = read_file(folder.path / to_hex(id.view()));
        spoil(bytes);
        if (bytes.size() != size) return fail(Errc::offline);
        write_file(file, bytes);
        return {};
    }
    std::uint64_t handed_out = 0;
    std::function<void(Bytes& piece, std::uint64_t from)> spoil_piece = [](Bytes&, std::uint64_t) {};
    Result<Bytes> piece(const BlobId& id, std::uint64_t size, std::uint64_t from, std::size_t length,
                        const std::stop_token&) override {
        const auto bytes = read_file(folder.path / to_hex(id.view()));
        if (bytes.size() != size || from + length > size) return fail(Errc::malformed);
        handed_out += length;
        auto out = to_bytes(ByteView(bytes).subspan(from, length));
        spoil_piece(out, from);
        return out;
    }
};

inline Bytes pattern(std::size_t n) {
    Bytes out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
    return out;
}

struct Sealed {
    SystemRandom random;
    Folder sender, receiver;
    Shelf shelf;
    ConversationId conversation = ConversationId::from(Bytes(16, 5));
    Bytes plain;
    BlobReference reference;

    explicit Sealed(std::size_t n) : plain(pattern(n)) {
        reference = seal(sender.path / "m", conversation, source_of(ByteView(plain)), n, random).value();
        REQUIRE(upload(sender.path / "m", reference.blob, shelf));
    }
    fs::path incoming() const { return receiver.path / "m"; }
    Bytes opened() const {
        Bytes out;
        REQUIRE(agent::media::open(incoming(), reference, [&](ByteView bytes) -> Result<void> {
            out.insert(out.end(), bytes.begin(), bytes.end());
            return {};
        }));
        return out;
    }
};

}  // namespace nimes::test
