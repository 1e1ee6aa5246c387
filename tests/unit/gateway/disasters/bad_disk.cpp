#include "bad_disk.hpp"

namespace disasters {
namespace {

namespace fs = std::filesystem;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class BadFile final : public rocksdb::FSWritableFileOwnerWrapper {
  public:
    BadFile(BadDisk& disk, std::string path, std::uint64_t size, std::unique_ptr<rocksdb::FSWritableFile>&& file)
        : FSWritableFileOwnerWrapper(std::move(file)), disk_(disk), path_(std::move(path)), end_(size) {}

    IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
        if (auto bad = disk_.before_write(); !bad.ok()) return bad;
        end_ += data.size();
        auto done = target()->Append(data, options, debug);
        disk_.appended(path_, end_);
        return done;
    }
    IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                    IODebugContext* debug) override {
        return Append(data, options, debug);
    }
    IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
        if (auto bad = disk_.before_write(); !bad.ok()) return bad;
        end_ = size;
        disk_.appended(path_, end_);
        return target()->Truncate(size, options, debug);
    }
    IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
        if (auto bad = disk_.before_sync(); !bad.ok()) return bad;
        auto done = target()->Flush(options, debug);  // the page cache is enough: the power is only played
        if (done.ok()) disk_.synced(path_);
        return done;
    }
    IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override { return Sync(options, debug); }

  private:
    BadDisk& disk_;
    const std::string path_;
    std::uint64_t end_;
};

class BadFolder final : public rocksdb::FSDirectoryWrapper {
  public:
    BadFolder(BadDisk& disk, std::string path, std::unique_ptr<rocksdb::FSDirectory>&& folder)
        : FSDirectoryWrapper(std::move(folder)), disk_(disk), path_(std::move(path)) {}

    IOStatus Fsync(const IOOptions&, IODebugContext*) override {
        if (auto bad = disk_.before_sync(); !bad.ok()) return bad;
        disk_.folder_synced(path_);
        return IOStatus::OK();
    }
    IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                                 const rocksdb::DirFsyncOptions&) override {
        return Fsync(options, debug);
    }

  private:
    BadDisk& disk_;
    const std::string path_;
};

}  // namespace

BadDisk::BadDisk(fs::path shadow) : FileSystemWrapper(rocksdb::FileSystem::Default()), shadow_(std::move(shadow)) {
    fs::create_directories(shadow_);
}

void BadDisk::cut_power_at_sync(std::size_t n) {
    const std::lock_guard lock(mutex_);
    syncs_ = writes_ = 0;
    cut_at_ = n;
    off_ = false;
}

void BadDisk::fail_write(std::size_t n, IOStatus error, Lasting lasting) {
    const std::lock_guard lock(mutex_);
    syncs_ = writes_ = 0;
    fail_at_ = n;
    failure_ = std::move(error);
    lasting_ = lasting;
    failed_ = false;
}

void BadDisk::mend() {
    const std::lock_guard lock(mutex_);
    fail_at_ = 0;
}

bool BadDisk::power_is_off() const {
    const std::lock_guard lock(mutex_);
    return off_;
}

bool BadDisk::has_failed() const {
    const std::lock_guard lock(mutex_);
    return failed_;
}

std::size_t BadDisk::syncs() const {
    const std::lock_guard lock(mutex_);
    return syncs_;
}

std::size_t BadDisk::writes() const {
    const std::lock_guard lock(mutex_);
    return writes_;
}

IOStatus BadDisk::before_write() {
    const std::lock_guard lock(mutex_);
    if (off_) return IOStatus::IOError("the power is off");
    ++writes_;
    if (fail_at_ == 0 || writes_ < fail_at_ || (lasting_ == Lasting::once && writes_ > fail_at_)) return IOStatus::OK();
    failed_ = true;
    return failure_;
}

IOStatus BadDisk::before_sync() {
    {
        const std::lock_guard lock(mutex_);
        if (!off_ && ++syncs_ == cut_at_) off_ = true;
    }
    return before_write();
}

void BadDisk::appended(const std::string& path, std::uint64_t end) {
    const std::lock_guard lock(mutex_);
    auto& file = files_[path];
    file.written = end;
    file.synced = std::min(file.synced, end);
}

void BadDisk::synced(const std::string& path) {
    const std::lock_guard lock(mutex_);
    auto& file = files_[path];
    file.synced = file.written;
}

void BadDisk::folder_synced(const std::string& folder) {
    const std::lock_guard lock(mutex_);
    const auto there = fs::path(folder).lexically_normal();
    std::erase_if(names_, [&](const Change& name) { return name.path.parent_path().lexically_normal() == there; });
}

std::optional<fs::path> BadDisk::keep(const std::string& path) {
    if (!fs::exists(path)) return std::nullopt;
    auto out = shadow_ / std::to_string(++kept_);
    fs::create_hard_link(path, out);
    return out;
}

IOStatus BadDisk::NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                  std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* debug) {
    if (auto bad = before_write(); !bad.ok()) return bad;
    {
        const std::lock_guard lock(mutex_);
        if (!fs::exists(path)) names_.push_back({Change::Kind::created, path, {}, {}});
        files_[path] = {};
    }
    std::unique_ptr<rocksdb::FSWritableFile> file;
    auto done = target()->NewWritableFile(path, options, &file, debug);
    if (done.ok()) *out = std::make_unique<BadFile>(*this, path, 0, std::move(file));
    return done;
}

IOStatus BadDisk::ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                     std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* debug) {
    if (auto bad = before_write(); !bad.ok()) return bad;
    std::error_code absent;
    const auto size = fs::file_size(path, absent);
    {
        const std::lock_guard lock(mutex_);
        if (absent) names_.push_back({Change::Kind::created, path, {}, {}});
        if (!files_.contains(path)) files_[path] = absent ? File{} : File{size, size};
    }
    std::unique_ptr<rocksdb::FSWritableFile> file;
    auto done = target()->ReopenWritableFile(path, options, &file, debug);
    if (done.ok()) *out = std::make_unique<BadFile>(*this, path, absent ? 0 : size, std::move(file));
    return done;
}

IOStatus BadDisk::NewDirectory(const std::string& path, const IOOptions& options,
                               std::unique_ptr<rocksdb::FSDirectory>* out, IODebugContext* debug) {
    std::unique_ptr<rocksdb::FSDirectory> folder;
    auto done = target()->NewDirectory(path, options, &folder, debug);
    if (done.ok()) *out = std::make_unique<BadFolder>(*this, path, std::move(folder));
    return done;
}

IOStatus BadDisk::DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) {
    if (auto bad = before_write(); !bad.ok()) return bad;
    const std::lock_guard lock(mutex_);
    names_.push_back({Change::Kind::deleted, path, {}, keep(path)});
    return target()->DeleteFile(path, options, debug);
}

IOStatus BadDisk::RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                             IODebugContext* debug) {
    if (auto bad = before_write(); !bad.ok()) return bad;
    const std::lock_guard lock(mutex_);
    names_.push_back({Change::Kind::renamed, to, from, keep(to)});
    if (const auto at = files_.find(from); at != files_.end()) {
        files_[to] = at->second;
        files_.erase(at);
    }
    return target()->RenameFile(from, to, options, debug);
}

void BadDisk::lose_unsynced(Tail tail) {
    const std::lock_guard lock(mutex_);
    for (const auto& [path, file] : files_) {
        if (file.synced == file.written || !fs::exists(path)) continue;
        const auto left = tail == Tail::gone ? 0 : (file.written - file.synced) / 2;
        fs::resize_file(path, file.synced + left);
    }
    for (auto name = names_.rbegin(); name != names_.rend(); ++name) {
        std::error_code ignored;  // a name that a later change took
        if (name->kind == Change::Kind::created) fs::remove(name->path, ignored);
        if (name->kind == Change::Kind::renamed) fs::rename(name->path, name->from, ignored);
        if (name->before) fs::rename(*name->before, name->path, ignored);
    }
    names_.clear();
    files_.clear();
    off_ = false;
    cut_at_ = 0;
}

}  // namespace disasters
