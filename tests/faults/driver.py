#!/usr/bin/python3
"""A workload goes on while disasters happen; then the oracle judges (see tests/faults/run --help)."""
import argparse
import heapq
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "tools"), str(Path(__file__).resolve().parent)]
from fault_world import FaultWorld  # noqa: E402
from harness.build import Build  # noqa: E402
from harness.processes import Supervisor, TimedOut, wait_until  # noqa: E402
from home_client import Failed, NoAnswer  # noqa: E402
from oracle import Verdict  # noqa: E402
from schedule import plan  # noqa: E402
from workload import Budget, Talker  # noqa: E402

SURNAMES = ("Albers", "Behrens", "Cordes", "Dierks", "Ehlers", "Frerichs", "Gerdes", "Harms", "Iken", "Janssen")
GROUPS = {"Streife": range(0, 6), "Lage": range(4, 10)}
SETTLE_SECONDS = 180  # and a second for each hundred texts: the oracle reads all histories each time it looks
PROGRESS_SECONDS = 60


class Run:
    def __init__(self, options, folder: Path, supervisor: Supervisor):
        self.options, self.folder, self.supervisor = options, folder, supervisor
        self.log_lines = []
        self.ended_early = threading.Event()  # by SIGINT: what was said so far is judged
        self.world = FaultWorld(folder, Build(), supervisor)

    def end_early(self) -> None:
        self.ended_early.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # once more: at once

    def log(self, text: str) -> None:
        self.log_lines.append(text)
        (self.folder / "logs" / "faults.log").open("a").write(text + "\n")
        if self.options.verbose:
            print(text, flush=True)

    def build_world(self) -> None:
        world = self.world
        world.start()
        world.gateway.admin("org", "create", "--name", "Polizei", "--domain", "polizei.example")
        world.gateway.admin("unit", "create", "--name", "Celle")
        roster = self.folder / "roster.csv"
        rows = [f'{surname.lower()}@polizei.example,"{surname}, P",PK,Celle' for surname in SURNAMES]
        roster.write_text("address,name,rank,unit\n" + "\n".join(rows) + "\n")
        world.gateway.admin("roster", "import", roster)
        for surname in SURNAMES:
            handset = world.handset(surname.lower(), surname)
            outcome = world.enrol(handset.agent, f"{surname.lower()}@polizei.example")
            if outcome.status != 0:
                raise RuntimeError(f"{surname} cannot enrol: {outcome.err}")
            handset.start()
        world.by_name = {handset.name: handset for handset in world.handsets}
        for handset in world.handsets:
            wait_until(lambda: self.status(handset).get("connected"), f"connection of {handset.name}", 60,
                       self.supervisor)
        for title, members in GROUPS.items():
            first, *others = (SURNAMES[i] for i in members)
            world.by_name[first.lower()].home.ask("group.create", {"title": title, "with": others, "role": "poster",
                                                                   "wait_ms": 30_000})

        def knows(handset, title):
            lines, _ = handset.home.ask("group.list")
            return any(line["title"] == title for line in lines)
        for title, members in GROUPS.items():
            for i in members:
                wait_until(lambda: knows(world.handsets[i], title), f"{title} at {SURNAMES[i]}", 60, self.supervisor)

    def status(self, handset) -> dict:
        try:
            return handset.home.ask("status", patience=5)[1]
        except (Failed, NoAnswer):
            return {}

    def talkers(self) -> list:
        names = [handset.name for handset in self.world.handsets]
        out = []
        for i, handset in enumerate(self.world.handsets):
            targets = {SURNAMES[(i + step) % len(names)]: (names[(i + step) % len(names)],) for step in (1, 3)}
            for title, members in GROUPS.items():
                if i in members:
                    targets[title] = tuple(names[m] for m in members if m != i)
            out.append(Talker(handset, targets, self.options.seed * 100 + i, self.options.pause, self.budget))
        return out

    def run(self) -> bool:
        self.budget = Budget(self.options.messages)
        self.build_world()
        if not self.world.has_disk:
            self.log("no disk of its own could be mounted for the gateway: 2 kinds of faults are skipped")
        talkers = self.talkers()
        for talker in talkers:
            talker.start()
        faults = self.disasters(talkers)
        if self.ended_early.is_set():
            self.options.seconds = 0  # too short for a number of faults to be asked
            print("ended early: what was said so far is judged", flush=True)
        settled = self.settle(talkers)
        said = [one for talker in talkers for one in talker.said]
        return self.report(faults, said, talkers, settled)

    def disasters(self, talkers: list) -> int:
        """Until the time is over or everything was said; faults begin and end as the seed wants it."""
        began, count, chapter, events = time.monotonic(), 0, 0, []
        seconds = self.options.seconds if self.options.messages is None else 600

        def over(now):
            if self.ended_early.is_set():
                return True
            return self.budget.empty() if self.options.messages is not None else now >= seconds
        told = 0
        while not over(now := time.monotonic() - began):
            if now - told >= PROGRESS_SECONDS:
                told = now
                print(f"{now:.0f} s: {sum(len(talker.said) for talker in talkers)} texts said, {count} faults",
                      flush=True)
            if now >= chapter * seconds:  # another ten minutes, from the next seed
                for fault in plan(self.options.seed + chapter * 1_000_000, seconds,
                                  [handset.name for handset in self.world.handsets], self.world.has_disk):
                    fault.at, fault.until = fault.at + chapter * seconds, fault.until + chapter * seconds
                    heapq.heappush(events, (fault.at, len(events), 0, fault))
                chapter += 1
            while events and events[0][0] <= now:
                _, order, ending, fault = heapq.heappop(events)
                if ending:
                    fault.end(self.world)
                    continue
                count += 1
                self.log(f"{fault.line()}: {fault.begin(self.world)}")
                heapq.heappush(events, (fault.until, order, 1, fault))
            self.world.keep_running()
            time.sleep(0.02)
        return count

    def settle(self, talkers: list) -> bool:
        """The world is whole again; everybody says what they began to say, and everything arrives."""
        world = self.world
        for talker in talkers:
            talker.stopping.set()
        world.empty_disk()
        for network in world.networks.values():
            network.heal()
            self.log(f"healed; {network.reset_dead()} half-open connections are reset")
        for name in world.children():
            world.signal(name, signal.SIGCONT)
        for handset in world.handsets:
            handset.move_clock(0)
        until = time.monotonic() + self.settle_seconds(talkers)
        while time.monotonic() < until:
            world.keep_running()
            if not any(t.is_alive() for t in talkers) and self.everything_arrived(talkers):
                time.sleep(3)  # a repeat would come now
                return True
            time.sleep(0.5)
        return False

    @staticmethod
    def settle_seconds(talkers: list) -> float:
        return SETTLE_SECONDS + sum(len(talker.said) for talker in talkers) / 100

    def everything_arrived(self, talkers: list) -> bool:
        for handset in self.world.handsets:
            status = self.status(handset)
            if status.get("outbox", 1) or status.get("held") or not status.get("synced"):
                return False
        try:
            verdict = Verdict(self.world.handsets, [one for talker in talkers for one in talker.said])
        except (Failed, NoAnswer):
            return False
        return not verdict.faults["lost"]

    def report(self, faults: int, said: list, talkers: list, settled: bool) -> bool:
        try:
            verdict = Verdict(self.world.handsets, said)
        except (Failed, NoAnswer) as error:
            print(f"a handset does not tell what it holds: {error}; {len(said)} texts said, {faults} faults")
            self.print_statuses()
            return False
        trouble = [talker.trouble for talker in talkers if talker.trouble]
        print(f"{len(said)} texts said, {verdict.accepted} accepted, {verdict.opened} opened; {faults} faults; "
              f"{verdict.figures()}; {verdict.refused_grants} grants refused and asked for again")
        good = verdict.good() and not trouble and not self.world.deaths
        if self.options.seconds >= 60 and self.options.messages is None and faults < 15:
            trouble.append(f"only {faults} faults happened")
        for line in verdict.refused + verdict.alarms:
            self.log(f"note: {line}")
        if not good or trouble:
            print("\n".join(["the disasters:", *self.log_lines, "what is wrong:", *trouble, *self.world.deaths,
                             *(line for name in verdict.faults for line in verdict.faults[name])]))
        if not settled:
            print(f"not everything came to rest within {self.settle_seconds(talkers):.0f} s:")
            self.print_statuses()
        return good and settled and not trouble

    def print_statuses(self) -> None:
        for handset in self.world.handsets:
            print(f"  {handset.name}: {self.status(handset)}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--messages", type=int)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--pause", type=float, default=1.0)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="nimes-faults-"))
    good, run = False, None
    try:
        with Supervisor(folder / "logs") as supervisor:
            run = Run(options, folder, supervisor)
            signal.signal(signal.SIGINT, lambda *_: run.end_early())
            good = run.run()
    except TimedOut as error:
        print(f"error: {error}")
    finally:
        if run is not None:
            run.world.close()
        if good and not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"seed {options.seed}; logs are kept in {folder}")
    if good and run.ended_early.is_set():
        return 3  # what was said is judged good, but it is not the run that was asked for
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
