// The strings that a message's AEAD and signature bind (FORMATS.md 2.7), alike for sealer and opener. Pure.
#pragma once

#include "nimes/label.hpp"
#include "sealing/chain.hpp"

namespace nimes::agent::sealing {

// conv16 ‖ user16 ‖ dev16 ‖ header32
inline Bytes about_message(const ConversationId& conversation, const UserId& user, const DeviceId& device,
                           ByteView header32) {
    return std::move(Writer().id(conversation).id(user).id(device).bytes(header32)).take();
}
inline Bytes message_aad(ByteView about) {
    return std::move(Writer().bytes(label16(label::kMessageAad)).bytes(about)).take();
}
// A restored image derives the same nonce again; the guard keeps two texts from meeting under it.
inline ByteArray<24> guarded_nonce(const MessageKeys& keys, const MessageHeader& header) {
    ByteArray<24> out{};
    std::copy_n(keys.nonce.data(), out.size(), out.begin());
    for (std::size_t i = 0; i < header.guard.size(); ++i) out[16 + i] ^= header.guard[i];
    return out;
}
inline Signature sign_message(const SigningKey& chain_key, ByteView about, const MessageKeys& keys,
                              ByteView ciphertext) {
    const auto digest = hash(label::kMessageCiphertext, {ciphertext});
    return sign(chain_key, label::kMessageSig, {about, keys.commitment.view(), digest.view()});
}
[[nodiscard]] inline bool verify_message(const PublicKey& chain_key, const Signature& signature, ByteView about,
                                         const MessageKeys& keys, ByteView ciphertext) {
    const auto digest = hash(label::kMessageCiphertext, {ciphertext});
    return verify(chain_key, signature, label::kMessageSig, {about, keys.commitment.view(), digest.view()});
}

}  // namespace nimes::agent::sealing
