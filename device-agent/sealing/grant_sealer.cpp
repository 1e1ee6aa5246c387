#include "sealing/grant_sealer.hpp"

#include <algorithm>
#include <thread>

#include "nimes/label.hpp"

namespace nimes::agent::sealing {
namespace {

constexpr std::size_t kMaxRecipients = 46'000;
constexpr std::string_view kWrapMagic = "NMw1";
constexpr std::size_t kAlone = 1'000;  // up to here one thread is done before another has begun

ChainBody body_of(const SendingChain& chain, const GrantBinding& binding) {
    ChainBody b;
    b.resend = chain.resend;
    b.conversation = chain.conversation;
    b.conv_epoch = binding.conv_epoch;
    b.conv_state = binding.conv_state;
    b.user = binding.user;
    b.device = binding.device;
    b.chain_no = chain.chain_no;
    b.first_index = chain.index;
    b.created = chain.created;
    b.expires = chain.expires;
    b.max_index = chain.max_index;
    b.dir_revision = binding.dir_revision;
    b.dir_head = binding.dir_head;
    b.chain_key = chain.chain_key.copy();
    b.chain_sig = chain.signing.public_key;
    b.prev_chain_digest = chain.prev_digest;
    b.prev_chain_count = chain.prev_count;
    return b;
}

Wrap wrap_for(const GrantRecipient& to, const Key& dk) {
    Secret<36> plain;
    std::copy(kWrapMagic.begin(), kWrapMagic.end(), plain.data());
    std::copy_n(dk.data(), Key::size, plain.data() + kWrapMagic.size());
    Wrap out{to.dev_no, to.key_id, {}};
    (void)crypto_box_seal(out.sealed.data(), plain.data(), plain.size, to.key.bytes.data());
    return out;
}

std::vector<Wrap> wrap_for_all(std::span<const GrantRecipient> recipients, const Key& dk) {
    std::vector<Wrap> out(recipients.size());
    const std::size_t cores = recipients.size() > kAlone ? std::max(1u, std::thread::hardware_concurrency()) : 1;
    const auto some = [&](std::size_t first) {
        for (auto i = first; i < out.size(); i += cores) out[i] = wrap_for(recipients[i], dk);
    };
    std::vector<std::jthread> helpers;
    for (std::size_t core = 1; core < cores; ++core) helpers.emplace_back(some, core);
    some(0);
    helpers.clear();  // joins
    return out;
}

}  // namespace

std::uint32_t max_index_for(std::size_t devices) { return devices <= 50 ? 127 : devices <= 1'000 ? 511 : 1'023; }
Millis chain_life_for(std::size_t devices) { return devices <= 1'000 ? kDay : 7 * kDay; }

SendingChain open_chain(const ChainStart& start, Millis now, RandomSource& random) {
    SendingChain out;
    out.conversation = start.conversation;
    out.resend = start.resend;
    out.chain_no = next_chain_no(start.last_chain_no, now);
    Key seed;
    random.fill(seed.edit());
    out.signing = signing_key_from_seed(seed.view());
    out.id = chain_id(start.device, start.conversation, out.chain_no, out.signing.public_key);
    random.fill(out.chain_key.edit());
    out.max_index = max_index_for(start.devices);
    out.created = now;
    out.expires = now + chain_life_for(start.devices);
    out.conv_epoch = start.conv_epoch;
    out.prev_digest = start.prev_digest;
    out.prev_count = start.prev_count;
    return out;
}

Result<std::vector<Bytes>> seal_grant(const SendingChain& chain, const GrantBinding& binding,
                                      const SigningKey& identity, std::span<const GrantRecipient> recipients,
                                      RandomSource& random) {
    if (recipients.size() > kMaxRecipients) return fail(Errc::too_large, "more than 46,000 devices");
    Key dk, body_key, commitment;
    random.fill(dk.edit());
    kdf(body_key.edit(), 1, label::kGrantContext, dk);
    kdf(commitment.edit(), 2, label::kGrantContext, dk);

    GrantHeader header;
    header.resend = chain.resend;
    header.conversation = chain.conversation;
    header.device = binding.device;
    header.chain = chain.id;
    header.dk_commit = Digest::from(commitment.view());
    const auto bound = to_bytes(ByteView(header.encode()).first(GrantHeader::kBound));

    auto plain = body_of(chain, binding).encode();
    const auto body_hash = hash(label::kGrantBody, {plain});
    const auto signature = sign(identity, label::kGrantSig, {bound, body_hash.view()});
    plain.reserve(plain.size() + Signature::size);  // no second copy of the chain key
    plain.insert(plain.end(), signature.bytes.begin(), signature.bytes.end());
    Writer aad;
    aad.bytes(label16(label::kGrantAad)).bytes(bound);
    const auto ciphertext = aead_seal(body_key.view(), ByteArray<24>{}, plain, aad.view());
    sodium_memzero(plain.data(), plain.size());

    const auto wraps = wrap_for_all(recipients, dk);
    std::vector<Bytes> out;
    for (std::size_t at = 0; at < wraps.size(); at += kMaxWraps) {
        const auto some = std::span(wraps).subspan(at, std::min(kMaxWraps, wraps.size() - at));
        header.n_wraps = static_cast<std::uint32_t>(some.size());
        out.push_back(encode_grant(header, ciphertext, some));
    }
    return out;
}

}  // namespace nimes::agent::sealing
