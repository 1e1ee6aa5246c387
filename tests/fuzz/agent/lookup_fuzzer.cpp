// What a hostile directory answers an agent: without the organisation's signatures neither head nor entry moves.
#include <cstdlib>

#include "directory/held_directory.hpp"

using namespace nimes;
using namespace nimes::agent::directory;

namespace {

SigningKeyPair key(std::uint8_t seed) {
    ByteArray<32> bytes{};
    bytes.fill(seed);
    return signing_key_from_seed(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (!crypto_init()) return 0;
    static const OrgKeys keys{org_id("polizei-test"), key(1).public_key, key(2).public_key, {key(3).public_key}};
    static const DirectoryHead start = [] {
        DirectoryHead head;
        head.revision = 1;
        head.ts = 1'780'000'000'000;
        head.map_root = PrefixMap().root();
        head.log_root = merkle_root({});
        return sign_head(head, key(2).secret, keys.org);
    }();
    v1::LookupAnswer answer;
    if (!answer.ParseFromArray(data, static_cast<int>(size))) return 0;
    const Key secret;
    HeldDirectory held(keys, secret.view(), start);
    (void)held.take_head(answer.head(), start.ts);
    if (held.head() != start) std::abort();
    for (const auto& entry : answer.entries()) {
        const auto user = UserId::from(as_bytes(entry.user()));
        if (held.take_user(entry, user, start.ts)) std::abort();
        if (held.take_address(entry, Digest::from(as_bytes(entry.address_hash())), start.ts)) std::abort();
    }
    if (!held.entries().empty()) std::abort();
    (void)held.restore_entry({data, size});
    return 0;
}
