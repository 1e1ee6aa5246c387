#!/usr/bin/python3
"""What of memcheck's reports is ours to mend."""
import sys
import unittest
import xml.etree.ElementTree as tree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from memcheck import PLUGIN, Verdict, judge  # noqa: E402


class Rules(unittest.TestCase):
    def verdict(self, kind: str, *frames) -> Verdict:
        out = Verdict()
        stack = "".join(f"<frame><obj>{obj}</obj><fn>{fn}</fn></frame>" for obj, fn in frames)
        judge(tree.fromstring(f"<error><kind>{kind}</kind><stack>{stack}</stack></error>"), out)
        return out

    def test_what_is_ours(self):
        broker, plugin = ("/usr/sbin/mosquitto", "db__open"), (f"/lib/{PLUGIN}", "on_auth")
        self.assertTrue(self.verdict("InvalidRead", broker).ours)
        self.assertTrue(self.verdict("Leak_DefinitelyLost", broker, plugin).ours)
        self.assertFalse(self.verdict("Leak_DefinitelyLost", broker).ours)


if __name__ == "__main__":
    unittest.main()
