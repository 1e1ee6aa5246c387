#include "directory/org_keys.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "nimes/encoding.hpp"

namespace nimes::gateway::directory {
namespace {

using Path = std::filesystem::path;
constexpr std::size_t kSeed = 32;

Result<void> write_new(const Path& path, ByteView bytes, mode_t mode) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return fail(errno == EEXIST ? Errc::exists : Errc::storage, "cannot create " + path.filename().string());
    const bool written =
        ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && ::fsync(fd) == 0;
    ::close(fd);
    // Its name, too: what is sealed under a key must not outlive a power cut that the key does not.
    const int folder = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool named = folder >= 0 && ::fsync(folder) == 0;
    if (folder >= 0) ::close(folder);
    if (!written || !named) return fail(Errc::storage, "cannot write " + path.filename().string());
    return {};
}

Result<Key> read_secret(const Path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(Errc::bad_config, "cannot read " + path.string() + "; `nimes-gateway init` makes it");
    struct stat facts {};
    Key out;
    std::array<std::uint8_t, kSeed + 1> bytes{};
    const bool told = ::fstat(fd, &facts) == 0;
    const auto n = ::read(fd, bytes.data(), bytes.size());
    ::close(fd);
    if (told && (facts.st_mode & 077) != 0)
        return fail(Errc::forbidden, path.string() + " may be read by others: chmod 600");
    if (n != static_cast<ssize_t>(kSeed)) return fail(Errc::bad_config, path.string() + " does not hold 32 bytes");
    std::memcpy(out.data(), bytes.data(), kSeed);
    sodium_memzero(bytes.data(), bytes.size());
    return out;
}

// nullopt: there is no such file.
Result<std::optional<Key>> read_secret_if_there(const Path& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error) && !error) return std::optional<Key>();
    auto read = read_secret(path);
    if (!read) return pass(read);
    return std::optional(std::move(*read));
}

Result<SigningKeyPair> make_pair(const Path& folder, const std::string& name, RandomSource& random) {
    Key seed;
    random.fill(seed.edit());
    auto pair = signing_key_from_seed(seed.view());
    if (auto ok = write_new(folder / (name + ".key"), seed.view(), 0600); !ok) return pass(ok);
    const auto hex = to_hex(pair.public_key.view()) + "\n";
    if (auto ok = write_new(folder / (name + ".pub"), as_bytes(hex), 0644); !ok) return pass(ok);
    return pair;
}

Result<SigningKeyPair> read_pair(const Path& folder, const std::string& name) {
    const auto seed = read_secret(folder / (name + ".key"));
    if (!seed) return fail(seed.error().code, seed.error().detail);
    return signing_key_from_seed(seed->view());
}

}  // namespace

OrgKeys OrgSecrets::public_keys() const {
    return {org, ea.public_key, directory.public_key, {administrator.public_key}};
}

Result<OrgSecrets> create_org_keys(const Path& folder, const std::string& organisation, RandomSource& random) {
    if (organisation.empty()) return fail(Errc::bad_config, "an organisation needs an id");
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail(Errc::storage, "cannot make " + folder.string());
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
    OrgSecrets out;
    out.organisation = organisation;
    out.org = org_id(organisation);
    for (const auto& [name, pair] :
         {std::pair{"ea", &out.ea}, std::pair{"directory", &out.directory},
          std::pair{"administrator", &out.administrator}, std::pair{"gateway", &out.gateway}}) {
        auto made = make_pair(folder, name, random);
        if (!made) return pass(made);
        *pair = std::move(*made);
    }
    random.fill(out.address_secret.edit());
    if (auto ok = write_new(folder / "address.secret", out.address_secret.view(), 0600); !ok) return pass(ok);
    auto share_key = create_share_key(folder, random);
    if (!share_key) return pass(share_key);
    out.share_key = std::move(*share_key);
    return out;
}

Result<Key> create_share_key(const Path& folder, RandomSource& random) {
    Key out;
    random.fill(out.edit());
    if (auto ok = write_new(folder / "shares.key", out.view(), 0600); !ok) return pass(ok);
    return out;
}

Result<OrgSecrets> load_org_keys(const Path& folder, const std::string& organisation) {
    OrgSecrets out;
    out.organisation = organisation;
    out.org = org_id(organisation);
    for (const auto& [name, pair] :
         {std::pair{"ea", &out.ea}, std::pair{"directory", &out.directory},
          std::pair{"administrator", &out.administrator}, std::pair{"gateway", &out.gateway}}) {
        auto read = read_pair(folder, name);
        if (!read) return pass(read);
        *pair = std::move(*read);
    }
    auto secret = read_secret(folder / "address.secret");
    if (!secret) return pass(secret);
    out.address_secret = std::move(*secret);
    for (const auto& [name, key] :
         {std::pair{"shares.key", &out.share_key}, std::pair{"shares-old.key", &out.retired_share_key}}) {
        auto read = read_secret_if_there(folder / name);
        if (!read) return pass(read);
        *key = std::move(*read);
    }
    return out;
}

}  // namespace nimes::gateway::directory
