// Looking into a medium without having all of it.
#include "media/seek.hpp"

#include "shelf.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

struct Looked {
    Result<void> done;
    Bytes seen;
};

Looked look(Sealed& s, std::uint64_t from, std::uint64_t length) {
    Looked out;
    out.done = open_part(s.incoming(), s.reference, {from, length}, s.shelf, [&](ByteView bytes) -> Result<void> {
        out.seen.insert(out.seen.end(), bytes.begin(), bytes.end());
        return {};
    });
    return out;
}

Bytes cut(const Bytes& all, std::uint64_t from, std::uint64_t length) {
    const auto end = length == 0 ? all.size() : std::min<std::uint64_t>(all.size(), from + length);
    return to_bytes(ByteView(all).subspan(from, end - from));
}

}  // namespace

TEST_CASE("any part of a medium is what it is in the whole, fetched or not") {
    Sealed s(20 * kBlobChunk + 777);
    const bool fetched = GENERATE(false, true);
    if (fetched) REQUIRE(fetch(s.incoming(), s.reference, s.shelf));
    const std::uint64_t n = s.plain.size();
    const std::pair<std::uint64_t, std::uint64_t> parts[] = {
        {0, 1}, {0, 65'536}, {65'535, 2}, {65'536, 65'536}, {700'000, 300'000}, {n - 1, 1}, {n - 700, 10'000}, {5, 0}};
    for (const auto& [from, length] : parts) {
        INFO(from << " " << length);
        const auto looked = look(s, from, length);
        REQUIRE(looked.done);
        CHECK(looked.seen == cut(s.plain, from, length));
    }
    CHECK(look(s, n, 1).done.error().code == Errc::range_unsatisfiable);
    CHECK((s.shelf.handed_out == 0) == fetched);
}

TEST_CASE("a look into the middle fetches the chunks it needs, and the last one") {
    Sealed s(100 * kBlobChunk);
    REQUIRE(look(s, 50 * kBlobChunk + 10, 2 * kBlobChunk).done);
    CHECK(s.shelf.handed_out <= 4 * (kBlobChunk + kBlobTag));
}

TEST_CASE("nothing of a chunk that does not hold is seen, and nothing at all before the last one held") {
    Sealed s(20 * kBlobChunk);
    SECTION("one in the middle") {
        s.shelf.spoil_piece = [](Bytes& piece, std::uint64_t from) {
            if (from == 0) piece[3 * (kBlobChunk + kBlobTag)] ^= 1;
        };
        const auto looked = look(s, 0, 0);
        CHECK(looked.done.error().code == Errc::undecryptable);
        CHECK(looked.seen == cut(s.plain, 0, 3 * kBlobChunk));
    }
    SECTION("the last one, though it is not asked for") {
        s.shelf.spoil_piece = [](Bytes& piece, std::uint64_t from) {
            if (from != 0) piece.back() ^= 1;
        };
        const auto looked = look(s, 0, 10);
        CHECK(looked.done.error().code == Errc::undecryptable);
        CHECK(looked.seen.empty());
    }
    SECTION("one from another place") {
        const auto whole = read_file(sealed_path(s.sender.path / "m", s.reference.blob));
        s.shelf.spoil_piece = [&](Bytes& piece, std::uint64_t from) {
            if (from == 0) piece.assign(whole.begin() + 65'552, whole.begin() + 65'552 + std::ssize(piece));
        };
        const auto looked = look(s, 0, 10);
        CHECK(looked.done.error().code == Errc::undecryptable);
        CHECK(looked.seen.empty());
    }
}
