// SHA-256 of a plaintext as it goes by. Values.
#pragma once

#include <sodium.h>

#include "nimes/ids.hpp"

namespace nimes::agent::engine {

class PassingHash {
  public:
    PassingHash() { crypto_hash_sha256_init(&state_); }
    void update(ByteView bytes) { crypto_hash_sha256_update(&state_, bytes.data(), bytes.size()); }
    Digest finish() {
        Digest out;
        crypto_hash_sha256_final(&state_, out.bytes.data());
        return out;
    }

  private:
    crypto_hash_sha256_state state_{};
};

}  // namespace nimes::agent::engine
