#include "media/sealed_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "nimes/encoding.hpp"
#include "nimes/message.hpp"

namespace nimes::agent::media {
namespace {

using Path = std::filesystem::path;

tl::unexpected<Error> failed(const char* what) { return fail(errno == ENOSPC ? Errc::disk_full : Errc::storage, what); }

Result<int> open_file(const Path& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) return fd;
    if (errno == ENOENT) return fail(Errc::not_found, "no such file");
    if (errno == EEXIST) return fail(Errc::exists, "a file of that name");
    return failed("cannot open a file");
}

}  // namespace

Result<void> BlobReference::check(std::uint64_t max_padded) const {
    if (padded_length != padme(plain_length)) return fail(Errc::malformed, "a medium's padded length");
    if (padded_length > max_padded) return fail(Errc::too_large, "a medium");
    return {};
}

Path sealed_path(const Path& media, const BlobId& blob) { return media / (to_hex(blob.view()) + ".sealed"); }
Path part_path(const Path& media, const BlobId& blob) { return media / (to_hex(blob.view()) + ".part"); }

Result<void> make_media_directory(const Path& media) {
    if (::mkdir(media.c_str(), 0700) == 0 || errno == EEXIST) return {};
    return failed("cannot make the media folder");
}

Result<File> File::create(const Path& path) {
    auto fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    if (!fd) return pass(fd);
    return File(*fd);
}
Result<File> File::create_new(const Path& path) {
    auto fd = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
    if (!fd) return pass(fd);
    return File(*fd);
}
Result<File> File::read(const Path& path) {
    auto fd = open_file(path, O_RDONLY | O_NONBLOCK);  // a pipe must not make us wait for a writer
    if (!fd) return pass(fd);
    File file(*fd);
    struct stat facts {};
    if (::fstat(*fd, &facts) != 0) return failed("cannot read a file");
    if (!S_ISREG(facts.st_mode)) return fail(Errc::malformed, "no regular file");
    return file;
}
File::File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
File& File::operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}
File::~File() {
    if (fd_ >= 0) ::close(fd_);
}

Result<void> File::write(ByteView bytes) {
    while (!bytes.empty()) {
        const auto n = ::write(fd_, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed("cannot write a file");
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
}

Result<std::size_t> File::read(std::span<std::uint8_t> into) {
    std::size_t got = 0;
    while (got < into.size()) {
        const auto n = ::read(fd_, into.data() + got, into.size() - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed("cannot read a file");
        if (n == 0) break;
        got += static_cast<std::size_t>(n);
    }
    return got;
}

Result<void> File::seek(std::uint64_t offset) {
    if (::lseek(fd_, static_cast<off_t>(offset), SEEK_SET) < 0) return failed("cannot read a file from there on");
    return {};
}

Result<std::uint64_t> File::size() const {
    struct stat facts {};
    if (::fstat(fd_, &facts) != 0) return failed("cannot read a file's size");
    return static_cast<std::uint64_t>(facts.st_size);
}

Result<void> File::sync() {
    if (::fsync(fd_) != 0) return failed("cannot sync a file");
    return {};
}

Result<void> rename_durably(const Path& from, const Path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return failed("cannot rename a file");
    const int fd = ::open(to.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return failed("cannot open the media folder");
    const bool synced = ::fsync(fd) == 0;
    ::close(fd);
    if (!synced) return failed("cannot sync the media folder");
    return {};
}

Result<void> write_durably(const Path& path, ByteView bytes) {
    auto part = path;
    part += ".part";
    auto file = File::create(part);
    if (!file) return pass(file);
    if (auto ok = file->write(bytes); !ok) return ok;
    if (auto ok = file->sync(); !ok) return ok;
    return rename_durably(part, path);
}

}  // namespace nimes::agent::media
