#include "transport/tus_upload.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "nimes/encoding.hpp"
#include "transport/reconnect_policy.hpp"

namespace nimes::agent::transport {
namespace {

class SourceFile {
  public:
    explicit SourceFile(const std::filesystem::path& file) : fd_(open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
    SourceFile(const SourceFile&) = delete;
    SourceFile& operator=(const SourceFile&) = delete;
    ~SourceFile() {
        if (fd_ >= 0) close(fd_);
    }
    [[nodiscard]] Result<std::uint64_t> size() const {
        struct stat is {};
        if (fd_ < 0 || fstat(fd_, &is) != 0 || !S_ISREG(is.st_mode))
            return fail(Errc::storage, "the file to upload cannot be read");
        return static_cast<std::uint64_t>(is.st_size);
    }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const {
        for (;;) {
            const auto n = pread(fd_, into.data(), into.size(), static_cast<off_t>(offset));
            if (n > 0) return static_cast<std::size_t>(n);
            if (n == 0 || errno != EINTR) return fail(Errc::storage, "the file to upload cannot be read");
        }
    }

  private:
    int fd_;
};

// tus wants the ordinary alphabet, padded.
std::string base64(ByteView in) {
    std::string out(sodium_base64_ENCODED_LEN(in.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(out.data(), out.size(), in.data(), in.size(), sodium_base64_VARIANT_ORIGINAL);
    out.pop_back();  // the terminating zero
    return out;
}

HttpsRequest tus_request(std::string method, std::string path, const std::stop_token& stop) {
    HttpsRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.headers = {{"Tus-Resumable", "1.0.0"}};
    request.stop = stop;
    return request;
}

}  // namespace

struct TusUpload::Part {
    const SourceFile& file;
    std::uint64_t offset;
    std::uint64_t length;
    std::uint64_t total;
    const Progress& progress;
};

bool sleep_unless_stopped(Millis time, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, std::chrono::milliseconds(time), [] { return false; });
    return !stop.stop_requested();
}

TusUpload::TusUpload(HttpsClient& client, const Clock& clock, RandomSource& random, TusOptions options, Pause pause)
    : client_(client), clock_(clock), random_(random), options_(std::move(options)), pause_(std::move(pause)) {}

std::string TusUpload::path_of(const BlobId& id) const { return options_.collection + "/" + to_hex(id.view()); }

Result<void> TusUpload::run(const BlobId& id, const std::filesystem::path& path, bool resume, const Progress& progress,
                            const std::stop_token& stop) {
    const SourceFile file(path);
    const auto size = file.size();
    if (!size) return tl::unexpected<Error>(size.error());
    TusSession session(*size, resume, options_);
    for (;;) {
        if (stop.stop_requested()) return fail(Errc::busy, "stopped");
        const auto step = session.next();
        if (std::holds_alternative<TusSession::Done>(step)) {
            if (progress) progress(*size, *size);
            return {};
        }
        if (const auto* failed = std::get_if<TusSession::Failed>(&step)) return tl::unexpected<Error>(failed->error);
        if (const auto* wait = std::get_if<TusSession::Wait>(&step)) {
            if (!pause_(wait->at_least + uniform(wait->at_most, random_), stop)) return fail(Errc::busy, "stopped");
            continue;
        }
        const auto began = clock_.boot();
        auto answer = Result<HttpsAnswer>(HttpsAnswer{});
        if (const auto* part = std::get_if<TusSession::Patch>(&step))
            answer = patch(id, {file, part->offset, part->length, *size, progress}, stop);
        else answer = std::holds_alternative<TusSession::Create>(step) ? create(id, *size, stop) : ask(id, stop);
        if (answer) session.answered(*answer, clock_.boot() - began);
        else session.broke(answer.error());
    }
}

Result<HttpsAnswer> TusUpload::create(const BlobId& id, std::uint64_t size, const std::stop_token& stop) {
    auto request = tus_request("POST", options_.collection, stop);
    request.headers.emplace_back("Upload-Length", std::to_string(size));
    request.headers.emplace_back("Upload-Metadata", "id " + base64(id.view()));
    return client_.exchange(request);
}

Result<HttpsAnswer> TusUpload::ask(const BlobId& id, const std::stop_token& stop) {
    return client_.exchange(tus_request("HEAD", path_of(id), stop));
}

Result<HttpsAnswer> TusUpload::patch(const BlobId& id, const Part& part, const std::stop_token& stop) {
    auto request = tus_request("PATCH", path_of(id), stop);
    request.headers.emplace_back("Content-Type", "application/offset+octet-stream");
    request.headers.emplace_back("Upload-Offset", std::to_string(part.offset));
    std::uint64_t read = 0;
    request.reader = [&](std::span<std::uint8_t> into) -> Result<std::size_t> {
        const auto left = std::min<std::uint64_t>(part.length - read, into.size());
        if (left == 0) return std::size_t{0};
        auto n = part.file.read_at(part.offset + read, into.first(static_cast<std::size_t>(left)));
        if (n) read += *n;
        return n;
    };
    request.reader_length = part.length;
    if (part.progress)
        request.progress = [&](std::uint64_t sent, std::uint64_t) {
            part.progress(part.offset + std::min(sent, part.length), part.total);
        };
    return client_.exchange(request);
}

}  // namespace nimes::agent::transport
