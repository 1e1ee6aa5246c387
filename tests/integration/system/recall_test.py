#!/usr/bin/python3
"""A photo that is recalled: gone from the server and from every handset, and who recalled it is told what came of it."""
import http.client
import ssl
import subprocess
import sys
from urllib.parse import urlsplit

from people import ROOT, WorldTest, unittest, wait_until


class Recall(WorldTest):
    PEOPLE = ("anna", "bernd", "clara")

    def photo(self, seed: int):
        file = self.folder / f"tatort-{seed}.jpg"
        subprocess.run([sys.executable, ROOT / "tests/tools/make_photo.py", file, "--seed", str(seed), "--size", "640x480"],
                       check=True, capture_output=True)
        return file

    def on_server(self, blob: str) -> bool:
        """Would the server hand the medium to a device that knows its id?"""
        address = urlsplit(self.world.gateway_url)
        context = ssl.create_default_context(cafile=self.world.certificates / "ca.crt")
        connection = http.client.HTTPSConnection(address.hostname, address.port, context=context, timeout=30)
        token = self.anna.run("token").last()["token"]
        connection.request("GET", f"/v1/media/{blob}", headers={"Authorization": f"Bearer {token}"})
        status = connection.getresponse().status
        connection.close()
        self.assertIn(status, (200, 404))
        return status == 200

    def files(self, agent) -> list:
        folder = agent.home / "media"
        return sorted(file.name for file in folder.iterdir()) if folder.exists() else []

    def holds(self, agent, blob: str) -> bool:
        return any(name.startswith(blob) for name in self.files(agent))

    def shown(self, agent, sequence: int) -> dict:
        return self.ok(agent.run("show", sequence))

    def test_gone_from_the_server_and_from_every_handset_with_what_became_of_it(self):
        anna, bernd, clara = self.anna, self.bernd, self.clara
        for agent in (anna, bernd, clara):
            agent.online()
        self.ok(anna.run("group", "create", "--title", "Fund", "--with", "Meyer, Gifhorn", "--with", "Schulz, Celle"))
        self.ok(anna.run("send", "--group", "Fund", "gleich"))
        clara.wait_for(lambda e: e.get("text") == "gleich", "a text")
        clara.offline()

        sent = self.ok(anna.run("send", "--group", "Fund", "--photo", self.photo(1), "--caption", "falsches Bild"))
        blob = sent["media"]["id"]
        got = bernd.wait_for(lambda e: e.get("caption") == "falsches Bild", "the photo")
        self.assertEqual(self.ok(bernd.run("media", "get", blob))["sha256"], sent["media"]["sha256"])
        self.assertTrue(self.on_server(blob) and self.holds(anna, blob) and self.holds(bernd, blob))

        gone = self.ok(anna.run("delete", sent["sequence"], "--recall", "--wait", "8"))
        self.assertEqual(gone["recall"]["devices"], 2)
        self.assertGreaterEqual(gone["recall"]["unreachable"], 1)
        self.assertIn("on_server", gone)
        wait_until(lambda: self.shown(anna, sent["sequence"])["recall"] ==
                   {"devices": 2, "delivered": 1, "opened": 1, "erased": 1, "unreachable": 1}, "Bernd's report", 60)
        wait_until(lambda: not self.on_server(blob), "end at the server", 60, self.supervisor)
        wait_until(lambda: not self.holds(anna, blob) and not self.holds(bernd, blob), "end of the files", 30)
        self.assertEqual(self.shown(bernd, got["sequence"])["state"], "deleted")
        for agent in (anna, bernd):
            self.assertIn("no message names this medium", agent.run("media", "get", blob).err)

        clara.online()  # it lay in the mailbox, and the recall behind it takes it away
        def told() -> dict:
            return self.shown(anna, sent["sequence"])["recall"]
        wait_until(lambda: told()["unreachable"] == 0, "the last report", 60, self.supervisor)
        self.assertEqual((told()["devices"], told()["erased"]), (2, 2))
        self.assertIn("no message names this medium", clara.run("media", "get", blob).err)
        wait_until(lambda: not self.holds(clara, blob), "end of the file", 60, self.supervisor)

        # With everybody there it is waited for, and no longer than it takes.
        again = self.ok(anna.run("send", "--group", "Fund", "--photo", self.photo(3), "--caption", "noch eins"))
        for agent in (bernd, clara):
            agent.wait_for(lambda e: e.get("caption") == "noch eins", "the second photo")
        gone = self.ok(anna.run("delete", again["sequence"], "--recall", "--wait", "120", seconds=150))
        self.assertEqual((gone["recall"]["unreachable"], gone["on_server"]), (0, False))

    def test_one_that_was_never_uploaded_keeps_nothing_back(self):
        """Recalled on a train without network: what is said after it must arrive, and the medium must not stay."""
        anna, bernd = self.anna, self.bernd
        bernd.online()
        anna.online()
        self.ok(anna.run("send", "--to", "Meyer, Gifhorn", "vor dem Tunnel"))
        self.supervisor.stop(self.gateway.child)
        sent = anna.run("send", "--to", "Meyer, Gifhorn", "--photo", self.photo(2), "--wait", "1", seconds=300).last()
        self.assertFalse(sent["accepted"])
        blob = sent["media"]["id"]
        anna.run("delete", sent["sequence"], "--wait", "1")
        anna.run("send", "--to", "Meyer, Gifhorn", "nach dem Tunnel", "--wait", "1")
        anna.offline()
        self.gateway.start(self.world.port["operations"])
        anna.online()
        bernd.wait_for(lambda e: e.get("text") == "nach dem Tunnel", "what was said after it", 120)
        wait_until(lambda: not self.holds(anna, blob), "end of the file", 60, self.supervisor)
        wait_until(lambda: not self.on_server(blob), "end at the server", 60, self.supervisor)


if __name__ == "__main__":
    unittest.main()
