"""A group whose administrator lost every device: appointments (FORMATS.md 2.5) that are applied, held, refused or malformed."""
from nm1 import H, label, leaf, merkle_root, u8, u16, u64

MINUTE = 60_000
ADD, REMOVE, SET_ROLE = 1, 2, 3
CHANGE, RESTATE, CLOSE = 2, 3, 4
READER, POSTER, ADMINISTRATOR = 1, 2, 3


def root(roster):
    return merkle_root([leaf(label("NM1/roster") + user + u8(role)) for user, role in roster])


def cases(org, admin, other, anna, before, roster, now):
    """before: the creation as generate.event() tells it; roster: [(user, role)], the first one its administrator."""
    leader, member = roster[0][0], roster[1][0]
    head_ts = now

    def body(items, after, kind=CHANGE, user=b"\0" * 16, actor=None, epoch=2, prev=None, ts=now):
        return (b"NMcs" + bytes([1, 1, kind, 0]) + before["conversation"] + u64(epoch) + (prev or before["state"]) + user
                + (actor or H("NM1/keyid", admin.public)[:16]) + u64(ts) + u64(6) + b"\x45" * 32 + u16(len(items))
                + b"".join(who + u8(role) + u8(op) for who, role, op in items) + root(after))

    def signed(data, key=admin, about=org):
        return data + key.sign("NM1/convevent", about + data)

    up = [(member, ADMINISTRATOR, SET_ROLE)]
    raised = [roster[0], (member, ADMINISTRATOR)]
    good = body(up, raised)
    gone = [{"not_before": now - 1_000, "revoked": now}]
    stranger = b"\x0b" * 16
    rows = []

    def add(outcome, why, event, devices=gone, ts=head_ts):
        entries = [{"user": leader, "devices": devices}] if devices is not None else []
        rows.append({"outcome": outcome, "why": why, "bytes": event, "head_ts": ts, "entries": entries})

    add("applied", "its administrator's one device is revoked", signed(good))
    add("applied", "a device began after it", signed(good), gone + [{"not_before": now + 1, "revoked": None}])
    add("applied", "ten minutes before its head", signed(good), ts=now + 10 * MINUTE)
    add("held", "the administrator's entry is not here", signed(good), None)
    add("dropped", "a device that is not revoked", signed(good), gone + [{"not_before": now, "revoked": None}])
    add("dropped", "revoked after it", signed(good), [{"not_before": now - 1_000, "revoked": now + 1}])
    add("dropped", "more than ten minutes before its head", signed(good), ts=now + 10 * MINUTE + 1)
    add("dropped", "signed by another key", signed(good, other))
    add("dropped", "signed without the organisation", signed(good, about=b""))
    add("dropped", "by a key that is not pinned", signed(body(up, raised, actor=H("NM1/keyid", other.public)[:16]), other))
    add("dropped", "by the key's member in name", signed(body(up, raised, user=leader), anna, b""))
    add("dropped", "of a stranger", signed(body([(stranger, ADMINISTRATOR, SET_ROLE)], raised)))
    add("dropped", "of who is one already", signed(body([(leader, ADMINISTRATOR, SET_ROLE)], roster)))
    add("dropped", "another epoch", signed(body(up, raised, epoch=3)))
    add("dropped", "another state before it", signed(body(up, raised, prev=b"\x46" * 32)))
    add("dropped", "another roster's root", signed(body(up, roster)))
    add("malformed", "it adds", signed(body([(stranger, ADMINISTRATOR, ADD)], raised + [(stranger, ADMINISTRATOR)])))
    add("malformed", "it removes", signed(body([(member, POSTER, REMOVE)], roster[:1])))
    add("malformed", "it makes a poster", signed(body([(member, POSTER, SET_ROLE)], roster)))
    add("malformed", "two at once", signed(body([(leader, POSTER, SET_ROLE)] + up, raised)))
    add("malformed", "a close", signed(body([], roster, CLOSE)))
    add("malformed", "a restate", signed(body([(who, role, ADD) for who, role in roster], roster, RESTATE)))
    return {"create": before["bytes"], "org": org, "administrators": [admin.public], "state": H("NM1/convstate", good),
            "roster": [{"user": who, "role": role} for who, role in raised], "cases": rows}
