#!/usr/bin/python3
"""Every attack of FORMATS.md 2.14 has its test, and what attack_mutations.py takes out for it is still in the sources."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import attack_mutations  # noqa: E402


class Attacks(unittest.TestCase):
    def test_each_row_has_a_test_and_a_rule_to_take_out(self):
        self.assertGreater(len(attack_mutations.table_rows()), 20)
        self.assertEqual(attack_mutations.uncovered(), [])

    def test_each_rule_is_where_it_was(self):
        self.assertEqual(attack_mutations.not_found(attack_mutations.ROOT), [])

    def test_a_text_that_is_gone_is_noticed(self):
        self.assertNotEqual(attack_mutations.not_found(Path("/nonexistent")), [])


if __name__ == "__main__":
    unittest.main()
