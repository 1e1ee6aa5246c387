#include "container/wipe.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nimes::agent::container {
namespace {

std::filesystem::path mark_of(const std::filesystem::path& home) { return home / "wiping"; }

bool sync_folder(const std::filesystem::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return synced;
}

}  // namespace

bool wipe_begun(const std::filesystem::path& home) {
    struct stat is {};
    return lstat(mark_of(home).c_str(), &is) == 0;
}

void mark_wipe(const std::filesystem::path& home) {
    const int fd = ::open(mark_of(home).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return;
    (void)fsync(fd);
    close(fd);
    (void)sync_folder(home);
}

bool erase_keys(Keystore& keystore) {
    bool all = true;
    for (const unsigned place : {0U, 1U}) all = keystore.erase(place).has_value() && all;
    return keystore.erase_lease().has_value() && all;
}

bool remove_files(const std::filesystem::path& home, Keystore& keystore, bool keys_erased) {
    bool all = true;
    for (const auto* name : {"container.db", "container.new"})
        for (const auto* tail : {"", "-wal", "-shm", "-journal"}) {
            std::error_code failed;
            std::filesystem::remove(home / (std::string(name) + tail), failed);
            all = all && !failed;
        }
    for (const auto* name : {"media", "ca.pem", "flight", "policy", "policy.part"}) {
        std::error_code failed;
        std::filesystem::remove_all(home / name, failed);
        all = all && !failed;
    }
    all = keystore.store_tries({}).has_value() && all;
    if (!all || !sync_folder(home)) return false;
    if (!keys_erased) return true;  // the next start tries again
    std::error_code failed;
    std::filesystem::remove(mark_of(home), failed);
    return !failed && sync_folder(home);
}

void finish_wipe(const std::filesystem::path& home, Keystore& keystore) {
    if (wipe_begun(home) && erase_keys(keystore)) (void)remove_files(home, keystore, true);
}

}  // namespace nimes::agent::container
