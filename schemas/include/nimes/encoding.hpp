// Text forms of bytes: hex, base64url without padding (tokens), lower-case base32 without padding (device ids).
//
// Decoders accept exactly one text for each byte string: no padding, no white space, no upper case (hex, base32), and
// unused trailing bits must be zero. Errors: Errc::malformed. Constant time is not promised: for public values only.
#pragma once

#include <string>

#include "nimes/error.hpp"
#include "nimes/ids.hpp"

namespace nimes {

std::string to_hex(ByteView in);
std::string to_base64url(ByteView in);
std::string to_base32(ByteView in);

Result<Bytes> from_hex(std::string_view text);
Result<Bytes> from_base64url(std::string_view text);
Result<Bytes> from_base32(std::string_view text);

template <class IdType>
Result<IdType> id_from_hex(std::string_view text) {
    auto bytes = from_hex(text);
    if (!bytes) return pass(bytes);
    if (bytes->size() != IdType::size) return fail(Errc::malformed, "identifier has the wrong length");
    return IdType::from(*bytes);
}

// 26 characters, used as MQTT user name, client id and topic level.
inline std::string to_text(const DeviceId& id) { return to_base32(id.bytes); }
Result<DeviceId> device_from_text(std::string_view text);

}  // namespace nimes
