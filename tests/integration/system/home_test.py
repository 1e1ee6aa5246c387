#!/usr/bin/python3
"""Many processes, one home: each command succeeds, whoever owns the home meanwhile."""
import os
import stat
from concurrent.futures import ThreadPoolExecutor

from people import WorldTest, unittest

COUNT = 20


class Homes(WorldTest):
    def send_many(self, prefix: str) -> list:
        texts = [f"{prefix} {number:02}" for number in range(COUNT)]
        with ThreadPoolExecutor(COUNT) as pool:
            outcomes = list(pool.map(lambda text: self.anna.run("send", "--to", "Meyer, Gifhorn", text, "--wait", "60",
                                                                seconds=240), texts))
        for outcome in outcomes:
            self.assertEqual(outcome.status, 0, outcome.err)
        return texts

    def test_twenty_sends_beside_a_watch(self):
        self.bernd.online()
        self.anna.online()
        texts = self.send_many("neben watch")
        self.assertEqual(sorted(self.wait_texts(self.bernd, texts)), sorted(texts))

    def test_twenty_sends_at_once(self):
        self.bernd.online()
        texts = self.send_many("zugleich")
        self.assertEqual(sorted(self.wait_texts(self.bernd, texts)), sorted(texts))

    def test_a_wrong_passphrase_is_refused_by_the_owner_too(self):
        self.anna.online()
        right, self.anna.passphrase = self.anna.passphrase, "nicht dieses Wort"
        try:
            outcome = self.anna.run("status")
        finally:
            self.anna.passphrase = right
        self.assertEqual(outcome.status, 8, outcome.err)
        self.assertIn("passphrase", outcome.err)
        self.ok(self.anna.run("status"))

    def test_the_home_is_closed_to_others(self):
        self.anna.online()
        self.assertEqual(stat.S_IMODE(os.stat(self.anna.home).st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(os.stat(self.anna.home / "agent.sock").st_mode), 0o600)

    def test_a_home_with_a_very_long_path(self):
        agent = self.world.agent("clara")
        agent.home = self.folder / ("ein-sehr-langer-name-" * 8) / "heim"
        from people import ROSTER
        outcome = self.world.enrol(agent, ROSTER["clara"][0])
        self.assertEqual(outcome.status, 0, outcome.err)
        agent.online()
        self.assertTrue(self.ok(agent.run("status"))["connected"])


if __name__ == "__main__":
    unittest.main()
