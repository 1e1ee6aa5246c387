#!/usr/bin/python3
"""A person's second device: what it sees from its first day on, and what it sends."""
from people import ROSTER, WorldTest, unittest, wait_until
from second_device import add_second

BERND = "Meyer, Gifhorn"


class SecondDevice(WorldTest):
    PEOPLE = ("anna", "bernd")

    def shown(self, agent, text: str) -> dict:
        return agent.wait_for(lambda e: e.get("text") == text and e.get("state") == "opened", text, 60)

    def test_two_devices_of_one_person(self):
        self.bernd.online()
        self.anna.online()
        self.ok(self.anna.run("group", "create", "--title", "Streife", "--with", BERND))
        self.ok(self.anna.run("send", "--group", "Streife", "vor dem Zweitgerät"))
        self.ok(self.bernd.run("send", "--to", "Meyer, Celle", "auch davor"))
        second = add_second(self, self.anna, "anna-zwei")
        second.online()

        # What the first device says, the second shows as the person's own; what it says itself, the first.
        self.ok(self.anna.run("send", "--to", BERND, "vom ersten Gerät"))
        own = self.shown(second, "vom ersten Gerät")
        self.assertTrue(own["own"])
        self.assertEqual(own["from"]["name"], ROSTER["anna"][1])
        wait_until(lambda: self.ok(second.run("show", own["sequence"]))["title"] == ROSTER["bernd"][1],
                   "the name of who this is said to", 60, self.supervisor)
        self.ok(second.run("send", "--to", BERND, "vom zweiten Gerät"))
        self.assertTrue(self.shown(self.anna, "vom zweiten Gerät")["own"])
        self.shown(self.bernd, "vom zweiten Gerät")

        # Everybody seals for both; in groups, too.
        sent = self.ok(self.bernd.run("send", "--to", "Meyer, Celle", "an beide"))
        self.assertEqual(len(sent["devices"]), 2)
        for agent in (self.anna, second):
            self.assertFalse(self.shown(agent, "an beide")["own"])
        self.ok(self.bernd.run("send", "--group", "Streife", "an die Gruppe"))
        for agent in (self.anna, second):
            self.shown(agent, "an die Gruppe")
        self.ok(self.anna.run("send", "--group", "Streife", "selbst an die Gruppe"))
        self.assertTrue(self.shown(second, "selbst an die Gruppe")["own"])
        members = self.ok(second.run("group", "show", self.shown(second, "an die Gruppe")["conversation"]))["members"]
        self.assertEqual(len(members), 2)

        # Nobody owes oneself a receipt, and nothing from before came.
        mine = self.ok(self.anna.run("show", self.shown(self.anna, "vom zweiten Gerät")["sequence"]))
        self.assertNotIn(ROSTER["anna"][1], [r["name"] for r in mine.get("receipts", [])])
        before = [e.get("text") for e in second.events()]
        self.assertNotIn("vor dem Zweitgerät", before)
        self.assertNotIn("auch davor", before)


if __name__ == "__main__":
    unittest.main()
