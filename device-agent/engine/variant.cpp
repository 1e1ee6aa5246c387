#include "engine/variant.hpp"

#include "media/incoming.hpp"
#include "media/passing_hash.hpp"

namespace nimes::agent::engine {

void KnownRate::learn(std::optional<std::uint64_t> bytes_per_second, Millis boot) {
    if (!bytes_per_second) return;
    const std::lock_guard lock(mutex_);
    rate_ = *bytes_per_second;
    when_ = boot;
}

std::optional<std::uint64_t> KnownRate::at(Millis boot) const {
    const std::lock_guard lock(mutex_);
    return rate_ != 0 && boot < when_ + kFresh ? std::optional(rate_) : std::nullopt;
}

Result<SealedMedium> Variants::seal(const media::Source& source, std::uint64_t length) {
    media::PassingHash hash;
    auto reference = media::seal(folder_, conversation_, source, length, random_, &hash);
    if (!reference) return pass(reference);
    auto digest = hash.finish();
    if (!digest) return pass(digest);
    return SealedMedium{std::move(*reference), *digest, length};
}

Result<SealedMedium> Variants::choose(media::Photo& photo, Variant wanted, SentPhoto& out,
                                      const media::Progress& progress, const std::stop_token& stop) {
    const auto seal_photo = [&] { return seal(media::source_of(ByteView(photo.jpeg)), photo.jpeg.size()); };
    out.original_bytes = photo.jpeg.size();
    out.rate = known_.at(clock_.boot());
    // What no rate that counts as measured would refuse needs no smaller one.
    const bool matters = photo.jpeg.size() > media::RateMeter::kEnough;
    if (wanted == Variant::original || (wanted == Variant::automatic && !matters)) return seal_photo();
    auto small = media::small_photo(photo);
    if (!small) return seal_photo();
    std::optional<SealedMedium> begun;
    if (wanted == Variant::automatic && !out.rate &&
        network_.status()) {  // an upload without network tries for a minute
        auto original = seal_photo();
        if (!original) return original;
        begun = std::move(*original);
        out.rate = measure(begun->reference.blob, progress, stop);
    }
    const bool poor = out.rate && media::too_slow(photo.jpeg.size(), *out.rate);
    if (wanted == Variant::automatic && !poor) return begun ? std::move(*begun) : seal_photo();
    if (begun) {
        (void)network_.remove(begun->reference.blob);  // else it goes by itself, for no message names it
        (void)media::erase(folder_, begun->reference.blob);
    }
    photo = std::move(*small);
    out.variant = Variant::small;
    return seal_photo();
}

std::optional<std::uint64_t> Variants::measure(const BlobId& blob, const media::Progress& progress,
                                               const std::stop_token& stop) {
    media::RateMeter meter;
    std::stop_source enough;
    const std::stop_callback stopped(stop, [&] { enough.request_stop(); });
    const media::Progress look = [&](std::uint64_t done, std::uint64_t total) {
        meter.saw(done, clock_.boot());
        if (progress) progress(done, total);
        if (meter.measured()) enough.request_stop();
    };
    (void)media::upload(folder_, blob, network_, look, enough.get_token());
    known_.learn(meter.rate(), clock_.boot());
    return meter.rate();
}

Result<void> Variants::upload(const BlobId& blob, const media::Progress& progress, const std::stop_token& stop) {
    media::RateMeter meter;
    const media::Progress look = [&](std::uint64_t done, std::uint64_t total) {
        meter.saw(done, clock_.boot());
        if (progress) progress(done, total);
    };
    auto done = media::upload(folder_, blob, network_, look, stop);
    known_.learn(meter.rate(), clock_.boot());
    return done;
}

}  // namespace nimes::agent::engine
