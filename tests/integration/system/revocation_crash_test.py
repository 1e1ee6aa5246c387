#!/usr/bin/python3
"""kill -9 of the gateway, of the broker and of both, after each write of a revocation in turn: after the restart it is
complete, once, with one entry in the audit, or it was never given; the handset is out and wiped, others talk on.

strace makes each write of the store's log take a while, so that each of them is a moment at which to kill.
"""
import shutil
import subprocess
import threading
import time

from people import ROSTER, unittest
from people_roster import write_roster
from orders import OrdersTest
from harness.gateway import Refused

SLOW_MICROSECONDS = 60_000
QUIET_LOOKS = 1_000  # without a write: all of them were made
MOST_WRITES = 40
BERND = "Meyer, Gifhorn"


@unittest.skipUnless(shutil.which("strace"), "strace is not installed")
class Crashes(OrdersTest):
    """The others are of this class. DIES: who is killed in the first round, the second, and so on in turn."""
    PEOPLE = ("anna", "bernd")
    DIES = ()
    EVERY = 1

    @classmethod
    def setUpClass(cls):
        if not cls.DIES:
            raise unittest.SkipTest("the others are of this class")
        super().setUpClass()
        cls.thieves = [(f"t{n}.raub@polizei.example", f"Raub{n}, Toni", "PK", "Celle") for n in range(MOST_WRITES)]
        write_roster(cls.folder / "all.csv", [*ROSTER.values(), *cls.thieves])
        cls.gateway.admin("roster", "import", cls.folder / "all.csv")

    def log_bytes(self) -> dict:
        return {file.name: file.stat().st_size for file in (self.gateway.folder / "store").glob("*.log")}

    def slow_down(self):
        log = max((self.gateway.folder / "store").glob("*.log"), key=lambda file: int(file.stem))
        tracer = subprocess.Popen(["strace", "-f", "-p", str(self.gateway.child.pid), "-P", log, "-e", "trace=write",
                                   "-e", f"inject=write:delay_exit={SLOW_MICROSECONDS}", "-o", "/dev/null"],
                                  stderr=subprocess.PIPE, text=True)
        self.assertIn("attached", tracer.stderr.readline())
        return tracer

    def kill_and_start(self, dies: tuple) -> None:
        """All are dead before one of them comes back."""
        if "gateway" in dies:
            self.supervisor.kill(self.gateway.child)
        if "broker" in dies:
            self.supervisor.kill(self.world.broker.child)
            self.world.broker.start()
        if "gateway" in dies:
            self.gateway.start(self.world.port["operations"])

    def killed_at(self, write: int, dies: tuple, device: str) -> tuple:
        """Orders the revocation and kills after so many writes of it; answers the order's number, if it was answered, and
        whether there were so many writes."""
        given, tracer = [], self.slow_down()

        def give():
            try:
                given.append(self.gateway.admin("revoke", device, "--reason", "stolen")["id"])
            except Refused:
                pass
        thread = threading.Thread(target=give)
        seen, before, quiet = 0, self.log_bytes(), 0
        thread.start()
        while seen < write and quiet < QUIET_LOOKS:
            now = self.log_bytes()
            seen, quiet, before = seen + (now != before), 0 if now != before else quiet + 1, now
            time.sleep(0.002)
        reached = seen == write
        self.kill_and_start(dies)
        thread.join()
        tracer.terminate()
        tracer.communicate()
        return given, reached

    def one(self, write: int, dies: tuple) -> bool:
        address = self.thieves[write][0]
        thief = self.world.agent(f"t{write}")
        self.ok(self.world.enrol(thief, address))
        device = self.device(thief)
        given, reached = self.killed_at(write, dies, device)
        known = self.orders_on(device)
        self.assertLessEqual(set(given), set(known), "an order that was answered is gone")
        if not known:  # who gave it saw that it failed, and gives it again
            self.assertEqual(self.state(device), "active")
        number = self.gateway.admin("revoke", device, "--reason", "stolen")["id"]
        self.assertIn(number, known or [number])
        self.revoked_once(number, device)
        self.assertNotEqual(thief.run("inbox").status, 0)
        self.assertFalse((thief.home / "container.db").exists())
        return reached

    def at_every_write(self) -> None:
        self.anna.online()
        self.bernd.online()
        reached = True
        for turn, write in enumerate(range(1, MOST_WRITES, self.EVERY)):
            with self.subTest(write=write):
                reached = self.one(write, self.DIES[turn % len(self.DIES)])
            if not reached:
                break
        self.assertGreater(write, 10, "there are more steps than that")
        self.assertFalse(reached, "not all of its writes were tried")
        for agent in (self.anna, self.bernd):
            agent.offline()  # after so many deaths in a row it comes back by itself, but takes its time
            agent.online()
        text = "danach"
        self.ok(self.anna.run("send", "--to", BERND, text, "--wait", "60"))
        self.wait_texts(self.bernd, [text])


GATEWAY, BROKER = ("gateway",), ("broker",)


class InTurn(Crashes):
    DIES, EVERY = (GATEWAY, BROKER, GATEWAY + BROKER), 8

    def test_each_killed_in_turn(self):
        self.at_every_write()


class OfTheGateway(Crashes):
    DIES = (GATEWAY,)

    def test_the_gateway_killed_at_every_write(self):
        self.at_every_write()


class OfTheBroker(Crashes):
    DIES = (BROKER,)

    def test_the_broker_killed_at_every_write(self):
        self.at_every_write()


class OfBoth(Crashes):
    DIES = (GATEWAY + BROKER,)

    def test_both_killed_at_every_write(self):
        self.at_every_write()


if __name__ == "__main__":
    unittest.main()
