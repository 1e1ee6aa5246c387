// The headers of tus 1.0.0 and its extensions, judged before anything is done.
// Pure; hostile input. Errors: Errc::tus_version, malformed, media_type, upload_length, too_large, upload_offset.
#pragma once

#include <vector>

#include "http/request.hpp"
#include "nimes/time.hpp"

namespace nimes::gateway::media {

struct Creation {
    std::optional<BlobId> blob;           // nullopt: a part that nobody names; the server does
    std::optional<std::uint64_t> length;  // nullopt: told later, or the sum of the parts
    bool partial = false;
    std::vector<BlobId> parts;  // of a concatenation, in order; else empty
};

// Tus-Resumable: 1.0.0, on everything but OPTIONS and what readers ask.
Result<void> check_version(const http::Headers& headers);
// POST: Upload-Length, or Upload-Defer-Length: 1, or Upload-Concat: final; and Upload-Metadata with the key `id`,
// base64 of the 16 bytes that name the medium or of their 32 hex digits. Other keys are not looked at: what a phone
// tells about a file beside it would be readable here.
Result<Creation> read_creation(const http::Headers& headers, std::uint64_t max_length);
// PATCH: Content-Type and Upload-Offset.
Result<std::uint64_t> read_offset(const http::Headers& headers);
// PATCH: Upload-Length of a medium that was created without; nullopt when the field is not there.
Result<std::optional<std::uint64_t>> read_late_length(const http::Headers& headers);
// "application/offset+octet-stream", what tus sends bytes as.
bool is_upload(const http::Headers& headers);
// A plain decimal number of at most 19 digits.
Result<std::uint64_t> read_number(std::string_view text);
// RFC 4648 section 4, with padding.
Result<Bytes> from_base64(std::string_view text);
// RFC 9110 section 5.6.7, for Upload-Expires.
std::string http_date(Millis time);

}  // namespace nimes::gateway::media
