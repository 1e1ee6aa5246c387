// The headers of tus 1.0.0 (core, creation, termination, expiration), judged before anything is done.
// Pure; hostile input. Errors: Errc::tus_version, malformed, media_type, upload_length, too_large.
#pragma once

#include "http/request.hpp"
#include "nimes/time.hpp"

namespace nimes::gateway::media {

struct Creation {
    BlobId blob;
    std::uint64_t length = 0;
};

// Tus-Resumable: 1.0.0, on everything but OPTIONS and GET.
Result<void> check_version(const http::Headers& headers);
// POST: Upload-Length, and Upload-Metadata with the key `id`, base64 of the 16 bytes that name the medium.
Result<Creation> read_creation(const http::Headers& headers, std::uint64_t max_length);
// PATCH: Content-Type and Upload-Offset.
Result<std::uint64_t> read_offset(const http::Headers& headers);
// A plain decimal number of at most 19 digits.
Result<std::uint64_t> read_number(std::string_view text);
// RFC 4648 section 4, with padding.
Result<Bytes> from_base64(std::string_view text);
// RFC 9110 section 5.6.7, for Upload-Expires.
std::string http_date(Millis time);

}  // namespace nimes::gateway::media
