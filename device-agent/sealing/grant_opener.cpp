#include "sealing/grant_opener.hpp"

#include <algorithm>

#include "nimes/label.hpp"
#include "sealing/seal_keys.hpp"

namespace nimes::agent::sealing {
namespace {

constexpr std::string_view kWrapMagic = "NMw1";
constexpr std::uint32_t kMostIndex = 1'023;
constexpr Millis kSlack = 10 * kMinute;
constexpr std::size_t kLargeRoster = 142;
constexpr Millis kYear2020 = Millis{1'577'836'800} * kSecond;
constexpr std::uint32_t kChainNoSlack = 1'000;

const Member* member_of(const Roster& roster, const UserId& user) {
    const auto at = std::find_if(roster.begin(), roster.end(), [&](const Member& m) { return m.user == user; });
    return at == roster.end() ? nullptr : &*at;
}
bool may_post(const Roster& roster, const UserId& user) {
    const auto* member = member_of(roster, user);
    return member != nullptr && member->role != MemberRole::reader;
}

Verdict drop(std::string_view rule) { return {Outcome::dropped, rule}; }
Verdict hold(std::string_view rule) { return {Outcome::held, rule}; }

bool sane_times(const ChainBody& b, const GrantFacts& facts, Millis now) {
    const auto limit = facts.roster_at_epoch->size() > kLargeRoster ? 7 * kDay : kDay;
    const auto since_2020 = b.created > kYear2020 ? (b.created - kYear2020) / kSecond : 0;
    return b.created <= now + kSlack && b.expires >= b.created && b.expires - b.created <= limit &&
           now < b.expires + facts.retention && b.chain_no <= since_2020 + kChainNoSlack &&
           b.first_index <= b.max_index && b.max_index <= kMostIndex;
}

// R7 for a chain that is held: the grant must be the same chain further on.
Verdict judge_forward(const ChainBody& b, const ReceivingChain& held) {
    if (b.first_index < held.index) return drop("R7");
    auto key = held.chain_key.copy();
    for (auto i = held.index; i < b.first_index; ++i) (void)step(key);
    const bool same = key.equals(b.chain_key.view()) && b.created == held.created && b.expires == held.expires &&
                      b.max_index == held.max_index;
    if (!same) return {Outcome::dropped, "R7", "a chain was granted in two forms"};
    return {Outcome::opened, {}};
}

}  // namespace

Result<OpenedGrant> open_grant(ByteView wire, const SealKeyFinder& find) {
    const auto upload = GrantUpload::parse(wire);
    if (!upload || upload->wraps.size() != 1) return fail(Errc::dropped, "R1: not one grant");
    const auto& wrap = upload->wraps[0];
    const auto* seal_key = find(wrap.key_id);
    if (seal_key == nullptr) return fail(Errc::dropped, "R1: no such seal key");
    Secret<36> plain;
    if (crypto_box_seal_open(plain.data(), wrap.sealed.data(), wrap.sealed.size(), seal_key->record.key.bytes.data(),
                             seal_key->secret.data()) != 0 ||
        as_text(plain.view().first(kWrapMagic.size())) != kWrapMagic)
        return fail(Errc::dropped, "R1: the box does not open");
    const Key dk(plain.view().subspan(kWrapMagic.size()));
    Key body_key, commitment;
    kdf(body_key.edit(), 1, label::kGrantContext, dk);
    kdf(commitment.edit(), 2, label::kGrantContext, dk);
    if (!commitment.equals(upload->header.dk_commit.view())) return fail(Errc::dropped, "R2");

    const auto header = upload->header.encode();
    Writer aad;
    aad.bytes(label16(label::kGrantAad)).bytes(ByteView(header).first(GrantHeader::kBound));
    auto opened = aead_open(body_key.view(), ByteArray<24>{}, upload->ciphertext, aad.view());
    if (!opened) return fail(Errc::dropped, "R3: the body does not open");
    const auto body_bytes = ByteView(*opened).first(ChainBody::kBytes);
    auto body = ChainBody::parse(body_bytes);
    OpenedGrant out{upload->header,
                    {},
                    Signature::from(ByteView(*opened).last(Signature::size)),
                    hash(label::kGrantBody, {body_bytes})};
    sodium_memzero(opened->data(), opened->size());
    if (!body) return fail(Errc::dropped, "R3: the body is malformed");
    out.body = std::move(*body);
    const auto& b = out.body;
    if (b.conversation != out.header.conversation || b.device != out.header.device || b.resend != out.header.resend ||
        chain_id(b.device, b.conversation, b.chain_no, b.chain_sig) != out.header.chain)
        return fail(Errc::dropped, "R3: header and body differ");
    return out;
}

Verdict judge_grant(const OpenedGrant& grant, const GrantFacts& f, Millis now) {
    const auto& b = grant.body;
    // R4
    if (!f.sender_entry_known) return hold("R4");
    if (f.sender == nullptr || f.sender->user != b.user) return drop("R4");
    const auto header = grant.header.encode();
    if (!verify(f.sender->identity, grant.signature, label::kGrantSig,
                {ByteView(header).first(GrantHeader::kBound), grant.body_hash.view()}))
        return drop("R4");
    bool withhold = false;
    if (f.sender_revoke != nullptr)
        withhold = f.sender_revoke->reason != RevokeReason::replaced || b.created >= f.sender_revoke->effective;
    else if (now < f.sender->not_before || now >= f.sender->not_after) return drop("R4");
    // R5
    if (!f.state_at_epoch || f.roster_at_epoch == nullptr || f.roster_now == nullptr) return hold("R5");
    if (*f.state_at_epoch != b.conv_state || f.closed_at_epoch) return drop("R5");
    if (!may_post(*f.roster_at_epoch, b.user) || !may_post(*f.roster_now, b.user) ||
        member_of(*f.roster_at_epoch, f.own_user) == nullptr)
        return drop("R5");
    // R6
    if (f.head == GrantFacts::Head::unknown) return hold("R6");
    if (f.head == GrantFacts::Head::failed) return {Outcome::dropped, "R6", "a grant names an unproven head"};
    if (f.head_ts + kDay + kSlack < b.created) return drop("R6");
    // R8 before R7: it bounds the ratchet.
    if (!sane_times(b, f, now)) return drop("R8");
    // R7
    if (f.held != nullptr) {
        const auto forward = judge_forward(b, *f.held);
        if (forward.outcome != Outcome::opened) return forward;
    } else if (b.chain_no <= f.highest_chain_no) {
        return drop("R7");
    }
    return {withhold ? Outcome::withheld : Outcome::opened, withhold ? "R4" : ""};
}

ReceivingChain accept_grant(const OpenedGrant& grant, const GrantFacts& facts, bool withhold) {
    const auto& b = grant.body;
    ReceivingChain out;
    if (facts.held != nullptr) {
        out = facts.held->copy();
        while (out.index < b.first_index) {
            const auto i = out.index++;
            out.skipped.emplace(i, step(out.chain_key));
        }
        return out;
    }
    out.conversation = b.conversation;
    out.user = b.user;
    out.device = b.device;
    out.chain_no = b.chain_no;
    out.id = grant.header.chain;
    out.signing = b.chain_sig;
    out.chain_key = b.chain_key.copy();
    out.index = b.first_index;
    out.max_index = b.max_index;
    out.created = b.created;
    out.expires = b.expires;
    out.conv_epoch = b.conv_epoch;
    out.resend = b.resend;
    out.withhold = withhold;
    return out;
}

}  // namespace nimes::agent::sealing
