#!/usr/bin/python3
"""A person's history, from the old device to the new one, and who gets none."""
import subprocess
import sys

from people import ROOT, ROSTER, WorldTest, unittest, wait_until
from second_device import add_second

BERND = "Meyer, Gifhorn"


class History(WorldTest):
    PEOPLE = ("anna", "bernd")

    def device(self, agent) -> str:
        return self.ok(agent.run("status"))["device"]

    def shown(self, agent) -> dict:
        """Everything in the inbox that has a text or a caption, by it."""
        lines = agent.run("inbox", "--wait", "20", "--peek").lines()
        return {e.get("text") or e["caption"]: e for e in lines if e.get("kind") in ("text", "media") and
                (e.get("text") or e.get("caption"))}

    def arrived(self, agent, text: str) -> dict:
        return agent.wait_for(lambda e: e.get("text") == text, text, 60)

    def codes(self, new, old) -> str:
        """What both screens show; it must be the same."""
        lines = new.run("history", "take").lines()
        mine = [line["code"] for line in lines if line["device"] == self.device(old)]
        self.assertEqual(len(mine), 1, lines)
        return mine[0]

    def talk(self) -> dict:
        """A day's work between Anna and Bernd; answers what the new device must show, and what it must not."""
        self.bernd.online()
        self.anna.online()
        self.ok(self.anna.run("group", "create", "--title", "Nachtstreife", "--with", BERND))
        self.ok(self.anna.run("send", "--group", "Nachtstreife", "in der Gruppe"))
        sent = self.ok(self.anna.run("send", "--to", BERND, "Wo bist du?"))
        got = self.arrived(self.bernd, "Wo bist du?")
        self.ok(self.bernd.run("reply", got["sequence"], "Am Makt"))
        answer = self.arrived(self.bernd, "Am Makt")
        self.arrived(self.anna, "Am Makt")
        self.ok(self.bernd.run("edit", answer["sequence"], "Am Markt"))
        self.ok(self.bernd.run("react", got["sequence"], "👍"))
        for words in (("send", "--to", BERND, "gleich weg"), ("send", "--to", BERND, "nur einmal", "--view-once")):
            last = self.ok(self.anna.run(*words))
            if words[3] == "gleich weg":
                self.arrived(self.bernd, "gleich weg")
                self.ok(self.anna.run("delete", last["sequence"]))
        photo = self.folder / "tatort.jpg"
        subprocess.run([sys.executable, ROOT / "tests/tools/make_photo.py", photo], check=True, capture_output=True)
        medium = self.ok(self.bernd.run("send", "--to", "Meyer, Celle", "--photo", photo, "--caption", "von vorn"))
        self.anna.wait_for(lambda e: e.get("caption") == "von vorn", "the photo", 60)
        wait_until(lambda: "reactions" in self.ok(self.anna.run("show", sent["sequence"])), "reaction", 60,
                   self.supervisor)
        return medium["media"]

    def test_a_history_goes_to_the_new_device_and_nowhere_else(self):
        medium = self.talk()
        new = add_second(self, self.anna, "anna-neu")
        new.online()
        self.ok(self.bernd.run("send", "--to", "Meyer, Celle", "schon an beide"))
        self.arrived(new, "schon an beide")

        # Nothing goes without the code, nor with another one.
        asked = self.anna.run("history", "offer", self.device(new))
        self.assertEqual(asked.status, 2, asked.err)
        wrong = self.anna.run("history", "offer", self.device(new), "--code", "a" * 12)
        self.assertIn("ERR_CODE_WRONG" if "ERR_CODE_WRONG" in wrong.err else "code is wrong", wrong.err)
        nobody = new.run("history", "take", "--code", self.codes(new, self.anna), "--wait", "1")
        self.assertEqual(nobody.status, 9, nobody.err)
        foreign = self.anna.run("history", "offer", self.device(self.bernd), "--code", "a" * 12)
        self.assertEqual(foreign.status, 6, foreign.err)

        code = self.codes(new, self.anna)
        offered = self.ok(self.anna.run("history", "offer", self.device(new), "--code", code.upper()))
        self.assertTrue(offered["accepted"])
        self.assertFalse(offered["cut"])
        self.assertNotEqual(new.run("history", "take", "--code", "a" * 12, "--wait", "1").status, 0)
        taken = self.ok(new.run("history", "take", "--code", code))
        self.assertEqual(taken["device"], self.device(self.anna))
        self.assertEqual(taken["imported"] + taken["left_out"], offered["messages"])
        self.assertGreater(taken["left_out"], 0, "what came to both devices is kept as it is")

        there = self.shown(new)
        old = self.device(self.anna)
        for text in ("Wo bist du?", "Am Markt", "in der Gruppe", "von vorn"):
            self.assertEqual(there[text]["imported"], {"attested_by": old}, text)
        self.assertNotIn("imported", there["schon an beide"])
        for text in ("gleich weg", "nur einmal"):
            self.assertNotIn(text, there)
        self.assertTrue(there["Wo bist du?"]["own"])
        self.assertEqual([r["emoji"] for r in there["Wo bist du?"]["reactions"]], ["👍"])
        self.assertFalse(there["Am Markt"]["own"])
        self.assertEqual(there["Am Markt"]["from"]["name"], ROSTER["bernd"][1])
        self.assertEqual(there["Am Markt"]["edits"], 1)
        self.assertEqual(there["in der Gruppe"]["title"], "Nachtstreife")
        got = self.ok(new.run("media", "get", there["von vorn"]["media"]["id"]))
        self.assertEqual(got["sha256"], medium["sha256"])
        self.assertEqual(list((new.home / "media").glob("*.part")), [])

        # Taken once; a second offer of the same changes nothing.
        self.assertEqual(new.run("history", "take", "--code", code, "--wait", "1").status, 9)
        again = self.ok(self.anna.run("history", "offer", self.device(new), "--code", code))
        before = len(new.run("inbox", "--wait", "0", "--peek").lines())
        self.assertEqual(self.ok(new.run("history", "take", "--code", code))["imported"], 0)
        self.assertEqual(len(new.run("inbox", "--wait", "0", "--peek").lines()), before)
        self.assertGreaterEqual(again["messages"], offered["messages"])

        # It can answer in the group at once, and what is imported tells its sender nothing.
        self.ok(new.run("send", "--group", "Nachtstreife", "vom neuen Gerät"))
        self.arrived(self.bernd, "vom neuen Gerät")
        self.survives_a_crash(new, code)
        self.revoked_in_between(new, code)

    def survives_a_crash(self, new, code: str):
        """kill -9 while it is taken: taking it again ends the same."""
        for i in range(40):
            self.ok(self.anna.run("send", "--to", BERND, f"Zeile {i}"))
        third = add_second(self, self.anna, "anna-drei")
        third.online()
        code = self.codes(third, self.anna)
        offered = self.ok(self.anna.run("history", "offer", self.device(third), "--code", code))
        taking = subprocess.Popen([str(w) for w in third.words(0, "history", "take", "--code", code)],
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        taking.stdin.write(third.passphrase.encode() + b"\n")
        taking.stdin.flush()
        wait_until(lambda: list((third.home / "media").glob("*.sealed")) or taking.poll() is not None, "the bundle", 60,
                   self.supervisor)
        self.supervisor.kill(third.watcher)
        taking.kill()
        taking.wait()
        third.watcher = None
        third.online()

        def whole():  # 9: it was before the kill, or the offer has not come again yet
            done = third.run("history", "take", "--code", code, "--wait", "5")
            self.assertIn(done.status, (0, 9), done.err)
            return sum(1 for text in self.shown(third) if text.startswith("Zeile ")) == 40
        wait_until(whole, "the whole history", 120, self.supervisor)
        lines = third.run("inbox", "--wait", "0", "--peek").lines()
        messages = [(e["from"]["device"], e["message"]) for e in lines if "message" in e]
        self.assertEqual(len(messages), len(set(messages)))
        self.assertLessEqual(len(lines), offered["messages"] + 2)

    def revoked_in_between(self, new, code: str):
        """Who stole the old device can make an offer; once it is revoked, nobody takes it."""
        self.ok(self.anna.run("history", "offer", self.device(new), "--code", code))
        wait_until(lambda: any(line["offered"] for line in new.run("history", "take").lines()), "offer", 60,
                   self.supervisor)
        old = self.device(self.anna)
        self.anna.expect_end()
        self.gateway.admin("revoke", old, "--reason", "stolen")
        refused = new.run("history", "take", "--code", code, "--wait", "5")
        self.assertNotEqual(refused.status, 0)
        self.assertEqual([line for line in new.run("history", "take").lines() if line["device"] == old], [])


if __name__ == "__main__":
    unittest.main()
