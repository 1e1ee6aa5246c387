"""Which disaster happens when, to whom and for how long: everything follows from the seed.

Every kind happens once before any happens twice, in an order that is the seed's. A fault that lasts has an end of its
own; faults overlap. Pure but for Fault.begin and Fault.end, which act on the world.
"""
import random
import signal
from dataclasses import dataclass

HOUR = 3600
# kind: longest duration in seconds (0: it has no end of its own)
KINDS = {
    "kill broker": 2, "kill gateway": 2, "kill agent": 2, "kill all": 2,
    "freeze broker": 5, "freeze gateway": 5, "freeze agent": 8,
    "cut": 0, "blackout": 5, "stall": 6, "swallow": 4, "half-open server gone": 0, "half-open client gone": 0,
    "disk at its floor": 4, "disk full": 4,
    "clock forward": 20, "clock back": 20, "network change": 0,
}
NEEDS_DISK = ("disk at its floor", "disk full")


@dataclass
class Fault:
    at: float
    kind: str
    until: float
    who: str  # the process it hits, or the network: "broker" or "gateway"
    seed: int

    def line(self) -> str:
        return f"{self.at:7.1f} s  {self.kind} ({self.who}) for {self.until - self.at:.1f} s"

    def chance(self) -> random.Random:
        return random.Random(self.seed)

    def begin(self, world) -> str:
        """Answers what it hit, for the log."""
        seconds, network, some = self.until - self.at, world.networks.get(self.who), self.chance()
        verb, _, what = self.kind.partition(" ")
        if verb == "kill":
            names = list(world.children()) if what == "all" else [self.who]
            for name in names:
                world.kill(name, seconds)
            return ", ".join(names)
        if verb == "freeze":
            world.signal(self.who, signal.SIGSTOP)
        elif verb == "clock":
            world.by_name[self.who].move_clock(HOUR if what == "forward" else -HOUR)
        elif verb == "network":
            world.by_name[self.who].change_network(f"network {some.randrange(3)}")
        elif verb == "disk":
            world.fill_disk(0 if what == "full" else 16 << 20)
        elif verb == "cut":
            return f"{network.cut(some, 0.6)} connections"
        elif verb == "blackout":
            network.refuse(True)
            return f"{network.cut(some)} connections"
        elif verb == "stall":
            return f"{network.stall(some, 0.6)} connections"
        elif verb == "swallow":
            return f"{network.swallow(some, 0.5, some.choice([('up',), ('down',), ('up', 'down')]))} connections"
        elif verb == "half-open":
            return f"{network.half_open(some, 0.4, what.split()[0])} connections"
        return self.who

    def end(self, world) -> None:
        verb = self.kind.split()[0]
        if verb == "freeze":
            world.signal(self.who, signal.SIGCONT)
        elif verb == "clock":
            world.by_name[self.who].move_clock(0)
        elif verb == "disk":
            world.empty_disk()
        elif verb in ("blackout", "stall", "swallow"):
            world.networks[self.who].heal()


def plan(seed: int, seconds: float, agents: list, disk: bool) -> list:
    """Faults in the order they begin; at least 15 in a minute."""
    chance = random.Random(seed)
    kinds = [kind for kind in KINDS if disk or kind not in NEEDS_DISK]
    out, deck, at = [], [], 1.0
    while at < seconds:
        if not deck:
            deck = chance.sample(kinds, len(kinds))
        kind = deck.pop()
        length = chance.uniform(0.3, 1.0) * KINDS[kind]
        networks = ["broker", "broker", "broker", "gateway"]  # most of what matters passes the broker
        by_network = kind.split()[0] in ("cut", "blackout", "stall", "swallow", "half-open")
        server = {"broker": "mosquitto", "gateway": "gateway", "all": "all"}.get(kind.split()[1]) if " " in kind else None
        who = chance.choice(networks) if by_network else server or chance.choice(agents)
        if kind in NEEDS_DISK:
            who = "gateway"
        out.append(Fault(at, kind, at + length, who, chance.getrandbits(32)))
        at += chance.uniform(1.0, 4.5)
    return out
