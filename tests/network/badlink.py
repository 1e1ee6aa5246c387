"""A bad link between two network namespaces of our own: HANDSET on one side, SERVERS on the other, nimes-relay between.

enter() moves this process, and what it starts from then on, to the servers' side; wrapper() makes a program run on the
handset's. Everything ends with close(). Unavailable says why this machine does not allow it.
"""
import ctypes
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

HANDSET_ADDRESS, SERVER_ADDRESS = "10.8.0.1", "10.8.0.2"
MTU = "1400"
CLONE_NEWNET = 0x40000000
ALLOWED = "/proc/sys/net/ipv4/tcp_allowed_congestion_control"
CONGESTION = "/proc/sys/net/ipv4/tcp_congestion_control"  # of the namespace that asks


@dataclass(frozen=True)
class Profile:
    """Bits a second up and down, one-way delay and jitter in ms, loss in each direction, longest queue in ms."""
    name: str
    up: int
    down: int
    delay: float
    jitter: float
    loss: float
    queue: float
    cut_seconds: float = 0  # of each minute

    def words(self) -> str:
        return f"set {self.up} {self.down} {self.delay} {self.jitter} {self.loss} {self.queue}"


# Round trips of 600, 300 and 60 ms; losses of 5, 2 and 0.5 %. The queues are those of the tbf recipe.
PROFILES = {
    "edge": Profile("edge", 64_000, 64_000, 300, 20, 0.05, 1_500),
    "3g": Profile("3g", 1_000_000, 1_000_000, 150, 20, 0.02, 400),
    "lte": Profile("lte", 10_000_000, 10_000_000, 30, 5, 0.005, 200),
    "tunnel": Profile("tunnel", 10_000_000, 10_000_000, 30, 5, 0.005, 200, cut_seconds=30),
}
CLEAN = Profile("clean", 0, 0, 0, 0, 0, 10_000)


class Unavailable(Exception):
    """Namespaces or TUN devices are not allowed here."""


def ip(*words) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"ip {' '.join(words)}: {done.stderr.strip()}")


class BadLink:
    def __init__(self, relay: Path, seed: int, congestion: str | None):
        if not Path("/dev/net/tun").exists():
            raise Unavailable("no /dev/net/tun")
        self.handset, self.servers = f"nimes-h-{os.getpid()}", f"nimes-s-{os.getpid()}"
        self.relay, self.made = None, []
        try:
            for name in (self.handset, self.servers):
                ip("netns", "add", name)
                self.made.append(name)
            self.start(relay, seed, congestion)
        except (OSError, Unavailable) as error:
            self.close()
            raise Unavailable(str(error)) from error
        except BaseException:
            self.close()
            raise

    def start(self, relay: Path, seed: int, congestion: str | None) -> None:
        self.relay = subprocess.Popen([relay, self.handset, self.servers, str(seed)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.relay.stdout.readline().strip() != "ready":
            raise Unavailable(self.relay.stderr.read().strip())
        for name, own, peer in ((self.handset, HANDSET_ADDRESS, SERVER_ADDRESS),
                                (self.servers, SERVER_ADDRESS, HANDSET_ADDRESS)):
            ip("-n", name, "addr", "add", own, "peer", peer, "dev", "bad0")
            ip("-n", name, "link", "set", "bad0", "mtu", MTU, "up")
            ip("-n", name, "link", "set", "lo", "up")
            self.choose(name, congestion)

    def choose(self, name: str, congestion: str | None) -> None:
        """TCP's congestion control in that namespace; without a wish it is the machine's."""
        def inside(*words, **more) -> subprocess.CompletedProcess:
            return subprocess.run(["ip", "netns", "exec", name, *words], capture_output=True, text=True, **more)
        if congestion and (done := inside("tee", CONGESTION, input=congestion)).returncode != 0:
            raise SystemExit(f"error: no congestion control {congestion}: {done.stderr.strip()}; allowed are "
                             f"{Path(ALLOWED).read_text().strip()} (sysctl net.ipv4.tcp_allowed_congestion_control)")
        found = inside("cat", CONGESTION)
        if found.returncode != 0:
            raise Unavailable(f"ip netns exec: {found.stderr.strip()}")
        self.congestion = found.stdout.strip()

    def enter(self) -> None:
        with open(f"/run/netns/{self.servers}") as place:
            if ctypes.CDLL(None, use_errno=True).setns(place.fileno(), CLONE_NEWNET) != 0:
                raise Unavailable(f"setns: {os.strerror(ctypes.get_errno())}")

    def wrapper(self, folder: Path, program: Path) -> Path:
        out = folder / f"{program.name}-behind-the-link"
        out.write_text(f'#!/bin/sh\nexec ip netns exec {self.handset} {program} "$@"\n')
        out.chmod(0o755)
        return out

    def order(self, words: str) -> str:
        self.relay.stdin.write(words + "\n")
        self.relay.stdin.flush()
        answer = self.relay.stdout.readline().strip()
        if not answer or answer == "error":
            raise RuntimeError(f"nimes-relay does not understand: {words}")
        return answer

    def set(self, profile: Profile) -> None:
        self.order(profile.words())

    def cut(self, is_cut: bool) -> None:
        self.order("cut" if is_cut else "heal")

    def stats(self) -> dict:
        """Packets and bytes with IP headers, by direction; what was lost is counted in both."""
        return json.loads(self.order("stats"))

    def close(self) -> None:
        if self.relay:
            self.relay.stdin.close()
            self.relay.wait(10)
        for name in self.made:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)
        self.made = []


def used(before: dict, after: dict) -> dict:
    return {way: {name: after[way][name] - before[way][name] for name in after[way]} for way in after}
