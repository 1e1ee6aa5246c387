#include "sealing/message_sealer.hpp"

#include "sealing/message_parts.hpp"

namespace nimes::agent::sealing {

Result<Bytes> seal_message(SendingChain& chain, const UserId& user, const DeviceId& device, const Content& content,
                           RandomSource& random) {
    if (chain.index > chain.max_index) return fail(Errc::internal, "the chain is at its end");
    auto plain = content.encode();
    if (!plain) return pass(plain);

    MessageHeader header;
    header.chain = chain.id;
    header.index = chain.index;
    random.fill(header.guard);
    const auto header_bytes = header.encode();
    const auto keys = step(chain.chain_key);
    const auto about = about_message(chain.conversation, user, device, header_bytes);
    const auto ciphertext = aead_seal(keys.key.view(), guarded_nonce(keys, header), *plain, message_aad(about));
    sodium_memzero(plain->data(), plain->size());
    const auto signature = sign_message(chain.signing.secret, about, keys, ciphertext);

    Writer wire;
    wire.bytes(header_bytes).bytes(ciphertext).id(signature);
    ++chain.index;
    chain.last_message = message_digest(wire.view());
    return std::move(wire).take();
}

}  // namespace nimes::agent::sealing
