#!/usr/bin/python3
"""Writes the golden vectors of schemas/vectors/ from FORMATS.md alone. Shares no code with the product.

usage: tests/vectors/generate.py [--check]     --check: fail if a file differs from what stands in the tree
"""
import base64
import json
import pathlib
import sys

import failures
from histories import histories
from nm1 import (H, SigningKey, aead, kdf, label, leaf, map_node, map_path, merkle_root, pad_content, padme, sha256, u8,
                 u16, u32, u64)
from orphans import cases
from proto import contents
from refusals import refused
from salsa import sealed_box, x25519_public
from stores import batches, container

NOW = 1_780_000_000_000
DAY = 86_400_000
EA, DIRECTORY, ADMIN = SigningKey(1), SigningKey(2), SigningKey(3)
A, B, CHAIN = SigningKey(11), SigningKey(12), SigningKey(13)
ORGANISATION = "polizei-test"
ORG = H("NM1/org", ORGANISATION.encode())[:16]
USER, PEER = b"\x09" * 16, b"\x0a" * 16


def key_id(key):
    return H("NM1/keyid", key.public)[:8]


def device_id(user, key):
    return H("NM1/devid", user + key.public)[:16]


DEV_A, DEV_B = device_id(USER, A), device_id(USER, B)


def token():
    audience = H("NM1/audience", b"mqtts://broker.example:8883")[:8]
    part = b"NMtk" + bytes([1, 1, 0, 0]) + DEV_A + audience + u64(NOW) + b"\x77" * 16
    return base64.urlsafe_b64encode(part + A.sign("NM1/token", part)).decode()


def cert(key, seq, flags, voucher=None):
    address = H("NM1/address", b"anna.meyer@polizei.example", b"\x55" * 32)
    body = (b"NMdc" + bytes([1, 1, 1, flags]) + USER + device_id(USER, key) + key.public + u32(seq) + u16(3) + u16(1)
            + u64(NOW - DAY) + u64(NOW + 365 * DAY) + address)
    out = body + key.sign("NM1/devcert-self", body) + key_id(EA) + EA.sign("NM1/devcert-ea", ORG + body)
    if flags == 0:
        return out + b"\0" * 80
    if flags == 1:
        return out + device_id(USER, voucher) + voucher.sign("NM1/devcert-vch", body)
    return out + H("NM1/keyid", ADMIN.public)[:16] + ADMIN.sign("NM1/devcert-vch", ORG + body)


def revoke():
    body = b"NMdr" + bytes([1, 1, 3, 0]) + USER + DEV_B + H("NM1/keyid", ADMIN.public)[:16] + u64(NOW) + u32(3)
    return body + ADMIN.sign("NM1/devrevoke", ORG + body)


def seal_key():
    day = NOW // DAY
    body = b"NMsk" + bytes([1, 1, 1, 0]) + DEV_A + u32(day) + u32(7) + u64(day * DAY) + u64(day * DAY + DAY) + b"\x42" * 32
    return body + A.sign("NM1/sealkey", body)


def wipe_order(admin=ADMIN, gateway=DIRECTORY, days=30):
    body = (b"NMwo" + bytes([1, 1, 1, 0]) + USER + DEV_A + b"\x66" * 16 + u64(NOW) + u64(NOW + days * DAY) + key_id(admin))
    approved = body + admin.sign("NM1/wipe-adm", ORG + body)
    return approved + gateway.sign("NM1/wipe-gw", ORG + approved)


def wipe_receipt():
    body = b"NMwr" + bytes([1, 1, 1, 0]) + USER + DEV_A + b"\x66" * 16 + u64(NOW + 1_000)
    return body + A.sign("NM1/wipe-rcpt", body)


def wipe():
    own = {"order": wipe_order(), "receipt": wipe_receipt(), "now": NOW, "user": USER, "device": DEV_A}
    strangers = {"an administrator who is not pinned": wipe_order(admin=B), "another directory key": wipe_order(gateway=B),
                 "keys in each other's place": wipe_order(admin=DIRECTORY, gateway=ADMIN)}
    return {**own, "forged": [{"why": why, "order": order} for why, order in strangers.items()]}


def event():
    roster = [(USER, 3), (PEER, 2)]
    root = merkle_root([leaf(label("NM1/roster") + user + u8(role)) for user, role in roster])
    items = b"".join(user + u8(role) + u8(1) for user, role in roster)

    def body(conv):
        return (b"NMcs" + bytes([1, 1, 1, 0]) + conv + u64(1) + b"\x33" * 32 + USER + DEV_A + u64(NOW) + u64(5)
                + b"\x44" * 32 + u16(2) + items + root)

    conv = H("NM1/convid", body(b"\0" * 16))[:16]
    signed = body(conv)
    return {"conversation": conv, "bytes": signed + A.sign("NM1/convevent", signed),
            "state": H("NM1/convstate", signed), "roster_root": root}


def grant(conv, state):
    chain_no, dk, chain_key = 200_000_000, b"\x66" * 32, b"\x21" * 32
    chain = H("NM1/chainid", DEV_A + conv + u32(chain_no) + CHAIN.public)[:16]
    header = (bytes([1, 1, 1, 0]) + conv + DEV_A + chain + kdf(32, 2, "NM1grant", dk))
    body = (b"NMcb" + bytes([1, 1, 0, 0]) + conv + u64(1) + state + USER + DEV_A + u32(chain_no) + u32(0) + u64(NOW)
            + u64(NOW + DAY) + u32(127) + u64(5) + b"\x44" * 32 + chain_key + CHAIN.public + b"\0" * 32 + u32(0))
    sig = A.sign("NM1/grant-sig", header + H("NM1/grant-body", body))
    ct = aead(kdf(32, 1, "NM1grant", dk), b"\0" * 24, body + sig, label("NM1/grant-aad") + header)
    return {"dk": dk, "chain": chain, "header": header + u32(1), "body": body, "ciphertext": ct, "chain_key": chain_key}


def content(text, prev):
    body = b"\x0a" + u8(len(text) + 2) + b"\x0a" + u8(len(text)) + text  # nimes.v1.Content{text{text}}
    plain = u8(1) + u8(1) + u16(0) + u64(NOW) + u64(1) + b"\x88" * 16 + prev + u32(len(body)) + body
    return plain.ljust(pad_content(len(plain)), b"\0")


def messages(conv, chain, ck):
    out, prev = [], b"\0" * 16
    for index, text in enumerate([b"Streife 12, bitte melden.", b"x" * 68, b"y" * 100]):
        mk, kc, ck_next = kdf(64, 1, "NM1chain", ck), kdf(32, 2, "NM1chain", ck), kdf(32, 3, "NM1chain", ck)
        guard = bytes([index + 1]) * 8
        header = bytes([2, 1, 1, 0]) + chain + u32(index) + guard
        nonce = mk[32:48] + bytes(a ^ b for a, b in zip(mk[48:56], guard))
        who = conv + USER + DEV_A + header
        plain = content(text, prev)
        ct = aead(mk[:32], nonce, plain, label("NM1/msg-aad") + who)
        sig = CHAIN.sign("NM1/msg-sig", who + kc + H("NM1/msg-ct", ct))
        wire = header + ct + sig
        out.append({"index": index, "ck": ck, "mk": mk, "kc": kc, "content": plain, "wire": wire})
        prev, ck = H("NM1/msgdig", wire)[:16], ck_next
    return out


def blob(conv):
    plain = bytes(i * 7 % 251 for i in range(150_000))
    padded, key, uuid = padme(len(plain)), b"\x31" * 32, b"\x32" * 16
    data = plain.ljust(padded, b"\0")
    count = max(1, -(-padded // 65_536))
    aad = label("NM1/blob") + uuid + conv + u64(padded)
    sealed = [aead(key, b"\0" * 15 + u64(i) + u8(i == count - 1), data[i * 65_536:(i + 1) * 65_536], aad)
              for i in range(count)]
    return {"key": key, "blob": uuid, "plain_length": len(plain), "padded": padded, "digest": sha256(b"".join(sealed)),
            "chunk_sha256": [sha256(c) for c in sealed]}


def directory(records):
    record_hashes = b"".join(sha256(r) for r in records)
    user_content = USER + u32(len(records)) + record_hashes
    attest = H("NM1/address", b"anna.meyer@polizei.example", b"\x55" * 32)
    leaves = {USER: leaf(label("NM1/userleaf") + user_content), attest[:16]: leaf(label("NM1/addrleaf") + attest + USER)}
    contents = {USER: (1, user_content), attest[:16]: (2, attest + USER)}
    for n in range(40):
        other = H("NM1/devid", bytes([n]))[:16]
        contents[other] = (1, other + u32(1) + sha256(bytes([n])))
        leaves[other] = leaf(label("NM1/userleaf") + contents[other][1])
    absent = []
    for n in range(6):
        key = H("NM1/devid", b"absent" + bytes([n]))[:16]
        siblings, end = map_path(leaves, key)
        proof = u8(len(siblings)) + b"".join(siblings)
        proof += u8(0) if end is None else u8(contents[end][0]) + contents[end][1]
        absent.append({"key": key, "proof": proof})
    siblings, _ = map_path(leaves, USER)
    address_siblings, _ = map_path(leaves, attest[:16])
    return {"leaves": [{"kind": contents[k][0], "content": contents[k][1]} for k in leaves], "root": map_node(leaves, 0),
            "user": USER, "path": u8(len(siblings)) + b"".join(siblings), "attest_hash": attest,
            "address_path": u8(len(address_siblings)) + b"".join(address_siblings), "absent": absent}


def heads(map_root):
    out, log = [], []
    for revision in range(1, 9):
        body = (b"NMdh" + bytes([1, 1, 0, 0]) + u64(revision) + u64(NOW + revision) + u64(42)
                + (map_root if revision == 8 else sha256(u64(revision))) + merkle_root(log))
        out.append(body + DIRECTORY.sign("NM1/dirhead", ORG + body))
        log.append(leaf(body))
    return out


def dumped(tree):
    all_heads = heads(tree["root"])
    leaves = sorted(tree["leaves"], key=lambda one: one["content"][:16])
    dump = b"NMdd" + bytes([1, 0, 0, 0]) + all_heads[-1] + b"".join(u8(one["kind"]) + one["content"] for one in leaves)
    return {"map": tree, "heads": all_heads, "dump": dump}


def others():
    person = b"\x0a\x10" + USER
    policy = b"\x08\x07"  # serial 7
    provisioning = b"\x0a\x0c" + ORGANISATION.encode()
    item = DEV_A + A.public + u8(1) + b"\0" * 3 + u64(NOW - DAY) + u64(NOW + DAY)
    part = (b"NMmi" + bytes([1, 1, 0, 0]) + ORG + b"edge-1".ljust(16, b"\0") + u64(NOW) + u64(3) + u64(4) + u16(0) + u16(1)
            + u32(1) + item)
    return {
        "person": u32(len(person)) + person + EA.sign("NM1/person", ORG + sha256(person)),
        "policy": b"NMpy" + bytes([1, 0, 0, 0]) + u32(len(policy)) + policy + key_id(ADMIN)
        + ADMIN.sign("NM1/policy", ORG + sha256(policy)),
        "provisioning": b"NMpf" + bytes([1, 0, 0, 0]) + u32(len(provisioning)) + provisioning + u8(1) + key_id(ADMIN)
        + ADMIN.sign("NM1/provision", ORG + sha256(provisioning)),
        "mirror_part": part + DIRECTORY.sign("NM1/mirror", part),
        "presence": b"NMmp" + bytes([1, 1, 0, 0]) + DEV_A + u64(7) + u64(NOW),
        "edge_state": b"NMme" + bytes([1, 0, 0, 0]) + u64(NOW) + u64(4) + u8(1) + b"\0" * 7
        + b"".join(u64(n) for n in range(10, 17)),
    }


def control(conv, chain):
    receiver, ephemeral = b"\x51" * 32, b"\x52" * 32

    def signed(body, text):
        return body + A.sign(text, body)

    def sealed(kind, record):
        header = bytes([kind, 1, 1, 0]) + DEV_B + u32(7)
        return {"header": header, "wire": header + sealed_box(record, x25519_public(receiver), ephemeral)}

    def request(kind, have):
        return signed(b"NMkr" + bytes([1, 1, kind, 0]) + DEV_B + DEV_A + conv + chain + u32(have) + b"\x61" * 16 + u64(NOW)
                      + u64(5) + b"\x44" * 32, "NM1/keyreq")

    new_cert = sha256(cert(B, 2, 1, A))
    offer = signed(b"NMho" + bytes([1, 1, 1, 0]) + USER + DEV_A + DEV_B + new_cert + b"\x32" * 16 + b"\x31" * 32
                   + u64(150_000) + u64(padme(150_000)) + b"\x34" * 32 + u64(NOW - 7 * DAY) + u64(NOW) + u64(NOW + 3_600_000),
                   "NM1/histoffer")
    code = H("NM1/histcode", DEV_A + DEV_B + new_cert)
    missing_chain = request(1, 0)
    return {"receiver_secret": receiver, "receiver_key": x25519_public(receiver), "ephemeral_secret": ephemeral,
            "chain_request": missing_chain, "messages_request": request(2, 17), "history_offer": offer, "history_code": code,
            "history_text": base64.b32encode(code[:8]).decode().lower()[:12], "sealed_request": sealed(3, missing_chain),
            "sealed_offer": sealed(4, offer)}


def content_bodies(state, event):
    rows = []
    for name, kind, body in contents(DEV_A, USER, state, event):
        padded = u8(1) + u8(kind) + u16(kind % 2) + u64(NOW) + u64(7) + b"\x88" * 16 + b"\x99" * 16 + u32(len(body)) + body
        rows.append({"name": name, "kind": kind, "body": body, "content": padded.ljust(pad_content(len(padded)), b"\0")})
    return rows


def good_forms(conversation, chain, tree, control_records, texts):
    wrap = u32(1) + u32(7) + sealed_box(b"NMw1" + chain["dk"], x25519_public(b"\x51" * 32), b"\x52" * 32)
    head = heads(tree["root"])[-1]
    return {"device_cert": cert(A, 1, 0), "device_revoke": revoke(), "seal_key": seal_key(), "event": conversation["bytes"],
            "grant_header": chain["header"], "chain_body": chain["body"],
            "message_header": bytes([2, 1, 1, 0]) + chain["chain"] + u32(0) + b"\1" * 8, "content": texts[-2]["content"],
            "key_request": control_records["chain_request"], "history_offer": control_records["history_offer"], "head": head,
            "path": tree["path"], "absence": tree["absent"][0]["proof"],
            "grant_upload": chain["header"] + chain["ciphertext"] + wrap,
            "sealed_control": control_records["sealed_request"]["wire"], "wipe_order": wipe_order(),
            "wipe_receipt": wipe_receipt()}


def safety_number(people):
    data = b"".join(user + u32(len(keys)) + b"".join(sorted(keys)) for user, keys in sorted(people))
    digits = f"{int.from_bytes(H('NM1/safety', data), 'big') % 10**60:060d}"
    return " ".join(digits[at:at + 5] for at in range(0, 60, 5))


def trust():
    keys = [SigningKey(seed).public for seed in (11, 12, 13)]
    low, high = b"\x01" * 16, b"\xfe" * 16
    pairs = [[(USER, keys[:1]), (PEER, keys[1:2])], [(USER, keys[:2]), (PEER, keys[2:])], [(low, keys), (high, keys)],
             [(low, []), (high, keys[:1])]]
    text = "nimes-contact:" + base64.b32encode(USER + DEV_A).decode().lower().rstrip("=")
    return {"numbers": [{"people": [{"user": user, "keys": owned} for user, owned in pair], "number": safety_number(pair)}
                        for pair in pairs],
            "code": {"user": USER, "device": DEV_A, "text": text}}


def wrong_ones(conversation, tree):
    good = failures.Grant(A, CHAIN, USER, DEV_A, conversation["conversation"], conversation["state"], NOW)
    office = failures.Office(ORG, EA, ADMIN, USER, NOW)
    return {"grants": failures.grants(good), "judgements": failures.judgements(good, cert(A, 1, 0), PEER, NOW),
            "messages": failures.messages(good), "entries": failures.entries(office, DIRECTORY),
            "heads": failures.heads(heads(tree["root"]), DIRECTORY, ORG, NOW), "maps": failures.maps(tree, USER),
            "media": failures.media()}


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def build():
    certs = sorted([cert(A, 1, 0), cert(B, 2, 1, A)], key=lambda c: c[24:40])
    conversation = event()
    chain = grant(conversation["conversation"], conversation["state"])
    pair = H("NM1/conv11", min(USER, PEER) + max(USER, PEER))[:16]
    tree = directory(certs + [revoke()])
    control_records = control(conversation["conversation"], chain["chain"])
    texts = content_bodies(conversation["state"], conversation["bytes"])
    good = good_forms(conversation, chain, tree, control_records, texts)
    return {
        "control.json": control_records,
        "content.json": {"bodies": texts},
        "forms.json": {"good": [{"form": form, "bytes": record} for form, record in good.items()], "refused": refused(good)},
        "identity.json": {
            "seeds": {"ea": 1, "directory": 2, "administrator": 3, "a": 11, "b": 12}, "organisation": ORGANISATION,
            "org": ORG, "now": NOW, "user": USER, "device_a": DEV_A, "device_b": DEV_B, "token": token(),
            "token_audience": "mqtts://broker.example:8883", "address": "anna.meyer@polizei.example",
            "address_secret": b"\x55" * 32, "certs": certs, "approved_cert": cert(B, 2, 2), "revoke": revoke(),
            "seal_key": seal_key(), **others()},
        "trust.json": trust(),
        "wipe.json": wipe(),
        "events.json": histories((USER, DEV_A, A), (PEER, device_id(PEER, B), B), NOW),
        "container.json": container(),
        "batches.json": batches(DEV_A, DEV_B),
        "failures.json": wrong_ones(conversation, tree),
        "appointment.json": cases(ORG, ADMIN, EA, A, conversation, [(USER, 3), (PEER, 2)], NOW),
        "directory.json": dumped(tree),
        "conversation.json": {
            "event": conversation, "pair": {"users": [USER, PEER], "conversation": pair,
                                            "state": H("NM1/conv11st", min(USER, PEER) + max(USER, PEER))},
            "grant": chain, "messages": messages(conversation["conversation"], chain["chain"], chain["chain_key"]),
            "blob": blob(conversation["conversation"]),
            "padding": [[n, pad_content(n)] for n in (56, 128, 129, 1024, 1025, 1500, 4000, 60_000)],
            "padme": [[n, padme(n)] for n in (0, 1, 2, 9, 100, 65_537, 150_000, 1 << 30, (1 << 30) + 1)]},
    }


def main():
    folder = pathlib.Path(__file__).resolve().parents[2] / "schemas" / "vectors"
    bad = 0
    for name, value in build().items():
        text = json.dumps(plain(value), indent=1) + "\n"
        path = folder / name
        if "--check" in sys.argv:
            same = path.exists() and path.read_text() == text
            print(f"{'ok' if same else 'DIFFERS'} {path.name}")
            bad += not same
        else:
            path.write_text(text)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
