// Requests and answers of the vector peer: bytes as lower-case hex, integers as numbers or, for JavaScript, as decimal
// strings. A request that is not what an operation wants throws: the driver is at fault, not what it tests.
// Threads: values. Errors: std::runtime_error, nlohmann exceptions; main() answers them as {"error": …}.
#pragma once

#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "nimes/crypto.hpp"
#include "nimes/encoding.hpp"
#include "nimes/time.hpp"

namespace nimes::test::peer {

using Json = nlohmann::json;

inline Bytes bytes(const Json& value) {
    auto out = from_hex(value.get_ref<const std::string&>());
    if (!out) throw std::runtime_error("not hex");
    return std::move(*out);
}
template <class IdType>
IdType id(const Json& value) {
    const auto raw = bytes(value);
    if (raw.size() != IdType::size) throw std::runtime_error("an id of another length");
    return IdType::from(raw);
}
template <class IdType>
std::vector<IdType> ids(const Json& list) {
    std::vector<IdType> out;
    for (const auto& item : list) out.push_back(id<IdType>(item));
    return out;
}
template <class IntegerType = std::uint64_t>
IntegerType number(const Json& value) {
    if (!value.is_string()) return value.get<IntegerType>();
    const auto& text = value.get_ref<const std::string&>();
    IntegerType out = 0;
    const auto* end = text.data() + text.size();
    if (const auto r = std::from_chars(text.data(), end, out); r.ec != std::errc{} || r.ptr != end)
        throw std::runtime_error("not a number");
    return out;
}
template <class T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error("the driver's own input was refused: " + result.error().text());
    return std::move(*result);
}
inline std::string hex(ByteView value) { return to_hex(value); }
inline Json hex_list(std::span<const Digest> values) {
    Json out = Json::array();
    for (const auto& v : values) out.push_back(to_hex(v.view()));
    return out;
}
inline Json refused(const Error& error) { return {{"refused", error.row().name}, {"detail", error.detail}}; }
// An answer without content: accepted or why not.
inline Json verdict(const Result<void>& result) { return result ? Json::object() : refused(result.error()); }

// Randomness that the request gives, so that both sides make the same bytes.
class GivenRandom final : public RandomSource {
  public:
    explicit GivenRandom(Bytes given) : given_(std::move(given)) {}
    void fill(std::span<std::uint8_t> out) override {
        if (given_.size() - at_ < out.size()) throw std::runtime_error("more randomness was drawn than given");
        std::copy_n(given_.begin() + static_cast<std::ptrdiff_t>(at_), out.size(), out.begin());
        at_ += out.size();
    }

  private:
    Bytes given_;
    std::size_t at_ = 0;
};

}  // namespace nimes::test::peer
