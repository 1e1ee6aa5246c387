"""What attack_mutations.py takes out: row of FORMATS.md 2.14, and edits (file, exact text, replacement). A row may have
several: each is tried alone. LATER: rows that guard what this release does not have."""

SEALING = "device-agent/sealing/"
SCHEMAS = "schemas/src/"

LATER = {
}

MUTATIONS = [
    ("surreptitious forwarding", [
        (SEALING + "grant_opener.cpp", " ||\n        member_of(*f.roster_at_epoch, f.own_user) == nullptr)", ")")]),
    ("missing recipient binding", [
        (SEALING + "grant_opener.cpp", "*f.state_at_epoch != b.conv_state || ", "")]),
    ("no sender authentication in a sealed box", [
        (SEALING + "grant_opener.cpp",
         "{ByteView(header).first(GrantHeader::kBound), grant.body_hash.view()}))\n        return drop(\"R4\");",
         "{ByteView(header).first(GrantHeader::kBound), grant.body_hash.view()}))\n        (void)0;")]),
    ("key-compromise impersonation", [
        (SEALING + "grant_opener.cpp", "{ByteView(header).first(GrantHeader::kBound), grant.body_hash.view()}",
         "{ByteView(header).first(GrantHeader::kBound)}"),
        (SEALING + "grant_sealer.cpp", "{bound, body_hash.view()}", "{bound, body_hash.view().first(0)}")]),
    ("replay of old grants", [
        (SEALING + "grant_opener.cpp", "} else if (b.chain_no <= f.highest_chain_no) {", "} else if (false) {")]),
    ("replay of old grants", [
        (SEALING + "grant_opener.cpp", "now < b.expires + facts.retention && ", "")]),
    ("replay of old grants", [
        (SEALING + "grant_opener.cpp", " || !may_post(*f.roster_now, b.user)", "")]),
    ("replay of old grants", [
        (SEALING + "grant_opener.cpp", "if (f.head_ts + kDay + kSlack < b.created) return drop(\"R6\");", "")]),
    ("replay, reorder, drop of messages", [
        (SEALING + "message_opener.cpp", "        chain.skipped.erase(at);\n        return keys;",
         "        at->second = keys.copy();\n        return keys;")]),
    ("replay, reorder, drop of messages", [
        (SEALING + "message_opener.cpp", "    ++chain.index;\n    return step(chain.chain_key);",
         "    auto same = chain.chain_key.copy();\n    return step(same);")]),
    ("invisible salamander", [
        (SEALING + "message_parts.hpp", "return sign(chain_key, label::kMessageSig, {about, keys.commitment.view(), ",
         "return sign(chain_key, label::kMessageSig, {about, keys.commitment.view().first(0), "),
        (SEALING + "message_parts.hpp",
         "return verify(chain_key, signature, label::kMessageSig, {about, keys.commitment.view(), ",
         "return verify(chain_key, signature, label::kMessageSig, {about, keys.commitment.view().first(0), ")]),
    ("confused deputy in attachments", [
        (SCHEMAS + "blob.cpp", ".id(shape.conversation)", "")]),
    ("confused deputy in attachments", [
        (SCHEMAS + "blob.cpp", ".id(shape.blob)", "")]),
    ("server adds a member", [
        ("device-agent/conversation/roster_state.cpp", "verify_event(e, actor.cert->identity) && ", "")]),
    ("server adds a member", [
        ("device-agent/conversation/roster_state.cpp",
         "return member->role == MemberRole::administrator || is_leaving(e);",
         "return member->role != MemberRole::reader || is_leaving(e);")]),
    ("server adds a member", [
        ("device-agent/conversation/roster_state.cpp", "roster_root(out.roster) != e.roster_root || ", "")]),
    ("administrator key takes over a group", [
        ("device-agent/conversation/roster_state.cpp",
         "if (entry != nullptr && has_device(*entry, e.ts)) return Applied::dropped;", "")]),
    ("administrator key takes over a group", [
        ("device-agent/conversation/roster_state.cpp", "!appoints_member(e, roster) || ", "")]),
    ("administrator key takes over a group", [
        (SCHEMAS + "appointment.cpp",
         "key != nullptr && verify(*key, event.signature, label::kConversationEvent, {keys.org.view(), event.body()})",
         "key != nullptr")]),
    ("server withholds a removal", [
        (SEALING + "grant_opener.cpp", "if (!f.state_at_epoch || f.roster_at_epoch", "if (f.roster_at_epoch"),
        (SEALING + "grant_opener.cpp", "if (*f.state_at_epoch != b.conv_state",
         "if ((f.state_at_epoch && *f.state_at_epoch != b.conv_state)")]),
    ("server withholds a removal", [
        (SEALING + "grant_opener.cpp", "*f.state_at_epoch != b.conv_state || ", "")]),
    ("server adds a device", [
        (SCHEMAS + "entry.cpp", "if (!verify_cert_ea(cert, keys.org, keys.ea)) return",
         "if (false) return")]),
    ("server adds a device", [
        (SCHEMAS + "entry.cpp", "if (!verify_cert_voucher_device(cert, voucher->identity))", "if (false)")]),
    ("server adds a device", [
        (SCHEMAS + "entry.cpp", "if (firsts > 1) return", "if (firsts > 2) return")]),
    ("server adds a device", [
        (SCHEMAS + "entry.cpp", "if (auto ok = check_rooted(*entry); !ok) return pass(ok);",
         "(void)check_rooted(*entry).has_value();")]),
    ("server adds a device", [
        ("device-agent/directory/own_entry.cpp", "cert.device != own.device && !known.contains(cert.device)",
         "cert.device != own.device && known.contains(cert.device)")]),
    ("server answers with another person", [
        (SCHEMAS + "entry.cpp", "if (entry.address() != attest_hash) return", "if (false) return")]),
    ("server answers with another person", [
        (SCHEMAS + "entry.cpp", "if (cert->user != user) return", "if (false) return"),
        (SCHEMAS + "entry.cpp", "    entry.user = user;\n    for (const auto& bytes : records) {",
         "    entry.user = user;\n    for (const auto& bytes : records) {\n"
         "        if (const auto c = DeviceCert::parse(bytes)) entry.user = c->user;")]),
    ("two leaves for one user or address", [
        (SCHEMAS + "prefix_map.cpp", "hash = bit(key, depth) ? sha256",
         "hash = (depth < key.size() * 8 && sibling < hash) ? sha256")]),
    ("split view", [
        ("device-agent/directory/held_directory.cpp",
         "    if (contradicts(*head)) {\n        forked_ = true;\n        return fail(Errc::directory_fork, \"two heads of "
         "one revision\");\n    }\n    if (forked_",
         "    if (forked_")]),
    ("split view", [
        (SCHEMAS + "directory_head.cpp",
         "if (!verify_consistency(held.revision - 1, newer.revision - 1, proof.consistency, held.log_root, "
         "newer.log_root))", "if (proof.consistency.size() > 1'000)"),
        (SCHEMAS + "directory_head.cpp",
         "if (!verify_inclusion(held.hash(), held.revision - 1, newer.revision - 1, proof.inclusion, newer.log_root))",
         "if (false)")]),
    ("un-revoking a device", [
        (SCHEMAS + "entry.cpp", "return fail(Errc::proof_invalid, \"a revocation vanished\");", "continue;")]),
    ("signature key reuse, cross-protocol", [
        (SCHEMAS + "crypto.cpp", "    out.bytes(label16(label));\n", "    (void)label;\n")]),
    ("signature key reuse, cross-protocol", [
        (SCHEMAS + "device_record.cpp", "verify(ea, c.ea_signature, label::kCertEa, {org.view(), ",
         "verify(ea, c.ea_signature, label::kCertEa, {org.view().first(0), "),
        (SCHEMAS + "device_record.cpp", "return sign(ea, label::kCertEa, {org.view(), ",
         "return sign(ea, label::kCertEa, {org.view().first(0), ")]),
    ("protocol confusion (CVE-2022-39251 kind)", [
        (SCHEMAS + "message.cpp", "in.expect_u8(kMessageType);", "(void)in.u8();")]),
    ("protocol confusion (CVE-2022-39251 kind)", [
        (SCHEMAS + "grant.cpp", "in.expect_u8(kGrantType);", "(void)in.u8();")]),
    ("forwarded-key impersonation (CVE-2022-39249 kind)", [
        (SEALING + "grant_opener.cpp",
         "b.resend != out.header.resend ||\n        chain_id(b.device, b.conversation, b.chain_no, b.chain_sig) != "
         "out.header.chain)", "b.resend != out.header.resend)")]),
    ("backup leakage", [
        (SCHEMAS + "control.cpp", " || o.expires - o.issued > kMaxLife", "")]),
    ("length, linkability", [
        (SCHEMAS + "message.cpp", "    for (const auto step : kSmallSteps)\n        if (length <= step) return step;\n",
         "")]),
    ("length, linkability", [
        (SCHEMAS + "message.cpp", "std::any_of(rest.begin(), rest.end(), [](auto b) { return b != 0; })", "false")]),
    ("two-time pad after rollback", [
        (SEALING + "message_sealer.cpp", "    random.fill(header.guard);\n", "    (void)random;\n")]),
    ("two-time pad after rollback", [
        (SEALING + "message_parts.hpp", "out[16 + i] ^= header.guard[i];", "out[16 + i] ^= 0;")]),
    ("denial of service by huge index, n, path", [
        (SEALING + "message_opener.cpp", "index < chain.index || index > chain.max_index", "index < chain.index")]),
    ("denial of service by huge index, n, path", [
        (SEALING + "grant_opener.cpp", " && b.max_index <= kMostIndex", "")]),
    ("denial of service by huge index, n, path", [
        (SCHEMAS + "prefix_map.cpp", "if (n > kBits || ", "if (")]),
    ("EdDSA edge cases", [
        (SCHEMAS + "crypto.cpp",
         "return crypto_sign_verify_detached(sig.bytes.data(), text.data(), text.size(), key.bytes.data()) == 0;",
         "return crypto_sign_verify_detached(sig.bytes.data(), text.data(), text.size(), key.bytes.data()) == 0 || "
         "key.bytes[0] == 1;")]),
    ("stolen wipe order, planted share", [
        (SCHEMAS + "wipe.cpp", "order.user != user || order.device != device", "order.user != user")]),
    ("stolen wipe order, planted share", [
        (SCHEMAS + "wipe.cpp", "order.user != user || order.device != device", "order.device != device")]),
    ("stolen wipe order, planted share", [
        (SCHEMAS + "wipe.cpp", "!verify(*admin, order.administrator_signature, label::kWipeAdmin,\n"
         "                {keys.org.view(), approved.first(WipeOrder::kBody)}) ||\n        ", "")]),
    ("stolen wipe order, planted share", [
        (SCHEMAS + "wipe.cpp", " ||\n        !verify(keys.directory, order.directory_signature, label::kWipeGateway, "
         "{keys.org.view(), approved}))", ")")]),
    ("stolen wipe order, planted share", [
        (SCHEMAS + "wipe.cpp", "!begun || now >= order.expires", "!begun")]),
    ("stolen wipe order, planted share", [
        (SCHEMAS + "wipe.cpp", "!begun || now >= order.expires", "now >= order.expires")]),
    ("stolen wipe order, planted share", [
        ("device-agent/container/vault.cpp", "sodium_memcmp(stored.data(), commitment->data(), stored.size()) != 0",
         "false")]),
    ("harvest now, decrypt later", [
        (SCHEMAS + "grant.cpp", "in.expect_u8(kGrantType);\n    in.expect_u8(1);\n    in.expect_u8(1);",
         "in.expect_u8(kGrantType);\n    in.expect_u8(1);\n    (void)in.u8();")]),
    ("harvest now, decrypt later", [
        (SCHEMAS + "message.cpp", "in.expect_u8(kMessageType);\n    in.expect_u8(1);\n    in.expect_u8(1);",
         "in.expect_u8(kMessageType);\n    in.expect_u8(1);\n    (void)in.u8();")]),
]
