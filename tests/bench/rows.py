"""What the rows of the whole system share: the line of a row, and worlds to measure in.

A row is {name, unit, value, peer, peer_value, ratio, aim, met, detail}.
"""
import math
import sys
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "load"))

from servers import PlainBroker, Prepared, Supervisor  # noqa: E402


def row(name, unit, value, peer, peer_value, aim, at_least, detail) -> dict:
    """`aim` is of the ratio; 0: of the value, which stands in the peer's place."""
    ratio = value / peer_value if peer_value else 0
    return {"name": name, "unit": unit, "value": round(value, 3), "peer": peer, "peer_value": round(peer_value, 3),
            "ratio": round(ratio, 3), "aim": ("≥ " if at_least else "≤ ") + f"{aim:.4g}",
            "met": ratio >= aim if at_least else ratio <= aim, "detail": detail}


@contextmanager
def plain_world(build, folder, name, saving=False):
    with Supervisor(folder / f"{name}-logs") as supervisor:
        broker = PlainBroker(supervisor, folder / name, saving=saving)
        broker.start()
        yield broker


@contextmanager
def our_world(build, folder, name, people, devices_each=1, tls=False):
    with Supervisor(folder / f"{name}-logs") as supervisor:
        world = Prepared(supervisor, build, folder / name, tls=tls, rate=100_000)
        world.prepare(people, devices_each)
        world.start()
        yield world


def limit(name, unit, value, below, detail) -> dict:
    """A row that must be below a figure; that stands in the peer's place."""
    out = row(name, unit, value, "aim", below, 1, False, detail)
    out.update(aim=f"< {below:g} {unit}", met=value < below)
    return out


def quantile(values: list, q: float) -> float:
    """The smallest value that a share q of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]
