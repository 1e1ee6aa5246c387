// Connection token: what a device (or the gateway) shows as MQTT password and as HTTPS bearer (FORMATS.md, "Token").
//
// 120 bytes: "NMtk" ver1 suite1 0 0 | dev16 | audience8 | issued_ms u64 | nonce16 | sig64 by IK; 160 characters of
// base64url on the wire. Pure functions, thread safe. Whether a nonce was seen and whether the device may enter is the
// verifier's business; here form, audience, time and signature are judged.
#pragma once

#include <string>

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes {

// audience8 = H("NM1/audience", scheme ‖ "://" ‖ host:port)[0:8]. `url` is "mqtts://host:port" or "https://host:port";
// Errc::malformed unless lower-case ASCII with an explicit port and nothing after it.
Result<Audience> audience_of(std::string_view url);

struct Token {
    static constexpr std::size_t kBytes = 120;
    static constexpr std::size_t kText = 160;
    static constexpr Millis kBrokerWindow = 120 * kSecond;  // either way of issued_ms
    static constexpr Millis kHttpsWindow = 10 * kMinute;    // either way of issued_ms

    DeviceId device;
    Audience audience;
    Millis issued = 0;
    ByteArray<16> nonce{};
    Signature signature;

    // Form only: exactly 160 characters, magic, version, suite, zero bytes. Errc::token_invalid.
    static Result<Token> parse(std::string_view text);
    // Signature by `identity`, audience and |now - issued| <= window. Errc::token_invalid, token_expired.
    Result<void> check(const PublicKey& identity, const Audience& here, Millis now, Millis window) const;
};

std::string mint_token(const SigningKey& identity, const DeviceId& device, const Audience& audience, Millis now,
                       RandomSource& random);

}  // namespace nimes
