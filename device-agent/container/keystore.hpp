// The handset's own half of the container's key (K_hw), the count of wrong passphrases, and, where policy allows a
// restart without network, the leased share: what a copy of the database file must not contain.
//
// A hardware keystore implements this interface. FileKeystore is for devices that have none, the command line among
// them: files of mode 0600 in a directory of mode 0700. It protects nothing against a copy of the whole disk; there
// the passphrase alone stands between a thief and the content, and protection() says so to whoever asks.
// Threads: one. Errors: Errc::storage; Errc::not_found for a half that is not there.
#pragma once

#include <filesystem>

#include "container/lease.hpp"
#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::container {

// Wrong passphrases in a row. `at` is the boot clock at the last of them.
struct TryCount {
    std::uint32_t wrong = 0;
    Millis at = 0;
};

class Keystore {
  public:
    virtual ~Keystore() = default;

    // Two places, so that a new half can be stored before the old one goes. place: 0 or 1. Durable when they return.
    virtual Result<void> store(unsigned place, const Secret<32>& half) = 0;
    virtual Result<Secret<32>> load(unsigned place) = 0;
    virtual Result<void> erase(unsigned place) = 0;  // nothing there is no error

    // Zero when never stored. Durable when it returns: it is counted before the try.
    virtual Result<void> store_tries(const TryCount& tries) = 0;
    virtual Result<TryCount> load_tries() = 0;

    // Lease::encode(). Durable when they return.
    virtual Result<void> store_lease(const Secret<Lease::kBytes>& lease) = 0;
    virtual Result<Secret<Lease::kBytes>> load_lease() = 0;
    virtual Result<void> erase_lease() = 0;  // nothing there is no error

    // One sentence for people: what this keystore protects against.
    [[nodiscard]] virtual std::string_view protection() const = 0;
};

class FileKeystore final : public Keystore {
  public:
    // Makes the directory when first needed.
    explicit FileKeystore(std::filesystem::path directory) : directory_(std::move(directory)) {}

    Result<void> store(unsigned place, const Secret<32>& half) override;
    Result<Secret<32>> load(unsigned place) override;
    Result<void> erase(unsigned place) override;
    Result<void> store_tries(const TryCount& tries) override;
    Result<TryCount> load_tries() override;
    Result<void> store_lease(const Secret<Lease::kBytes>& lease) override;
    Result<Secret<Lease::kBytes>> load_lease() override;
    Result<void> erase_lease() override;
    [[nodiscard]] std::string_view protection() const override;

  private:
    [[nodiscard]] std::filesystem::path half_file(unsigned place) const;
    Result<void> write(const std::filesystem::path& file, ByteView bytes);
    Result<void> write_in_place(const std::filesystem::path& file, ByteView bytes);
    Result<void> erase_file(const std::filesystem::path& file);

    std::filesystem::path directory_;
};

// So many wrong passphrases in a row end the home.
inline constexpr std::uint32_t kMostWrong = 10;
// How long to wait after `wrong` wrong tries: nothing after two, 5 s after the third, then twice as long each, at most
// an hour.
Millis delay_after(std::uint32_t wrong);
// What is left of it at `boot` (time since boot, counting sleep). A reboot starts the wait anew: the wall clock, which
// a thief can turn, has no say.
Millis wait_left(const TryCount& tries, Millis boot);

}  // namespace nimes::agent::container
