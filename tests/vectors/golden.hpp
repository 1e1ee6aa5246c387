// Reads the golden files: hex strings become bytes, everything else is JSON.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>

#include "nimes/crypto.hpp"
#include "nimes/encoding.hpp"

namespace nimes::test {

inline nlohmann::json golden(const std::string& name) {
    std::ifstream in(std::string(NIMES_VECTORS) + "/" + name);
    return nlohmann::json::parse(in);
}
inline Bytes bytes(const nlohmann::json& value) { return from_hex(value.get<std::string>()).value(); }
template <class IdType>
IdType id(const nlohmann::json& value) {
    return id_from_hex<IdType>(value.get<std::string>()).value();
}
inline SigningKeyPair seeded(const nlohmann::json& seed) {
    ByteArray<32> out{};
    out.fill(seed.get<std::uint8_t>());
    return signing_key_from_seed(out);
}

}  // namespace nimes::test
