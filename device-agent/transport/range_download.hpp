// Downloads one sealed medium into a file, by Range requests that go on where the last one was cut, also after a
// restart. The size is known beforehand (it follows from the reference in the message), so a server can neither fill
// the disk nor end early unseen. What the bytes are is not judged here: the media room checks tags and digest.
//
// Errors: Errc::upload_gone (expired, recalled), offline, timed_out, rate_limited and unavailable once retries without
// progress are used up, malformed (another length than the reference says), busy (stopped), disk_full, storage.
// Threads: one for each object.
#pragma once

#include <filesystem>

#include "transport/tus_upload.hpp"

namespace nimes::agent::transport {

struct RangeOptions {
    std::string collection = "/v1/media";
    unsigned retries = 6;  // in a row without progress
};

// The first position of "bytes 100-199/200" (RFC 9110, 14.4); nullopt unless the size is the one expected.
std::optional<std::uint64_t> range_start(std::string_view content_range, std::uint64_t size);

class RangeDownload {
  public:
    using Progress = std::function<void(std::uint64_t received, std::uint64_t total)>;

    RangeDownload(HttpsClient& client, RandomSource& random, RangeOptions options = {},
                  Pause pause = sleep_unless_stopped);

    // Success: `file` holds exactly `size` bytes, synced. After an error it holds a beginning, to go on with.
    Result<void> run(const BlobId& id, const std::filesystem::path& file, std::uint64_t size,
                     const Progress& progress = {}, const std::stop_token& stop = {});

    // `length` bytes from `from` on, of a medium of `size` bytes: a seek, without the rest. In memory; nothing is kept.
    Result<Bytes> piece(const BlobId& id, std::uint64_t size, std::uint64_t from, std::size_t length,
                        const std::stop_token& stop = {});

  private:
    // Waits after something that passes; an error once it does not, or retries are used up.
    Result<void> again(const Result<HttpsAnswer>& answer, bool progressed, unsigned& failures,
                       const std::stop_token& stop);
    struct Target;
    Result<HttpsAnswer> fetch(const BlobId& id, Target& target, const Progress& progress, const std::stop_token& stop);

    HttpsClient& client_;
    RandomSource& random_;
    RangeOptions options_;
    Pause pause_;
};

}  // namespace nimes::agent::transport
