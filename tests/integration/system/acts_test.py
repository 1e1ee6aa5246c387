#!/usr/bin/python3
"""The audit of a gateway's administration: exported, checked without it, and damaged in every way that a file can be."""
import hashlib
import os

from people import ROSTER, WorldTest, json, unittest, wait_until
from people_roster import write_roster
from harness.gateway import Refused


class Acts(WorldTest):
    PEOPLE = ("anna",)

    def export(self, name: str) -> list:
        file = self.folder / name
        self.gateway.command("admin", "--config", self.gateway.configuration, "audit", "export", "--out", file)
        return file.read_bytes().splitlines()

    def verify(self, lines: list, *words):
        """What `audit verify` says of these lines; Refused when they are not sound."""
        file = self.folder / "to-verify.jsonl"
        file.write_bytes(b"".join(line + b"\n" for line in lines))
        return self.gateway.admin("audit", "verify", file, *words)

    def unsound(self, lines: list, what: str, *words) -> None:
        with self.assertRaises(Refused) as caught:
            self.verify(lines, *words)
        self.assertIn(what, caught.exception.text)
        self.assertEqual(caught.exception.status, 6)

    def test_who_did_what_to_whom_and_why(self):
        device = self.ok(self.anna.run("status"))["device"]
        self.gateway.admin("--why", "liegen gelassen", "suspend", device)
        self.gateway.admin("--why", "x" + "ü" * 700, "resume", device)  # cut inside a character
        noted = self.gateway.admin("audit", "head")
        with self.assertRaises(Refused):
            self.gateway.admin("unit", "create", "--name", "Celle")  # it is there: nothing done, nothing noted
        self.assertEqual(self.gateway.admin("audit", "head"), noted)

        lines = self.export("audit.jsonl")
        acts = [json.loads(line) for line in lines[:-1]]
        self.assertEqual([a["seq"] for a in acts], list(range(1, noted["seq"] + 1)))
        policy, acts = acts[0], acts[1:]  # signed at the first start
        self.assertEqual((policy["who"], policy["what"], policy["whom"]["export_allowed"]), ("gateway", "policy", True))
        did = {a["what"] for a in acts}
        self.assertTrue({"org create", "unit create", "roster import", "person put", "suspend", "reinstate"} <= did, did)
        self.assertTrue(all(a["who"].startswith(f"uid {os.getuid()}") and a["who"].endswith(", local root") for a in acts), acts)
        suspended = next(a for a in acts if a["what"] == "suspend")
        self.assertEqual((suspended["whom"]["devices"], suspended["why"]), ([device], "liegen gelassen"))
        put = [a["whom"]["address"] for a in acts if a["what"] == "person put"]
        self.assertEqual(sorted(put), sorted(row[0] for row in ROSTER.values()))

        self.assertEqual(self.verify(lines)["head"], noted["hash"])
        self.assertEqual(self.verify(lines, "--head", noted["hash"])["known_at"], noted["seq"])
        self.unsound([*lines[:2], lines[2].replace(b"unit", b"Unit"), *lines[3:]], "entry 3 was changed")
        self.unsound(lines[:2] + lines[3:], "entry 3 is missing")
        self.unsound([lines[1], lines[0], *lines[2:]], "entry 1 is missing, or stands elsewhere")
        self.unsound(lines[:-1], "ends without a head")
        self.unsound(lines[:-2] + lines[-1:], "is missing at the end")
        shorter = self.gateway_head(lines[:-2])
        self.assertTrue(self.verify(shorter)["sound"], "a head that was made to fit")
        self.unsound(shorter, "no entry has the head", "--head", noted["hash"])

        # It goes on where it was, whatever happened to the gateway.
        self.supervisor.kill(self.gateway.child)
        self.gateway.start(self.world.port["operations"])
        self.gateway.admin("unit", "create", "--name", "Uelzen")
        self.assertEqual(self.verify(self.export("later.jsonl"), "--head", noted["hash"])["known_at"], noted["seq"])

    def test_who_leaves_the_roster(self):
        """A roster is whole: shown first, stopped where many leave, and undone by an order of its own."""
        file = self.folder / "next.csv"
        rows = [row for name, row in ROSTER.items() if name != "anna"]
        write_roster(file, [*rows, ("n.neu@polizei.example", "Neu, Nora", "PK", "Celle")])
        shown = self.gateway.admin("roster", "import", file, "--dry-run")
        self.assertEqual([(c["what"], c["address"]) for c in shown["changes"]],
                         [("add", "n.neu@polizei.example"), ("suspend", ROSTER["anna"][0])])
        noted = self.gateway.admin("audit", "head")
        for words in ((), ("--suspend", "2")):
            with self.assertRaises(Refused) as caught:
                self.gateway.admin("roster", "import", file, *words)
            self.assertIn("nothing was changed", caught.exception.text)
        self.assertEqual(self.gateway.admin("audit", "head"), noted)
        order = self.gateway.admin("roster", "import", file, "--suspend", "1")["order"]
        wait_until(lambda: self.gateway.admin("revocations", order)["complete"], "the suspension", 60, self.supervisor)
        self.assertEqual(self.anna.run("inbox").status, 4)
        write_roster(file, ROSTER.values())
        back = self.gateway.admin("roster", "import", file, "--suspend", "1")  # Nora leaves, and Anna stays shut out
        self.assertEqual(back["shut_out"], 1)
        self.assertEqual(self.anna.run("inbox").status, 4)
        self.gateway.admin("reinstate", "--user", ROSTER["anna"][0])
        self.ok(self.anna.run("inbox"))

    def gateway_head(self, lines: list) -> list:
        """With a head made to fit, as who cuts the end off could."""
        head = {"audit_head": 1, "seq": len(lines), "hash": hashlib.sha256(lines[-1]).hexdigest(), "exported_ms": 1}
        return [*lines, json.dumps(head).encode()]


if __name__ == "__main__":
    unittest.main()
