// Photo, step 3, upload. (Before: media/outgoing.hpp. Next: the gateway's tus.cpp.)
//
// Uploads one sealed medium by tus 1.0 (creation, HEAD, PATCH), and finishes it whatever happens in between: a cut, a
// lost answer, a restart of either side. The agent proposes the id, so creating twice is harmless: a 409 means that it
// is there already, and HEAD says how far.
//
// TusSession is the protocol without I/O: it says which request is next and is told what came. TusUpload drives it over
// an HttpsClient, on the caller's thread. The size of a part follows the rate that was measured with the last one, and
// shrinks after a cut, so that a bad link loses little and a good one wastes no round trips; an interrupted part goes
// on at the gateway's offset. Nothing is kept here between runs: run() again with the same file and it goes on. Errors:
// Errc::exists (that id is another's, or of another length), offline, timed_out, rate_limited and unavailable once
// retries without progress are used up, upload_gone, quota, disk_full, too_large, busy (stopped), storage. Threads: one
// for each object.
#pragma once

#include <filesystem>
#include <variant>

#include "nimes/ids.hpp"
#include "nimes/time.hpp"
#include "transport/https_client.hpp"

namespace nimes::agent::transport {

struct TusOptions {
    std::string collection = "/v1/media";
    std::uint64_t first_part = 256 * 1024;
    std::uint64_t least_part = 64 * 1024;
    std::uint64_t most_part = 8 << 20;
    // What a part is to take, at the rate that was measured with the last one. Nothing goes up in the round trip in
    // which its answer is awaited.
    Millis part_time = 10 * kSecond;
    unsigned retries = 6;  // in a row without progress
};

class TusSession {
  public:
    struct Create {};
    struct Ask {};  // HEAD
    struct Patch {
        std::uint64_t offset = 0;
        std::uint64_t length = 0;
    };
    struct Wait {            // then next() again
        Millis at_most = 0;  // full jitter up to this
        Millis at_least = 0;
    };
    struct Done {};
    struct Failed {
        Error error;
    };
    using Step = std::variant<Create, Ask, Patch, Wait, Done, Failed>;

    // resume: begin by asking, since an earlier run may have created it.
    TusSession(std::uint64_t size, bool resume, TusOptions options);

    [[nodiscard]] Step next();
    // What came of the last step; `took` matters for parts.
    void answered(const HttpsAnswer& answer, Millis took = 0);
    void broke(const Error& error);
    [[nodiscard]] std::uint64_t offset() const { return offset_; }

  private:
    enum class Phase : std::uint8_t { create, ask, patch, done, failed };
    void created(const HttpsAnswer& answer);
    void asked(const HttpsAnswer& answer);
    void patched(const HttpsAnswer& answer, Millis took);
    void resize_part(std::uint64_t stored, Millis took);
    void moved_to(std::uint64_t offset);
    void retry(const Error& error, Phase phase, unsigned at_least_s = 0);
    void give_up(Error error);
    bool passing(const HttpsAnswer& answer, Phase phase);

    std::uint64_t size_;
    TusOptions options_;
    Phase phase_;
    std::uint64_t offset_ = 0;
    std::uint64_t highest_ = 0;
    std::uint64_t part_;
    std::uint64_t sent_part_ = 0;
    unsigned failures_ = 0;
    unsigned recreated_ = 0;
    bool waiting_ = false;
    Wait wait_;
    Error error_;
};

// Waits between retries; false when stopped meanwhile.
using Pause = std::function<bool(Millis time, const std::stop_token& stop)>;
bool sleep_unless_stopped(Millis time, const std::stop_token& stop);

class TusUpload {
  public:
    // sent: bytes the gateway has or is being sent; total: the file's.
    using Progress = std::function<void(std::uint64_t sent, std::uint64_t total)>;

    TusUpload(HttpsClient& client, const Clock& clock, RandomSource& random, TusOptions options = {},
              Pause pause = sleep_unless_stopped);

    // Returns when the gateway has every byte of `file` on its disk.
    Result<void> run(const BlobId& id, const std::filesystem::path& file, bool resume, const Progress& progress = {},
                     const std::stop_token& stop = {});

  private:
    struct Part;
    Result<HttpsAnswer> create(const BlobId& id, std::uint64_t size, const std::stop_token& stop);
    Result<HttpsAnswer> ask(const BlobId& id, const std::stop_token& stop);
    Result<HttpsAnswer> patch(const BlobId& id, const Part& part, const std::stop_token& stop);
    [[nodiscard]] std::string path_of(const BlobId& id) const;

    HttpsClient& client_;
    const Clock& clock_;
    RandomSource& random_;
    TusOptions options_;
    Pause pause_;
};

}  // namespace nimes::agent::transport
