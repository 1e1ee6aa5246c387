// How a share lies in the store: sealed under a key that lies outside of it, so that a copied store opens no handset's
// container (FORMATS.md 3.8).
//
// Each value names the key that sealed it. A key that was replaced still opens what it sealed, until all is sealed anew
// (Shares::prepare). Pure but for the nonce; thread safe. Ownership: the random source must outlive it. Errors:
// Errc::storage: no key that is held opens the value, or it is another device's, or changed.
#pragma once

#include <optional>

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes::gateway::shares {

struct Share {
    std::uint32_t number = 0;
    Secret<32> bytes;
};

class Seal {
  public:
    Seal(Key key, std::optional<Key> retired, RandomSource& random)
        : key_(std::move(key)), retired_(std::move(retired)), random_(random) {}

    [[nodiscard]] Bytes seal(const DeviceId& device, const Share& share) const;
    [[nodiscard]] Result<Share> open(const DeviceId& device, ByteView value) const;
    // Is it sealed under the key that seals now?
    [[nodiscard]] bool current(ByteView value) const;
    // Of the key that seals now.
    [[nodiscard]] KeyId id() const;
    // What lies there as shares did before they were sealed; nullopt: it does not. open() takes none of these.
    [[nodiscard]] static std::optional<Share> unsealed(ByteView value);

  private:
    Key key_;
    std::optional<Key> retired_;
    RandomSource& random_;
};

}  // namespace nimes::gateway::shares
