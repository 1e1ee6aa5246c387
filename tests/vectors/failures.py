"""What must not be taken, by the rule that refuses it: grants, messages, entries, heads, proofs, media. Each row is a question as
peer/ takes it, with what must become of it; the first row of each kind is right, the others have one thing wrong."""
from nm1 import H, SigningKey, aead, kdf, label, leaf, merkle_root, pad_content, sha256, u8, u16, u32, u64
from salsa import sealed_box, x25519_public

DAY = 86_400_000
SLACK = 600_000
RECEIVER, EPHEMERAL = b"\x51" * 32, b"\x52" * 32


class Grant:
    """A grant by Anna's device, part by part, so that any of them can be another."""

    def __init__(self, key, chain_key_pair, user, device, conversation, state, now):
        self.key, self.dk, self.magic, self.flags = key, b"\x66" * 32, b"NMw1", 0
        self.chain_pair, self.user, self.device, self.conversation, self.state = chain_key_pair, user, device, conversation, state
        self.chain_no, self.first, self.created, self.expires, self.most = 200_000_000, 0, now, now + DAY, 127
        self.head_conversation = self.head_device = self.chain = self.commit = self.wrapped = None

    def chain_id(self):
        return self.chain or H("NM1/chainid", self.device + self.conversation + u32(self.chain_no) + self.chain_pair.public)[:16]

    def header(self):
        return (bytes([1, 1, 1, 0]) + (self.head_conversation or self.conversation) + (self.head_device or self.device)
                + self.chain_id() + (self.commit or kdf(32, 2, "NM1grant", self.dk)))

    def body(self):
        return (b"NMcb" + bytes([1, 1, self.flags, 0]) + self.conversation + u64(1) + self.state + self.user + self.device
                + u32(self.chain_no) + u32(self.first) + u64(self.created) + u64(self.expires) + u32(self.most) + u64(5)
                + b"\x44" * 32 + b"\x21" * 32 + self.chain_pair.public + b"\0" * 32 + u32(0))

    def signature(self):
        return self.key.sign("NM1/grant-sig", self.header() + H("NM1/grant-body", self.body()))

    def wire(self):
        sealed = aead(kdf(32, 1, "NM1grant", self.dk), b"\0" * 24, self.body() + self.signature(),
                      label("NM1/grant-aad") + self.header())
        box = sealed_box(self.magic + (self.wrapped or self.dk), x25519_public(RECEIVER), EPHEMERAL)
        return self.header() + u32(1) + sealed + u32(1) + u32(7) + box

    def but(self, **changes):
        out = Grant.__new__(Grant)
        out.__dict__.update(self.__dict__, **changes)
        return out


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def grants(good):
    rows = []

    def add(want, why, wire, key_id=7):
        rows.append({"want": want, "why": why, "op": "grant_open", "keys": [{"id": key_id, "secret": RECEIVER}], "wire": wire})

    wire = good.wire()
    add("opened", "as it must be", wire)
    add("R1", "a seal key that is not ours", wire, 8)
    add("R1", "a box that does not open", flipped(wire, 432 + 40))
    add("R1", "another magic in the box", good.but(magic=b"NMw2").wire())
    add("R1", "two wraps", wire[:84] + u32(2) + wire[88:] + wire[432:])
    add("R2", "a grant key that was not committed to", good.but(wrapped=b"\x67" * 32).wire())
    add("R2", "another commitment", good.but(commit=b"\x68" * 32).wire())
    add("R3", "a body that does not open", flipped(wire, 100))
    add("R3", "a changed header", flipped(wire, 10))
    add("R3", "the header's conversation is another", good.but(head_conversation=b"\x0c" * 16).wire())
    add("R3", "the header's device is another", good.but(head_device=b"\x0c" * 16).wire())
    add("R3", "the header's flags are others", good.but(flags=1).wire())
    add("R3", "a chain id that does not follow", good.but(chain=b"\x0c" * 16).wire())
    return rows


def judgements(good, cert, peer, now):
    """cert(): Anna's certificate; peer: who receives."""
    rows = []
    roster = [(good.user, 3), (peer, 2)]

    def people(list_of):
        return [{"user": user, "role": role} for user, role in list_of]

    def add(want, rule, why, grant=good, at=now, **changes):
        facts = {"own_user": peer, "retention": 7 * DAY, "entry_known": True, "sender": cert, "revoke": None,
                 "state_at_epoch": good.state, "roster_at_epoch": people(roster), "roster_now": people(roster), "closed": False,
                 "head": "verified", "head_ts": now, "highest": grant.chain_no - 1, "held": None, **changes}
        rows.append({"want": want, "rule": rule, "why": why, "op": "grant_judge", "header": grant.header() + u32(1),
                     "body": grant.body(), "signature": grant.signature(), "now": at, "facts": facts})

    replaced = {"reason": 1, "effective": now + 1}
    add("opened", "", "as it must be")
    add("held", "R4", "an entry that is not here", entry_known=False, sender=None)
    add("dropped", "R4", "no such device in the entry", sender=None)
    add("dropped", "R4", "signed by another key", good.but(key=SigningKey(66)))
    add("dropped", "R4", "a certificate that has run out", at=now + 365 * DAY)
    add("opened", "", "replaced after it was made", revoke=replaced)
    add("withheld", "R4", "replaced before it was made", revoke={"reason": 1, "effective": now})
    add("withheld", "R4", "stolen, whenever", revoke={"reason": 3, "effective": now + DAY})
    add("held", "R5", "an epoch that is not here", state_at_epoch=None)
    add("dropped", "R5", "another state of the epoch", state_at_epoch=b"\x0c" * 32)
    add("dropped", "R5", "a closed conversation", closed=True)
    add("dropped", "R5", "a reader then", roster_at_epoch=people([(good.user, 1), (peer, 2)]))
    add("dropped", "R5", "removed since", roster_now=people([(peer, 2)]))
    add("dropped", "R5", "the receiver was no member", roster_at_epoch=people([(good.user, 3)]))
    add("held", "R6", "a head that is not here", head="unknown")
    add("dropped", "R6", "a head that was not proven", head="failed")
    add("opened", "", "a head of 24 hours and 10 minutes before", head_ts=now - DAY - SLACK)
    add("dropped", "R6", "a head a millisecond older", head_ts=now - DAY - SLACK - 1)
    add("dropped", "R7", "a number that was there before", highest=good.chain_no)
    add("dropped", "R8", "made ten minutes and more ahead", at=now - SLACK - 1)
    add("dropped", "R8", "past its end and the retention", at=now + 8 * DAY)
    add("dropped", "R8", "longer than a day", good.but(expires=now + DAY + 1))
    add("dropped", "R8", "over before it began", good.but(expires=now - 1))
    add("dropped", "R8", "a number far ahead", good.but(chain_no=now // 1000 - 1_577_836_800 + 1_001))
    add("dropped", "R8", "more than 1,023 messages", good.but(most=1_024))
    add("dropped", "R8", "it begins behind its end", good.but(first=128))
    return rows


def message(grant, index=0, text=b"hier", guard=b"\1" * 8, key=None, commitment=None, padding=b"\0", resent=0, header=None):
    ck = b"\x21" * 32
    for _ in range(index):
        ck = kdf(32, 3, "NM1chain", ck)
    mk, kc = kdf(64, 1, "NM1chain", ck), kdf(32, 2, "NM1chain", ck)
    header = header or bytes([2, 1, 1, 0]) + grant.chain_id() + u32(index) + guard
    body = b"\x0a" + u8(len(text) + 2) + b"\x0a" + u8(len(text)) + text
    plain = u8(1) + u8(1) + u16(resent) + u64(grant.created) + u64(1) + b"\x88" * 16 + b"\0" * 16 + u32(len(body)) + body
    plain = plain.ljust(pad_content(len(plain)), padding)
    who = grant.conversation + grant.user + grant.device + header
    nonce = mk[32:48] + bytes(a ^ b for a, b in zip(mk[48:56], guard))
    ct = aead(mk[:32], nonce, plain, label("NM1/msg-aad") + who)
    signer = key or grant.chain_pair
    return header + ct + signer.sign("NM1/msg-sig", who + (commitment or kc) + H("NM1/msg-ct", ct))


def messages(good):
    rows = []

    def add(why, wires, want):
        rows.append({"want": want, "why": why, "op": "messages_open", "grant_header": good.header() + u32(1),
                     "grant_body": good.body(), "wires": wires})

    first, third, last = message(good), message(good, 2), message(good, 127)
    add("in any order, each once", [third, first, third, first, last, message(good, 1)],
        ["opened", "opened", "refused", "refused", "opened", "opened"])
    for at, what in ((4, "of another chain"), (20, "an index beyond the chain"), (24, "another guard"), (40, "a changed ciphertext"),
                     (len(first) - 1, "a changed signature")):
        add(what, [flipped(first, at)], ["refused"])
    add("an index behind max_index", [message(good, 128)], ["refused"])
    add("signed by another key", [message(good, key=SigningKey(66))], ["refused"])
    add("signed over another key commitment", [message(good, commitment=b"\x0c" * 32)], ["refused"])
    add("authentic, its padding not zero: it uses up its index", [message(good, padding=b"\1"), first], ["unreadable", "refused"])
    add("authentic, said to be sent again on a chain that is not for that", [message(good, resent=1)], ["unreadable"])
    return rows


def heads(all_heads, directory, org, now):
    def parts(upto):
        return [leaf(head[:96]) for head in all_heads[:upto]]

    def proofs(a, b):
        if a >= b:
            return {"consistency": [], "inclusion": []}
        return {"consistency": consistency(a - 1, parts(b - 1)), "inclusion": inclusion(a - 1, parts(b - 1))}

    rows = []

    def add(want, why, a=3, b=8, newer=None, at=now, **changes):
        rows.append({"want": want, "why": why, "op": "head_advance", "held": all_heads[a - 1], "newer": newer or all_heads[b - 1],
                     **proofs(a, b), "key": directory.public, "org": org, "now": at, **changes})

    def signed(body):
        return body[:96] + directory.sign("NM1/dirhead", org + body[:96])

    newest = all_heads[7]
    add("taken", "as it must be")
    add("taken", "the same head again", 8, 8)
    add("refused", "a changed signature", newer=flipped(newest, 159))
    add("refused", "more than ten minutes ahead", at=now - SLACK)
    add("refused", "back to an older one", 8, 3)
    add("fork", "another head of the same revision", 8, 8, newer=signed(flipped(newest, 40)))
    add("fork", "its time is before the held one's", newer=signed(newest[:16] + u64(now + 2) + newest[24:96]))
    add("fork", "another history", newer=signed(flipped(newest, 80)))
    add("fork", "the held head is not in it", inclusion=proofs(3, 8)["inclusion"][::-1])
    add("fork", "no proof at all", consistency=[], inclusion=[])
    return rows


def inclusion(index, hashes):
    if len(hashes) <= 1:
        return []
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if index < k:
        return inclusion(index, hashes[:k]) + [merkle_root(hashes[k:])]
    return inclusion(index - k, hashes[k:]) + [merkle_root(hashes[:k])]


def consistency(size, hashes, whole=True):
    """RFC 6962 2.1.2: from the first `size` to all of them."""
    if size == 0:
        return []
    if size == len(hashes):
        return [] if whole else [merkle_root(hashes)]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if size <= k:
        return consistency(size, hashes[:k], whole) + [merkle_root(hashes[k:])]
    return consistency(size - k, hashes[k:], False) + [merkle_root(hashes[:k])]


def maps(tree, user):
    rows = []
    mine = next(one for one in tree["leaves"] if one["kind"] == 1 and one["content"][:16] == user)
    other = next(one for one in tree["leaves"] if one["content"][:16] != user)

    def present(want, why, one=mine, path=tree["path"], root=tree["root"]):
        rows.append({"want": want, "why": why, "op": "map_presence", "leaf": one, "path": path, "root": root})

    def absent(want, why, key, proof):
        rows.append({"want": want, "why": why, "op": "map_absence", "key": key, "path": proof, "root": tree["root"]})

    present(True, "as it must be")
    present(False, "another leaf under its path", other)
    present(False, "a record more", {"kind": 1, "content": user + u32(4) + mine["content"][20:] + sha256(b"")})
    present(False, "a record less", {"kind": 1, "content": user + u32(2) + mine["content"][20:-32]})
    present(False, "a changed sibling", path=flipped(tree["path"], 5))
    present(False, "a sibling too few", path=u8(tree["path"][0] - 1) + tree["path"][33:])
    present(False, "under another root", root=sha256(b"another"))
    first = tree["absent"][0]
    absent(True, "as it must be", first["key"], first["proof"])
    absent(False, "of somebody who is there", user, first["proof"])
    absent(False, "an end that says nothing is there", user, tree["path"] + b"\0")
    absent(False, "a changed sibling", first["key"], flipped(first["proof"], 3))
    return rows


class Office:
    """Certificates and revocations of one user's entry, by the keys of an organisation."""

    def __init__(self, org, ea, admin, user, now):
        self.org, self.ea, self.admin, self.user, self.now = org, ea, admin, user, now
        self.admin_id = H("NM1/keyid", admin.public)[:16]

    def device(self, key):
        return H("NM1/devid", self.user + key.public)[:16]

    def cert(self, key, seq, flags, voucher=None, signer=None, ea=None, device=None, about=None, user=None):
        user = user or self.user
        body = (b"NMdc" + bytes([1, 1, 1, flags]) + user + (device or self.device(key)) + key.public + u32(seq) + u16(3) + u16(1)
                + u64(self.now - DAY) + u64(self.now + DAY) + b"\x0d" * 32)
        ea, about = ea or self.ea, self.org if about is None else about
        out = (body + (signer or key).sign("NM1/devcert-self", body) + H("NM1/keyid", ea.public)[:8]
               + ea.sign("NM1/devcert-ea", about + body))
        if flags == 0:
            return out + b"\0" * 80
        if flags == 1:
            return out + self.device(voucher) + voucher.sign("NM1/devcert-vch", body)
        return out + self.admin_id + (voucher or self.admin).sign("NM1/devcert-vch", self.org + body)

    def revoke(self, key, seq, by=None, device=None):
        actor = self.device(by) if by else self.admin_id
        body = (b"NMdr" + bytes([1, 1, 3, 0]) + self.user + (device or self.device(key)) + actor + u64(self.now) + u32(seq))
        return body + (by.sign("NM1/devrevoke", body) if by else self.admin.sign("NM1/devrevoke", self.org + body))


def entries(office, directory):
    a, b, c = SigningKey(11), SigningKey(12), SigningKey(14)
    first, second = office.cert(a, 1, 0), office.cert(b, 2, 1, a)
    keys = {"org": office.org, "ea": office.ea.public, "directory": directory.public, "administrators": [office.admin.public]}
    rows = []

    def add(want, why, certs, revokes=(), shuffle=False):
        at = (lambda record: record[24:40])
        records = sorted(certs, key=at) + sorted(revokes, key=at)
        rows.append({"want": want, "why": why, "op": "entry", "user": office.user, "now": office.now, "keys": keys,
                     "records": records[::-1] if shuffle else records})

    add("taken", "a first device", [first])
    add("taken", "a second one that the first vouched for, and is revoked since", [first, second], [office.revoke(a, 3, b)])
    add("taken", "one that an administrator approved", [office.cert(b, 1, 2)])
    add("taken", "revoked by an administrator", [first], [office.revoke(a, 2)])
    add("refused", "nothing at all", [])
    add("refused", "out of order", [first, second], shuffle=True)
    add("refused", "one device twice", [first, first])
    add("refused", "of another user", [office.cert(a, 1, 0, user=b"\x0c" * 16)])
    add("refused", "one number twice", [first, office.cert(b, 1, 1, a)])
    add("refused", "two first devices", [first, office.cert(b, 2, 0)])
    add("refused", "not signed by itself", [office.cert(a, 1, 0, signer=b)])
    add("refused", "certified by another authority", [office.cert(a, 1, 0, ea=SigningKey(66))])
    add("refused", "certified without the organisation's name", [office.cert(a, 1, 0, about=b"")])
    add("refused", "an id that does not follow from its key", [office.cert(a, 1, 0, device=b"\x0c" * 16)])
    add("refused", "vouched for by who is not there", [first, office.cert(b, 2, 1, c)])
    add("refused", "the voucher's signature is another's",
        [first, second[:280] + SigningKey(66).sign("NM1/devcert-vch", second[:128])])
    add("refused", "vouched for by who was revoked before", [first, office.cert(b, 3, 1, a)], [office.revoke(a, 2)])
    add("refused", "two that vouch for each other", [office.cert(a, 1, 1, b), office.cert(b, 2, 1, a)])
    add("refused", "approved by another key", [office.cert(b, 1, 2, SigningKey(66))])
    add("refused", "a revocation of who is not there", [first], [office.revoke(c, 2)])
    add("refused", "revoked by a stranger", [first], [office.revoke(a, 2, c)])
    add("refused", "revoked by who was revoked before", [first, second], [office.revoke(b, 3), office.revoke(a, 4, b)])
    return rows


def media():
    """What is done to the golden blob, which each implementation seals for itself: it is too long for this file."""
    return [{"want": "opened", "why": "as it must be", "do": "nothing"},
            {"want": "refused", "why": "a bit of the first chunk", "do": "flip", "at": 0},
            {"want": "refused", "why": "a bit of the last tag", "do": "flip", "at": -1},
            {"want": "refused", "why": "two chunks change places", "do": "swap"},
            {"want": "refused", "why": "without its final chunk", "do": "cut"},
            {"want": "refused", "why": "of another conversation", "do": "conversation"},
            {"want": "refused", "why": "of another name", "do": "name"},
            {"want": "refused", "why": "with another key", "do": "key"},
            {"want": "refused", "why": "with another digest", "do": "digest"}]
