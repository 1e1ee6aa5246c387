// Media over HTTPS: uploads by tus 1.0.0 (tus.cpp), downloads with Range (downloads.cpp), as openapi.yaml says.
#pragma once

#include "http/router.hpp"
#include "media/media_store.hpp"
#include "operations/metrics.hpp"

namespace nimes::gateway::media {

struct Media {
    MediaStore& store;
    const operations::Metrics& metrics;
    RandomSource& random;
    std::uint64_t max_bytes;
    // For who is hung up to bring to disk what it has taken, before the newcomer goes on without that.
    std::chrono::milliseconds patience{10'000};
};

// What `media` refers to must outlive the router.
void add_routes(http::Router& router, const Media& media);

void add_upload_routes(http::Router& router, const Media& media);
void add_download_routes(http::Router& router, const Media& media);

// The answer to a reader, GET or HEAD. A Range counts for GET alone (RFC 9110 section 14.2): HEAD tells of the whole.
http::Response serve(const Media& media, const http::Request& request);

// {id}: 32 hex digits.
Result<BlobId> blob_of(const http::Request& request);

}  // namespace nimes::gateway::media
