"""Judges a run: what was said against what each handset's history holds and what each `watch` showed.

    lost          a text that the gateway accepted and a recipient never opened
    twice         a text that stands in a recipient's history more than once, or was shown under two numbers
    disordered    a text that stands before an earlier one of the same sender to the same place
    invented      a text that nobody said, or that its reader is no recipient of
    undecryptable what an agent counted as damaged, unreadable or lost; what still waits for a key
"""
import json
from collections import Counter, defaultdict

NAMES = ("lost", "twice", "disordered", "invented", "undecryptable")
PAGE = 100_000


class History:
    """What one handset holds: others' texts by the order of its history, and the fate of its own."""

    def __init__(self, handset):
        lines, _ = handset.home.ask("inbox", {"since": 0, "wait_ms": 0, "peek": True}, patience=300)
        texts = [line for line in lines if line.get("kind") == "text"]
        self.others = [line["text"] for line in texts if not line["own"] and line.get("text")]
        self.unopened = [line for line in texts if line["state"] in ("awaited", "unreadable")]
        self.own = {line["text"]: line["state"] for line in texts if line["own"]}
        _, self.status = handset.home.ask("status")

    def failures(self) -> dict:
        out = {name: count for name, count in self.status["undecryptable"].items() if count and name != "refused"}
        if self.status["held"]:
            out["held"] = self.status["held"]
        if self.unopened:
            out["unopened"] = len(self.unopened)
        return out

    def refused(self) -> int:
        """Grants against the rules, as of a handset whose clock is wrong: what they were for was asked for again."""
        return self.status["undecryptable"]["refused"]


def shown_twice(handset) -> list:
    """Texts that `watch` printed under two numbers. The same number twice is one event, shown again after a crash."""
    numbers = defaultdict(set)
    for line in handset.child.out.read_text().splitlines():
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue  # cut by kill -9
        if event.get("kind") == "text" and not event["own"]:
            numbers[event["text"]].add(event["sequence"])
    return [text for text, under in numbers.items() if len(under) > 1]


class Verdict:
    def __init__(self, handsets: list, said: list):
        self.faults = {name: [] for name in NAMES}
        self.accepted = self.opened = 0
        histories = {handset.name: History(handset) for handset in handsets}
        self._fates(said, histories)
        awaited = defaultdict(list)
        for one in said:
            for name in one.recipients:
                awaited[name].append(one)
        for handset in handsets:
            self._judge(handset, histories[handset.name], awaited[handset.name])
        self.refused_grants = sum(history.refused() for history in histories.values())
        self.alarms = [f"{name}: {alarm['text']}" for name, history in histories.items()
                       for alarm in history.status["alarms"]]

    def _fates(self, said, histories) -> None:
        self.refused = []
        for one in said:
            one.fate = histories[one.sender].own.get(one.text, "never taken")
            self.accepted += one.fate == "sent"
            if one.fate != "sent":
                self.refused.append(f"{one.text}: {one.fate} {one.refused}")

    def _judge(self, handset, history, awaited) -> None:
        at = {text: place for place, text in reversed(list(enumerate(history.others)))}
        counts = Counter(history.others)
        self.opened += len(history.others)
        known = {one.text for one in awaited}
        last = {}
        for one in awaited:
            if one.text not in at:
                if one.fate == "sent":
                    self.faults["lost"].append(f"{one.text}: not at {handset.name}")
                continue
            stream = (one.sender, one.to)
            if at[one.text] < last.get(stream, -1):
                self.faults["disordered"].append(f"{one.text}: out of order at {handset.name}")
            last[stream] = at[one.text]
        self.faults["twice"] += [f"{text}: {n} times at {handset.name}" for text, n in counts.items() if n > 1]
        self.faults["twice"] += [f"{text}: shown twice at {handset.name}" for text in shown_twice(handset)]
        self.faults["invented"] += [f"{text!r} at {handset.name}" for text in counts if text not in known]
        if failures := history.failures():
            self.faults["undecryptable"].append(f"{handset.name}: {failures}")

    def good(self) -> bool:
        return not any(self.faults.values())

    def figures(self) -> str:
        return ", ".join(f"{name} {len(self.faults[name])}" for name in NAMES)
