"""Shutting out under load: from the administrator's command to the last byte that the device's connection received.

5,000 devices are connected by TLS and write to each other. The click is the start of `nimes-gateway admin revoke`, the
process included; the end is the moment at which the client has seen its connection closed, behind the last byte. Both
are times of the monotonic clock, which is one for all processes. First one device at a time, then many at once by a list.
What nimes-swarm saw of every connection is then held against what was ordered: check().
"""
import json
import random
import subprocess
import time
from pathlib import Path

from rows import limit, our_world, quantile
from servers import SwarmFailed, swarm

DEVICES = 5_000
ONE_BY_ONE = 200
AT_ONCE = 1_000
TEXTS_PER_SECOND = 500
LONGEST_PAUSE = 0.2  # between two orders, so that they fall anywhere between the broker's ticks
PATIENCE = 300  # a device comes back within the spread that its gateway told it (2 ms for each connected one) and its own pauses


def now_us() -> int:
    return time.monotonic_ns() // 1_000


class Events:
    """The lines "MICROSECONDS WHAT DEVICE" that nimes-swarm goes on writing."""

    def __init__(self, path: Path):
        self.path, self.at, self.rest = path, 0, ""
        self.of = {}  # device -> [(us, what)]

    def read(self) -> None:
        with open(self.path, encoding="ascii") as lines:
            lines.seek(self.at)
            new = lines.read()
            self.at = lines.tell()
        *whole, self.rest = (self.rest + new).split("\n")
        for line in whole:
            us, what, device = line.split()
            self.of.setdefault(device, []).append((int(us), what))

    def first(self, device: str, whats: tuple, since: int):
        return next((us for us, what in self.of.get(device, []) if us >= since and what in whats), None)

    def wait(self, devices: list, whats: tuple, since: int, what: str) -> list:
        """When the first of `whats` happened to each of these devices since then."""
        until = time.monotonic() + PATIENCE
        while True:
            self.read()
            times = [self.first(device, whats, since) for device in devices]
            if None not in times:
                return times
            if time.monotonic() > until:
                late = [device for device, us in zip(devices, times) if us is None]
                raise SwarmFailed(f"{len(late)} of {len(devices)} revoked devices {what} within {PATIENCE} s, the first: "
                                  f"{late[0]} {self.of.get(late[0])}")
            time.sleep(0.002)


def revoke(world, *words) -> tuple:
    """The click, how many ms the command ran, and the order's number."""
    command = [world.gateway.program, "admin", "--config", world.gateway.configuration, "revoke", *words, "--reason",
               "stolen", "--why", "load test", "--json"]
    clicked = now_us()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=PATIENCE)
    took = (now_us() - clicked) / 1e3
    if done.returncode != 0:
        raise SwarmFailed(f"admin revoke: exit status {done.returncode}: {done.stderr.strip()}")
    return clicked, took, json.loads(done.stdout)["id"]


def check(events: Events, clicked: dict, since: int) -> dict:
    """SwarmFailed where somebody who was shut out came in again, or anybody else was cut, refused or closed."""
    again = bystanders = refused = 0
    for device, happened in events.of.items():
        if device not in clicked:
            bystanders += any(us >= since for us, _ in happened)
            continue
        after = [what for us, what in happened if us >= clicked[device]]
        again += "in" in after
        refused += after.count("refused")
    if again or bystanders:
        raise SwarmFailed(f"{again} revoked devices came in again, {bystanders} others lost their connection")
    return {"revoked": len(clicked), "refused_attempts": refused, "others": len(events.of) - len(clicked)}


def steps(world, order: int) -> dict:
    """Milliseconds after the order was on disk, by step."""
    until = time.monotonic() + PATIENCE
    while not (shown := world.gateway.admin("revocations", order))["complete"]:
        if time.monotonic() > until:
            raise SwarmFailed("the order is not carried out")
        time.sleep(0.2)
    return {step["step"]: step["after_ms"] for step in shown["steps"]}


def shut_out(world, events: Events, folder: Path) -> dict:
    """Called while the swarm runs."""
    time.sleep(3)  # the conversations' first keys are through, texts go
    events.read()
    since = now_us()
    chosen = random.sample(sorted(events.of), ONE_BY_ONE + AT_ONCE)
    clicked, times, commands = {}, [], []
    for device in chosen[:ONE_BY_ONE]:
        click, took, order = revoke(world, device)
        closed = events.wait([device], ("cut", "closed"), click, "were not cut")[0]
        clicked[device] = click
        times.append((closed - click) / 1e3)
        commands.append(took)
        time.sleep(random.uniform(0, LONGEST_PAUSE))
    one = steps(world, order)
    many = chosen[ONE_BY_ONE:]
    (folder / "list.txt").write_text("\n".join(many) + "\n")
    click, took, order = revoke(world, "--list", folder / "list.txt")
    closed = events.wait(many, ("cut", "closed"), click, "were not cut")
    clicked.update((device, click) for device in many)
    events.wait(chosen, ("refused",), since, "did not come back to be refused")
    return {"since": since, "clicked": clicked, "times": times, "commands": commands, "one_order": one,
            "all": [(us - click) / 1e3 for us in closed], "all_command": took, "all_order": steps(world, order)}


def spread(times: list) -> dict:
    return {name: round(quantile(times, q), 1) for name, q in
            (("min", 0), ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1))}


def revocation(build, folder) -> list:
    with our_world(build, folder, "ours", DEVICES, tls=True) as world:
        events = Events(folder / "events.txt")
        events.path.touch()
        report = swarm(build, "run", world.broker, "--events", events.path, "--until-eof", "--rate", TEXTS_PER_SECOND,
                       "--warm", 1, "--seconds", 600, "--patience", PATIENCE, accounts=world.accounts,
                       audience=world.broker_url, seconds=900, hold=lambda: shut_out(world, events, folder))
        events.read()
        held = report["held"]
        seen = check(events, held["clicked"], held["since"])
    seen.update(texts_accepted_per_second=round(report["window"]["accepted_per_second"]),
                deliver_ms=report["deliver_ms"], counts=report["counts"], rejections=report["rejections"])
    one = {"click_to_close_ms": spread(held["times"]), "command_ms": spread(held["commands"]),
           "steps_after_ms": held["one_order"], "devices": DEVICES, **seen}
    all_ = {"click_to_close_ms": spread(held["all"]), "command_ms": round(held["all_command"], 1),
            "steps_after_ms": held["all_order"]}
    return [limit("revoked, p50", "ms", quantile(held["times"], 0.5), 1_000, one),
            limit("revoked, p99", "ms", quantile(held["times"], 0.99), 1_000, one),
            limit("revoked, 1,000 at once", "ms", max(held["all"]), 5_000, all_)]
