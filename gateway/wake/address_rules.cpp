#include "wake/address_rules.hpp"

#include <curl/curl.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace nimes::gateway::wake {
namespace {

struct Range {
    std::uint32_t network;
    unsigned bits;
};
// IANA's special-purpose registry (RFC 6890 and its successors), multicast and what was class E.
constexpr Range kNotPublic[] = {
    {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
    {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16},
    {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 4},  {0xf0000000, 4},
};

bool public_v4(std::uint32_t address) {
    return std::ranges::none_of(
        kNotPublic, [&](const Range& r) { return (address >> (32 - r.bits)) == (r.network >> (32 - r.bits)); });
}

std::uint32_t v4_at(const std::uint8_t* bytes) {
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

// Global unicast is 2000::/3. Of it, what only wraps an IPv4 address is judged by that address.
bool public_v6(const std::uint8_t* b) {
    static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static constexpr std::uint8_t kTranslated[12] = {0, 0x64, 0xff, 0x9b};  // 64:ff9b::/96
    if (std::memcmp(b, kMapped, 12) == 0 || std::memcmp(b, kTranslated, 12) == 0) return public_v4(v4_at(b + 12));
    if ((b[0] & 0xe0) != 0x20) return false;
    if (b[0] == 0x20 && b[1] == 0x02) return public_v4(v4_at(b + 2));  // 6to4
    if (b[0] == 0x20 && b[1] == 0x01 && b[2] < 0x02) return false;     // 2001::/23
    return !(b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8) &&
           !(b[0] == 0x3f && b[1] == 0xff && b[2] < 0x10);
}

using Part = std::unique_ptr<char, decltype(&curl_free)>;
Part part(CURLU* url, CURLUPart what) {
    char* out = nullptr;
    return {curl_url_get(url, what, &out, 0) == CURLUE_OK ? out : nullptr, curl_free};
}

}  // namespace

Result<void> check_url(const std::string& url, const Rules& rules) {
    if (url.size() > kLongestUrl) return fail(Errc::too_large, "an endpoint has at most 1,024 bytes");
    if (!std::ranges::all_of(url, [](unsigned char c) { return c > 0x20 && c < 0x7f; }))
        return fail(Errc::malformed, "an endpoint is printable ASCII");
    const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
    if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
        return fail(Errc::malformed, "an endpoint is https://host/path");
    const auto scheme = part(parsed.get(), CURLUPART_SCHEME);
    const bool https = scheme && std::strcmp(scheme.get(), "https") == 0;
    const bool http = scheme && std::strcmp(scheme.get(), "http") == 0;
    if (!https && !(http && rules.allow_http)) return fail(Errc::malformed, "an endpoint is https://host/path");
    if (part(parsed.get(), CURLUPART_USER) || part(parsed.get(), CURLUPART_PASSWORD) ||
        part(parsed.get(), CURLUPART_FRAGMENT))
        return fail(Errc::malformed, "an endpoint has no user, password or fragment");
    return {};
}

bool may_connect(const sockaddr* address, const Rules& rules) {
    if (address->sa_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, address, sizeof in);
        return rules.allow_private || public_v4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        sockaddr_in6 in{};
        std::memcpy(&in, address, sizeof in);
        return rules.allow_private || public_v6(in.sin6_addr.s6_addr);
    }
    return false;
}

}  // namespace nimes::gateway::wake
