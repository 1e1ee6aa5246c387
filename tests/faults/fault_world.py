"""A world for disasters: what harness.world builds, with a bad network before each server, a disk of its own that can
be filled, and a clock for each handset that can be moved.

Processes that end are started again, as a service manager would. One that ends by itself, unless its disk is full, is
a defect: `deaths` names it.
"""
import os
import re
import secrets
import subprocess
import time

from harness.agent import Agent
from harness.broker import Broker
from harness.faketime import FAKETIME
from harness.processes import answers, wait_until
from harness.world import World

from home_client import Failed, HomeClient, NoAnswer
from proxy import Proxy

DISK_BYTES = 768 << 20
FLOOR_BYTES = 64 << 20
RESTART_SECONDS = 0.5
TAIL_BYTES = 64 * 1024


class Handset:
    """One person's agent, kept running as `watch`."""

    def __init__(self, world: "FaultWorld", agent: Agent, surname: str):
        self.world, self.agent, self.name, self.surname = world, agent, agent.name, surname
        self.home = HomeClient(agent.home, agent.passphrase)
        self.clock = world.folder / f"{self.name}.clock"
        self.move_clock(0)
        self.child, self.wanted = None, False

    def move_clock(self, seconds: int) -> None:
        partial = self.clock.with_suffix(".partial")
        partial.write_text(f"{seconds:+d}s\n")
        partial.rename(self.clock)

    def change_network(self, name: str) -> None:
        """As the operating system says it: another address from now on, and what stood before is worth nothing."""
        try:
            self.home.ask("network.changed", {"name": name}, patience=2)
        except (Failed, NoAnswer):
            pass  # it is down or frozen, and learns of it when it connects

    def environment(self) -> dict:
        return {**self.world.preload(str(FAKETIME)), "FAKETIME_TIMESTAMP_FILE": str(self.clock),
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_CACHE_DURATION": "1"}

    def shown(self) -> int:
        """The last number that `watch` printed before it was killed: a person does not read all of it again either."""
        if self.child is None:
            return 0
        with self.child.out.open("rb") as out:
            out.seek(max(0, out.seek(0, os.SEEK_END) - TAIL_BYTES))
            numbers = re.findall(rb'"sequence":\s*(\d+)', out.read())
        return max((int(number) for number in numbers), default=0)

    def start(self) -> None:
        descriptor = self.agent.open_passphrase()
        words = self.agent.words(descriptor, "watch", "--since", self.shown())
        self.child = self.world.supervisor.start(f"agent-{self.name}", words, env=self.environment(),
                                                 pass_fds=(descriptor,))
        os.close(descriptor)
        self.wanted = True


class FaultWorld(World):
    def __init__(self, folder, build, supervisor):
        super().__init__(folder, build, supervisor)
        self.handsets, self.deaths, self.down_until = [], [], {}
        self.disk_full = False
        self.disk = folder / "gateway"
        self.disk.mkdir()
        self.has_disk = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "tmpfs",
                                        self.disk], capture_output=True).returncode == 0

    def preload(self, library: str) -> dict:
        sanitizers = self.build.plugin_environment().get("LD_PRELOAD", "")
        return {"LD_PRELOAD": f"{sanitizers}:{library}" if sanitizers else library}

    def gateway_settings(self) -> dict:
        return {**super().gateway_settings(), "store.floor_bytes": FLOOR_BYTES,
                "policy.lock_after_seconds": 86_400}  # nobody touches these handsets

    def start_servers(self) -> None:
        for name in ("broker", "gateway"):
            self.ports.release(self.port[f"{name}_tap"])
        self.networks = {name: Proxy(self.port[f"{name}_tap"], self.port[name]) for name in ("broker", "gateway")}
        self.broker = Broker(self.supervisor, self.build, self.folder / "broker", self.certificates,
                             self.ports.release(self.port["broker"]), self.plugin_options())
        self.broker.start()
        for name in ("gateway", "operations"):
            self.ports.release(self.port[name])
        self.gateway.start(self.port["operations"])
        wait_until(lambda: answers(self.port["gateway"]), "answer of the gateway", watch=self.supervisor)

    def handset(self, name: str, surname: str) -> Handset:
        agent = Agent(self.supervisor, self.build, self.folder / "homes" / name, name, secrets.token_urlsafe(18))
        self.agents[name] = agent
        self.handsets.append(Handset(self, agent, surname))
        return self.handsets[-1]

    # What runs, by name: a child, and how it is started again.
    def children(self) -> dict:
        out = {"mosquitto": (self.broker.child, self._start_broker), "gateway": (self.gateway.child, self._start_gateway)}
        out.update({h.name: (h.child, h.start) for h in self.handsets if h.wanted})
        return out

    def _start_broker(self) -> None:
        self.broker.child = self.supervisor.start("mosquitto", ["mosquitto", "-c", self.broker.configuration],
                                                  env=self.build.plugin_environment())

    def _start_gateway(self) -> None:
        self.gateway.child = self.supervisor.start("gateway", [self.gateway.program, "run", "--config",
                                                               self.gateway.configuration])

    def kill(self, name: str, seconds: float) -> None:
        """kill -9; it comes back after so many seconds."""
        self.down_until[name] = time.monotonic() + seconds
        child, _ = self.children()[name]
        if child.alive():
            self.supervisor.kill(child)

    def signal(self, name: str, number: int) -> None:
        child, _ = self.children()[name]
        if child.alive():
            os.killpg(child.pid, number)

    def keep_running(self) -> None:
        """The service manager: whatever is down and need not be is started again."""
        now = time.monotonic()
        for name, (child, start) in self.children().items():
            if child.alive():
                continue
            if not child.expected_to_end:
                child.expected_to_end = True
                if not (name == "gateway" and self.disk_full):
                    self.deaths.append(f"{name} ended by itself with {child.process.returncode}:\n{child.log_end()}")
                self.down_until[name] = now + RESTART_SECONDS
            if now >= self.down_until.get(name, 0):
                start()

    def fill_disk(self, leave_bytes: int) -> None:
        free = os.statvfs(self.disk)
        self.disk_full = True
        block, left = bytes(1 << 20), free.f_bavail * free.f_frsize - leave_bytes
        try:
            with open(self.disk / "filler", "wb", buffering=0) as file:  # nothing is left to write when it closes
                while left > 0:
                    left -= file.write(block[:min(left, len(block))])
        except OSError:
            pass  # full: that is what was asked for

    def empty_disk(self) -> None:
        (self.disk / "filler").unlink(missing_ok=True)
        self.disk_full = False

    def close(self) -> None:
        if self.has_disk:
            subprocess.run(["umount", "-l", self.disk], capture_output=True)
