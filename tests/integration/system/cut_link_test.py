#!/usr/bin/python3
"""The real agent on a link that is cut again and again: how much of a medium goes twice, and does chat get through?

Both connections of each handset, to the broker and to the gateway, pass a proxy that cuts them after so many bytes; the
taps stand behind it. What is asserted depends on bytes alone; the ratios are printed.
"""
import hashlib
import sys

import media_agent_test as media  # as a module: its cases are not run here once more
from people import ROOT, World, WorldTest, unittest, wait_until

sys.path.insert(0, str(ROOT / "tests" / "integration" / "tus"))
from cutting_proxy import CuttingProxy, every  # noqa: E402

MEDIUM = 10_000_000
MOST = 1.1  # of a medium's size, what may pass for it


class CutWorld(World):
    """Between handsets and taps a proxy each, at the public addresses."""

    def start_servers(self) -> None:
        self.budget = {name: {"up": None, "down": None} for name in ("broker", "gateway")}
        self.proxy = {}
        for name in ("broker", "gateway"):
            public = self.port[f"{name}_tap"]
            self.port[f"{name}_tap"] = self.ports.reserve()
            self.ports.release(public)
            self.proxy[name] = CuttingProxy(self.port[f"{name}_tap"], self.budget_of(name, "up"), port=public,
                                            down_budgets=self.budget_of(name, "down"))
            self.proxy[name].__enter__()
        super().start_servers()

    def budget_of(self, name: str, way: str):
        def of(connection):
            budget = self.budget[name][way]
            return budget(connection) if budget else None
        return of

    def stop_proxies(self) -> None:
        for proxy in self.proxy.values():
            proxy.__exit__()


class CutLink(WorldTest):
    """One story: an upload with chat beside it, then its download."""
    WORLD = CutWorld
    random_file, passed, begin = media.MediaAgent.random_file, media.MediaAgent.passed, media.MediaAgent.begin

    @classmethod
    def tearDownClass(cls):
        cls.world.stop_proxies()

    def cut(self, name: str, up=None, down=None) -> None:
        self.world.budget[name] = {"up": up, "down": down}

    def test_a_medium_and_chat_through_cuts(self):
        anna, bernd, proxy = self.anna, self.bernd, self.world.proxy
        file = self.random_file("film.bin", MEDIUM, 1)
        before, cuts = self.passed("up"), {name: proxy[name].cuts for name in proxy}
        self.cut("gateway", up=every(200_000, 600_000, seed=1))
        self.cut("broker", up=every(4_000, 9_000, seed=2), down=every(12_000, 30_000, seed=3))
        bernd.online()
        anna.online()
        sending = self.begin(anna, "send", "--to", media.BERND, "--file", file, "--caption", "Film")
        wait_until(lambda: self.passed("up") > before + MEDIUM // 20, "the beginning of the upload", 120)
        texts, meanwhile = [], 0
        while sending.poll() is None and len(texts) < 200:
            texts.append(f"Lage {len(texts)}: " + "x" * 500)
            self.ok(anna.run("send", "--to", media.BERND, texts[-1]))
            self.wait_texts(bernd, texts[-1:], 120)
            if sending.poll() is None:
                meanwhile = len(texts)
        out, err = sending.communicate()
        self.assertEqual(sending.returncode, 0, err)
        bernd.wait_for(lambda e: e.get("caption") == "Film", "the film", 120)
        up = self.passed("up") - before
        self.cut("gateway")
        self.cut("broker")
        made = {name: proxy[name].cuts - cuts[name] for name in proxy}
        print(f"\nupload of {MEDIUM} bytes: {up} inside TLS, ratio {up / MEDIUM:.4f}, {made['gateway']} cuts; "
              f"{meanwhile} texts meanwhile, {made['broker']} cuts of the broker's link", file=sys.stderr)
        self.assertGreater(made["gateway"], MEDIUM // 600_000 - 1)
        self.assertGreaterEqual(made["broker"], 1)
        self.assertLessEqual(up, MEDIUM * MOST)
        self.assertGreaterEqual(meanwhile, 3)
        self.assertEqual([text for text in self.texts(bernd) if text.startswith("Lage")], texts)  # once, in order

        event = next(e for e in bernd.events() if e.get("caption") == "Film")
        down, cuts = proxy["gateway"].down, proxy["gateway"].cuts
        self.cut("gateway", down=every(200_000, 600_000, seed=4))
        got = self.ok(bernd.run("media", "get", event["media"]["id"], seconds=300))
        self.cut("gateway")
        self.assertEqual(got["sha256"], hashlib.sha256(file.read_bytes()).hexdigest())
        down, cuts = proxy["gateway"].down - down, proxy["gateway"].cuts - cuts
        print(f"download: {down} with TLS, ratio {down / MEDIUM:.4f}, {cuts} cuts", file=sys.stderr)
        self.assertGreater(cuts, MEDIUM // 600_000 - 1)
        self.assertLessEqual(down, MEDIUM * MOST)


if __name__ == "__main__":
    unittest.main()
