#!/usr/bin/python3
"""A group whose only administrator left the service gets a new one from the organisation, in sight of all its members."""
from people import ROSTER, WorldTest, unittest, wait_until
from harness.gateway import Refused

BERND, CLARA = "Meyer, Gifhorn", "Schulz, Celle"
TITLE = "Spätdienst"


class Orphans(WorldTest):
    PEOPLE = ("anna", "bernd", "clara")

    def appoint(self, group: str, name: str):
        return self.gateway.admin("groups", "appoint", group, ROSTER[name][0])

    def refused(self, group: str, name: str, what: str) -> None:
        with self.assertRaises(Refused) as caught:
            self.appoint(group, name)
        self.assertIn(what, caught.exception.text)

    def told(self, agent, who: str) -> dict:
        text = f"the organisation made {who} an administrator of {TITLE}"
        return agent.wait_for(lambda e: e.get("kind") == "alarm" and e["text"].startswith(text), text, 60)

    def owed(self, agent, group: str) -> list:
        """Why the agent's next message in the group opens a new chain, as far as it must shut somebody out."""
        return [line["reason"] for line in self.ok(agent.run("status"))["owed"] if line["conversation"] == group]

    def roles(self, agent) -> dict:
        return {m["name"]: m["role"] for m in self.ok(agent.run("group", "show", TITLE))["members"]}

    def test_a_group_outlives_its_administrator(self):
        anna, bernd, clara = self.anna, self.bernd, self.clara
        bernd.online()
        anna.online()
        group = self.ok(anna.run("group", "create", "--title", TITLE, "--with", BERND))["conversation"]
        self.ok(anna.run("send", "--group", TITLE, "Dienstbeginn 14 Uhr"))
        bernd.wait_for(lambda e: e.get("text") == "Dienstbeginn 14 Uhr", "a text")

        # While she has a device, the organisation has no say.
        self.assertEqual(self.gateway.admin("groups", "orphaned"), [])
        self.refused(group, "bernd", "has a device")
        shown = self.gateway.admin("groups", "show", group)
        self.assertEqual((shown["orphaned"], shown["epoch"], len(shown["members"])), (False, 1, 2))

        self.ok(bernd.run("send", "--group", TITLE, "bin da"))
        self.assertEqual(self.owed(bernd, group), [])
        self.gateway.admin("revoke", self.ok(anna.run("status"))["device"], "--reason", "left")
        anna.offline()
        wait_until(lambda: self.owed(bernd, group) == ["a device was revoked or expired"], "an owed chain", 90, self.supervisor)
        bernd.offline()
        left = self.gateway.admin("groups", "orphaned")
        self.assertEqual([g["group"] for g in left], [group])
        self.assertEqual({m["address"]: (m["role"], m["has_device"]) for m in left[0]["members"]},
                         {ROSTER["anna"][0]: ("administrator", False), ROSTER["bernd"][0]: ("poster", True)})
        self.refused(group, "clara", "member")
        self.refused(group, "anna", "no device")
        self.refused("00" * 16, "bernd", "no such conversation")
        self.assertEqual(self.appoint(group, "bernd")["orphaned"], False)
        self.refused(group, "bernd", "has a device")
        self.assertEqual(self.gateway.admin("groups", "orphaned"), [])

        # Bernd was away: he hears of it, and acts on it.
        bernd.online()
        self.told(bernd, "you")
        wait_until(lambda: set(self.roles(bernd).values()) == {"administrator"}, "the new role", 60, self.supervisor)
        self.ok(bernd.run("group", "remove", TITLE, "Meyer, Celle"))

        # Clara comes later, and judges the whole history herself: the appointment with it.
        clara.online()
        self.ok(bernd.run("group", "add", TITLE, CLARA))
        self.ok(bernd.run("send", "--group", TITLE, "weiter zu zweit"))
        clara.wait_for(lambda e: e.get("text") == "weiter zu zweit", "a text", 60)
        self.assertEqual(self.owed(bernd, group), [])
        self.assertEqual(self.roles(clara), {ROSTER["bernd"][1]: "administrator", ROSTER["clara"][1]: "poster"})
        alarms = [e["text"] for e in clara.events() if e.get("kind") == "alarm"]
        self.assertEqual(len([text for text in alarms if "the organisation made " + ROSTER["bernd"][1] in text]), 1, alarms)
        self.ok(clara.run("send", "--group", TITLE, "verstanden"))
        bernd.wait_for(lambda e: e.get("text") == "verstanden", "an answer", 60)
        help_text = self.gateway.command("admin", "groups", "appoint", "--help")
        self.assertIn("check that no", help_text)


if __name__ == "__main__":
    unittest.main()
