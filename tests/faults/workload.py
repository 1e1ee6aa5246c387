"""People who talk: each handset sends numbered texts, one after the other, to other people and to its groups.

A text is said when its sender's agent took it; it is accepted when the gateway's word came, which the oracle asks
later. What fails for a passing reason is said again with the same id, so that a number is never left out and never
overtaken by the next.
"""
import random
import secrets
import threading
import time
from dataclasses import dataclass

from home_client import Failed, NoAnswer

PASSING = {"ERR_OFFLINE", "ERR_TIMED_OUT", "ERR_HEAD_STALE", "ERR_UNAVAILABLE", "ERR_BUSY", "ERR_RATE_LIMITED",
           "ERR_HELD", "ERR_DEVICE_STALE", "ERR_TOKEN_EXPIRED", "ERR_DISK_FULL", "ERR_STORAGE"}


@dataclass
class Said:
    sender: str
    number: int
    to: str         # a person or a group
    recipients: tuple
    text: str
    id: str
    sequence: int = 0    # in the sender's own history; 0: its agent never took it
    refused: str = ""


class Talker(threading.Thread):
    """One handset's voice. `targets`: name to write to → names of the handsets that shall open it."""

    def __init__(self, handset, targets: dict, seed: int, pause: float, budget):
        super().__init__(daemon=True)
        self.handset, self.targets, self.pause, self.budget = handset, targets, pause, budget
        self.chance = random.Random(seed)
        self.said = []
        self.stopping = threading.Event()
        self.trouble = None

    def run(self) -> None:
        try:
            while not self.stopping.is_set() and self.budget.take():
                self.say()
                self.stopping.wait(self.chance.uniform(0.5, 1.5) * self.pause)
        except Exception as error:  # shown by the oracle: a thread has no other way
            self.trouble = f"{self.handset.name}: {error!r}"

    def say(self) -> None:
        to = self.chance.choice(sorted(self.targets))
        number = len(self.said) + 1
        said = Said(self.handset.name, number, to, self.targets[to], f"{self.handset.name} {number:06} an {to}",
                    secrets.token_hex(16))
        self.said.append(said)
        # Most are left to the outbox, some are waited for.
        wait_ms = self.chance.choice([0, 0, 0, 3_000])
        until = time.monotonic() + 300
        while time.monotonic() < until:
            try:
                _, answer = self.handset.home.ask("send", {"to": to, "text": said.text, "wait_ms": wait_ms}, said.id,
                                                  patience=120)
                said.sequence = answer["sequence"]
                return
            except NoAnswer as error:
                said.refused = str(error)
            except Failed as error:
                said.refused = str(error)
                if error.code not in PASSING:
                    return
            time.sleep(0.3)


class Budget:
    """How many texts are left for all talkers together; without end when none is given."""

    def __init__(self, texts: int = None):
        self.left, self.mutex = texts, threading.Lock()

    def take(self) -> bool:
        with self.mutex:
            if self.left is None:
                return True
            self.left -= 1
            return self.left >= 0

    def empty(self) -> bool:
        return self.left is not None and self.left <= 0
