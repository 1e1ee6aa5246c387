#include "media/passing_hash.hpp"

#include <openssl/evp.h>

namespace nimes::agent::media {

PassingHash::PassingHash()
    : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free),
      sound_(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1) {}

void PassingHash::update(ByteView bytes) {
    sound_ = sound_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
}

Result<Digest> PassingHash::finish() {
    Digest out;
    if (!sound_ || EVP_DigestFinal_ex(context_.get(), out.bytes.data(), nullptr) != 1)
        return fail(Errc::internal, "a digest cannot be made");
    return out;
}

}  // namespace nimes::agent::media
