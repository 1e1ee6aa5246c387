// The two ends of a chain: what its owner seals with, and what a receiver opens with (FORMATS.md 2.7).
//
// Values; a step is made on a copy and stored when all of it succeeded. encode() holds secrets: the caller wipes it.
// Pure. Threads: values. Errors: Errc::malformed by parse.
#pragma once

#include <map>
#include <set>

#include "nimes/grant.hpp"
#include "nimes/message.hpp"

namespace nimes::agent::sealing {

// What one index of a chain gives.
struct MessageKeys {
    Key key;
    Secret<24> nonce;
    Key commitment;  // KC

    [[nodiscard]] MessageKeys copy() const { return {key.copy(), nonce.copy(), commitment.copy()}; }
};

// Keys of the index at which `chain_key` stands; moves it to the next one.
MessageKeys step(Key& chain_key);

struct SendingChain {
    ConversationId conversation;
    std::uint32_t chain_no = 0;
    ChainId id;
    SigningKeyPair signing;
    Key chain_key;            // of `index`
    std::uint32_t index = 0;  // of the next message
    std::uint32_t max_index = 0;
    Millis created = 0;
    Millis expires = 0;
    std::uint64_t conv_epoch = 0;  // when it was opened
    Digest last_message;           // of this chain; zero: none yet
    Digest prev_digest;            // last message of the chain before, and how many that had
    std::uint32_t prev_count = 0;
    bool resend = false;  // of one recipient, for what it could not open
    std::set<DeviceId> granted;

    [[nodiscard]] Bytes encode() const;
    static Result<SendingChain> parse(ByteView bytes);
};

struct ReceivingChain {
    ConversationId conversation;
    UserId user;
    DeviceId device;
    std::uint32_t chain_no = 0;
    ChainId id;
    PublicKey signing;
    Key chain_key;            // of `index`
    std::uint32_t index = 0;  // next in order
    std::uint32_t max_index = 0;
    Millis created = 0;
    Millis expires = 0;
    std::uint64_t conv_epoch = 0;
    bool resend = false;
    bool withhold = false;  // of a revoked device: opened to nobody
    std::map<std::uint32_t, MessageKeys> skipped;

    [[nodiscard]] ReceivingChain copy() const;
    [[nodiscard]] Bytes encode() const;
    static Result<ReceivingChain> parse(ByteView bytes);
};

}  // namespace nimes::agent::sealing
