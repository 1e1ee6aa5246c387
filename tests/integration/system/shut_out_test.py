#!/usr/bin/python3
"""Suspended and revoked devices, wrong input at both command lines, and what each says."""
import time

from people import ROOT, ROSTER, WorldTest, unittest, wait_until
from harness.gateway import Refused

import subprocess
import sys


class ShutOut(WorldTest):
    PEOPLE = ("anna", "bernd", "clara")

    def device(self, agent) -> str:
        return self.ok(agent.run("status"))["device"]

    def test_suspended_and_back(self):
        self.anna.online()
        self.bernd.online()
        device = self.device(self.bernd)
        self.gateway.admin("suspend", device)
        wait_until(lambda: not self.bernd.run("status").last()["connected"], "cut", 30, self.supervisor)
        text = "solange gesperrt"
        self.ok(self.anna.run("send", "--to", "Schulz", "an Clara"))
        wait_until(lambda: self.bernd.run("status").last().get("shut_out") == "ERR_DEVICE_SUSPENDED", "reason", 60,
                   self.supervisor)
        self.assertEqual(self.bernd.run("send", "--to", "Meyer, Celle", text).status, 4)
        self.gateway.admin("resume", device)
        wait_until(lambda: self.bernd.run("status").last()["connected"], "return", 90, self.supervisor)
        text = "wieder da"
        self.ok(self.anna.run("send", "--to", "Meyer, Gifhorn", text))
        self.wait_texts(self.bernd, [text])

    def test_revoked_for_good(self):
        """Its next message, sealed on a chain that it still has, is refused by the gateway and shown to nobody."""
        self.anna.online()
        self.clara.online()
        self.ok(self.clara.run("send", "--to", "Meyer, Celle", "davor"))
        self.wait_texts(self.anna, ["davor"])
        device = self.device(self.clara)
        self.clara.expect_end()
        self.gateway.admin("revoke", device, "--reason", "stolen")
        outcome = self.clara.run("send", "--to", "Meyer, Celle", "danach", "--wait", "5")
        self.assertNotEqual(outcome.status, 0)
        with self.assertRaises(Refused):
            self.gateway.admin("resume", device)
        steps = self.gateway.command("admin", "--config", self.gateway.configuration, "revoke", device, "--reason", "lost")
        self.assertIn("revoked", steps)
        time.sleep(2)
        self.assertNotIn("danach", self.texts(self.anna))
        sent = self.ok(self.anna.run("send", "--to", "Meyer, Gifhorn", "unter uns"))
        self.assertNotIn(device, sent["devices"])
        self.comes_back_with_a_new_handset()

    def comes_back_with_a_new_handset(self):
        """Who has lost every device needs an administrator, since no device can vouch."""
        fresh = self.world.agent("clara-neu")
        waiting = self.world.enrol(fresh, ROSTER["clara"][0])
        self.assertEqual(waiting.status, 5, waiting.err)
        self.assertIn("administrator", waiting.err)
        lines = self.gateway.admin("devices", "waiting")
        self.assertEqual([line["address"] for line in lines], [ROSTER["clara"][0]])
        self.gateway.admin("devices", "approve", lines[0]["device"])
        self.assertEqual(self.gateway.admin("devices", "waiting"), [])
        self.ok(fresh.run("enrol", "--provisioning", self.world.provisioning, ROSTER["clara"][0]))
        fresh.online()
        self.ok(self.anna.run("send", "--to", "Schulz", "willkommen zurück"))
        self.wait_texts(fresh, ["willkommen zurück"])

    def test_a_photo_survives_a_crash_of_the_gateway(self):
        photo = self.folder / "tatort.jpg"
        subprocess.run([sys.executable, ROOT / "tests/tools/make_photo.py", photo], check=True, capture_output=True)
        sent = self.ok(self.anna.run("send", "--to", "Meyer, Gifhorn", "--photo", photo, "--caption", "von vorn"))
        self.supervisor.kill(self.gateway.child)
        self.gateway.start(self.world.port["operations"])
        self.bernd.online()
        event = self.bernd.wait_for(lambda e: e.get("caption") == "von vorn", "the photo", 60)
        got = self.ok(self.bernd.run("media", "get", event["media"]["id"], "--out", self.folder / "got.jpg"))
        self.assertEqual(got["sha256"], sent["media"]["sha256"])
        again = self.bernd.run("media", "get", event["media"]["id"], "--out", self.folder / "got.jpg")
        self.assertEqual(again.status, 6, "an export never overwrites")

    def test_administration_refuses_with_reasons(self):
        def refused(*words) -> Refused:
            with self.assertRaises(Refused) as caught:
                self.gateway.admin(*words)
            self.assertIn("hint:", caught.exception.text)
            return caught.exception
        self.assertIn("second one needs its own gateway", refused("org", "create", "--name", "B", "--domain", "b.example").text)
        refused("unit", "create", "--name", "Celle")
        refused("suspend", "nonsense")
        refused("revoke", "a" * 26, "--reason", "stolen")
        roster = self.folder / "wrong.csv"
        roster.write_text("address,name,rank,unit\nx@y@polizei.example,Niemand,PK,Celle\nz@other.example,Z,PK,Celle\n"
                          "q@polizei.example,Q,PK,Nirgends\n")
        text = refused("roster", "import", roster).text
        for line in ("line 2", "line 3", "line 4"):
            self.assertIn(line, text)

    def test_unknown_people(self):
        nobody = self.anna.run("send", "--to", "Niemand", "x")
        self.assertEqual(nobody.status, 9)
        self.assertIn("hint:", nobody.err)
        self.assertEqual(self.anna.run("send", "--to", "n.iemand@polizei.example", "x").status, 9)
        self.assertEqual(self.anna.run("send", "--to", "a@b@c", "x").status, 2)
        self.assertEqual(self.anna.run("media", "get", "0" * 32).status, 9)


if __name__ == "__main__":
    unittest.main()
