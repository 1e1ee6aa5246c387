// Every label, magic and KDF context of NM1 in one place (FORMATS.md, "Labels"): each label for one purpose only.
#pragma once

#include <string_view>

namespace nimes::label {

#define NIMES_LABEL(name, text)                   \
    inline constexpr std::string_view name(text); \
    static_assert(name.size() <= 16)

NIMES_LABEL(kDeviceId, "NM1/devid");
NIMES_LABEL(kKeyId, "NM1/keyid");
NIMES_LABEL(kAddress, "NM1/address");
NIMES_LABEL(kCertSelf, "NM1/devcert-self");
NIMES_LABEL(kCertEa, "NM1/devcert-ea");
NIMES_LABEL(kCertVoucher, "NM1/devcert-vch");
NIMES_LABEL(kRevoke, "NM1/devrevoke");
NIMES_LABEL(kSealKey, "NM1/sealkey");
NIMES_LABEL(kPairId, "NM1/conv11");
NIMES_LABEL(kPairState, "NM1/conv11st");
NIMES_LABEL(kConversationId, "NM1/convid");
NIMES_LABEL(kConversationEvent, "NM1/convevent");
NIMES_LABEL(kConversationState, "NM1/convstate");
NIMES_LABEL(kConversationFork, "NM1/convfork");
NIMES_LABEL(kRoster, "NM1/roster");
NIMES_LABEL(kChainId, "NM1/chainid");
NIMES_LABEL(kGrantSig, "NM1/grant-sig");
NIMES_LABEL(kGrantBody, "NM1/grant-body");
NIMES_LABEL(kGrantAad, "NM1/grant-aad");
NIMES_LABEL(kMessageAad, "NM1/msg-aad");
NIMES_LABEL(kMessageSig, "NM1/msg-sig");
NIMES_LABEL(kMessageCiphertext, "NM1/msg-ct");
NIMES_LABEL(kMessageDigest, "NM1/msgdig");
NIMES_LABEL(kKeyRequest, "NM1/keyreq");
NIMES_LABEL(kHistoryOffer, "NM1/histoffer");
NIMES_LABEL(kHistoryCode, "NM1/histcode");
NIMES_LABEL(kBlob, "NM1/blob");
NIMES_LABEL(kUserLeaf, "NM1/userleaf");
NIMES_LABEL(kAddressLeaf, "NM1/addrleaf");
NIMES_LABEL(kDirectoryHead, "NM1/dirhead");
NIMES_LABEL(kRoot, "NM1/root");
NIMES_LABEL(kDoor, "NM1/door");
NIMES_LABEL(kSlot, "NM1/slot");
NIMES_LABEL(kRecord, "NM1/rec");
NIMES_LABEL(kIndex, "NM1/idx");
NIMES_LABEL(kWipeAdmin, "NM1/wipe-adm");
NIMES_LABEL(kWipeGateway, "NM1/wipe-gw");
NIMES_LABEL(kWipeReceipt, "NM1/wipe-rcpt");
NIMES_LABEL(kProvision, "NM1/provision");
NIMES_LABEL(kPolicy, "NM1/policy");
NIMES_LABEL(kToken, "NM1/token");
NIMES_LABEL(kPerson, "NM1/person");
NIMES_LABEL(kAudience, "NM1/audience");
NIMES_LABEL(kOrganisation, "NM1/org");
NIMES_LABEL(kMirror, "NM1/mirror");
NIMES_LABEL(kSafety, "NM1/safety");
#undef NIMES_LABEL

// crypto_kdf contexts, 8 characters.
inline constexpr std::string_view kChainContext("NM1chain");
inline constexpr std::string_view kGrantContext("NM1grant");
inline constexpr std::string_view kStoreContext("NM1store");

}  // namespace nimes::label
