#!/usr/bin/python3
"""One-time seal keys in use, chains that are owed after a revocation, and what a copied device gives away."""
import base64
import os
import ssl
import struct
import subprocess
import time
import urllib.request

from people import ROSTER, WorldTest, unittest, wait_until

BERND, CLARA = "Meyer, Gifhorn", "Schulz, Celle"
DAY = 86_400_000


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


class SealKeys(WorldTest):
    PEOPLE = ("anna", "bernd", "clara")

    def secrets(self, agent) -> list:
        """(name, hex) of every secret in the container."""
        return [(name, value.hex()) for name, value in self.world.container_keys(agent)]

    def one_time_keys(self, agent) -> set:
        return {secret for name, secret in self.secrets(agent) if name == "one-time seal key"}

    def at_the_gateway(self) -> int:
        """Rows of one-time keys in the gateway's store."""
        self.world.dump_store(self.folder / "store.dump")
        return (self.folder / "store.dump").read_bytes().count(b"NMsk\x01\x01\x02".hex().encode())

    def arrives(self, agent, text: str) -> None:
        agent.wait_for(lambda e: e.get("text") == text and not e["own"], text, 60)

    def alarms(self, agent) -> set:
        """Each once, though a new `watch` shows them all again."""
        return {(event["raised_ms"], event["text"]) for event in agent.events() if event.get("kind") == "alarm"}

    def owed(self, agent) -> dict:
        return {line["title"]: line["reason"] for line in self.ok(agent.run("status"))["owed"]}

    def test_a_one_time_key_opens_one_grant_and_is_gone(self):
        self.assertEqual(self.ok(self.clara.run("status"))["seal_keys"]["one_time"], 100)
        before, stored = self.one_time_keys(self.clara), self.at_the_gateway()
        self.assertEqual(len(before), 100)
        self.clara.online()
        self.ok(self.anna.run("send", "--to", CLARA, "erste"))
        self.arrives(self.clara, "erste")
        after = self.one_time_keys(self.clara)
        self.assertEqual(len(before - after), 1)
        self.assertEqual(len(after), 99)
        self.assertEqual(self.ok(self.clara.run("status"))["seal_keys"]["one_time"], 99)
        # Hers, and one of Anna's for the receipt; each was erased before it was handed out.
        wait_until(lambda: self.at_the_gateway() == stored - 2, "two keys handed out", 30, self.supervisor)

        self.ok(self.anna.run("send", "--to", CLARA, "auf derselben Kette"))
        self.arrives(self.clara, "auf derselben Kette")
        self.assertEqual(self.one_time_keys(self.clara), after)

        # A restart of both sides: the next grant takes the next key, and opens.
        self.clara.offline()
        self.supervisor.kill(self.gateway.child)
        self.gateway.start(self.world.port["operations"])
        self.ok(self.anna.run("group", "create", "--title", "Streife", "--with", CLARA))
        self.clara.online()
        self.ok(self.anna.run("send", "--to", "Streife", "nach dem Absturz"))
        self.arrives(self.clara, "nach dem Absturz")
        self.assertEqual(len(self.one_time_keys(self.clara)), 98)
        status = self.ok(self.clara.run("status"))
        self.assertEqual(status["undecryptable"], {"damaged": 0, "unreadable": 0, "refused": 0, "lost": 0})
        self.assertEqual(self.alarms(self.clara), set())

    def test_when_they_run_out_the_day_key_serves(self):
        """More chains in an hour than one person gets one-time keys of a device for."""
        self.bernd.online()
        used = len(self.one_time_keys(self.bernd))
        for number in range(6):
            self.ok(self.anna.run("group", "create", "--title", f"Lage {number}", "--with", BERND))
            self.ok(self.anna.run("send", "--to", f"Lage {number}", f"Lage {number} beginnt"))
            self.arrives(self.bernd, f"Lage {number} beginnt")
        self.assertLessEqual(used - len(self.one_time_keys(self.bernd)), 4)
        self.assertGreater(used - len(self.one_time_keys(self.bernd)), 0)

    def test_chains_are_owed_after_a_revocation(self):
        self.anna.online()
        fresh = self.world.agent("bernd-zwei")
        self.assertEqual(self.world.enrol(fresh, ROSTER["bernd"][0]).status, 5)
        pending = self.bernd.run("devices", "pending").lines()
        waiting = pending[0]["device"]
        self.ok(self.bernd.run("devices", "vouch", waiting))
        self.ok(fresh.run("enrol", "--provisioning", self.world.provisioning, ROSTER["bernd"][0]))
        self.ok(self.anna.run("group", "create", "--title", "Wache", "--with", BERND))
        sent = self.ok(self.anna.run("send", "--to", "Wache", "an alle Geräte"))
        self.assertIn(waiting, sent["devices"])
        self.assertEqual(sent["stale"], [])
        self.assertEqual(self.owed(self.anna), {})
        states = {line["device"]: line for line in self.anna.run("devices", "list", BERND).lines() if "device" in line}
        self.assertEqual((states[waiting]["state"], states[waiting]["stale"]), ("active", False))

        self.gateway.admin("revoke", waiting, "--reason", "stolen")
        wait_until(lambda: "Wache" in self.owed(self.anna), "the owed chain", 90, self.supervisor)
        self.assertIn("revoked", self.owed(self.anna)["Wache"])
        groups = {line["title"]: line for line in self.anna.run("group", "list").lines() if "title" in line}
        self.assertIn("revoked", groups["Wache"]["owed"])
        after = self.ok(self.anna.run("send", "--to", "Wache", "ohne das gestohlene"))
        self.assertNotIn(waiting, after["devices"])
        self.assertNotIn("Wache", self.owed(self.anna))

    def publish_as(self, agent) -> None:
        """What a copy of the device would do: a batch of its own, signed by the device's key, of tomorrow's number."""
        device = self.ok(agent.run("status"))["device"]
        seed = bytes.fromhex(dict(self.secrets(agent))["identity seed"])
        today = int(time.time() * 1_000) // DAY
        body = (b"NMsk\x01\x01\x01\x00" + base64.b32decode(device.upper() + "======") +
                struct.pack(">IIQQ", today + 1, 0xf0000000, today * DAY, today * DAY + DAY) + os.urandom(32))
        key, text = self.folder / "ik.der", self.folder / "ik.text"
        key.write_bytes(bytes.fromhex("302e020100300506032b657004220420") + seed)
        text.write_bytes(b"NM1/sealkey".ljust(16, b"\0") + body)
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", key, "-keyform", "DER", "-rawin", "-in",
                                    text], check=True, capture_output=True).stdout
        token = self.ok(agent.run("token"))["token"]
        trust = ssl.create_default_context(cafile=self.world.certificates / "ca.crt")
        request = urllib.request.Request(self.world.gateway_url + "/v1/sealkeys", field(1, body + signature),
                                         {"Authorization": f"Bearer {token}",
                                          "Content-Type": "application/x-protobuf"})
        with urllib.request.urlopen(request, timeout=20, context=trust) as answer:
            self.assertEqual(answer.status, 204)

    def test_a_copy_that_publishes_raises_the_alarm_and_rotates(self):
        self.bernd.online()
        self.ok(self.bernd.run("send", "--to", "Meyer, Celle", "vor der Kopie"))
        self.assertEqual(self.alarms(self.bernd), set())
        self.bernd.offline()
        self.publish_as(self.bernd)
        self.bernd.online()
        self.bernd.wait_for(lambda e: e.get("kind") == "alarm" and "copied" in e["text"], "the alarm")
        self.assertIn("Meyer, Anna", self.owed(self.bernd))
        # Its own keys are shown again, under a number that no sender refuses.
        today = int(time.time() * 1_000) // DAY
        wait_until(lambda: self.ok(self.bernd.run("status"))["seal_keys"]["batch"] == today + 1, "an own batch", 30,
                   self.supervisor)
        self.anna.online()
        self.ok(self.anna.run("group", "create", "--title", "Danach", "--with", BERND))
        self.ok(self.anna.run("send", "--to", "Danach", "wieder an Bernd"))
        self.arrives(self.bernd, "wieder an Bernd")
        self.ok(self.bernd.run("send", "--to", "Meyer, Celle", "nach der Kopie"))
        self.arrives(self.anna, "nach der Kopie")
        self.assertNotIn("Meyer, Anna", self.owed(self.bernd))
        self.bernd.offline()
        self.bernd.online()
        self.assertEqual(len(self.alarms(self.bernd)), 1)


if __name__ == "__main__":
    unittest.main()
