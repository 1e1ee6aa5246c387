#!/usr/bin/python3
"""nimes-agent doctor, with each fault made for real: what it says, and that it says it with and without an owner."""
import os
import shutil
import subprocess
import time
from pathlib import Path

from people import ROSTER, WorldTest, unittest, wait_until
from harness.agent import Agent, Outcome
from harness.faketime import FAKETIME, moved_clock
from harness.tap import Tap

PATIENCE = 6
# Whose home nobody holds open needs the gateway's share to open it.
LOCKED = {"home": "opens with the gateway's share", "connection": "this device is locked"}


class Doctor(WorldTest):
    PEOPLE = ("anna", "bernd", "clara")

    def examine(self, agent, prefix=(), environment=None) -> tuple:
        """Findings by check (the worst of each), the last line, the outcome."""
        descriptor = agent.open_passphrase()
        try:
            words = [*prefix, *agent.words(descriptor, "doctor", "--wait", PATIENCE)]
            done = subprocess.run([str(word) for word in words], text=True, capture_output=True, timeout=120,
                                  pass_fds=(descriptor,), env={**os.environ, **(environment or {})})
        finally:
            os.close(descriptor)
        outcome = Outcome(done.returncode, done.stdout, done.stderr)
        findings = {}
        for line in outcome.lines()[:-1]:
            if findings.get(line["check"], {}).get("verdict") != "bad":
                findings[line["check"]] = line
        return findings, outcome.last(), outcome

    def assert_bad(self, agent, wanted: dict, **how) -> dict:
        """Exactly these checks are bad, with these words in what they say; each names a next step."""
        findings, last, outcome = self.examine(agent, **how)
        bad = {check for check, finding in findings.items() if finding["verdict"] == "bad"}
        self.assertEqual(bad, set(wanted), outcome.out + outcome.err)
        for check, words in wanted.items():
            self.assertIn(words, findings[check]["what"])
            self.assertTrue(findings[check]["next"])
        self.assertFalse(last["healthy"])
        self.assertEqual(outcome.status, 1)
        return findings

    def assert_well(self, agent, **how) -> None:
        findings, last, outcome = self.examine(agent, **how)
        self.assertTrue(last["healthy"], outcome.out + outcome.err)
        self.assertEqual(outcome.status, 0)
        self.assertEqual(findings["connection"]["verdict"], "good")

    def tap(self, name: str, certificates: Path) -> Tap:
        port = self.world.port
        return Tap(self.supervisor, self.folder / f"captures-{time.monotonic_ns()}", name, port[name], certificates,
                   port[f"{name}_tap"])

    def stop(self, name: str) -> None:
        self.supervisor.stop(getattr(self.world, f"{name}_tap").child)

    def start(self, name: str) -> None:
        setattr(self.world, f"{name}_tap", self.tap(name, self.world.certificates))

    def test_all_is_well_with_and_without_an_owner(self):
        self.assert_well(self.anna)
        self.anna.online()
        self.assert_well(self.anna)
        text = self.examine(self.anna)[2].out
        for private in (ROSTER["anna"][0], "Meyer", str(self.folder), self.world.gateway_url):
            self.assertNotIn(private, text)
        for secret in self.anna.home.glob("flight"):
            self.assertNotIn(b"Meyer", secret.read_bytes())

    def test_broker_down(self):
        self.anna.online()
        self.stop("broker")
        try:
            self.assert_bad(self.bernd, {"broker": "does not answer", "connection": "not connected"})
            wait_until(lambda: not self.anna.run("status").last()["connected"], "end", 60, self.supervisor)
            self.assert_bad(self.anna, {"broker": "does not answer", "connection": "not connected"})
        finally:
            self.start("broker")
        wait_until(lambda: self.anna.run("status").last()["connected"], "return", 60, self.supervisor)
        last = self.examine(self.anna)[1]
        self.assertTrue(any("no connection" in line["text"] for line in last["recent"]), last)

    def test_gateway_down(self):
        self.anna.online()
        self.supervisor.kill(self.gateway.child)
        self.stop("gateway")
        try:
            down = {"gateway": "does not answer"}
            for agent, more in ((self.anna, {"connection": "the broker is there"}), (self.bernd, LOCKED)):
                findings = self.assert_bad(agent, down | more)
                self.assertEqual(findings["broker"]["verdict"], "good")
        finally:
            self.start("gateway")
            self.gateway.start(self.world.port["operations"])
        wait_until(lambda: self.examine(self.anna)[1]["healthy"], "health", 90, self.supervisor)

    def test_somebody_else_in_the_gateways_place(self):
        foreign = self.folder / "foreign"
        subprocess.run(["/usr/bin/python3", Path(__file__).resolve().parents[2] / "tools/make_ca.py", foreign, "gateway"],
                       check=True)
        self.stop("gateway")
        # Its way up is none of the handset's business; what it shows is.
        (foreign / "ca.crt").rename(foreign / "own.crt")
        shutil.copy(self.world.certificates / "ca.crt", foreign / "ca.crt")
        self.world.gateway_tap = self.tap("gateway", foreign)
        try:
            self.assert_bad(self.bernd, {"gateway": "without a certificate of your organisation"} | LOCKED)
        finally:
            self.supervisor.stop(self.world.gateway_tap.child)
            self.start("gateway")

    def test_no_network_at_all(self):
        if os.getuid() != 0:
            self.skipTest("a network namespace without a network wants root")
        self.assert_bad(self.bernd, {"gateway": "does not answer", "broker": "does not answer"} | LOCKED,
                        prefix=("unshare", "-n"))

    def test_a_clock_that_is_wrong_by_an_hour(self):
        if not FAKETIME.exists():
            self.skipTest("libfaketime is not installed")
        # Tokens follow the server's clock, so it connects all the same, and says what is wrong.
        for shift, words in (("-1h", "60 minutes behind"), ("+1h", "60 minutes ahead")):
            findings = self.assert_bad(self.bernd, {"clock": words}, environment=moved_clock(self.world.build, shift))
            self.assertEqual(findings["token"]["verdict"], "good")
            self.assertEqual(findings["connection"]["verdict"], "good")

    def test_suspended_then_revoked(self):
        device = self.ok(self.clara.run("status"))["device"]
        self.gateway.admin("suspend", device)
        findings = self.assert_bad(self.clara, {"home": "suspended", "token": "suspended", "connection": "not connected"})
        self.assertEqual(findings["home"]["code"], "ERR_DEVICE_SUSPENDED")
        self.gateway.admin("resume", device)
        wait_until(lambda: self.examine(self.clara)[1]["healthy"], "health", 90, self.supervisor)
        self.gateway.admin("revoke", device, "--reason", "lost")
        # It heard that it is lost, and left nothing behind.
        findings = self.assert_bad(self.clara, {"home": "wiped", "connection": "not connected"})
        self.assertEqual(findings["home"]["code"], "ERR_NOT_ENROLLED")

    def test_a_full_disk(self):
        if os.getuid() != 0:
            self.skipTest("a small disk wants root")
        disk = self.folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", disk], check=True)
        try:
            home = disk / "home"
            shutil.copytree(self.bernd.home, home, ignore=shutil.ignore_patterns("agent.sock"))
            agent = Agent(self.supervisor, self.world.build, home, "full", self.bernd.passphrase)
            self.assert_well(agent)
            with open(disk / "ballast", "wb", buffering=0) as ballast:
                try:
                    while True:
                        ballast.write(b"x" * 4096)
                except OSError:
                    pass
            findings, last, outcome = self.examine(agent)
            self.assertFalse(last["healthy"], outcome.out)
            self.assertEqual(findings["disk"]["verdict"], "bad", outcome.out + outcome.err)
            self.assertIn("free some space", findings["disk"]["next"])
            (disk / "ballast").unlink()
            self.assert_well(agent)
        finally:
            subprocess.run(["umount", "-l", disk], check=True)

    def test_a_home_that_holds_no_device(self):
        nobody = self.world.agent("nobody")
        findings, last, outcome = self.examine(nobody)
        self.assertEqual(findings["home"]["code"], "ERR_NOT_ENROLLED", outcome.out + outcome.err)
        self.assertEqual(outcome.status, 1)
        wrong = Agent(self.supervisor, self.world.build, self.bernd.home, "wrong", "not the passphrase")
        self.assertEqual(self.examine(wrong)[2].status, 8)
        self.assert_well(self.bernd)

    def test_network_changed_connects_at_once(self):
        self.anna.online()
        for name in ("barracks", "barracks", "car"):
            before = self.examine(self.anna)[1]["recent"]
            self.ok(self.anna.run("network", "changed", "--name", name))
            wait_until(lambda: self.examine(self.anna)[1]["recent"] != before, "event", 30, self.supervisor)
            wait_until(lambda: self.anna.run("status").last()["synced"], "connection", 30, self.supervisor)
        recent = [line["text"] for line in self.examine(self.anna)[1]["recent"]]
        self.assertTrue(any("network changed" in text for text in recent), recent)
        self.assertTrue(any("it was asked for" in text for text in recent), recent)
        self.assertNotIn(b"barracks", (self.anna.home / "flight").read_bytes())

    def test_waking_is_off_unless_it_is_on(self):
        refused = self.anna.run("wake", "register", "https://push.example/UP?token=abc")
        self.assertEqual(refused.status, 6, refused.err)


if __name__ == "__main__":
    unittest.main()
