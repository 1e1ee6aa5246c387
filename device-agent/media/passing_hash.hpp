// SHA-256 of what goes by, by OpenSSL: it uses the processor's own instructions, and hashing must not be what sealing a
// medium waits for. Threads: one. finish() once; errors: internal, when OpenSSL cannot. It and the source outlive of().
#pragma once

#include <memory>

#include "media/outgoing.hpp"

struct evp_md_ctx_st;

namespace nimes::agent::media {

class PassingHash {
  public:
    PassingHash();
    void update(ByteView bytes);
    Result<Digest> finish();

    // The same source; what it gives goes through here.
    Source of(const Source& source);

  private:
    std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
    bool sound_;
};

}  // namespace nimes::agent::media
