#include "nimes/trust.hpp"

#include <algorithm>

#include "nimes/encoding.hpp"
#include "nimes/label.hpp"

namespace nimes {
namespace {

constexpr std::size_t kGroups = 12;
constexpr unsigned kGroup = 100'000;

// Of certificates that no revocation names, whatever their dates: two people's clocks must not matter.
void write_keys(Writer& out, const DirectoryEntry& entry) {
    std::vector<PublicKey> keys;
    for (const auto& cert : entry.certs)
        if (entry.revoke(cert.device) == nullptr) keys.push_back(cert.identity);
    std::sort(keys.begin(), keys.end());
    out.id(entry.user).u32(static_cast<std::uint32_t>(keys.size()));
    for (const auto& key : keys) out.id(key);
}

// Divides a big-endian number in place and answers the remainder.
unsigned divide(Digest& number, unsigned by) {
    std::uint64_t rest = 0;
    for (auto& byte : number.bytes) {
        rest = rest << 8 | byte;
        byte = static_cast<std::uint8_t>(rest / by);
        rest %= by;
    }
    return static_cast<unsigned>(rest);
}

}  // namespace

std::string safety_number(const DirectoryEntry& one, const DirectoryEntry& other) {
    const bool ordered = one.user < other.user;
    Writer data;
    write_keys(data, ordered ? one : other);
    write_keys(data, ordered ? other : one);
    auto number = hash(label::kSafety, {data.view()});
    std::string out;
    for (std::size_t i = 0; i < kGroups; ++i) {
        const auto digits = std::to_string(divide(number, kGroup));
        out = std::string(5 - digits.size(), '0') + digits + (out.empty() ? "" : " ") + out;
    }
    return out;
}

Result<ContactCode> ContactCode::parse(std::string_view text) {
    if (!text.starts_with(kPrefix)) return fail(Errc::malformed, "not the code of a device");
    const auto bytes = from_base32(text.substr(kPrefix.size()));
    if (!bytes) return fail(bytes.error().code, bytes.error().detail);
    Reader in(*bytes);
    ContactCode out;
    out.user = in.id<UserId>();
    out.device = in.id<DeviceId>();
    if (!in.done()) return fail(Errc::malformed, "the code of a device has 52 characters after its name");
    return out;
}

std::string ContactCode::text() const {
    const auto bytes = std::move(Writer().id(user).id(device)).take();
    return std::string(kPrefix) + to_base32(bytes);
}

}  // namespace nimes
