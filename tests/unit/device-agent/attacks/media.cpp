// Attacks on media (FORMATS.md 2.14).
#include <catch2/catch.hpp>

#include "nimes/blob.hpp"

using namespace nimes;

TEST_CASE("confused deputy in attachments") {
    // Somebody who may see a blob in one conversation names it, with its key, in another: it opens for neither its
    // members nor under another name, and no chunk passes for another.
    BlobShape shape;
    shape.blob.bytes.fill(1);
    shape.conversation.bytes.fill(2);
    shape.padded = 2 * kBlobChunk;
    const Key key(Bytes(32, 9));
    Bytes plain(kBlobChunk, 'x'), sealed(kBlobChunk + kBlobTag), out(kBlobChunk);
    seal_chunk(sealed, shape, key, 0, plain);
    REQUIRE(open_chunk(out, shape, key, 0, sealed));
    REQUIRE(out == plain);

    auto elsewhere = shape;
    elsewhere.conversation.bytes.fill(3);
    CHECK_FALSE(open_chunk(out, elsewhere, key, 0, sealed));
    auto renamed = shape;
    renamed.blob.bytes.fill(4);
    CHECK_FALSE(open_chunk(out, renamed, key, 0, sealed));
    CHECK_FALSE(open_chunk(out, shape, key, 1, sealed));  // another place, and the last one
    auto longer = shape;
    longer.padded = 3 * kBlobChunk;
    CHECK_FALSE(open_chunk(out, longer, key, 0, sealed));
}
