// SHA-256 of what goes by, by OpenSSL: it uses the processor's own instructions, and hashing must not be what sealing a
// medium waits for. Threads: one at a time. finish() once; errors: internal, when OpenSSL cannot.
#pragma once

#include <memory>

#include "nimes/crypto.hpp"

struct evp_md_ctx_st;

namespace nimes::agent::media {

class PassingHash {
  public:
    PassingHash();
    void update(ByteView bytes);
    Result<Digest> finish();

  private:
    std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
    bool sound_;
};

}  // namespace nimes::agent::media
