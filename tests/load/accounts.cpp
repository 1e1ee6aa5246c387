#include "accounts.hpp"

#include <sys/stat.h>

#include <fstream>
#include <iterator>

namespace nimes::load {
namespace {

constexpr std::string_view kMagic = "NMla";
constexpr std::uint32_t kMost = 1'000'000;

}  // namespace

Result<void> write_accounts(const std::filesystem::path& file, const std::vector<Account>& accounts) {
    Writer out;
    out.text(kMagic).u32(static_cast<std::uint32_t>(accounts.size()));
    for (const auto& a : accounts) {
        out.id(a.user).id(a.device).u32(a.dev_no).bytes(a.identity.secret.view().first(32));
        const auto key = a.seal_key.encode();
        out.u16(static_cast<std::uint16_t>(key.size())).bytes(key);
    }
    const auto mask = umask(0077);
    std::ofstream to(file, std::ios::binary | std::ios::trunc);
    umask(mask);
    const auto bytes = std::move(out).take();
    to.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!to.flush()) return fail(Errc::storage, "the accounts' file cannot be written");
    return {};
}

Result<std::vector<Account>> read_accounts(const std::filesystem::path& file) {
    std::ifstream from(file, std::ios::binary);
    const Bytes bytes{std::istreambuf_iterator<char>(from), std::istreambuf_iterator<char>()};
    Reader in(bytes);
    in.expect(kMagic);
    const auto n = in.u32();
    if (in.failed() || n > kMost)
        return fail(Errc::malformed, "not a file of accounts: make it by nimes-load-accounts");
    std::vector<Account> out;
    for (std::uint32_t i = 0; i < n && !in.failed(); ++i) {
        Account a;
        a.user = in.id<UserId>();
        a.device = in.id<DeviceId>();
        a.dev_no = in.u32();
        const auto seed = in.take(32);
        auto key = agent::sealing::OwnSealKey::parse(in.take(in.u16()));
        if (in.failed() || !key) return fail(Errc::malformed, "the accounts' file is damaged");
        a.identity = signing_key_from_seed(seed);
        a.seal_key = std::move(*key);
        out.push_back(std::move(a));
    }
    if (!in.done()) return fail(Errc::malformed, "the accounts' file is damaged");
    return out;
}

}  // namespace nimes::load
