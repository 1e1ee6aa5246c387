#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "media/passing_hash.hpp"
#include "nimes/message.hpp"
#include "shelf.hpp"

using namespace nimes;
using namespace nimes::test;

TEST_CASE("media of every awkward length come back byte for byte, and lie sealed on both sides") {
    for (const std::size_t n : {0u, 1u, 65'535u, 65'536u, 65'537u, 131'072u, 500'000u}) {
        Sealed s(n);
        CHECK(s.reference.padded_length == padme(n));
        REQUIRE(fetch(s.incoming(), s.reference, s.shelf));
        CHECK(s.opened() == s.plain);
        const auto sealed = read_file(sealed_path(s.incoming(), s.reference.blob));
        CHECK(sealed.size() == s.reference.shape().sealed_size());
        if (n >= 64) {
            const auto piece = ByteView(s.plain).subspan(n / 2, 16);
            CHECK(std::search(sealed.begin(), sealed.end(), piece.begin(), piece.end()) == sealed.end());
        }
    }
}

TEST_CASE("the digest is that of the sealed file, whoever hashed it, in whatever blocks") {
    constexpr std::size_t kChunk = kBlobChunk;
    for (const std::size_t chunks : {1u, 4u, 5u, 8u, 9u, 12u, 13u, 30u, 64u}) {
        INFO(chunks);
        Sealed s(chunks * kChunk - 1);
        REQUIRE(s.reference.shape().chunks() >= chunks);
        const auto sealed = read_file(sealed_path(s.sender.path / "m", s.reference.blob));
        CHECK(sha256({sealed}) == s.reference.digest);
        REQUIRE(fetch(s.incoming(), s.reference, s.shelf));
        auto wrong = s.reference.digest;
        wrong.bytes[31] ^= 1;
        std::swap(s.reference.digest, wrong);
        CHECK(agent::media::open(s.incoming(), s.reference, [](ByteView) -> Result<void> { return {}; }).error().code ==
              Errc::undecryptable);
        // A sink that has had enough ends it at once.
        std::swap(s.reference.digest, wrong);
        const auto stopped = agent::media::open(s.incoming(), s.reference,
                                                [](ByteView) -> Result<void> { return fail(Errc::disk_full); });
        CHECK(stopped.error().code == Errc::disk_full);
    }
}

TEST_CASE("the digest of what is sealed is that of its bytes alone, whoever hashed them, in whatever blocks") {
    SystemRandom random;
    Folder folder;
    for (const std::size_t chunks : {0u, 1u, 2u, 3u, 8u, 9u, 10u, 11u, 18u, 40u})
        for (const std::size_t more : {0u, 1u, 7'000u}) {
            INFO(chunks << " chunks and " << more);
            const auto plain = pattern(chunks * kBlobChunk + more);
            PassingHash hash;
            const auto sealed =
                seal(folder.path / "m", {}, source_of(ByteView(plain)), plain.size(), random, &hash).value();
            CHECK(hash.finish().value() == sha256({plain}));
            Bytes opened;
            REQUIRE(agent::media::open(folder.path / "m", sealed, [&](ByteView bytes) -> Result<void> {
                opened.insert(opened.end(), bytes.begin(), bytes.end());
                return {};
            }));
            CHECK(opened == plain);
        }
}

TEST_CASE("a sealing that ends early leaves no file, and no thread") {
    SystemRandom random;
    Folder folder;
    const auto threads = [] {
        return std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator());
    };
    const auto before = threads();
    const auto plain = pattern(40 * kBlobChunk);
    for (const std::size_t chunks : {0u, 1u, 2u, 9u, 30u, 39u}) {
        auto whole = source_of(ByteView(plain));
        std::size_t left = chunks * kBlobChunk;
        const Source ends = [&](std::span<std::uint8_t> into) -> Result<std::size_t> {
            if (left == 0) return fail(Errc::storage, "the disk is gone");
            const auto n = whole(into.first(std::min(into.size(), left)));
            left -= n ? *n : 0;
            return n;
        };
        PassingHash hash;
        const auto done = seal(folder.path / "m", {}, ends, plain.size(), random, &hash);
        REQUIRE_FALSE(done);
        CHECK(done.error().code == Errc::storage);
        CHECK(fs::is_empty(folder.path / "m"));
        for (int i = 0; i < 10'000 && threads() != before; ++i) ::usleep(1'000);  // the kernel lists it a moment longer
        CHECK(threads() == before);
        CHECK(hash.finish());  // it is ours again
    }
}

TEST_CASE("a sealed file that is too short, too long or spoilt in any block does not open") {
    for (const std::size_t chunks : {2u, 9u, 30u}) {
        Sealed s(chunks * kBlobChunk);
        REQUIRE(fetch(s.incoming(), s.reference, s.shelf));
        const auto path = sealed_path(s.incoming(), s.reference.blob);
        const auto good = read_file(path);
        const auto outcome = [&](const Bytes& bytes) {
            write_file(path, bytes);
            const auto done =
                agent::media::open(s.incoming(), s.reference, [](ByteView) -> Result<void> { return {}; });
            return done ? Errc::internal : done.error().code;
        };
        CHECK(outcome(good) == Errc::internal);  // it opens
        for (const std::size_t less : {1u, 65'552u, 65'553u})
            CHECK(outcome(Bytes(good.begin(), good.end() - static_cast<std::ptrdiff_t>(less))) == Errc::undecryptable);
        CHECK(outcome({}) == Errc::undecryptable);
        auto longer = good;
        longer.push_back(0);
        CHECK(outcome(longer) == Errc::undecryptable);
        for (std::size_t at = 0; at < good.size(); at += 5 * (kBlobChunk + kBlobTag) - 7) {
            auto spoilt = good;
            spoilt[at] ^= 1;
            CHECK(outcome(spoilt) == Errc::undecryptable);
        }
    }
}

TEST_CASE("a disk that takes no more ends a sealing, and nothing of it is left") {
    SystemRandom random;
    Folder folder;
    const auto plain = pattern(30 * kBlobChunk);
    const auto before = ::signal(SIGXFSZ, SIG_IGN);
    rlimit old{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
    const rlimit small{300'000, old.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const auto done = seal(folder.path / "m", {}, source_of(ByteView(plain)), plain.size(), random);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
    ::signal(SIGXFSZ, before);
    CHECK(done.error().code == Errc::storage);
    CHECK(fs::is_empty(folder.path / "m"));
}

TEST_CASE("whatever is changed on the way, nothing of it is kept") {
    const std::vector<std::function<void(Bytes&)>> lies{
        [](Bytes& b) { b[0] ^= 1; }, [](Bytes& b) { b[70'000] ^= 1; }, [](Bytes& b) { b.back() ^= 1; },
        [](Bytes& b) {
            std::swap_ranges(b.begin(), b.begin() + 65'552, b.begin() + 65'552);
        },  // two chunks change places
    };
    for (const auto& lie : lies) {
        Sealed s(200'000);
        s.shelf.spoil = lie;
        CHECK(fetch(s.incoming(), s.reference, s.shelf).error().code == Errc::undecryptable);
        CHECK_FALSE(is_fetched(s.incoming(), s.reference.blob));
        CHECK(fs::is_empty(s.incoming()));
        s.shelf.spoil = [](Bytes&) {};
        CHECK(fetch(s.incoming(), s.reference, s.shelf));
    }
}

TEST_CASE("a reference must fit its conversation, key and digest") {
    Sealed s(1'000);
    auto other = [&](const std::function<void(BlobReference&)>& change) {
        BlobReference r{s.reference.blob,         s.reference.conversation,  s.reference.key.copy(),
                        s.reference.plain_length, s.reference.padded_length, s.reference.digest};
        change(r);
        const auto done = fetch(s.incoming(), r, s.shelf);
        return done ? Errc::internal : done.error().code;
    };
    CHECK(other([](BlobReference& r) { r.conversation = {}; }) == Errc::undecryptable);
    CHECK(other([](BlobReference& r) { r.key.data()[0] ^= 1; }) == Errc::undecryptable);
    CHECK(other([](BlobReference& r) { r.digest.bytes[0] ^= 1; }) == Errc::undecryptable);
    CHECK(other([](BlobReference& r) { r.padded_length += 1; }) == Errc::malformed);
    CHECK(other([](BlobReference& r) { r.plain_length = r.padded_length = padme(std::uint64_t{8} << 30); }) ==
          Errc::too_large);
}

TEST_CASE("export only if policy says so, and never over a file that is there") {
    Sealed s(1'000);
    const auto out = s.receiver.path / "bild.jpg";
    CHECK(export_to(s.incoming(), s.reference, out, true).error().code == Errc::not_found);  // not fetched yet
    CHECK_FALSE(fs::exists(out));
    REQUIRE(fetch(s.incoming(), s.reference, s.shelf));
    CHECK(export_to(s.incoming(), s.reference, out, false).error().code == Errc::export_forbidden);
    REQUIRE(export_to(s.incoming(), s.reference, out, true));
    CHECK(read_file(out) == s.plain);
    CHECK(export_to(s.incoming(), s.reference, out, true).error().code == Errc::exists);
    REQUIRE(erase(s.incoming(), s.reference.blob));
    CHECK_FALSE(is_fetched(s.incoming(), s.reference.blob));
    CHECK(erase(s.incoming(), s.reference.blob));  // nothing there is no error
}

TEST_CASE("a source that is shorter than it said seals nothing") {
    SystemRandom random;
    Folder folder;
    const auto bytes = pattern(100);
    CHECK(seal(folder.path / "m", {}, source_of(ByteView(bytes)), 101, random).error().code == Errc::malformed);
}
