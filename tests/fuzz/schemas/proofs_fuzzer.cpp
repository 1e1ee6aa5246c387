// Verifiers that see bytes of a hostile directory: they may only say no. Keys are fixed; the input is what a server
// sends.
#include <cstdlib>

#include "nimes/entry.hpp"
#include "nimes/mirror.hpp"
#include "nimes/opaque.hpp"

using namespace nimes;

namespace {

std::vector<Digest> digests(Reader& in) {
    std::vector<Digest> out;
    const auto n = in.u8();
    for (std::size_t i = 0; i < n && in.left() >= Digest::size; ++i) out.push_back(in.id<Digest>());
    return out;
}

SigningKeyPair key(std::uint8_t seed) {
    ByteArray<32> bytes{};
    bytes.fill(seed);
    return signing_key_from_seed(bytes);
}

const OrgKeys& pinned() {
    static const OrgKeys keys{org_id("polizei-test"), key(1).public_key, key(2).public_key, {key(3).public_key}};
    return keys;
}

void entry(Reader& in) {
    const auto user = in.id<UserId>();
    std::vector<Bytes> records;
    while (in.left() > 2 && records.size() < 200) {
        const auto n = in.u16();
        records.push_back(to_bytes(in.take(std::min<std::size_t>(n, in.left()))));
    }
    if (const auto e = parse_entry(user, records, pinned()); e && e->records() != records) std::abort();
}

void logs(Reader& in) {
    const auto index = in.u64(), size = in.u64();
    const auto a = in.id<Digest>(), b = in.id<Digest>();
    const auto proof = digests(in);
    (void)verify_inclusion(a, index, size, proof, b);
    (void)verify_consistency(index, size, proof, a, b);
}

void maps(Reader& in) {
    const auto root = in.id<Digest>();
    const auto user = in.id<UserId>();
    const auto rest = in.take(in.left());
    if (const auto path = parse_path(rest))
        if (verify_presence(user_leaf(user, {}), *path, root) && path->other) std::abort();
    if (const auto path = parse_absence(rest)) (void)verify_absence(user.bytes, *path, root);
}

void heads(Reader& in) {
    const auto held = DirectoryHead::parse(in.take(DirectoryHead::kBytes));
    const auto newer = DirectoryHead::parse(in.take(DirectoryHead::kBytes));
    if (!held || !newer) return;
    const HeadProof proof{digests(in), digests(in)};
    (void)check_advance(*held, *newer, proof, pinned().directory, pinned().org, 1'780'000'000'000).has_value();
    (void)check_old_head(*held, *newer, proof.inclusion, pinned().directory, pinned().org).has_value();
}

void sealed(Reader& in) {
    const auto rest = in.take(in.left());
    (void)open_person(pinned().ea, pinned().org, rest).has_value();
    (void)open_policy(pinned().administrators, pinned().org, rest).has_value();
    (void)MirrorPart::open(rest, pinned().directory, pinned().org, "edge-1").has_value();
    if (const auto file = ProvisioningFile::parse(rest)) (void)file->sealed_by(pinned().administrators, pinned().org);
}

constexpr void (*kVerifiers[])(Reader&) = {entry, logs, maps, heads, sealed};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bool ready = crypto_init();
    if (!ready || size == 0) return 0;
    Reader in({data + 1, size - 1});
    kVerifiers[data[0] % std::size(kVerifiers)](in);
    return 0;
}
