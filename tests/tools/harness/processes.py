"""Children that are watched while they run and always end.

A Supervisor is a context manager: leaving it ends every child, the youngest first, by SIGTERM and, after a grace, by
SIGKILL; the kernel ends them too when the supervisor's process dies, unless detach() was called. A child that ends by
itself is noticed by the next wait: Died names it and shows the end of its log. One thread only.
"""
import ctypes
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

GRACE_SECONDS = 10
PR_SET_PDEATHSIG = 1


class Died(Exception):
    """A process that should run does not."""


class TimedOut(Exception):
    """What was waited for did not happen."""


def wait_until(condition, what: str, seconds: float = 30, watch=None):
    """The first true value of condition(). Asks often; `watch` is a Supervisor whose children must live meanwhile."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        if watch is not None:
            watch.all_alive()
        if time.monotonic() > until:
            raise TimedOut(f"no {what} within {seconds:g} s")
        time.sleep(0.01)
    return value


class Ports:
    """Ports that the kernel chose, held until somebody takes them, so that no two get the same."""

    def __init__(self):
        self.held = {}

    def reserve(self) -> int:
        holder = socket.socket()
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        self.held[port] = holder
        return port

    def release(self, port: int) -> int:
        """Just before its program binds it."""
        self.held.pop(port).close()
        return port


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def client_port(pid: int, server_port: int) -> int:
    """The local port of this process's connection to a server on the loopback."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(link)
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[9] in inodes and int(fields[2].split(":")[1], 16) == server_port and fields[3] == "01":
            return int(fields[1].split(":")[1], 16)
    raise LookupError(f"process {pid} has no connection to port {server_port}")


class Child:
    def __init__(self, name: str, process: subprocess.Popen, out: Path, log: Path):
        self.name, self.process, self.out, self.log = name, process, out, log
        self.expected_to_end = False

    @property
    def pid(self) -> int:
        return self.process.pid

    def alive(self) -> bool:
        return self.process.poll() is None

    def log_end(self, lines: int = 20) -> str:
        texts = [path.read_text(errors="replace").splitlines()[-lines:] for path in (self.out, self.log)]
        return "\n".join(texts[0] + texts[1])


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Supervisor:
    def __init__(self, logs: Path, detached: bool = False):
        self.logs = logs
        self.children = []
        self.detached = detached
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.detached:
            self.stop_all()

    def start(self, name: str, command: list, env=None, stdin=subprocess.DEVNULL, pass_fds=()) -> Child:
        """Output goes to LOGS/NAME.out, what it says of itself to LOGS/NAME.log."""
        out, log = self.logs / f"{name}.out", self.logs / f"{name}.log"
        with open(out, "ab") as out_file, open(log, "ab") as log_file:
            process = subprocess.Popen([str(word) for word in command], stdin=stdin, stdout=out_file, stderr=log_file,
                                       env={**os.environ, **(env or {})}, start_new_session=True, pass_fds=pass_fds,
                                       preexec_fn=None if self.detached else _die_with_parent)
        child = Child(name, process, out, log)
        self.children.append(child)
        return child

    def start_with_port(self, name: str, command: list, env=None) -> tuple:
        """For programs whose first line of output is the port they listen on."""
        child = self.start(name, command, env)
        wait_until(lambda: child.out.read_text().endswith("\n"), f"port of {name}", watch=self)
        return child, int(child.out.read_text().split()[0])

    def all_alive(self) -> None:
        for child in self.children:
            if not child.expected_to_end and not child.alive():
                raise Died(f"{child.name} ended with {child.process.returncode}:\n{child.log_end()}")

    def stop(self, child: Child) -> int:
        """Ends it and whatever it started; answers its exit status."""
        child.expected_to_end = True
        for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
            try:
                os.killpg(child.pid, number)
            except ProcessLookupError:
                pass
            try:
                child.process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        self.children = [other for other in self.children if other is not child]
        return child.process.returncode

    def kill(self, child: Child) -> None:
        """kill -9, as a crash would: no good-bye, no flush."""
        child.expected_to_end = True
        os.killpg(child.pid, signal.SIGKILL)
        child.process.wait(GRACE_SECONDS)
        self.children = [other for other in self.children if other is not child]

    def stop_all(self) -> None:
        for child in reversed(list(self.children)):
            self.stop(child)
