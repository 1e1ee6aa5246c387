#include "write_points.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nimes::test {
namespace {

// The functions below are the kernel's own: what is interposed must not call itself.
long sys_open(const char* path, int flags, mode_t mode) { return syscall(SYS_openat, AT_FDCWD, path, flags, mode); }

struct Watcher {
    struct Kept {                             // of a file that was changed
        int fd = -1;                          // stays open, whatever becomes of its name
        off_t size = 0;                       // when it was synced last
        std::map<off_t, std::string> before;  // ranges as they were then, by offset; earliest wins
    };
    struct Name {
        std::string path, other;  // other: where the name went, or where its file is kept
        enum class What : std::uint8_t { created, renamed, removed, made_folder } what;
        bool replaced = false;  // a renamed file took the place of `shadow`
        std::string shadow;
    };

    bool on = false;
    std::string root, shadow;
    std::uint64_t cut_at = kNever, passed = 0;
    Cut how = Cut::kill;
    std::map<ino_t, Kept> files;
    std::vector<Name> names;
    unsigned shadows = 0;

    [[nodiscard]] bool below(const std::string& path) const { return on && path.compare(0, root.size(), root) == 0; }
    [[nodiscard]] static std::string path_of(int fd) {
        char link[64], out[4096];
        std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        const auto n = ::readlink(link, out, sizeof out);
        return n > 0 ? std::string(out, static_cast<std::size_t>(n)) : std::string();
    }
    [[nodiscard]] std::string spare() { return shadow + "/" + std::to_string(shadows++); }

    // True when this is the point at which a write is torn.
    bool point() {
        const auto at = passed++;
        if (at != cut_at || how == Cut::full) return false;
        if (how == Cut::torn) return true;
        end();
    }
    [[nodiscard]] bool full() const { return how == Cut::full && passed > cut_at; }
    [[noreturn]] void end() {
        if (how == Cut::power) lose_unsynced();
        ::_exit(kCutExit);
    }

    Kept& keep(int fd) {
        struct stat is {};
        ::fstat(fd, &is);
        auto [at, fresh] = files.try_emplace(is.st_ino);
        if (fresh) {
            char link[64];
            std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            at->second.fd = static_cast<int>(sys_open(link, O_RDWR | O_CLOEXEC, 0));
            at->second.size = is.st_size;
        }
        return at->second;
    }
    void remember(int fd, off_t offset, std::size_t length) {
        auto& kept = keep(fd);
        // Byte for byte as it was at the last sync: a range that was changed before keeps what it was.
        for (off_t at = offset; at < offset + static_cast<off_t>(length) && at < kept.size;
             at += kBlock - at % kBlock) {
            const auto block = at - at % kBlock;
            if (kept.before.contains(block)) continue;
            std::string bytes(static_cast<std::size_t>(std::min<off_t>(kBlock, kept.size - block)), '\0');
            const auto n = ::pread(kept.fd, bytes.data(), bytes.size(), block);
            bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
            kept.before.emplace(block, std::move(bytes));
        }
    }
    void synced(int fd) {
        struct stat is {};
        ::fstat(fd, &is);
        if (S_ISDIR(is.st_mode)) {
            const auto folder = path_of(fd);
            std::erase_if(names, [&](const Name& n) {
                return std::filesystem::path(n.path).parent_path() == folder ||
                       (n.what == Name::What::renamed && std::filesystem::path(n.other).parent_path() == folder);
            });
            return;
        }
        auto& kept = keep(fd);
        kept.before.clear();
        kept.size = is.st_size;
    }
    void lose_unsynced() {
        on = false;
        for (auto& [inode, kept] : files) {
            for (const auto& [offset, bytes] : kept.before)
                (void)syscall(SYS_pwrite64, kept.fd, bytes.data(), bytes.size(), offset);
            (void)syscall(SYS_ftruncate, kept.fd, kept.size);
        }
        for (auto n = names.rbegin(); n != names.rend(); ++n) {
            if (n->what == Name::What::created) (void)syscall(SYS_unlink, n->path.c_str());
            if (n->what == Name::What::made_folder) (void)syscall(SYS_rmdir, n->path.c_str());
            if (n->what == Name::What::removed) (void)syscall(SYS_link, n->shadow.c_str(), n->path.c_str());
            if (n->what != Name::What::renamed) continue;
            (void)syscall(SYS_rename, n->other.c_str(), n->path.c_str());
            if (n->replaced) (void)syscall(SYS_link, n->shadow.c_str(), n->other.c_str());
        }
    }

    static constexpr off_t kBlock = 512;
};

Watcher& watcher() {
    static Watcher one;  // the C library's functions know no other way to it
    return one;
}

int no_room() {
    errno = ENOSPC;
    return -1;
}

ssize_t do_write(int fd, const void* bytes, std::size_t n, std::optional<off_t> offset) {
    auto& w = watcher();
    const auto put = [&](std::size_t count) {
        return offset ? syscall(SYS_pwrite64, fd, bytes, count, *offset) : syscall(SYS_write, fd, bytes, count);
    };
    if (!w.on || !w.below(Watcher::path_of(fd))) return put(n);
    w.remember(fd, offset ? *offset : ::lseek(fd, 0, SEEK_CUR), n);
    if (w.point()) {
        put(n / 2);
        w.end();
    }
    if (w.full()) return no_room();
    return put(n);
}

int do_sync(int fd, long number) {
    auto& w = watcher();
    if (!w.on || !w.below(Watcher::path_of(fd) + "/")) return static_cast<int>(syscall(number, fd));
    if (w.point()) w.end();
    w.synced(fd);
    return 0;
}

int do_truncate(int fd, off_t size) {
    auto& w = watcher();
    if (w.on && w.below(Watcher::path_of(fd))) {
        struct stat is {};
        ::fstat(fd, &is);
        if (is.st_size > size) w.remember(fd, size, static_cast<std::size_t>(is.st_size - size));
        else w.keep(fd);
        if (w.point()) w.end();
    }
    return static_cast<int>(syscall(SYS_ftruncate, fd, size));
}

int do_open(const char* path, int flags, mode_t mode) {
    auto& w = watcher();
    const bool changes = (flags & (O_CREAT | O_TRUNC)) != 0 && (flags & O_TMPFILE) != O_TMPFILE;
    if (!w.on || !changes || !w.below(path)) return static_cast<int>(sys_open(path, flags, mode));
    struct stat is {};
    const bool there = ::stat(path, &is) == 0;
    if (there && (flags & O_TRUNC) != 0 && is.st_size > 0) {
        if (w.point()) w.end();
        const auto fd = static_cast<int>(sys_open(path, (flags & ~(O_TRUNC | O_ACCMODE)) | O_RDWR, mode));
        if (fd >= 0) {
            w.remember(fd, 0, static_cast<std::size_t>(is.st_size));
            (void)syscall(SYS_ftruncate, fd, 0);
        }
        return fd;
    }
    if (!there && w.point()) w.end();
    if (!there && w.full()) return no_room();
    const auto fd = static_cast<int>(sys_open(path, flags, mode));
    if (!there && fd >= 0) {
        w.names.push_back({path, {}, Watcher::Name::What::created, false, {}});
        w.keep(fd);
    }
    return fd;
}

int do_unlink(const char* path) {
    auto& w = watcher();
    struct stat is {};
    if (w.below(path) && ::lstat(path, &is) == 0) {
        if (w.point()) w.end();
        const auto spare = w.spare();
        (void)syscall(SYS_link, path, spare.c_str());
        w.names.push_back({path, {}, Watcher::Name::What::removed, true, spare});
    }
    return static_cast<int>(syscall(SYS_unlink, path));
}

int do_rename(const char* from, const char* to) {
    auto& w = watcher();
    if (w.below(from)) {
        if (w.point()) w.end();
        struct stat is {};
        Watcher::Name name{from, to, Watcher::Name::What::renamed, ::lstat(to, &is) == 0, {}};
        if (name.replaced) {
            name.shadow = w.spare();
            (void)syscall(SYS_link, to, name.shadow.c_str());
        }
        w.names.push_back(std::move(name));
    }
    return static_cast<int>(syscall(SYS_rename, from, to));
}

}  // namespace

void watch(const std::filesystem::path& root, const std::filesystem::path& shadow, std::uint64_t cut_at, Cut how) {
    auto& w = watcher();
    w = Watcher{};
    w.root = root.string() + "/";
    w.shadow = shadow.string();
    w.cut_at = cut_at;
    w.how = how;
    w.on = true;
}

void write_point() {
    auto& w = watcher();
    if (w.on && w.point()) w.end();
}

std::uint64_t unwatch() {
    auto& w = watcher();
    w.on = false;
    for (const auto& [inode, kept] : w.files) ::close(kept.fd);
    w.files.clear();
    return w.passed;
}

}  // namespace nimes::test

// NOLINTBEGIN: names and forms of the C library
extern "C" {
ssize_t write(int fd, const void* bytes, size_t n) { return nimes::test::do_write(fd, bytes, n, std::nullopt); }
ssize_t pwrite(int fd, const void* bytes, size_t n, off_t at) { return nimes::test::do_write(fd, bytes, n, at); }
ssize_t pwrite64(int fd, const void* bytes, size_t n, off64_t at) { return nimes::test::do_write(fd, bytes, n, at); }
int fsync(int fd) { return nimes::test::do_sync(fd, SYS_fsync); }
int fdatasync(int fd) { return nimes::test::do_sync(fd, SYS_fdatasync); }
int ftruncate(int fd, off_t size) noexcept { return nimes::test::do_truncate(fd, size); }
int ftruncate64(int fd, off64_t size) noexcept { return nimes::test::do_truncate(fd, size); }
int unlink(const char* path) noexcept { return nimes::test::do_unlink(path); }
int rename(const char* from, const char* to) noexcept { return nimes::test::do_rename(from, to); }
int mkdir(const char* path, mode_t mode) noexcept {
    auto& w = nimes::test::watcher();
    struct stat is {};
    const bool fresh = w.below(path) && ::lstat(path, &is) != 0;
    if (fresh && w.point()) w.end();
    if (fresh && w.full()) return nimes::test::no_room();
    if (fresh) w.names.push_back({path, {}, nimes::test::Watcher::Name::What::made_folder, false, {}});
    return static_cast<int>(syscall(SYS_mkdir, path, mode));
}
int open(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = va_arg(more, mode_t);
    va_end(more);
    return nimes::test::do_open(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = va_arg(more, mode_t);
    va_end(more);
    return nimes::test::do_open(path, flags, mode);
}
}
// NOLINTEND
