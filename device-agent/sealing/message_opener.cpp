#include "sealing/message_opener.hpp"

#include "sealing/message_parts.hpp"

namespace nimes::agent::sealing {
namespace {

// Takes the index's keys out of the chain; what is passed over is kept for later.
std::optional<MessageKeys> take_keys(ReceivingChain& chain, std::uint32_t index) {
    if (const auto at = chain.skipped.find(index); at != chain.skipped.end()) {
        auto keys = std::move(at->second);
        chain.skipped.erase(at);
        return keys;
    }
    if (index < chain.index || index > chain.max_index) return std::nullopt;
    while (chain.index < index) {
        const auto i = chain.index++;
        chain.skipped.emplace(i, step(chain.chain_key));
    }
    ++chain.index;
    return step(chain.chain_key);
}

}  // namespace

bool lies_before(const ReceivingChain& chain, std::uint32_t index) {
    return index < chain.index && !chain.skipped.contains(index);
}

Result<OpenedMessage> open_message(const ReceivingChain& chain, ByteView bytes) {
    const auto wire = WireMessage::parse(bytes);
    if (!wire || wire->header.chain != chain.id) return fail(Errc::dropped, "not a message of this chain");
    OpenedMessage out{chain.copy(), {}, message_digest(bytes), wire->header.index};
    const auto keys = take_keys(out.chain, wire->header.index);
    if (!keys) return fail(Errc::dropped, "an index that was used, or is none");
    const auto about = about_message(chain.conversation, chain.user, chain.device, wire->header_bytes);
    if (!verify_message(chain.signing, wire->signature, about, *keys, wire->ciphertext))
        return fail(Errc::dropped, "the signature fails");
    auto plain = aead_open(keys->key.view(), guarded_nonce(*keys, wire->header), wire->ciphertext, message_aad(about));
    if (!plain) return fail(Errc::dropped, "the ciphertext fails");
    auto content = Content::parse(*plain);
    sodium_memzero(plain->data(), plain->size());
    if (content && content->resent == chain.resend) out.content = std::move(*content);
    return out;
}

}  // namespace nimes::agent::sealing
