#include "media/checksum.hpp"

#include <openssl/evp.h>

#include "media/upload_head.hpp"

namespace nimes::gateway::media {

struct Checksum::State {
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    Bytes announced;
};

Checksum::Checksum(std::unique_ptr<State> state) : state_(std::move(state)) {}
Checksum::Checksum(Checksum&&) noexcept = default;
Checksum& Checksum::operator=(Checksum&&) noexcept = default;
Checksum::~Checksum() = default;

Result<std::optional<Checksum>> Checksum::from(const http::Headers& headers) {
    if (headers.find("Upload-Checksum") == nullptr) return std::nullopt;
    if (headers.count("Upload-Checksum") > 1) return fail(Errc::malformed, "two of Upload-Checksum");
    const auto field = headers.get("Upload-Checksum");
    const auto space = field.find(' ');
    const auto name = field.substr(0, space);
    const EVP_MD* kind = name == "sha1" ? EVP_sha1() : name == "sha256" ? EVP_sha256() : nullptr;
    if (kind == nullptr) return fail(Errc::checksum_unknown, std::string(kChecksums));
    auto value = from_base64(space == std::string_view::npos ? std::string_view() : field.substr(space + 1));
    if (!value || value->size() != static_cast<std::size_t>(EVP_MD_get_size(kind)))
        return fail(Errc::malformed, "Upload-Checksum is an algorithm, a space, and base64 of its digest");
    auto state = std::make_unique<State>();
    state->announced = std::move(*value);
    if (EVP_DigestInit_ex(state->digest.get(), kind, nullptr) != 1) return fail(Errc::internal, "no digest");
    return std::optional(Checksum(std::move(state)));
}

void Checksum::add(ByteView bytes) { EVP_DigestUpdate(state_->digest.get(), bytes.data(), bytes.size()); }

bool Checksum::fits() {
    Bytes out(EVP_MAX_MD_SIZE);
    unsigned length = 0;
    if (EVP_DigestFinal_ex(state_->digest.get(), out.data(), &length) != 1) return false;
    out.resize(length);
    return out == state_->announced;
}

}  // namespace nimes::gateway::media
