#!/usr/bin/python3
"""A group that a handset made which was stolen since: whoever is in it goes on, and its owner's new handset, which has
only that handset's word for it, looks at it and vouches. What was said meanwhile is shown then."""
from people import ROSTER, WorldTest, unittest, wait_until

BERND, CLARA = "Meyer, Gifhorn", "Schulz, Celle"
TITLE = "Nachtdienst"


class Confirm(WorldTest):
    PEOPLE = ("anna", "bernd", "clara")

    def members(self, agent, group: str) -> set:
        return {m["name"] for m in self.ok(agent.run("group", "show", group))["members"]}

    def doubted(self, agent, group: str) -> dict:
        return self.ok(agent.run("group", "show", group)).get("doubted")

    def doubt(self, agent, text: str) -> None:
        agent.wait_for(lambda e: e.get("kind") == "alarm" and "nobody vouches" in e["text"] and text in e["text"],
                       "the alarm", 90)

    def new_handset(self, name: str, person: str):
        agent = self.world.agent(name)
        self.assertEqual(self.world.enrol(agent, ROSTER[person][0]).status, 5)
        self.gateway.admin("devices", "approve", self.gateway.admin("devices", "waiting")[0]["device"])
        self.ok(agent.run("enrol", "--provisioning", self.world.provisioning, ROSTER[person][0]))
        return agent

    def test_the_new_handset_vouches_for_what_the_stolen_one_made(self):
        anna, bernd, clara = self.anna, self.bernd, self.clara
        for agent in (anna, bernd, clara):
            agent.online()
        group = self.ok(anna.run("group", "create", "--title", TITLE, "--with", BERND))["conversation"]
        self.ok(anna.run("group", "add", TITLE, CLARA))
        self.ok(anna.run("send", "--group", TITLE, "Clara ist dabei"))
        self.wait_texts(bernd, ["Clara ist dabei"])
        self.wait_texts(clara, ["Clara ist dabei"])

        anna.expect_end()
        self.gateway.admin("revoke", self.ok(anna.run("status"))["device"], "--reason", "stolen")
        self.ok(clara.run("send", "--group", TITLE, "wo bist du"))
        self.wait_texts(bernd, ["wo bist du"])

        fresh = self.new_handset("anna-neu", "anna")
        fresh.online()
        self.ok(clara.run("send", "--group", TITLE, "willkommen"))
        self.doubt(fresh, f"nimes-agent group show {group}")
        everybody = {ROSTER[name][1] for name in self.PEOPLE}
        self.assertEqual(self.members(fresh, group), set())
        doubted = self.doubted(fresh, group)
        self.assertEqual({m["name"] for m in doubted["members"]}, everybody)
        self.assertTrue(doubted["may_confirm"])
        # What she was told outlives the process.
        fresh.offline()
        fresh.online()
        self.assertEqual(self.doubted(fresh, group), doubted)
        self.assertNotIn("willkommen", self.texts(fresh))
        for agent, why in ((bernd, "administers"), (clara, "administers")):
            refused = agent.run("group", "confirm", TITLE)
            self.assertNotEqual(refused.status, 0)
            self.assertIn(why, refused.err)

        for seen, what in (((), "look at it first"), (("0" * 64,), "something else")):
            refused = fresh.run("group", "confirm", group, *seen)
            self.assertNotEqual(refused.status, 0)
            self.assertIn(what, refused.err)
        self.assertEqual(self.ok(fresh.run("group", "confirm", group, doubted["state"]))["members"], 3)
        self.wait_texts(fresh, ["willkommen"])
        self.assertEqual(self.members(fresh, group), everybody)
        self.assertIsNone(self.doubted(fresh, group))
        self.ok(fresh.run("send", "--group", group, "hier ist Anna"))
        self.wait_texts(bernd, ["hier ist Anna"])
        self.wait_texts(clara, ["hier ist Anna"])
        self.ok(bernd.run("send", "--group", TITLE, "verstanden"))
        self.wait_texts(fresh, ["verstanden"])


if __name__ == "__main__":
    unittest.main()
