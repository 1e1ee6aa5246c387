// Which variant of a photo goes, by what the network was seen to carry.
#include "engine/variant.hpp"

#include <turbojpeg.h>

#include <catch2/catch.hpp>

#include "lookup_only.hpp"
#include "media/incoming.hpp"
#include "town.hpp"
#include "unit/device-agent/container/fixture.hpp"

namespace nimes::test {
namespace {

using namespace agent;
using engine::SentPhoto;
using engine::Variant;

Bytes noise(int width, int height) {
    Bytes rgb(static_cast<std::size_t>(width * height * 3));
    std::uint32_t seed = 7;
    for (auto& byte : rgb) byte = static_cast<std::uint8_t>((seed = seed * 1'664'525 + 1'013'904'223) >> 24);
    const std::unique_ptr<void, void (*)(void*)> handle(tjInitCompress(), [](void* h) { tjDestroy(h); });
    unsigned char* bytes = nullptr;
    unsigned long size = 0;
    REQUIRE(tjCompress2(handle.get(), rgb.data(), width, 0, height, TJPF_RGB, &bytes, &size, TJSAMP_420, 80, 0) == 0);
    Bytes out(bytes, bytes + size);
    tjFree(bytes);
    return out;
}

// A gateway at the end of a link of that many bytes a second; time passes as bytes do.
struct Link final : engine::LookupOnly {
    TownClock& clock;
    std::uint64_t rate;
    bool down = false;
    std::uint64_t breaks = ~std::uint64_t{0};  // after so many bytes
    int uploads = 0;
    std::map<BlobId, std::uint64_t> there;
    std::set<BlobId> removed;
    std::uint64_t carried = 0;
    Link(TownClock& c, std::uint64_t r) : clock(c), rate(r) {}

    Result<void> upload(const BlobId& id, const std::filesystem::path& file, const media::Progress& progress,
                        const std::stop_token& stop) override {
        ++uploads;
        if (down) return fail(Errc::offline);
        const auto size = std::filesystem::file_size(file);
        auto& at = there[id];
        while (at < size) {
            progress(at, size);
            if (at >= breaks) return fail(Errc::offline);
            if (stop.stop_requested()) return fail(Errc::busy);
            const auto step = std::min<std::uint64_t>({16'384, size - at, std::max<std::uint64_t>(1, rate / 4)});
            at += step;
            carried += step;
            clock.up += std::max<Millis>(1, step * kSecond / rate);
        }
        return {};
    }
    Result<transport::ServiceStatus> status() override {
        return down ? Result<transport::ServiceStatus>(fail(Errc::offline)) : transport::ServiceStatus{};
    }
    Result<void> remove(const BlobId& id) override {
        removed.insert(id);
        return {};
    }
};

struct Sending {
    container::TempDir dir;
    TownClock clock;
    SystemRandom random;
    Link link;
    engine::KnownRate known;
    engine::Variants variants;
    media::Photo photo;
    std::uint64_t original = 0;

    explicit Sending(std::uint64_t rate, int side = 2'400)
        : link(clock, rate),
          variants(dir.path() / "media", ConversationId::from(Bytes(16, 5)), link, known, clock, random) {
        REQUIRE(crypto_init());
        photo = media::prepare_photo(noise(side, side * 3 / 4)).value();
        original = photo.jpeg.size();
    }
    SentPhoto send(Variant wanted = Variant::automatic) {
        SentPhoto out;
        auto sealed = variants.choose(photo, wanted, out, {}, {});
        REQUIRE(sealed);
        out.blob = sealed->reference.blob;
        out.bytes = sealed->bytes;
        (void)variants.upload(out.blob, {}, {});
        return out;
    }
};

}  // namespace

TEST_CASE("a good network carries the original, and no byte of it goes twice") {
    Sending s(1'000'000);
    const auto sent = s.send();
    CHECK(sent.variant == Variant::original);
    CHECK(sent.bytes == s.original);
    CHECK(s.link.removed.empty());
    CHECK(s.link.there.size() == 1);
    CHECK(s.link.carried == s.link.there.at(sent.blob));
    CHECK((sent.rate && *sent.rate > 800'000 && *sent.rate < 1'200'000));
}

TEST_CASE("a poor one gets the small variant after a few seconds of the original, which is taken back") {
    Sending s(12'000);
    REQUIRE(s.original > 400'000);
    const auto sent = s.send();
    CHECK(sent.variant == Variant::small);
    CHECK(sent.bytes <= s.original / 2);
    CHECK(sent.original_bytes == s.original);
    CHECK((s.photo.width <= media::kSmallSide && s.photo.height <= media::kSmallSide));
    CHECK(media::prepare_photo(s.photo.jpeg));  // whole
    REQUIRE(s.link.removed.size() == 1);
    CHECK_FALSE(s.link.removed.contains(sent.blob));
    CHECK(s.link.there.at(*s.link.removed.begin()) <= 12'000 * 6);
    CHECK_FALSE(media::is_fetched(s.dir.path() / "media", *s.link.removed.begin()));
    SECTION("the next one is chosen at once, while that was just now") {
        Sending again(12'000);
        again.known.learn(12'000, again.clock.boot());
        CHECK(again.send().variant == Variant::small);
        CHECK(again.link.removed.empty());
        again.link.rate = 1'000'000;
        again.clock.up += engine::KnownRate::kFresh;
        again.photo = media::prepare_photo(noise(2'400, 1'800)).value();
        CHECK(again.send().variant == Variant::original);
    }
}

TEST_CASE("what somebody says is done, whatever the network") {
    Sending poor(5'000);
    CHECK(poor.send(Variant::original).variant == Variant::original);
    CHECK(poor.link.removed.empty());
    Sending good(5'000'000);
    CHECK(good.send(Variant::small).variant == Variant::small);
}

TEST_CASE("without network the original waits, and a photo that is small stays what it is") {
    Sending s(1'000'000);
    s.link.down = true;
    const auto sent = s.send();
    CHECK(sent.variant == Variant::original);
    CHECK_FALSE(sent.rate);
    CHECK(s.link.uploads == 1);  // by who sends, not by who chooses
    Sending cut(1'000);
    cut.link.breaks = 1'000;  // after a second
    const auto kept = cut.send();
    CHECK((kept.variant == Variant::original && !kept.rate && cut.link.removed.empty()));
    Sending little(2'000, 300);
    REQUIRE(little.original < media::RateMeter::kEnough);
    CHECK(little.send().variant == Variant::original);
    CHECK(little.link.removed.empty());
    CHECK(little.send(Variant::small).variant == Variant::original);  // nothing to be saved
}

}  // namespace nimes::test
