#!/usr/bin/python3
"""Bad networks: real servers, and a real agent behind a link that is slow, far, lossy or cut (tests/network/run --help)."""
import argparse
import json
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from badlink import CLEAN, PROFILES, SERVER_ADDRESS, BadLink, Unavailable
from measures import behind_upload, bytes_of_message, catch_up, idle, send_to_opened
from people import Build, Supervisor, World
from standin import FRONT, StandIn

STEPS = ("send_to_opened", "message", "idle", "catch_up", "behind_upload")
# What a proxy cannot measure: it sees no headers, and ends the connection whose round trip an upload goes by.
NEEDS_PACKETS = ("message", "idle", "behind_upload")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--profile", action="append", choices=sorted(PROFILES))
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--messages", type=int, default=30)
    parser.add_argument("--waiting", type=int, default=1_000)
    parser.add_argument("--idle", type=float, default=300)
    parser.add_argument("--only", action="append", choices=STEPS)
    parser.add_argument("--stand-in", action="store_true", help="as where namespaces are not allowed")
    parser.add_argument("--congestion")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--counts", type=Path, help="passed, failed and skipped are written there")
    options = parser.parse_args()
    if options.short:
        options.messages, options.waiting, options.idle = 5, 50, 0
    options.only = options.only or list(STEPS)
    options.profile = options.profile or (["lte"] if options.short else ["edge", "3g", "lte", "tunnel"])
    return options


class Cuts(threading.Thread):
    """Cuts the link for `seconds` of each minute, beginning after a third of what is left of it."""

    def __init__(self, link: BadLink, seconds: float):
        super().__init__(daemon=True)
        self.link, self.seconds, self.over = link, seconds, threading.Event()

    def run(self):
        while not self.over.wait((60 - self.seconds) / 3):
            self.link.cut(True)
            self.over.wait(self.seconds)
            self.link.cut(False)
            if self.over.wait((60 - self.seconds) * 2 / 3):
                return

    def end(self):
        self.over.set()
        self.join()


def steps_of(options, profile, link, anna, bernd, folder) -> dict:
    """name → what measures it. In a tunnel only the time is asked for: the rest would say the same as LTE."""
    out = {"send_to_opened": lambda: send_to_opened(profile, anna, bernd, options.messages)}
    if profile.cut_seconds:
        return out
    out["message"] = lambda: bytes_of_message(link, profile, anna, bernd, 3 if options.short else 7)
    if options.idle:
        out["idle"] = lambda: idle(link, options.idle, anna)
    out["catch_up"] = lambda: catch_up(link, profile, anna, bernd, options.waiting)
    if not options.short:
        out["behind_upload"] = lambda: behind_upload(link, profile, anna, bernd, folder, 30)
    return {name: step for name, step in out.items() if name in options.only}


def measure(options, profile, link, anna, bernd, folder) -> dict:
    out = {"profile": {**vars(profile), "congestion": link.congestion}}
    link.set(profile)
    cuts = Cuts(link, profile.cut_seconds) if profile.cut_seconds else None
    if cuts:
        cuts.start()
    for name, step in steps_of(options, profile, link, anna, bernd, folder).items():
        began = time.monotonic()
        try:
            out[name] = step()
            print(f"{profile.name:<8} {name:<16} {json.dumps(out[name])}", flush=True)
        except Exception as error:  # the other measurements still say something
            out[name] = {"failed": f"{type(error).__name__}: {error}"}
            print(f"{profile.name:<8} {name:<16} FAILED: {error}", flush=True)
        print(f"         {time.monotonic() - began:.1f} s", file=sys.stderr)
    if cuts:
        cuts.end()
    link.set(CLEAN)
    return out


def talk(options, link, world, folder: Path, agent_program=None) -> list:
    """Opens the world, and measures every profile."""
    world.open()
    if isinstance(link, StandIn):
        for name in ("broker", "gateway"):
            link.listen(world.port[name])
        link.slow(folder / "homes" / "anna")
    anna, bernd = world.enrol("anna", agent_program), world.enrol("bernd")
    for person in (anna, bernd):
        person.online()
    for sender, receiver in ((anna, bernd), (bernd, anna)):  # look-ups and grants are not what is measured
        words = f"Hallo von {sender.name}"
        sender.say(receiver, words)
        receiver.wait_for([words], 60, "first message")
    return [measure(options, PROFILES[name], link, anna, bernd, folder) for name in options.profile]


def run(options, folder: Path) -> list:
    build = Build(options.build)
    link = BadLink(build.program("nimes-relay"), options.seed, options.congestion)
    try:
        link.set(CLEAN)
        link.enter()
        with Supervisor(folder / "logs") as supervisor:
            world = World(supervisor, build, folder, rate=1_000, host=SERVER_ADDRESS)
            print(f"TCP's congestion control: {link.congestion}", flush=True)
            return talk(options, link, world, folder, link.wrapper(folder, build.program("nimes-agent")))
    finally:
        link.close()


def run_stand_in(options, folder: Path) -> list:
    link = StandIn(options.seed)
    folder.mkdir(exist_ok=True)
    try:
        with Supervisor(folder / "logs") as supervisor:
            world = World(supervisor, Build(options.build), folder, rate=1_000, host=FRONT, listen="127.0.0.1")
            out = talk(options, link, world, folder)
        if not all(counts["arrived_bytes"] for counts in link.stats().values()):
            raise RuntimeError("nothing passed the stand-in slowly: whose connections are they?")
        return out
    finally:
        link.close()


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the namespaces must go, too
    skipped = 0
    with tempfile.TemporaryDirectory(prefix="nimes-network-") as folder:
        try:
            if options.stand_in:
                raise Unavailable("a stand-in is asked for")
            results = run(options, Path(folder))
            if options.short:  # so that it works where it is needed
                options.only = ["send_to_opened"]
                print("STAND-IN, once, although it is not needed here:", flush=True)
                results += run_stand_in(options, Path(folder) / "stand-in")
        except Unavailable as error:
            skipped = sum(step in NEEDS_PACKETS for name in options.profile
                          for step in steps_of(options, PROFILES[name], *[None] * 4))
            print(f"STAND-IN: a proxy with rate, delay and cuts instead of network namespaces ({error}); "
                  f"{skipped} measurements of packets are SKIPPED", flush=True)
            if options.congestion:
                print("STAND-IN: it ends TCP, so --congestion is SKIPPED, too", flush=True)
            options.only = [step for step in options.only if step not in NEEDS_PACKETS]
            results = run_stand_in(options, Path(folder))
    done = [value for result in results for name, value in result.items() if name != "profile"]
    failed = sum("failed" in value for value in done)
    if options.json:
        options.json.write_text(json.dumps({"profiles": results, "skipped": skipped}, indent=2) + "\n")
    if options.counts:
        options.counts.write_text(f"{len(done) - failed} {failed} {skipped}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
