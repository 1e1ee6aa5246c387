#!/usr/bin/python3
"""A handset that opens with the gateway's share alone: locked, without network, suspended, revoked and wiped."""
import contextlib
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from people import WorldTest, unittest, wait_until
from harness.agent import Agent


class Locks(WorldTest):
    PEOPLE = ("anna", "bernd", "clara")

    def lock_of(self, agent) -> dict:
        return self.ok(agent.run("status"))["lock"]

    def image(self, agent, name: str) -> Agent:
        """The files of a handset as a thief copies them, with its passphrase."""
        home = self.folder / "images" / name
        shutil.copytree(agent.home, home, ignore=shutil.ignore_patterns("agent.sock"))
        home.chmod(0o700)
        return Agent(self.supervisor, self.world.build, home, name, agent.passphrase)

    def device_of(self, agent) -> str:
        return self.ok(agent.run("status"))["device"]

    def arrived(self, agent) -> int:
        """Envelopes that wait behind the door, read from a copy: the container lets nobody else in."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("container.db", "container.db-wal"):
                if (agent.home / name).exists():
                    shutil.copy(agent.home / name, folder)
            try:
                with contextlib.closing(sqlite3.connect(Path(folder) / "container.db")) as db:
                    return db.execute("SELECT count(*) FROM arrivals").fetchone()[0]
            except sqlite3.DatabaseError:  # copied in the middle of a write
                return 0

    def test_without_the_gateway_it_stays_shut_and_says_why(self):
        self.assertTrue(self.lock_of(self.anna)["share"])
        self.supervisor.kill(self.gateway.child)
        try:
            refused = self.anna.run("inbox")
            self.assertEqual(refused.status, 5, refused.err)
            self.assertIn("share", refused.err)
            lock = self.lock_of(self.anna)
            self.assertEqual((lock["state"], lock["why"]), ("door", "awaits_share"))
        finally:
            self.gateway.start(self.world.port["operations"])
        self.assertEqual(self.lock_of(self.anna)["state"], "open")

    def test_locked_by_hand_it_stores_what_comes_and_shows_it_afterwards(self):
        self.anna.online()
        self.bernd.online()
        locked = subprocess.run([self.anna.program, "--home", self.anna.home, "--json", "--no-input", "lock"],
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(locked.returncode, 0, locked.stderr)
        self.anna.wait_for(lambda e: e.get("kind") == "locked" and e["why"] == "asked", "the lock", 30)
        text = "während gesperrt"
        self.ok(self.bernd.run("send", "--to", "Meyer, Celle", text))
        wait_until(lambda: self.arrived(self.anna) > 0, "an envelope behind the door", 60, self.supervisor)
        self.assertNotIn(text, self.texts(self.anna))
        self.assertEqual(self.lock_of(self.anna)["state"], "open")
        self.wait_texts(self.anna, [text])

    def test_suspended_its_image_opens_nothing(self):
        device = self.device_of(self.bernd)
        image = self.image(self.bernd, "suspended")
        self.gateway.admin("suspend", device)
        try:
            refused = image.run("inbox")
            self.assertEqual(refused.status, 4, refused.err)
            lock = self.lock_of(image)
            self.assertEqual((lock["state"], lock["why"]), ("door", "suspended"))
        finally:
            self.gateway.admin("resume", device)
        self.ok(self.bernd.run("inbox"))

    def test_lost_and_revoked_it_is_wiped_and_says_so(self):
        self.clara.online()
        device = self.device_of(self.clara)
        image = self.image(self.clara, "lost")
        before = self.world.container_keys(image)  # passphrase and share open it
        self.assertGreater(len(before), 4)
        # The gateway's store alone, without the key that lies beside it, does not.
        other = self.folder / "other.key"
        other.write_bytes(bytes(32))
        with self.assertRaises(subprocess.CalledProcessError):
            self.world.container_keys(image, other)
        self.clara.expect_end()
        self.gateway.admin("revoke", device, "--reason", "lost")
        wait_until(lambda: self.gateway.admin("devices", "wipe", device)["state"] == "receipted", "receipt", 60)
        self.assertFalse((self.clara.home / "container.db").exists())
        wait_until(lambda: not (self.clara.home / "receipt").exists(), "end of the receipt", 30)
        self.assertEqual(self.clara.run("inbox").status, 3)
        # Neither passphrase nor the gateway's whole store opens the image now, and asking ends it.
        with self.assertRaises(subprocess.CalledProcessError):
            self.world.container_keys(image)
        refused = image.run("inbox")
        self.assertNotEqual(refused.status, 0)
        steps = self.gateway.admin("revoke", device, "--reason", "lost", "--watch")
        self.assertIn("wipe", str(steps))


if __name__ == "__main__":
    unittest.main()
