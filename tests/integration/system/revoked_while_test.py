#!/usr/bin/python3
"""Whoever is revoked in the middle of something: cut at once, told nothing afterwards, while what was accepted from them
stands, everybody else goes on without a break, and the record shows each step of the revocation once."""
import contextlib
import hashlib
import os
import random
import shutil
import signal
import subprocess
import threading

from people import unittest, wait_until
from orders import OTHERS, WithOthers
from harness.agent import Agent
from harness.faketime import FAKETIME, moved_clock
from harness.gateway import Refused
from harness.processes import client_port

ANNA, BERND = "Meyer, Celle", "Meyer, Gifhorn"
LARGE = 100_000_000


class Stream:
    """One `send` after another, until one fails or it is told to stop."""

    def __init__(self, agent, to: tuple, name: str):
        self.agent, self.to, self.name = agent, to, name
        self.accepted, self.last, self.ending = [], None, False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        number = 0
        while not self.ending:
            text = f"{self.name} {number:03}"
            self.last = self.agent.run("send", *self.to, text, "--wait", "60")
            if self.last.status != 0 or not self.last.last()["accepted"]:
                return
            self.accepted.append(text)
            number += 1

    def more(self, count: int) -> None:
        wanted = len(self.accepted) + count
        wait_until(lambda: len(self.accepted) >= wanted, f"{count} more of {self.name}", 120)

    def stop(self) -> list:
        self.ending = True
        self.thread.join()
        return self.accepted


class Shared(WithOthers):
    def revoke(self, device: str, reason: str) -> dict:
        number = self.gateway.admin("revoke", device, "--reason", reason)["id"]
        return self.revoked_once(number, device, wipe=reason in ("stolen", "lost"))

    def waiting(self, address: str) -> list:
        return [line for line in self.gateway.admin("devices", "waiting") if line["address"] == address]

    @contextlib.contextmanager
    def undisturbed(self, *agents):
        """Their connections to the broker are the same ones afterwards."""
        def connections():
            return [client_port(agent.watcher.pid, self.world.port["broker_tap"]) for agent in agents]
        before = connections()
        yield
        self.assertEqual(connections(), before)

    def wiped(self, agent) -> None:
        wait_until(lambda: not (agent.home / "container.db").exists(), f"wipe of {agent.name}", 60)
        self.assertEqual([p for p in agent.home.glob("media/*")], [])

    def stays_out(self, agent, text: str) -> None:
        """Anna and Bernd go on; `agent` opens nothing and hears nothing."""
        self.ok(self.bernd.run("send", "--to", ANNA, text))
        self.wait_texts(self.anna, [text])
        refused = agent.run("inbox", "--wait", "2")
        self.assertNotEqual(refused.status, 0)
        self.assertNotIn(text, refused.out)

    def image(self, agent) -> Agent:
        """The files of a handset as a thief copies them, with its passphrase."""
        home = self.folder / "images" / agent.name
        shutil.copytree(agent.home, home, ignore=shutil.ignore_patterns("agent.sock"))
        home.chmod(0o700)
        return Agent(self.supervisor, self.world.build, home, f"{agent.name}-bild", agent.passphrase)


class RevokedWhile(Shared):
    def test_while_sending(self):
        dora = self.member("dora")
        for agent in (self.anna, self.bernd, dora):
            agent.online()
        device = self.device(dora)
        with self.undisturbed(self.anna, self.bernd):
            hers, his = Stream(dora, ("--to", ANNA), "Dora"), Stream(self.bernd, ("--to", ANNA), "Bernd")
            hers.more(4)
            his.more(4)
            dora.expect_end()
            self.revoke(device, "stolen")
            hers.thread.join(120)
            self.assertFalse(hers.thread.is_alive(), "it goes on sending")
            his.more(4)
            self.assertEqual(his.stop(), self.wait_texts(self.anna, his.accepted))
        shown = [text for text in self.texts(self.anna) if text.startswith("Dora ")]
        self.assertEqual(shown[:len(hers.accepted)], hers.accepted)
        self.assertLessEqual(len(shown), len(hers.accepted) + 1)  # one was perhaps accepted and not answered any more
        self.wiped(dora)
        self.stays_out(dora, "nach Dora")

    def test_while_receiving(self):
        """Given back, so that nothing wipes it: it stands there with its container open, and still hears nothing."""
        emil = self.member("emil")
        for agent in (self.anna, self.bernd, emil):
            agent.online()
        device = self.device(emil)
        self.ok(self.anna.run("group", "create", "--title", "Streife", "--with", BERND, "--with", "Ernst"))
        with self.undisturbed(self.anna, self.bernd):
            stream = Stream(self.anna, ("--group", "Streife"), "An alle")
            stream.more(4)
            self.wait_texts(emil, stream.accepted[:4])
            self.revoke(device, "replaced")
            known = len(stream.accepted) + 1  # that one was perhaps under way
            stream.more(5)
            sent = stream.stop()
            self.assertNotIn(device, stream.last.last()["devices"])
            self.assertEqual(self.wait_texts(self.bernd, sent), sent)
        wait_until(lambda: emil.run("status").last().get("shut_out") == "ERR_DEVICE_REVOKED", "reason", 60)
        heard = [text for text in self.texts(emil) if text in sent]
        self.assertEqual(heard, sent[:len(heard)])
        self.assertLessEqual(len(heard), known)
        emil.offline()
        self.stays_out(emil, "nach Emil")

    def begin(self, agent, *words):
        descriptor = agent.open_passphrase()
        process = subprocess.Popen([str(word) for word in agent.words(descriptor, *words)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, pass_fds=(descriptor,))
        os.close(descriptor)
        return process

    def passed(self, way: str) -> int:
        return self.world.gateway_tap.files[way].stat().st_size

    @contextlib.contextmanager
    def held(self, way: str, size: int):
        """Once so many bytes have passed between handsets and the gateway's HTTPS, nothing does until the end."""
        before, tap = self.passed(way), self.world.gateway_tap.child.process
        wait_until(lambda: self.passed(way) > before + size, "a part of the medium", 120, self.supervisor)
        tap.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            tap.send_signal(signal.SIGCONT)

    def random_file(self, name: str, size: int):
        file = self.folder / name
        file.write_bytes(random.Random(name).randbytes(size))
        return file, hashlib.sha256(file.read_bytes()).hexdigest()

    def test_while_uploading(self):
        frieda = self.member("frieda")
        for agent in (self.anna, self.bernd):
            agent.online()
        device = self.device(frieda)
        small, digest = self.random_file("klein.bin", 300_000)
        self.ok(frieda.run("send", "--to", ANNA, "--file", small, "--caption", "davor"))
        medium = self.anna.wait_for(lambda e: e.get("caption") == "davor", "the first file", 60)["media"]["id"]
        large, _ = self.random_file("gross.bin", LARGE)
        before = self.passed("up")
        with self.undisturbed(self.anna, self.bernd):
            sending = self.begin(frieda, "send", "--to", ANNA, "--file", large, "--caption", "danach")
            with self.held("up", LARGE // 4):
                self.assertIsNone(sending.poll())
                self.revoke(device, "replaced")
            _, said = sending.communicate(timeout=180)
            self.assertNotEqual(sending.returncode, 0, said)
        self.assertLess(self.passed("up") - before, LARGE, "all of it went up")
        self.stays_out(frieda, "nach Frieda")
        self.assertEqual([e for e in self.anna.events() if e.get("caption") == "danach"], [])
        self.assertEqual(self.ok(self.anna.run("media", "get", medium))["sha256"], digest)

    def test_while_downloading(self):
        gustav = self.member("gustav")
        self.anna.online()
        device = self.device(gustav)
        self.ok(self.anna.run("group", "create", "--title", "Film", "--with", BERND, "--with", "Groth"))
        large, digest = self.random_file("film.bin", LARGE)
        medium = self.ok(self.anna.run("send", "--group", "Film", "--file", large, "--caption", "Film"))["media"]["id"]
        for agent in (gustav, self.bernd):
            agent.online()
            agent.wait_for(lambda e: e.get("caption") == "Film", "the film", 60)
            agent.offline()
        out = self.folder / "bei-gustav.bin"
        fetching = self.begin(gustav, "media", "get", medium, "--out", out)
        with self.held("down", LARGE // 4):
            self.assertIsNone(fetching.poll())
            self.revoke(device, "stolen")
        _, said = fetching.communicate(timeout=180)
        self.assertNotEqual(fetching.returncode, 0, said)
        self.assertFalse(out.exists())
        self.assertNotEqual(gustav.run("inbox").status, 0)  # it hears of the wipe now, if it has not yet
        self.wiped(gustav)
        self.assertEqual(self.ok(self.bernd.run("media", "get", medium))["sha256"], digest)

    def test_while_enrolling_a_second_device(self):
        """The thief of the first vouches for nothing any more; the second gets in by the administrator alone."""
        heinz, second = self.member("heinz"), self.world.agent("heinz-zwei")
        device, image = self.device(heinz), self.image(heinz)
        self.assertEqual(self.world.enrol(second, OTHERS["heinz"][0]).status, 5)
        waiting = heinz.run("devices", "pending").lines()[0]["device"]
        self.revoke(device, "stolen")
        for thief in (image, heinz):
            self.assertNotEqual(thief.run("devices", "vouch", waiting).status, 0)
        enrol = ("enrol", "--provisioning", self.world.provisioning, OTHERS["heinz"][0])
        self.assertEqual(second.run(*enrol).status, 5)
        asks, = self.waiting(OTHERS["heinz"][0])
        self.assertFalse(asks["shut_out"])
        self.gateway.admin("devices", "approve", asks["device"])
        self.ok(second.run(*enrol))
        second.online()
        self.anna.online()
        sent = self.ok(self.anna.run("send", "--to", "Hahn", "willkommen"))
        self.assertEqual(sent["devices"], [self.device(second)])
        self.wait_texts(second, ["willkommen"])

    def test_a_person_while_two_devices_enrol(self):
        """One waits for a voucher, one has its code and has not typed it: neither gets in once the person is out."""
        jan, second, third = self.member("jan"), self.world.agent("jan-zwei"), self.world.agent("jan-drei")
        address, device, image = OTHERS["jan"][0], self.device(jan), self.image(jan)
        self.assertEqual(self.world.enrol(second, address).status, 5)
        waiting = jan.run("devices", "pending").lines()[0]["device"]
        mails = len(self.world.mail.mails(address))
        enrol = ("enrol", "--provisioning", self.world.provisioning, address)
        self.assertEqual(third.run(*enrol).status, 2)
        code = self.world.mail.code(address, mails)
        done = self.complete(self.gateway.admin("revoke", "--user", address, "--reason", "left")["id"])
        self.assertEqual((done["people"], done["devices"], self.state(device)), (1, 1, "revoked"))
        names = [s["step"] for s in done["steps"]]
        self.assertEqual(len(names), len(set(names)))
        self.assertNotEqual(image.run("devices", "vouch", waiting).status, 0)
        self.assertNotEqual(second.run(*enrol).status, 0)
        self.assertNotEqual(third.run(*enrol, "--code", code).status, 0)
        self.assertTrue(self.waiting(address)[0]["shut_out"])
        with self.assertRaises(Refused):
            self.gateway.admin("devices", "approve", waiting)  # an administrator who has not heard of it yet
        self.assertNotEqual(second.run(*enrol).status, 0)
        states = {line["device"]: line["state"] for line in self.gateway.admin("devices", "list", "--user", address)}
        self.assertEqual(states, {device: "revoked"})


@unittest.skipUnless(FAKETIME.exists(), "libfaketime is not installed")
class AWeekLater(Shared):
    """A world of its own: its clocks are moved, and stay so."""

    def test_away_for_a_week(self):
        if self.world.build.sanitizers():
            self.skipTest("faketime hangs in a broker that preloads a sanitizer")
        ida = self.member("ida")
        device, image = self.device(ida), self.image(ida)
        for agent in (self.anna, self.bernd):
            agent.online()
        self.ok(ida.run("send", "--to", ANNA, "bis nächste Woche"))
        self.wait_texts(self.anna, ["bis nächste Woche"])
        self.ok(self.anna.run("send", "--to", "Ihde", "wartet auf Ida"))
        self.revoke(device, "lost")
        sent = self.ok(self.anna.run("send", "--to", BERND, "unter uns"))
        self.assertNotIn(device, sent["devices"])
        self.a_week_passes()
        for agent in (self.anna, self.bernd):
            agent.online()
        self.assertEqual(self.gateway.admin("devices", "wipe", device)["state"], "ordered")
        for thief in (ida, image):  # the handset comes back, then what was copied from it
            refused = thief.run("inbox", "--wait", "5")
            self.assertNotEqual(refused.status, 0)
            self.assertNotIn("wartet auf Ida", refused.out)
        self.wiped(ida)
        wait_until(lambda: self.gateway.admin("devices", "wipe", device)["state"] == "receipted", "receipt", 60)
        self.revoked_once(self.orders_on(device)[0], device)
        self.stays_out(ida, "eine Woche nach Ida")
        self.assertIn("bis nächste Woche", self.texts(self.anna))

    def a_week_passes(self) -> None:
        for agent in (self.anna, self.bernd):
            agent.offline()
        self.supervisor.stop(self.gateway.child)
        self.supervisor.stop(self.world.broker.child)
        moved = moved_clock(self.world.build, "+7d")
        for name, value in moved.items():
            os.environ[name] = value
            self.addClassCleanup(os.environ.pop, name, None)
        self.world.broker.start()
        self.gateway.start(self.world.port["operations"])


if __name__ == "__main__":
    unittest.main()
