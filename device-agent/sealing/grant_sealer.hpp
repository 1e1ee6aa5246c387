// Message, step 1, compose, first half: a chain, and the grant that hands it to devices (FORMATS.md 2.6).
//
// The start of a chain is sealed once under a fresh key DK; DK alone is sealed to each device. A grant made later hands
// out the chain from its present index on: a joiner cannot open what came before.
// Pure; thread safe. Errors: Errc::too_large for more than 46,000 recipients.
#pragma once

#include "nimes/seal_key.hpp"
#include "sealing/chain.hpp"

namespace nimes::agent::sealing {

// Limits by how many devices the conversation has when the chain is opened (FORMATS.md 2.8).
std::uint32_t max_index_for(std::size_t devices);
Millis chain_life_for(std::size_t devices);

struct ChainStart {
    ConversationId conversation;
    DeviceId device;
    std::uint32_t last_chain_no = 0;  // of this device here; 0: none
    std::uint64_t conv_epoch = 0;
    std::size_t devices = 0;
    Digest prev_digest;
    std::uint32_t prev_count = 0;
    bool resend = false;
};
SendingChain open_chain(const ChainStart& start, Millis now, RandomSource& random);

// What the grant's signature binds beside the chain.
struct GrantBinding {
    UserId user;
    DeviceId device;
    std::uint64_t conv_epoch = 0;
    Digest conv_state;
    std::uint64_t dir_revision = 0;
    Digest dir_head;
};

struct GrantRecipient {
    std::uint32_t dev_no = 0;
    std::uint32_t key_id = 0;
    SealPublicKey key;
};

// Uploads of at most 700 wraps each. Above 1,000 recipients the wraps are made by as many threads as there are cores.
Result<std::vector<Bytes>> seal_grant(const SendingChain& chain, const GrantBinding& binding,
                                      const SigningKey& identity, std::span<const GrantRecipient> recipients,
                                      RandomSource& random);

}  // namespace nimes::agent::sealing
