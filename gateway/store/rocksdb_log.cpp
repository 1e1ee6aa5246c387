#include "store/rocksdb_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <ctime>
#include <mutex>

namespace nimes::gateway::store {
namespace {

constexpr std::size_t kMaxLine = 4096;  // bytes; the rest of a longer one is left out

class FileLog final : public rocksdb::Logger {
  public:
    FileLog(std::filesystem::path file, std::uint64_t max_bytes) : path_(std::move(file)), max_bytes_(max_bytes) {
        begin();
    }
    ~FileLog() override { end(); }

    using rocksdb::Logger::Logv;
    void Logv(const char* format, va_list arguments) override {
        std::array<char, kMaxLine> line{};
        auto length = time_to(line);
        const int wanted = std::vsnprintf(line.data() + length, line.size() - length, format, arguments);
        if (wanted < 0) return;
        length += std::min(static_cast<std::size_t>(wanted), line.size() - length - 1);
        if (line[length - 1] != '\n') line[length++] = '\n';  // in the place of the terminator
        write({line.data(), length});
    }

  private:
    // UTC, ISO 8601. Its length.
    static std::size_t time_to(std::array<char, kMaxLine>& line) {
        timespec now{};
        std::tm utc{};
        ::clock_gettime(CLOCK_REALTIME, &now);
        ::gmtime_r(&now.tv_sec, &utc);
        const auto length = std::strftime(line.data(), line.size(), "%FT%T", &utc);
        const auto micros = static_cast<unsigned>(now.tv_nsec / 1000);
        const int more = std::snprintf(line.data() + length, line.size() - length, ".%06uZ ", micros);
        return length + static_cast<std::size_t>(more);
    }

    void write(std::string_view line) {
        const std::lock_guard lock(mutex_);
        if (written_ + line.size() > max_bytes_) {
            end();
            (void)std::rename(path_.c_str(), (path_.string() + ".old").c_str());
            begin();
        }
        const auto done = ::write(file_, line.data(), line.size());
        if (done > 0) written_ += static_cast<std::uint64_t>(done);
    }

    void begin() {
        file_ = ::open(path_.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
        struct stat seen {};
        written_ = ::fstat(file_, &seen) == 0 ? static_cast<std::uint64_t>(seen.st_size) : 0;
    }
    void end() {
        if (file_ >= 0) ::close(file_);
    }

    const std::filesystem::path path_;
    const std::uint64_t max_bytes_;
    std::mutex mutex_;
    int file_ = -1;              // none: it could not be opened
    std::uint64_t written_ = 0;  // bytes of it
};

class NoLog final : public rocksdb::Logger {
  public:
    using rocksdb::Logger::Logv;
    void Logv(const char*, va_list) override {}
};

}  // namespace

std::shared_ptr<rocksdb::Logger> rocksdb_log(const std::filesystem::path& folder, std::uint64_t max_bytes) {
    return std::make_shared<FileLog>(folder / "LOG", max_bytes);
}

std::shared_ptr<rocksdb::Logger> no_rocksdb_log() { return std::make_shared<NoLog>(); }

}  // namespace nimes::gateway::store
