"""nimes-agent: one home, driven by its command line as a person would drive it.

The passphrase goes through a file descriptor, as it must. With --json each line of output is one JSON object.
"""
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .build import Build
from .processes import Child, Supervisor, wait_until


@dataclass
class Outcome:
    status: int
    out: str
    err: str

    def lines(self) -> list:
        return [json.loads(line) for line in self.out.splitlines() if line.startswith(("{", "["))]

    def last(self) -> dict:
        lines = self.lines()
        return lines[-1] if lines else {}


class Agent:
    def __init__(self, supervisor: Supervisor, build: Build, home: Path, name: str, passphrase: str):
        self.supervisor, self.home, self.name, self.passphrase = supervisor, home, name, passphrase
        self.program = build.program("nimes-agent")
        self.watcher = None

    def open_passphrase(self) -> int:
        """The readable end of a pipe that holds the passphrase; the caller closes it once the child has it."""
        readable, writable = os.pipe()
        os.write(writable, self.passphrase.encode() + b"\n")
        os.close(writable)
        return readable

    def words(self, descriptor: int, *words) -> list:
        return [self.program, "--home", self.home, "--json", "--passphrase-fd", descriptor, *words]

    def run(self, *words, typed: str = "", seconds: float = 120) -> Outcome:
        descriptor = self.open_passphrase()
        try:
            done = subprocess.run([str(word) for word in self.words(descriptor, *words)], input=typed, text=True,
                                  capture_output=True, timeout=seconds, pass_fds=(descriptor,))
        finally:
            os.close(descriptor)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def enrol(self, provisioning: Path, address: str, read_code, seconds: float = 120) -> Outcome:
        """Asks for a code, calls read_code() (which waits for the mail) and types what it answers."""
        descriptor = self.open_passphrase()
        words = self.words(descriptor, "enrol", "--provisioning", provisioning, address)
        process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, pass_fds=(descriptor,))
        os.close(descriptor)
        try:
            out, err = process.communicate(read_code() + "\n", timeout=seconds)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return Outcome(process.returncode, out, err)

    def online(self) -> Child:
        """Starts `watch`: the process that owns the home from now on; its events are in events()."""
        descriptor = self.open_passphrase()
        self.watcher = self.supervisor.start(f"agent-{self.name}", self.words(descriptor, "watch"),
                                             pass_fds=(descriptor,))
        os.close(descriptor)
        wait_until(lambda: self.run("status").last().get("connected"), f"connection of {self.name}", 60,
                   self.supervisor)
        return self.watcher

    def offline(self) -> None:
        if self.watcher is not None:
            self.supervisor.stop(self.watcher)
            self.watcher = None

    def expect_end(self) -> None:
        """`watch` ends by itself where a revocation wipes the home."""
        if self.watcher is not None:
            self.watcher.expected_to_end = True

    def events(self) -> list:
        """What `watch` has printed so far, whole lines only."""
        text = self.watcher.out.read_text()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def wait_for(self, condition, what: str, seconds: float = 30) -> dict:
        """The first event for which condition(event) holds."""
        return wait_until(lambda: [event for event in self.events() if condition(event)],
                          f"{what} at {self.name}", seconds, self.supervisor)[0]
