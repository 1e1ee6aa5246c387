#include "transport/range_download.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "nimes/encoding.hpp"
#include "transport/reconnect_policy.hpp"

namespace nimes::agent::transport {
namespace {

constexpr Millis kFirstWait = kSecond;
constexpr Millis kMostWait = kMinute;

tl::unexpected<Error> unwritable() {
    return fail(errno == ENOSPC || errno == EDQUOT ? Errc::disk_full : Errc::storage, "a download cannot be written");
}

std::string_view find(const Headers& headers, std::string_view name) {
    const auto at = std::ranges::find_if(headers, [&](const auto& field) { return field.first == name; });
    return at == headers.end() ? std::string_view() : std::string_view(at->second);
}

}  // namespace

std::optional<std::uint64_t> range_start(std::string_view content_range, std::uint64_t size) {
    const auto total = "/" + std::to_string(size);
    if (!content_range.starts_with("bytes ") || !content_range.ends_with(total)) return std::nullopt;
    const auto from = content_range.substr(6);
    std::uint64_t start = 0;
    const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), start);
    if (error != std::errc() || end == from.data() + from.size() || *end != '-') return std::nullopt;
    return start;
}

// The file, and how much of it is there.
struct RangeDownload::Target {
    int fd = -1;
    std::uint64_t have = 0;
    std::uint64_t size = 0;

    Target() = default;
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;
    ~Target() {
        if (fd >= 0) close(fd);
    }
    Result<void> open(const std::filesystem::path& file, std::uint64_t wanted) {
        fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        struct stat is {};
        if (fd < 0 || fstat(fd, &is) != 0) return unwritable();
        have = static_cast<std::uint64_t>(is.st_size);
        size = wanted;
        return have > size ? restart() : Result<void>();
    }
    Result<void> restart() {
        have = 0;
        return ftruncate(fd, 0) == 0 ? Result<void>() : unwritable();
    }
    Result<void> write(ByteView bytes) {
        while (!bytes.empty()) {
            const auto n = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(have));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return unwritable();
            have += static_cast<std::uint64_t>(n);
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        }
        return {};
    }
};

RangeDownload::RangeDownload(HttpsClient& client, RandomSource& random, RangeOptions options, Pause pause)
    : client_(client), random_(random), options_(std::move(options)), pause_(std::move(pause)) {}

Result<HttpsAnswer> RangeDownload::fetch(const BlobId& id, Target& target, const Progress& progress,
                                         const std::stop_token& stop) {
    HttpsRequest request;
    request.path = options_.collection + "/" + to_hex(id.view());
    if (target.have > 0) request.headers = {{"Range", "bytes=" + std::to_string(target.have) + "-"}};
    request.writer_limit = UINT64_MAX;  // the writer below knows better
    request.stop = stop;
    request.begin = [&](int status, const Headers& headers) -> Result<void> {
        if (status == 206) {
            if (range_start(find(headers, "content-range"), target.size) == target.have) return {};
            return fail(Errc::malformed, "another range or length than asked for");
        }
        if (status != 200) return fail(Errc::malformed, "an answer to a download");
        return target.have == 0 ? Result<void>() : target.restart();  // ranges are not offered any more
    };
    request.writer = [&](ByteView bytes) -> Result<void> {
        if (bytes.size() > target.size - target.have) return fail(Errc::malformed, "more bytes than the medium has");
        auto written = target.write(bytes);
        if (written && progress) progress(target.have, target.size);
        return written;
    };
    return client_.exchange(request);
}

Result<void> RangeDownload::again(const Result<HttpsAnswer>& answer, bool progressed, unsigned& failures,
                                  const std::stop_token& stop) {
    auto error = answer ? error_of(*answer) : answer.error();
    if (answer && (answer->status == 404 || answer->status == 410)) return fail(Errc::upload_gone);
    const bool passing =
        error.code == Errc::offline || error.code == Errc::timed_out ||
        (answer && (answer->status == 401 || answer->status == 423 || answer->status == 429 || answer->status >= 500));
    if (!passing) return tl::unexpected<Error>(std::move(error));
    failures = progressed ? 1 : failures + 1;
    if (failures > options_.retries) return tl::unexpected<Error>(std::move(error));
    const auto window = std::min(kMostWait, kFirstWait << std::min(failures - 1, 10U));
    const auto at_least = answer ? answer->retry_after_s() * kSecond : 0;
    if (!pause_(at_least + uniform(window, random_), stop)) return fail(Errc::busy, "stopped");
    return {};
}

Result<Bytes> RangeDownload::piece(const BlobId& id, std::uint64_t size, std::uint64_t from, std::size_t length,
                                   const std::stop_token& stop) {
    Bytes out;
    unsigned failures = 0;
    while (out.size() < length) {
        const auto at = from + out.size();
        HttpsRequest request;
        request.path = options_.collection + "/" + to_hex(id.view());
        request.headers = {{"Range", "bytes=" + std::to_string(at) + "-" + std::to_string(from + length - 1)}};
        request.writer_limit = length - out.size();
        request.stop = stop;
        request.begin = [&](int status, const Headers& headers) -> Result<void> {
            if (status == 206 && range_start(find(headers, "content-range"), size) == at) return {};
            return fail(Errc::malformed, "another range or length than asked for");
        };
        request.writer = [&](ByteView bytes) -> Result<void> {
            out.insert(out.end(), bytes.begin(), bytes.end());
            return {};
        };
        auto answer = client_.exchange(request);
        if (answer && answer->ok() && out.size() < length)
            answer = fail(Errc::malformed, "fewer bytes than the medium has");
        if (answer && answer->ok()) break;
        if (auto ok = again(answer, from + out.size() > at, failures, stop); !ok) return pass(ok);
    }
    return out;
}

Result<void> RangeDownload::run(const BlobId& id, const std::filesystem::path& file, std::uint64_t size,
                                const Progress& progress, const std::stop_token& stop) {
    Target target;
    if (auto opened = target.open(file, size); !opened) return opened;
    unsigned failures = 0;
    while (target.have < size) {
        const auto before = target.have;
        auto answer = fetch(id, target, progress, stop);
        if (answer && answer->ok() && target.have < size)
            answer = fail(Errc::malformed, "fewer bytes than the medium has");
        if (answer && answer->ok()) break;
        if (auto ok = again(answer, target.have > before, failures, stop); !ok) return ok;
    }
    if (fdatasync(target.fd) != 0) return unwritable();
    return {};
}

}  // namespace nimes::agent::transport
