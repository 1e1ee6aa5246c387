#include "media/upload_head.hpp"

#include <charconv>
#include <ctime>

#include "media/medium_head.hpp"
#include "nimes/encoding.hpp"

namespace nimes::gateway::media {
namespace {

constexpr std::size_t kMaxDigits = 19;
constexpr std::size_t kMaxMetadata = 4 * 1024;
constexpr const char* kIdForm = "base64 of 16 random bytes, or of their 32 hex digits";

int value_of(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
}

// The value of a field that is there once; "" otherwise: two opinions are none.
std::string_view only(const http::Headers& headers, std::string_view field) {
    return headers.count(field) == 1 ? headers.get(field) : std::string_view{};
}

// The values of a key in "key value,key value": all of them, though there should be one.
std::vector<std::string_view> metadata(std::string_view text, std::string_view key) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const auto comma = text.find(',');
        auto pair = text.substr(0, comma);
        while (pair.starts_with(' ')) pair.remove_prefix(1);
        const auto space = pair.find(' ');
        if (pair.substr(0, space) == key)
            out.push_back(space == std::string_view::npos ? std::string_view{} : pair.substr(space + 1));
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
    }
    return out;
}

Result<BlobId> read_id(std::string_view base64) {
    const auto bytes = from_base64(base64);
    if (bytes && bytes->size() == BlobId::size) return BlobId::from(*bytes);
    if (bytes && bytes->size() == 2 * BlobId::size)
        if (const auto blob = id_from_hex<BlobId>(as_text(*bytes))) return *blob;
    return fail(Errc::malformed, std::string("`id` is ") + kIdForm);
}

// Of "https://host/v1/media/ID" or "/v1/media/ID" only the path counts: what names this server differs by who asks.
Result<BlobId> read_part(std::string_view url) {
    constexpr std::string_view kFolder = "/v1/media/";
    const auto at = url.rfind(kFolder);
    const bool relative = at == 0;
    const bool absolute =
        at != std::string_view::npos && url.find("://") < at && url.find('/', url.find("://") + 3) == at;
    if (!relative && !absolute) return fail(Errc::malformed, "Upload-Concat names a part that is not of here");
    auto blob = id_from_hex<BlobId>(url.substr(at + kFolder.size()));
    if (!blob) return fail(Errc::malformed, "Upload-Concat names a part that is not of here");
    return blob;
}

// "partial", or "final;URL URL …".
Result<void> read_concat(const http::Headers& headers, Creation& out) {
    constexpr std::string_view kFinal = "final;";
    if (headers.find("Upload-Concat") == nullptr) return {};
    auto text = only(headers, "Upload-Concat");
    out.partial = text == "partial";
    if (out.partial) return {};
    if (!text.starts_with(kFinal)) return fail(Errc::malformed, "Upload-Concat is `partial` or `final;URL URL`");
    text.remove_prefix(kFinal.size());
    while (!text.empty()) {
        const auto space = text.find(' ');
        if (const auto one = text.substr(0, space); !one.empty()) {
            auto part = read_part(one);
            if (!part) return pass(part);
            if (out.parts.size() == kMaxParts) return fail(Errc::too_large, "Upload-Concat");
            out.parts.push_back(*part);
        }
        text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    }
    if (out.parts.empty()) return fail(Errc::malformed, "Upload-Concat names no part");
    return {};
}

Result<void> read_length(const http::Headers& headers, std::uint64_t max_length, Creation& out) {
    const bool told = headers.find("Upload-Length") != nullptr;
    const bool deferred = headers.find("Upload-Defer-Length") != nullptr;
    if (!out.parts.empty()) {
        if (told || deferred) return fail(Errc::upload_length, "a concatenation is as long as its parts");
        return {};
    }
    if (told == deferred) return fail(Errc::upload_length, "either Upload-Length or Upload-Defer-Length: 1");
    if (deferred) {
        if (only(headers, "Upload-Defer-Length") == "1") return {};
        return fail(Errc::upload_length, "Upload-Defer-Length is 1 or absent");
    }
    const auto length = read_number(only(headers, "Upload-Length"));
    if (!length) return fail(Errc::upload_length, "Upload-Length is no number");
    if (*length > max_length) return fail(Errc::too_large, "at most " + std::to_string(max_length) + " bytes");
    out.length = *length;
    return {};
}

}  // namespace

Result<void> check_version(const http::Headers& headers) {
    if (only(headers, "Tus-Resumable") != "1.0.0") return fail(Errc::tus_version);
    return {};
}

Result<std::uint64_t> read_number(std::string_view text) {
    std::uint64_t out = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (text.empty() || text.size() > kMaxDigits || error != std::errc{} || at != text.data() + text.size())
        return fail(Errc::malformed, "a whole number in decimal digits");
    return out;
}

Result<Bytes> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return fail(Errc::malformed, "base64 with padding");
    Bytes out;
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        const std::size_t pad = !last ? 0 : text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k < 4 - pad; ++k) {
            const int v = value_of(text[i + k]);
            if (v < 0) return fail(Errc::malformed, "base64 with padding");
            bits |= static_cast<std::uint32_t>(v) << (18 - 6 * k);
        }
        if ((pad == 1 && (bits & 0xff) != 0) || (pad == 2 && (bits & 0xffff) != 0))
            return fail(Errc::malformed, "base64 with unused bits");
        for (std::size_t k = 0; k < 3 - pad; ++k) out.push_back(static_cast<std::uint8_t>(bits >> (16 - 8 * k)));
    }
    return out;
}

Result<Creation> read_creation(const http::Headers& headers, std::uint64_t max_length) {
    Creation out;
    if (auto ok = read_concat(headers, out); !ok) return pass(ok);
    if (auto ok = read_length(headers, max_length, out); !ok) return pass(ok);
    const auto all = only(headers, "Upload-Metadata");
    if (all.size() > kMaxMetadata) return fail(Errc::too_large, "Upload-Metadata");
    const auto ids = metadata(all, "id");
    if (ids.empty() && out.partial && headers.count("Upload-Metadata") <= 1) return out;
    if (ids.size() != 1) return fail(Errc::malformed, std::string("Upload-Metadata needs one `id`: ") + kIdForm);
    auto blob = read_id(ids.front());
    if (!blob) return pass(blob);
    out.blob = *blob;
    return out;
}

Result<std::optional<std::uint64_t>> read_late_length(const http::Headers& headers) {
    if (headers.find("Upload-Length") == nullptr) return std::nullopt;
    const auto length = read_number(only(headers, "Upload-Length"));
    if (!length) return fail(Errc::upload_length, "Upload-Length is no number");
    return *length;
}

bool is_upload(const http::Headers& headers) {
    return only(headers, "Content-Type") == "application/offset+octet-stream";
}

Result<std::uint64_t> read_offset(const http::Headers& headers) {
    if (!is_upload(headers)) return fail(Errc::media_type);
    const auto offset = read_number(only(headers, "Upload-Offset"));
    if (!offset) return fail(Errc::upload_offset, "Upload-Offset is missing or no number");
    return offset;
}

std::string http_date(Millis time) {
    const auto seconds = static_cast<std::time_t>(time / 1'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char out[64];
    std::snprintf(out, sizeof out, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday], parts.tm_mday,
                  kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
    return out;
}

}  // namespace nimes::gateway::media
