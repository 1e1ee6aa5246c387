#include "wal_in_memory.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace nimes::model {
namespace {

constexpr std::size_t kPiece = 64 * 1024;

// A log in pieces, which go from one log to the next: growing moves nothing, and nothing is asked of the kernel anew.
class Log {
  public:
    Log() = default;
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;
    ~Log() { truncate(0); }

    [[nodiscard]] std::size_t size() const { return size_; }
    void truncate(std::size_t to) {
        size_ = std::min(size_, to);
        while (pieces_.size() > (size_ + kPiece - 1) / kPiece) {
            spare().push_back(pieces_.back());
            pieces_.pop_back();
        }
    }
    void write(std::size_t at, const char* from, std::size_t n) {
        grow(at + n);
        each(at, n, [&](char* piece, std::size_t length) { std::memcpy(piece, from, length), from += length; });
    }
    void read(std::size_t at, char* into, std::size_t n) const {
        each(at, n, [&](const char* piece, std::size_t length) { std::memcpy(into, piece, length), into += length; });
    }

  private:
    static std::vector<char*>& spare() {
        static std::vector<char*> all;
        return all;
    }
    void grow(std::size_t to) {
        for (; pieces_.size() * kPiece < to; spare().pop_back()) {
            if (spare().empty()) spare().push_back(new char[kPiece]);
            pieces_.push_back(spare().back());
        }
        size_ = std::max(size_, to);
    }
    template <class Action>
    void each(std::size_t at, std::size_t n, Action action) const {
        for (std::size_t length = 0; n > 0; at += length, n -= length) {
            length = std::min(n, kPiece - at % kPiece);
            action(pieces_[at / kPiece] + at % kPiece, length);
        }
    }

    std::vector<char*> pieces_;
    std::size_t size_ = 0;
};

// By path. A log outlives the connection that wrote it, as a file would.
std::map<std::string, std::shared_ptr<Log>>& logs() {
    static std::map<std::string, std::shared_ptr<Log>> all;
    return all;
}

struct LogFile {
    sqlite3_file base;
    std::shared_ptr<Log>* log;
};

Log& log_of(sqlite3_file* file) { return **reinterpret_cast<LogFile*>(file)->log; }

int close_log(sqlite3_file* file) {
    delete reinterpret_cast<LogFile*>(file)->log;
    return SQLITE_OK;
}

int read_log(sqlite3_file* file, void* into, int n, sqlite3_int64 from) {
    const auto& log = log_of(file);
    const auto size = static_cast<sqlite3_int64>(log.size());
    const auto there = std::clamp<sqlite3_int64>(size - from, 0, n);
    log.read(static_cast<std::size_t>(from), static_cast<char*>(into), static_cast<std::size_t>(there));
    if (there == n) return SQLITE_OK;
    std::memset(static_cast<char*>(into) + there, 0, static_cast<std::size_t>(n - there));
    return SQLITE_IOERR_SHORT_READ;
}

int write_log(sqlite3_file* file, const void* from, int n, sqlite3_int64 at) {
    log_of(file).write(static_cast<std::size_t>(at), static_cast<const char*>(from), static_cast<std::size_t>(n));
    return SQLITE_OK;
}

int truncate_log(sqlite3_file* file, sqlite3_int64 size) {
    log_of(file).truncate(static_cast<std::size_t>(size));
    return SQLITE_OK;
}

int size_of_log(sqlite3_file* file, sqlite3_int64* out) {
    *out = static_cast<sqlite3_int64>(log_of(file).size());
    return SQLITE_OK;
}

const sqlite3_io_methods* log_methods() {
    static const sqlite3_io_methods methods = [] {
        sqlite3_io_methods out{};
        out.iVersion = 1;
        out.xClose = close_log;
        out.xRead = read_log;
        out.xWrite = write_log;
        out.xTruncate = truncate_log;
        out.xSync = [](sqlite3_file*, int) { return SQLITE_OK; };
        out.xFileSize = size_of_log;
        out.xLock = [](sqlite3_file*, int) { return SQLITE_OK; };
        out.xUnlock = [](sqlite3_file*, int) { return SQLITE_OK; };
        out.xCheckReservedLock = [](sqlite3_file*, int* held) { return *held = 0, SQLITE_OK; };
        out.xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; };
        out.xSectorSize = [](sqlite3_file*) { return 0; };
        out.xDeviceCharacteristics = [](sqlite3_file*) { return 0; };
        return out;
    }();
    return &methods;
}

sqlite3_vfs* real_of(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    auto* real = real_of(vfs);
    if ((flags & SQLITE_OPEN_WAL) == 0) return real->xOpen(real, name, file, flags, out_flags);
    auto& log = logs()[name];
    if (!log) log = std::make_shared<Log>();
    auto* opened = reinterpret_cast<LogFile*>(file);
    opened->log = new std::shared_ptr<Log>(log);
    opened->base.pMethods = log_methods();
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync) {
    if (logs().erase(name) != 0) return SQLITE_OK;
    return real_of(vfs)->xDelete(real_of(vfs), name, sync);
}

int access_file(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
    if (logs().contains(name)) return *out = 1, SQLITE_OK;
    return real_of(vfs)->xAccess(real_of(vfs), name, flags, out);
}

}  // namespace

void keep_write_ahead_logs_in_memory() {
    static sqlite3_vfs vfs{};
    auto* real = sqlite3_vfs_find(nullptr);
    if (real == nullptr) throw std::runtime_error("SQLite has no files");
    vfs = *real;
    vfs.pNext = nullptr;
    vfs.zName = "wal-in-memory";
    vfs.pAppData = real;
    vfs.szOsFile = std::max(real->szOsFile, static_cast<int>(sizeof(LogFile)));
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    vfs.xAccess = access_file;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK) throw std::runtime_error("SQLite takes no files in memory");
}

}  // namespace nimes::model
