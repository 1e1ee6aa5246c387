#!/usr/bin/python3
"""What people say to each other: every kind of content, and what later acts make of it."""
import subprocess
import sys

from people import ROOT, ROSTER, WorldTest, unittest, wait_until

BERND, CLARA = "Meyer, Gifhorn", "Schulz, Celle"


class Talk(WorldTest):
    PEOPLE = ("anna", "bernd", "clara")

    def arrived(self, agent, text: str) -> dict:
        return agent.wait_for(lambda e: e.get("text") == text and not e["own"], text)

    def shown(self, agent, sequence: int) -> dict:
        return self.ok(agent.run("show", sequence))

    def until(self, agent, sequence: int, condition, what: str) -> dict:
        """`show` of one's own message until it is so."""
        wait_until(lambda: condition(self.shown(agent, sequence)), what, 60, self.supervisor)
        return self.shown(agent, sequence)

    def test_reply_reaction_edit_and_receipts(self):
        self.bernd.online()
        self.anna.online()
        sent = self.ok(self.anna.run("send", "--to", BERND, "Wo bist du?"))
        got = self.arrived(self.bernd, "Wo bist du?")
        self.until(self.anna, sent["sequence"], lambda e: any(r["read"] for r in e.get("receipts", [])), "read receipt")

        self.ok(self.bernd.run("reply", got["sequence"], "Am Markt"))
        answer = self.arrived(self.anna, "Am Markt")
        self.assertEqual(answer["reply_to"], {"device": got["from"]["device"], "message": got["message"]})
        self.ok(self.bernd.run("react", got["sequence"], "👍"))
        seen = self.until(self.anna, sent["sequence"], lambda e: "reactions" in e, "reaction")
        self.assertEqual([r["emoji"] for r in seen["reactions"]], ["👍"])
        self.ok(self.bernd.run("react", got["sequence"], "--withdraw"))
        self.until(self.anna, sent["sequence"], lambda e: "reactions" not in e, "reaction taken back")

        self.ok(self.anna.run("edit", sent["sequence"], "Wo bist du jetzt?"))
        self.until(self.bernd, got["sequence"], lambda e: e["text"] == "Wo bist du jetzt?", "edit")
        self.assertEqual(self.shown(self.bernd, got["sequence"])["edits"], 1)
        refused = self.bernd.run("edit", got["sequence"], "fremd")
        self.assertNotEqual(refused.status, 0)
        self.assertIn("one's own", refused.err)

    def test_who_only_peeks_tells_nobody(self):
        self.anna.online()
        sent = self.ok(self.anna.run("send", "--to", BERND, "nur geschaut"))
        lines = self.bernd.run("inbox", "--peek").lines()
        self.assertIn("nur geschaut", [e.get("text") for e in lines])
        seen = self.until(self.anna, sent["sequence"], lambda e: "receipts" in e, "delivered")
        self.assertFalse(seen["receipts"][0]["read"])

    def test_delete_and_recall(self):
        self.bernd.online()
        self.anna.online()
        sent = self.ok(self.anna.run("send", "--to", BERND, "falscher Empfänger"))
        got = self.arrived(self.bernd, "falscher Empfänger")
        self.assertNotEqual(self.bernd.run("delete", 99_999).status, 0)
        self.ok(self.anna.run("delete", sent["sequence"], "--recall"))
        gone = self.until(self.bernd, got["sequence"], lambda e: e["state"] == "deleted", "recall")
        self.assertNotIn("falscher Empfänger", str(gone))
        told = self.until(self.anna, sent["sequence"], lambda e: "recalled_by" in e, "report")
        self.assertEqual(told["recalled_by"][0]["state"], "opened")

    def test_what_vanishes(self):
        self.bernd.online()
        self.anna.online()
        self.ok(self.anna.run("send", "--to", BERND, "brennt nach dem Lesen", "--view-once"))
        got = self.arrived(self.bernd, "brennt nach dem Lesen")
        self.assertTrue(got["view_once"])
        gone = self.until(self.bernd, got["sequence"], lambda e: e["state"] == "vanished", "end of a message")
        self.assertNotIn("brennt", str(gone))
        self.ok(self.anna.run("group", "set", BERND, "--expires", "3s"))
        self.ok(self.anna.run("send", "--to", BERND, "drei Sekunden"))
        got = self.arrived(self.bernd, "drei Sekunden")
        self.assertEqual(got["expires_after_s"], 3)
        self.until(self.bernd, got["sequence"], lambda e: e["state"] == "vanished", "end of a message")
        self.ok(self.anna.run("group", "set", BERND, "--expires", "off"))
        longer = self.anna.run("group", "set", BERND, "--expires", "400d")
        self.assertIn("policy", longer.err)

    def test_poll_position_voice_and_typing(self):
        self.bernd.online()
        self.anna.online()
        sent = self.ok(self.anna.run("poll", "--to", BERND, "Wer fährt?", "--option", "Anna", "--option", "Bernd"))
        got = self.arrived(self.bernd, "Wer fährt?")
        self.ok(self.bernd.run("vote", got["sequence"], "2"))
        self.ok(self.bernd.run("vote", got["sequence"], "1"))
        counted = self.until(self.anna, sent["sequence"], lambda e: e["options"][0]["votes"] == 1, "vote")
        self.assertEqual(counted["options"][1]["votes"], 0)
        self.assertNotEqual(self.bernd.run("vote", got["sequence"], "3").status, 0)

        self.ok(self.anna.run("position", "--to", BERND, "52.6226", "10.0805", "--accuracy", "12", "--label", "Treff"))
        place = self.arrived(self.bernd, "Treff")
        self.assertAlmostEqual(place["position"]["latitude"], 52.6226, places=6)
        self.assertEqual(place["position"]["accuracy_m"], 12)

        voice = self.folder / "funk.ogg"
        voice.write_bytes(b"OggS" + bytes(5_000))
        self.ok(self.anna.run("send", "--to", BERND, "--voice", voice, "--length", "12s"))
        heard = self.bernd.wait_for(lambda e: "media" in e and e["media"].get("duration_ms") == 12_000, "voice message")
        fetched = self.ok(self.bernd.run("media", "get", heard["media"]["id"]))
        self.assertEqual(fetched["bytes"], 5_004)

        before = len(self.bernd.run("inbox", "--wait", "0").lines())
        self.ok(self.anna.run("typing", "--to", BERND))
        self.bernd.wait_for(lambda e: e.get("kind") == "typing", "typing")
        self.assertEqual(len(self.bernd.run("inbox", "--wait", "0").lines()), before)

    def test_a_group_from_its_first_day_to_its_last(self):
        self.bernd.online()
        self.clara.online()
        self.anna.online()
        self.ok(self.anna.run("group", "create", "--title", "Streife", "--with", BERND))
        self.ok(self.anna.run("send", "--group", "Streife", "zu zweit"))
        self.arrived(self.bernd, "zu zweit")
        self.assertNotEqual(self.bernd.run("group", "add", "Streife", CLARA).status, 0)  # no administrator
        self.ok(self.anna.run("group", "add", "Streife", CLARA))
        self.ok(self.anna.run("send", "--group", "Streife", "zu dritt"))
        self.arrived(self.clara, "zu dritt")
        self.assertNotIn("zu zweit", self.texts(self.clara))
        self.ok(self.clara.run("send", "--group", "Streife", "bin dabei"))
        self.arrived(self.bernd, "bin dabei")

        self.ok(self.anna.run("group", "role", "Streife", CLARA, "--role", "administrator"))
        wait_until(lambda: {m["role"] for m in self.ok(self.clara.run("group", "show", "Streife"))["members"]} ==
                   {"administrator", "poster"}, "role", 60, self.supervisor)
        self.ok(self.clara.run("group", "remove", "Streife", BERND))
        self.ok(self.clara.run("send", "--group", "Streife", "ohne Bernd"))
        self.arrived(self.anna, "ohne Bernd")
        self.assertNotEqual(self.bernd.run("send", "--group", "Streife", "noch da?").status, 0)
        self.assertNotIn("ohne Bernd", self.texts(self.bernd))

        self.ok(self.anna.run("group", "set", "Streife", "--title", "Streife Nord"))
        wait_until(lambda: "Streife Nord" in str(self.clara.run("group", "list").lines()), "title", 60, self.supervisor)
        self.ok(self.anna.run("group", "leave", "Streife Nord"))
        self.assertNotEqual(self.clara.run("group", "leave", "Streife Nord").status, 0)  # the last administrator
        self.ok(self.clara.run("group", "close", "Streife Nord"))
        self.assertNotEqual(self.clara.run("send", "--group", "Streife Nord", "zu spät").status, 0)

    def picture(self, seed: int):
        file = self.folder / f"bild-{seed}.jpg"
        subprocess.run([sys.executable, ROOT / "tests/tools/make_photo.py", file, "--seed", str(seed), "--size", "640x480"],
                       check=True, capture_output=True)
        return file

    def look(self, agent, group: str, **wanted) -> dict:
        """`group show`, once it says so."""
        def now() -> dict:
            return agent.run("group", "show", group).last()
        wait_until(lambda: wanted.items() <= now().items(), f"{wanted} at {agent.name}", 60, self.supervisor)
        return now()

    def test_a_groups_title_and_picture_travel_sealed_and_reach_who_joins_later(self):
        anna, bernd, clara = self.anna, self.bernd, self.clara
        bernd.online()
        anna.online()
        self.ok(anna.run("group", "create", "--title", "Bilder", "--with", BERND))
        first = self.ok(anna.run("group", "picture", "Bilder", self.picture(1)))["media"]
        shown = self.look(bernd, "Bilder", picture=first["id"])
        self.assertEqual(self.ok(bernd.run("media", "get", shown["picture"]))["sha256"], first["sha256"])

        # Only an administrator says what a group is called and looks like.
        for words in (("group", "picture", "Bilder", self.picture(2)), ("group", "set", "Bilder", "--title", "Meins")):
            refused = bernd.run(*words)
            self.assertIn("only administrators", refused.err)
        # A new picture takes the place of the old one; a new title leaves it.
        second = self.ok(anna.run("group", "picture", "Bilder", self.picture(3)))["media"]
        self.assertNotEqual(second["sha256"], first["sha256"])
        self.look(bernd, "Bilder", picture=second["id"])
        self.ok(anna.run("group", "set", "Bilder", "--title", "Bilder Nord", "--expires", "1d"))
        self.look(bernd, "Bilder Nord", picture=second["id"], title="Bilder Nord", expires_after_s=86_400)

        # Who joins later is told what they are now, and opens the picture; of the one before nothing comes.
        self.ok(anna.run("group", "add", "Bilder Nord", CLARA))
        clara.online()
        self.look(clara, "Bilder Nord", picture=second["id"], expires_after_s=86_400)
        self.assertEqual(self.ok(clara.run("media", "get", second["id"]))["sha256"], second["sha256"])
        self.assertNotEqual(clara.run("media", "get", first["id"]).status, 0)

    def test_announcements_are_read_and_answered_to_the_author(self):
        self.bernd.online()
        self.anna.online()
        self.ok(self.anna.run("group", "create", "--title", "Lage", "--with", BERND, "--announce"))
        sent = self.ok(self.anna.run("send", "--group", "Lage", "Sperrung ab 18 Uhr"))
        got = self.arrived(self.bernd, "Sperrung ab 18 Uhr")
        refused = self.bernd.run("send", "--group", "Lage", "darf ich?")
        self.assertIn("not in the conversation, or may not post", refused.err)
        self.ok(self.bernd.run("react", got["sequence"], "👍"))
        self.until(self.anna, sent["sequence"], lambda e: "reactions" in e, "a reader's reaction")
        self.until(self.anna, sent["sequence"], lambda e: "receipts" in e, "a reader's receipt")

    def test_who_was_away_for_every_change_comes_back_to_the_group_as_it_is(self):
        self.anna.online()
        self.ok(self.anna.run("group", "create", "--title", "Wechsel", "--with", BERND, "--with", CLARA))
        self.ok(self.anna.run("group", "remove", "Wechsel", CLARA))
        self.ok(self.anna.run("group", "add", "Wechsel", CLARA))
        self.ok(self.anna.run("send", "--group", "Wechsel", "alle wieder da"))
        self.clara.online()
        self.arrived(self.clara, "alle wieder da")
        members = self.ok(self.clara.run("group", "show", "Wechsel"))["members"]
        self.assertEqual(sorted(m["name"] for m in members), sorted(ROSTER[n][1] for n in ("anna", "bernd", "clara")))


if __name__ == "__main__":
    unittest.main()
