#!/usr/bin/python3
"""Two people make sure of each other, a new device is seen by everybody, and its owner answers for it."""
from people import WorldTest, unittest, wait_until
from second_device import add_second

ANNA, BERND = "Meyer, Celle", "Meyer, Gifhorn"


class Trust(WorldTest):
    PEOPLE = ("anna", "bernd", "clara")

    def verify(self, agent, person: str, *words) -> dict:
        return self.ok(agent.run("verify", person, *words))

    def device(self, agent) -> str:
        return self.ok(agent.run("status"))["device"]

    def alarms(self, agent) -> list:
        return [alarm.get("device") for alarm in self.ok(agent.run("status"))["alarms"]]

    def level_of(self, shown: dict, device: str) -> tuple:
        """Level, and whether it is shown as new."""
        line = next(d for d in shown["devices"] if d["device"] == device)
        return line["level"], line.get("new", False)

    def test_a_person_is_verified_and_gets_a_second_and_a_third_device(self):
        anna, bernd = self.anna, self.bernd
        first = self.device(anna)

        # One number on both screens, and another one for other people.
        hers, his = self.verify(anna, BERND), self.verify(bernd, ANNA)
        self.assertRegex(hers["safety_number"], r"^\d{5}( \d{5}){11}$")
        self.assertEqual(hers["safety_number"], his["safety_number"])
        self.assertNotEqual(hers["safety_number"], self.verify(anna, "Schulz")["safety_number"])
        self.assertEqual((his["level"], self.level_of(his, first)), (2, (2, False)))

        # Her screen, scanned: that device is verified, and only by her own code.
        for wrong in (his["code"], self.verify(self.clara, BERND)["code"], "nimes-contact:", hers["code"] + "a"):
            refused = bernd.run("verify", ANNA, "--scanned", wrong)
            self.assertEqual(refused.status, 6, wrong)
            self.assertIn("hint:", refused.err)
        self.assertEqual(self.verify(bernd, ANNA)["level"], 2)
        scanned = self.verify(bernd, ANNA, "--scanned", hers["code"])
        self.assertEqual((scanned["scanned"], scanned["level"]), (first, 3))
        self.assertEqual(bernd.run("people", ANNA).lines()[0]["level"], 3)

        # A second device that the scanned one vouched for is as good; the third, which that one vouches for, is new.
        second = add_second(self, anna, "anna-zwei")
        now = self.verify(bernd, ANNA)
        self.assertNotEqual(now["safety_number"], hers["safety_number"])
        self.assertEqual(self.level_of(now, self.device(second)), (3, False))
        anna.online()
        third = add_second(self, second, "anna-drei")
        stranger = self.device(third)
        now = self.verify(bernd, ANNA)
        self.assertEqual((self.level_of(now, stranger), now["level"], now["new_devices"]), ((2, True), 2, 1))
        listed = {d["device"]: d for d in bernd.run("devices", "list", ANNA).lines() if "device" in d}
        self.assertEqual((listed[stranger]["level"], listed[stranger].get("new")), (2, True))
        self.ok(third.run("send", "--to", BERND, "vom dritten Gerät"))
        bernd.online()
        sender = bernd.wait_for(lambda e: e.get("text") == "vom dritten Gerät", "her text", 60)["from"]
        self.assertEqual((sender["level"], sender["new_device"]), (2, True))

        # Her first device heard of it from nobody: an alarm, at once, and after a restart, until she answers.
        alarm = anna.wait_for(lambda e: e["kind"] == "alarm", "the alarm", 60)
        self.assertEqual(alarm["device"], stranger)
        self.assertIn("platform", alarm["text"])
        anna.offline()
        self.assertEqual(self.alarms(anna), [stranger])
        shown = [line for line in anna.run("inbox", "--wait", "0").lines() if line.get("kind") == "alarm"]
        self.assertEqual([line["device"] for line in shown], [stranger])
        self.assertEqual(self.alarms(second), [], "who vouched for it knows it")
        self.ok(anna.run("devices", "confirm", stranger))
        self.assertEqual(self.alarms(anna), [])
        self.assertEqual([e for e in anna.run("inbox", "--wait", "0").lines() if e.get("kind") == "alarm"], [])
        self.assertEqual(anna.run("devices", "confirm", self.device(bernd)).status, 9)

        # The third is scanned, too: all is well again.
        self.verify(bernd, ANNA, "--scanned", self.verify(third, BERND)["code"])
        now = self.verify(bernd, ANNA)
        self.assertEqual((now["level"], now.get("new_devices")), (3, None))
        self.is_revoked_by_its_owner(anna, second, third)

    def is_revoked_by_its_owner(self, anna, second, third):
        device, before = self.device(third), self.verify(self.bernd, ANNA)["safety_number"]
        for agent in (anna, third):
            agent.online()
        self.assertEqual(self.bernd.run("devices", "revoke", device).status, 9, "of another person")
        self.ok(anna.run("devices", "revoke", device, "--reason", "stolen"))
        wait_until(lambda: third.run("status").last().get("shut_out") == "ERR_DEVICE_REVOKED", "the cut", 60,
                   self.supervisor)
        self.assertEqual(third.run("send", "--to", BERND, "danach").status, 4)
        self.ok(anna.run("devices", "revoke", device, "--reason", "stolen"))
        states = {d["device"]: d["state"] for d in anna.run("devices", "list").lines() if "device" in d}
        self.assertEqual(states[device], "revoked")
        self.assertNotEqual(self.verify(self.bernd, ANNA)["safety_number"], before)
        sent = self.ok(self.bernd.run("send", "--to", ANNA, "an die übrigen"))
        self.assertNotIn(device, sent["devices"])
        self.assertEqual(len(sent["devices"]), 2)

        # A device that is given back revokes itself; nobody has to own another one for that.
        gone = self.device(second)
        self.ok(second.run("devices", "revoke", gone, "--reason", "replaced"))
        self.assertEqual(second.run("people", BERND).status, 4)
        sent = self.ok(self.bernd.run("send", "--to", ANNA, "an das letzte"))
        self.assertEqual(sent["devices"], [self.device(anna)])

    def test_an_unknown_device_is_revoked_by_who_was_alarmed(self):
        clara = self.clara
        second = add_second(self, clara, "clara-zwei")
        self.ok(clara.run("verify", BERND))  # it looks at its own entry, too
        self.assertEqual(self.alarms(clara), [])
        third = add_second(self, second, "clara-drei")
        stranger = self.device(third)
        clara.online()
        wait_until(lambda: self.alarms(clara) == [stranger], "the alarm", 60, self.supervisor)
        self.ok(clara.run("devices", "revoke", stranger))
        self.assertEqual(self.alarms(clara), [])
        self.assertEqual(third.run("people", BERND).status, 4)


if __name__ == "__main__":
    unittest.main()
