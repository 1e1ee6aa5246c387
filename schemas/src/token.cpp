#include "nimes/token.hpp"

#include <algorithm>

#include "nimes/encoding.hpp"
#include "nimes/label.hpp"

namespace nimes {
namespace {

constexpr std::size_t kSigned = 56;

Bytes signed_part(const Token& token) {
    Writer out;
    out.text("NMtk").u8(1).u8(1).u8(0).u8(0).id(token.device).id(token.audience).u64(token.issued).bytes(token.nonce);
    return std::move(out).take();
}

bool is_host_port(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || text.size() > 260) return false;
    const auto port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || port[0] == '0') return false;
    unsigned number = 0;
    for (const char c : port) {
        if (c < '0' || c > '9') return false;
        number = number * 10 + static_cast<unsigned>(c - '0');
    }
    const auto host = text.substr(0, colon);
    return number <= 65'535 && std::all_of(host.begin(), host.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' ||
                      c == '[' || c == ']';
           });
}

}  // namespace

Result<Audience> audience_of(std::string_view url) {
    for (const std::string_view scheme : {"mqtts://", "https://"})
        if (url.starts_with(scheme) && is_host_port(url.substr(scheme.size())))
            return Audience::from(hash(label::kAudience, {as_bytes(url)}).view().first(Audience::size));
    return fail(Errc::malformed, "an audience is mqtts://host:port or https://host:port in lower case");
}

Result<Token> Token::parse(std::string_view text) {
    if (text.size() != kText) return fail(Errc::token_invalid, "a token has 160 characters");
    auto bytes = from_base64url(text);
    if (!bytes) return fail(Errc::token_invalid, "not base64url");
    Reader in(*bytes);
    Token out;
    in.expect("NMtk");
    in.expect_u8(1);
    in.expect_u8(1);
    in.expect_u8(0);
    in.expect_u8(0);
    out.device = in.id<DeviceId>();
    out.audience = in.id<Audience>();
    out.issued = in.u64();
    out.nonce = in.array<16>();
    out.signature = in.id<Signature>();
    if (!in.done()) return fail(Errc::token_invalid, "not of this version");
    return out;
}

Result<void> Token::check(const PublicKey& identity, const Audience& here, Millis now, Millis window) const {
    if (audience != here) return fail(Errc::token_invalid, "for another audience");
    if (issued > now ? issued - now > window : now - issued > window) return fail(Errc::token_expired);
    if (!verify(identity, signature, label::kToken, {signed_part(*this)}))
        return fail(Errc::token_invalid, "the signature does not verify");
    return {};
}

std::string mint_token(const SigningKey& identity, const DeviceId& device, const Audience& audience, Millis now,
                       RandomSource& random) {
    Token token;
    token.device = device;
    token.audience = audience;
    token.issued = now;
    random.fill(token.nonce);
    const auto part = signed_part(token);
    static_assert(kSigned + Signature::size == Token::kBytes);
    Writer out;
    out.bytes(part).id(sign(identity, label::kToken, {part}));
    return to_base64url(out.view());
}

}  // namespace nimes
