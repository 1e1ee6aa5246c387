#!/usr/bin/python3
"""A handset that is away is woken by its push service, without a word; and who may not be posted to is not."""
import time

from people import ROOT, ROSTER, WorldTest, json, unittest, wait_until
from harness.world import World


class WakingWorld(World):
    def gateway_settings(self) -> dict:
        return {**super().gateway_settings(), "wake.enabled": True, "wake.allow_http": True, "wake.allow_private": True,
                "wake.min_interval_seconds": 1}


class Wake(WorldTest):
    WORLD = WakingWorld

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.folder / "push").mkdir()
        _, cls.port = cls.supervisor.start_with_port("push", ["/usr/bin/python3", ROOT / "tests/tools/push_sink.py",
                                                             cls.folder / "push"])

    def endpoint(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def requests(self, path: str) -> list:
        file = self.folder / "push" / "requests"
        lines = file.read_text().splitlines() if file.exists() else []
        return [request for request in map(json.loads, lines) if request["path"] == path]

    def send(self, text: str) -> None:
        self.ok(self.bernd.run("send", "--to", "Meyer, Celle", text))

    def test_woken_when_away_and_only_then(self):
        self.ok(self.anna.run("wake", "register", self.endpoint("/up/anna")))
        self.bernd.online()
        secret = "kein Wort davon nach draußen"
        self.send(secret)
        wait_until(lambda: self.requests("/up/anna"), "wake-up", 30, self.supervisor)
        request = self.requests("/up/anna")[0]
        self.assertEqual((request["method"], request["body"]), ("POST", ""))
        self.assertNotIn("Wort", json.dumps(request))
        # It comes, and is not woken while it is here.
        self.anna.online()
        self.wait_texts(self.anna, [secret])
        before = len(self.requests("/up/anna"))
        self.send("während sie da ist")
        self.wait_texts(self.anna, ["während sie da ist"])
        self.assertEqual(len(self.requests("/up/anna")), before)
        self.anna.offline()
        # Who went is noticed at the latest when nothing is acknowledged any more.
        for number in range(20):
            self.send(f"wieder weg {number}")
            if len(self.requests("/up/anna")) > before:
                break
            time.sleep(5)
        self.assertGreater(len(self.requests("/up/anna")), before)

        # An endpoint survives a restart of the gateway; taking it back ends it.
        self.supervisor.kill(self.gateway.child)
        self.gateway.start(self.world.port["operations"])
        self.assertEqual(self.gateway.metric("nimes_wake_endpoints"), 1)
        self.ok(self.anna.run("wake", "off"))
        self.assertEqual(self.gateway.metric("nimes_wake_endpoints"), 0)

    def test_gone_and_wrong_endpoints(self):
        self.bernd.online()
        self.ok(self.anna.run("wake", "register", self.endpoint("/gone/anna")))
        self.send("an einen toten Endpunkt")
        wait_until(lambda: self.gateway.metric("nimes_wake_endpoints") == 0, "forgetting", 30, self.supervisor)
        for wrong in ("push.example", "file:///etc/passwd", "https://user:word@push.example/"):
            refused = self.anna.run("wake", "register", wrong)
            self.assertEqual(refused.status, 6, refused.err)

    def test_the_endpoint_goes_with_its_device(self):
        extra = self.world.agent("clara")
        outcome = self.world.enrol(extra, ROSTER["clara"][0])
        self.assertEqual(outcome.status, 0, outcome.err)
        self.ok(extra.run("wake", "register", self.endpoint("/up/clara")))
        self.assertGreaterEqual(self.gateway.metric("nimes_wake_endpoints"), 1)
        before = self.gateway.metric("nimes_wake_endpoints")
        self.gateway.admin("revoke", self.ok(extra.run("status"))["device"], "--reason", "lost")
        wait_until(lambda: self.gateway.metric("nimes_wake_endpoints") == before - 1, "end", 30, self.supervisor)


if __name__ == "__main__":
    unittest.main()
