#include "container/keystore.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace nimes::agent::container {
namespace {

constexpr std::size_t kTryBytes = 12;  // u32 wrong ‖ u64 at

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

  private:
    int fd_;
};

bool write_all(int fd, ByteView bytes) {
    while (!bytes.empty()) {
        const auto n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

tl::unexpected<Error> unwritable() {
    return fail(errno == ENOSPC || errno == EDQUOT ? Errc::disk_full : Errc::storage, "the keystore cannot be written");
}

Result<void> make_directory(const std::filesystem::path& directory) {
    if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return unwritable();
    return {};
}

Result<void> sync_directory(const std::filesystem::path& directory) {
    const Descriptor fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0 || fsync(fd.get()) != 0) return fail(Errc::storage, "the keystore's directory cannot be synced");
    return {};
}

// At most `into.size()` bytes; how many there were.
Result<std::size_t> read_file(const std::filesystem::path& file, std::span<std::uint8_t> into) {
    const Descriptor fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (fd.get() < 0) {
        if (errno == ENOENT) return fail(Errc::not_found, "nothing in this place of the keystore");
        return fail(Errc::storage, "the keystore cannot be read");
    }
    struct stat is {};
    if (fstat(fd.get(), &is) != 0 || !S_ISREG(is.st_mode)) return fail(Errc::storage, "the keystore is damaged");
    if ((is.st_mode & 077) != 0) return fail(Errc::forbidden, "the keystore is open to others; chmod 600 its files");
    if (static_cast<std::size_t>(is.st_size) != into.size()) return fail(Errc::storage, "the keystore is damaged");
    std::size_t got = 0;
    while (got < into.size()) {
        const auto n = ::read(fd.get(), into.data() + got, into.size() - got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail(Errc::storage, "the keystore is damaged");
        got += static_cast<std::size_t>(n);
    }
    return got;
}

}  // namespace

std::filesystem::path FileKeystore::half_file(unsigned place) const {
    return directory_ / (place == 0 ? "half-0" : "half-1");
}

Result<void> FileKeystore::write(const std::filesystem::path& file, ByteView bytes) {
    if (auto made = make_directory(directory_); !made) return made;
    auto aside = file;
    aside += ".new";
    {
        const Descriptor fd(open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (fd.get() < 0 || !write_all(fd.get(), bytes) || fsync(fd.get()) != 0) return unwritable();
    }
    if (std::rename(aside.c_str(), file.c_str()) != 0) return fail(Errc::storage, "the keystore cannot be written");
    return sync_directory(directory_);
}

Result<void> FileKeystore::store(unsigned place, const Secret<32>& half) {
    return write(half_file(place), half.view());
}

Result<Secret<32>> FileKeystore::load(unsigned place) {
    Secret<32> half;
    if (auto got = read_file(half_file(place), half.edit()); !got) return pass(got);
    return half;
}

// Overwritten first: on a disk that writes in place nothing is left, elsewhere it does no harm.
Result<void> FileKeystore::erase_file(const std::filesystem::path& file) {
    {
        const Descriptor fd(open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
        if (fd.get() < 0) {
            if (errno == ENOENT) return {};
            return fail(Errc::storage, "the keystore cannot be written");
        }
        struct stat is {};
        if (fstat(fd.get(), &is) != 0) return fail(Errc::storage, "the keystore cannot be read");
        const Bytes zeros(static_cast<std::size_t>(std::min<off_t>(is.st_size, 4096)));
        if (!write_all(fd.get(), zeros) || fsync(fd.get()) != 0)
            return fail(Errc::storage, "the keystore cannot be written");
    }
    if (unlink(file.c_str()) != 0) return fail(Errc::storage, "the keystore cannot be written");
    return sync_directory(directory_);
}

Result<void> FileKeystore::erase(unsigned place) { return erase_file(half_file(place)); }

// In place, so that a full disk keeps nobody from unlocking.
Result<void> FileKeystore::store_tries(const TryCount& tries) {
    Writer out;
    out.u32(tries.wrong).u64(tries.at);
    return write_in_place(directory_ / "tries", out.view());
}

Result<void> FileKeystore::write_in_place(const std::filesystem::path& file, ByteView bytes) {
    if (auto made = make_directory(directory_); !made) return made;
    const bool is_new = access(file.c_str(), F_OK) != 0;
    const Descriptor fd(open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd.get() < 0 || !write_all(fd.get(), bytes) || fsync(fd.get()) != 0) return unwritable();
    return is_new ? sync_directory(directory_) : Result<void>();
}

Result<TryCount> FileKeystore::load_tries() {
    ByteArray<kTryBytes> bytes{};
    auto got = read_file(directory_ / "tries", bytes);
    if (!got && got.error().code == Errc::not_found) return TryCount{};
    if (!got) return pass(got);
    Reader in(bytes);
    const auto wrong = in.u32();
    return TryCount{wrong, in.u64()};
}

// In place too: a rename would leave earlier copies of the share about.
Result<void> FileKeystore::store_lease(const Secret<Lease::kBytes>& lease) {
    return write_in_place(directory_ / "lease", lease.view());
}

Result<Secret<Lease::kBytes>> FileKeystore::load_lease() {
    Secret<Lease::kBytes> out;
    if (auto got = read_file(directory_ / "lease", out.edit()); !got) return pass(got);
    return out;
}

Result<void> FileKeystore::erase_lease() { return erase_file(directory_ / "lease"); }

std::string_view FileKeystore::protection() const {
    return "this device has no hardware keystore: its half of the key is a file beside the container, so against "
           "someone who copies the disk the passphrase alone protects";
}

Millis delay_after(std::uint32_t wrong) {
    constexpr std::uint32_t kFree = 2;
    if (wrong <= kFree) return 0;
    const auto doublings = std::min<std::uint32_t>(wrong - kFree - 1, 16);
    return std::min<Millis>((5 * kSecond) << doublings, kHour);
}

Millis wait_left(const TryCount& tries, Millis boot) {
    const auto delay = delay_after(tries.wrong);
    const auto elapsed = boot >= tries.at ? boot - tries.at : boot;  // an earlier boot: what passed since this one
    return elapsed >= delay ? 0 : delay - elapsed;
}

}  // namespace nimes::agent::container
