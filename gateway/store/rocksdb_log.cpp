#include "store/rocksdb_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string>

#include "nimes/iso_time.hpp"

namespace nimes::gateway::store {
namespace {

// Bytes; the rest of a longer one is left out. RocksDB's statistics of all families are one line of some 10 KiB.
constexpr std::size_t kMaxLine = 64 * 1024;

std::string formatted(const char* format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    const int wanted = std::vsnprintf(nullptr, 0, format, arguments);
    std::string out(std::min(static_cast<std::size_t>(std::max(wanted, 0)), kMaxLine), '\0');
    (void)std::vsnprintf(out.data(), out.size() + 1, format, again);
    va_end(again);
    return out;
}

class FileLog final : public rocksdb::Logger {
  public:
    FileLog(std::filesystem::path file, std::uint64_t max_bytes) : path_(std::move(file)), max_bytes_(max_bytes) {
        begin(0);
    }
    ~FileLog() override { end(); }

    using rocksdb::Logger::Logv;
    void Logv(const char* format, va_list arguments) override {
        auto line = iso_time(SystemClock().now()) + ' ' + formatted(format, arguments);
        if (line.back() != '\n') line += '\n';
        const std::lock_guard lock(mutex_);
        if (file_ < 0) begin(0);
        if (written_ + line.size() > max_bytes_) rotate();
        const auto done = ::write(file_, line.data(), line.size());
        if (done > 0) written_ += static_cast<std::uint64_t>(done);
    }

  private:
    void rotate() {
        end();
        const bool kept = std::rename(path_.c_str(), (path_.string() + ".old").c_str()) == 0;
        begin(kept ? 0 : O_TRUNC);
    }
    void begin(int more) {
        file_ = ::open(path_.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | more, S_IRUSR | S_IWUSR);
        struct stat seen {};
        written_ = ::fstat(file_, &seen) == 0 ? static_cast<std::uint64_t>(seen.st_size) : 0;
    }
    void end() {
        if (file_ >= 0) ::close(file_);
    }

    const std::filesystem::path path_;
    const std::uint64_t max_bytes_;
    std::mutex mutex_;
    int file_ = -1;              // none: it could not be opened, and the next line tries again
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
