"""A group from its creation to its end, a fork and its mending (FORMATS.md 2.5): every kind of event, and the state after each."""
from nm1 import H, label, leaf, merkle_root, u8, u16, u64

ADD, REMOVE, SET_ROLE = 1, 2, 3
CREATE, CHANGE, RESTATE, CLOSE = 1, 2, 3, 4
READER, POSTER, ADMINISTRATOR = 1, 2, 3


def root(roster):
    return merkle_root([leaf(label("NM1/roster") + user + u8(role)) for user, role in sorted(roster.items())])


class Group:
    """What events make of a roster; each step is {"event", "state", "roster"}."""

    def __init__(self, now):
        self.now, self.conversation, self.epoch, self.state, self.roster = now, b"\0" * 16, 0, b"\x33" * 32, {}

    def copy(self):
        out = Group(self.now)
        out.__dict__.update(self.__dict__, roster=dict(self.roster))
        return out

    def event(self, kind, items, maker, epoch=None, prev=None, roster=None):
        user, device, key = maker
        after = dict(self.roster if roster is None and kind not in (CREATE, RESTATE) else roster or {})
        for who, role, op in items:
            after.pop(who, None)
            if op != REMOVE:
                after[who] = role
        epoch, prev = epoch or self.epoch + 1, prev or self.state

        def body(conversation):
            return (b"NMcs" + bytes([1, 1, kind, 0]) + conversation + u64(epoch) + prev + user + device
                    + u64(self.now + epoch) + u64(5) + b"\x44" * 32 + u16(len(items))
                    + b"".join(who + u8(role) + u8(op) for who, role, op in sorted(items)) + root(after))

        if kind == CREATE:
            self.conversation = H("NM1/convid", body(b"\0" * 16))[:16]
        signed = body(self.conversation)
        self.epoch, self.state, self.roster = epoch, H("NM1/convstate", signed), after
        return {"event": signed + key.sign("NM1/convevent", signed), "by": key.public, "state": self.state,
                "roster": [{"user": who, "role": role} for who, role in sorted(after.items())]}

    def all_again(self):
        return [(who, role, ADD) for who, role in self.roster.items()]


def histories(anna, bernd, now):
    """anna, bernd: (user, device, key)."""
    a, b, clara = anna[0], bernd[0], b"\x0b" * 16
    group = Group(now)
    line = [group.event(CREATE, [(a, ADMINISTRATOR, ADD), (b, POSTER, ADD)], anna),
            group.event(CHANGE, [(clara, READER, ADD)], anna),
            group.event(CHANGE, [(b, ADMINISTRATOR, SET_ROLE), (clara, POSTER, SET_ROLE)], anna),
            group.event(RESTATE, group.all_again(), bernd),
            group.event(CHANGE, [(clara, POSTER, REMOVE)], bernd),
            group.event(CHANGE, [(b, ADMINISTRATOR, REMOVE)], bernd),
            group.event(CLOSE, [], anna)]
    left = Group(now)
    before = [left.event(CREATE, [(a, ADMINISTRATOR, ADD), (b, ADMINISTRATOR, ADD)], anna)]
    right = left.copy()
    one = left.event(CHANGE, [(clara, POSTER, ADD)], anna)
    other = right.event(CHANGE, [(a, POSTER, SET_ROLE)], bernd)
    states = sorted([left.state, right.state])
    fork = H("NM1/convfork", b"".join(states))
    both = {who: min(role, right.roster[who]) for who, role in left.roster.items() if who in right.roster}
    mend = left.event(RESTATE, [(who, role, ADD) for who, role in both.items()], bernd, epoch=3, prev=fork)
    return {"makers": [{"user": user, "device": device, "key": key.public} for user, device, key in (anna, bernd)],
            "line": line, "fork": {"before": before, "one": one, "other": other, "hash": fork, "mend": mend}}
