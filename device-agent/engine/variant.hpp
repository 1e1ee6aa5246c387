// Photo, step 1, which variant goes (after prepare.hpp, with outgoing.hpp): the original, or the small one for a
// network that is too poor for it.
//
// A rate that was measured a moment ago decides at once. Without one the original is begun, and after a few seconds of
// it the choice is made: what went over by then is not sent again if it stays, and taken back if it does not. Nothing
// can be measured without network: then the original waits in the outbox. Call without the core's lock; blocks while
// it measures. Errors: what sealing says; a transfer that fails measures nothing.
#pragma once

#include "engine/agent.hpp"
#include "engine/network.hpp"
#include "media/outgoing.hpp"
#include "media/prepare.hpp"
#include "media/rate.hpp"
#include "media/sealed_file.hpp"

namespace nimes::agent::engine {

// What the last transfers went at. Threads: any.
class KnownRate {
  public:
    static constexpr Millis kFresh = 2 * kMinute;
    void learn(std::optional<std::uint64_t> bytes_per_second, Millis boot);
    [[nodiscard]] std::optional<std::uint64_t> at(Millis boot) const;

  private:
    mutable std::mutex mutex_;
    std::uint64_t rate_ = 0;
    Millis when_ = 0;
};

struct SealedMedium {
    media::BlobReference reference;
    Digest sha256;  // of the plaintext
    std::uint64_t bytes = 0;
};

class Variants {
  public:
    Variants(std::filesystem::path folder, ConversationId conversation, Network& network, KnownRate& known,
             const Clock& clock, RandomSource& random)
        : folder_(std::move(folder)),
          conversation_(conversation),
          network_(network),
          known_(known),
          clock_(clock),
          random_(random) {}

    Result<SealedMedium> seal(const media::Source& source, std::uint64_t length);
    // Seals the photo in the variant that is wanted, or that the network can take; `photo` becomes that variant, and
    // `out` tells what was chosen and why.
    Result<SealedMedium> choose(media::Photo& photo, Variant wanted, SentPhoto& out, const media::Progress& progress,
                                const std::stop_token& stop);
    // The whole medium, or what is left of it; learns the rate.
    Result<void> upload(const BlobId& blob, const media::Progress& progress, const std::stop_token& stop);

  private:
    std::optional<std::uint64_t> measure(const BlobId& blob, const media::Progress& progress,
                                         const std::stop_token& stop);

    const std::filesystem::path folder_;
    const ConversationId conversation_;
    Network& network_;
    KnownRate& known_;
    const Clock& clock_;
    RandomSource& random_;
};

}  // namespace nimes::agent::engine
