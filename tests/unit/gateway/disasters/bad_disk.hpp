// A disk for RocksDB that loses power or refuses writes, at the moment a test asks for.
//
// Files live in the real file system. What it would have lost is known: bytes behind a file's last sync, and names
// (created, renamed, deleted) since their folder's last sync. Close the store after a cut, then call
// lose_unsynced(): the folder is as a machine finds it when the power is back.
// Threads: every function from any thread; lose_unsynced() once nothing has a file open any more.
#pragma once

#include <rocksdb/file_system.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

namespace disasters {

class BadDisk final : public rocksdb::FileSystemWrapper {
  public:
    enum class Tail : bool { gone, torn };  // of what was written and not synced: nothing is left, or half of it

    explicit BadDisk(std::filesystem::path shadow);
    const char* Name() const override { return "BadDisk"; }

    // The n-th sync (of a file or a folder) from now does not happen, nor does anything after it. 0: never.
    void cut_power_at_sync(std::size_t n);
    // The n-th write (bytes, sync, name) from now fails, once or from then on until mend().
    enum class Lasting : bool { once, on };
    void fail_write(std::size_t n, rocksdb::IOStatus error, Lasting lasting);
    void mend();
    [[nodiscard]] bool power_is_off() const;
    [[nodiscard]] bool has_failed() const;
    [[nodiscard]] std::size_t syncs() const;  // since cut_power_at_sync or fail_write
    [[nodiscard]] std::size_t writes() const;
    void lose_unsynced(Tail tail);

    rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* out,
                                      rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                         std::unique_ptr<rocksdb::FSWritableFile>* out,
                                         rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                   std::unique_ptr<rocksdb::FSDirectory>* out, rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                                 rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                                 rocksdb::IODebugContext* debug) override;

    // For its files and folders: may this go on?
    rocksdb::IOStatus before_write();
    rocksdb::IOStatus before_sync();
    void appended(const std::string& path, std::uint64_t end);
    void synced(const std::string& path);
    void folder_synced(const std::string& folder);

  private:
    struct File {
        std::uint64_t written = 0, synced = 0;
    };
    struct Change {  // a change of a folder that is not synced yet
        enum class Kind : std::uint8_t { created, renamed, deleted } kind;
        std::filesystem::path path, from;
        std::optional<std::filesystem::path> before;  // a second link to what stood under the path
    };
    std::optional<std::filesystem::path> keep(const std::string& path);

    const std::filesystem::path shadow_;
    mutable std::mutex mutex_;
    std::map<std::string, File> files_;
    std::vector<Change> names_;
    std::size_t syncs_ = 0, writes_ = 0, cut_at_ = 0, fail_at_ = 0, kept_ = 0;
    rocksdb::IOStatus failure_;
    Lasting lasting_ = Lasting::once;
    bool off_ = false, failed_ = false;
};

}  // namespace disasters
