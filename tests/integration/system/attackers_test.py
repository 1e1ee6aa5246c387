#!/usr/bin/python3
"""Attackers with one thing in their hands: a token, the gateway's database, another organisation's administration, a mail
address and patience, a handset and patience; and two administrators who do not know of each other."""
import os
import secrets
import shutil
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request

from people import ROOT, ROSTER, World, unittest
from people_roster import write_roster
from orders import OTHERS, WithOthers
from harness.agent import Agent
from harness.build import Build
from harness.faketime import FAKETIME, moved_clock
from harness.gateway import Gateway, Refused
from harness.processes import Supervisor

sys.path.insert(0, str(ROOT / "tests" / "tools"))
import leak_search  # noqa: E402

BERND = "Meyer, Gifhorn"


class OtherWorld(World):
    """Another organisation, with servers and keys of its own."""
    NAME = "feuerwehr-nds"

    def make_gateway(self) -> None:
        self.gateway = Gateway(self.supervisor, self.build, self.folder / "gateway")
        self.gateway.init(self.NAME, self.gateway_settings())
        self.gateway.provision(self.provisioning)

    def plugin_options(self) -> dict:
        return {**super().plugin_options(), "organisation": self.NAME}


class Attackers(WithOthers):
    def answer(self, token: str) -> int:
        """Status of what every device may read."""
        request = urllib.request.Request(f"{self.world.gateway_url}/v1/directory/dump",
                                         headers={"Authorization": f"Bearer {token}"})
        trust = ssl.create_default_context(cafile=self.world.certificates / "ca.crt")
        try:
            with urllib.request.urlopen(request, context=trust, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code

    def token(self, agent) -> str:
        return self.ok(agent.run("token"))["token"]

    def test_a_stolen_token_is_worth_no_more_than_its_device(self):
        dora = self.member("dora")
        device, token, annas = self.device(dora), self.token(dora), self.token(self.anna)
        self.assertEqual(self.answer(token), 200)
        self.assertEqual(self.answer(annas[:40] + token[40:]), 401, "of two halves")
        self.complete(self.gateway.admin("suspend", device)["id"])
        self.assertIn(self.answer(token), (401, 403))
        self.complete(self.gateway.admin("reinstate", device)["id"])
        token = self.token(dora)
        self.assertEqual(self.answer(token), 200)
        self.complete(self.gateway.admin("revoke", device, "--reason", "stolen")["id"])
        self.assertIn(self.answer(token), (401, 403))
        self.restart()
        self.assertIn(self.answer(token), (401, 403))
        self.assertEqual(self.answer(annas), 200)

    def test_an_administrator_of_another_organisation(self):
        """Reaches nobody here, and their handsets' tokens are nothing to our gateway."""
        supervisor = Supervisor(self.folder / "andere-logs")  # ports are read from logs
        self.addCleanup(supervisor.stop_all)
        other = OtherWorld(self.folder / "andere", Build(), supervisor)
        other.start()
        admin, device = other.gateway.admin, self.device(self.anna)
        admin("org", "create", "--name", "Feuerwehr", "--domain", "feuerwehr.example")
        admin("unit", "create", "--name", "Celle")
        for words in (("revoke", device, "--reason", "stolen"), ("suspend", device), ("devices", "approve", device),
                      ("revoke", "--user", ROSTER["anna"][0], "--reason", "stolen")):
            with self.assertRaises(Refused):
                admin(*words)
        write_roster(self.folder / "wrong.csv", [ROSTER["anna"]])
        with self.assertRaises(Refused):
            admin("roster", "import", self.folder / "wrong.csv")
        write_roster(self.folder / "theirs.csv", [("f.brand@feuerwehr.example", "Brand, Fritz", "BM", "Celle")])
        admin("roster", "import", self.folder / "theirs.csv")
        fritz = other.agent("fritz")
        self.ok(other.enrol(fritz, "f.brand@feuerwehr.example"))
        self.assertEqual(self.answer(self.token(fritz)), 401)
        self.assertEqual((self.state(device), self.orders_on(device)), ("active", []))
        self.ok(self.anna.run("send", "--to", BERND, "unbeeindruckt"))

    def test_two_administrators_at_once(self):
        """Whatever comes first: the device is out for good, by one revocation, which both are told of."""
        emil = self.member("emil")
        device, told, refused = self.device(emil), [], []
        together = threading.Barrier(6)

        def act(*words):
            together.wait()
            try:
                told.append((words, self.gateway.admin(*words)["id"]))
            except Refused as refusal:
                refused.append((words, refusal.text))
        acts = [("revoke", device, "--reason", "stolen"), ("revoke", device, "--reason", "lost"), ("suspend", device),
                ("reinstate", device), ("suspend", device), ("revoke", device, "--reason", "stolen")]
        threads = [threading.Thread(target=act, args=words) for words in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        revocations = {number for words, number in told if words[0] == "revoke"}
        self.assertEqual(len(revocations), 1, (told, refused))
        self.assertEqual(len([words for words, _ in told if words[0] == "revoke"]), 3, refused)
        for number in self.orders_on(device):
            self.complete(number)
        kinds = [self.order(number)["kind"] for number in self.orders_on(device)]
        self.assertEqual(kinds.count("revoke"), 1, kinds)
        self.assertEqual((self.state(device), self.audited("revoke", device)), ("revoked", 1))
        with self.assertRaises(Refused):
            self.gateway.admin("reinstate", device)

    def test_guessing_a_code(self):
        """Five wrong ones, and the right one is worth nothing, also after a restart; the next one is."""
        frieda, address = self.world.agent("frieda"), OTHERS["frieda"][0]
        enrol = ("enrol", "--provisioning", self.world.provisioning, address)
        self.assertEqual(frieda.run(*enrol).status, 2)
        code = self.world.mail.code(address)
        digits = [c for c in code if c.isalnum()]
        for place in range(5):
            other = "".join("7" if at == place and c != "7" else "8" if at == place else c
                            for at, c in enumerate(digits))
            self.assertEqual(frieda.run(*enrol, "--code", other).status, 6)
        self.assertEqual(frieda.run(*enrol, "--code", code).status, 6)
        self.restart()
        self.assertEqual(frieda.run(*enrol, "--code", code).status, 6)
        self.assertEqual(frieda.run(*enrol).status, 2)
        self.ok(frieda.run(*enrol, "--code", self.world.mail.code(address, 1)))

    def image(self, agent) -> Agent:
        home = self.folder / "images" / agent.name
        shutil.copytree(agent.home, home, ignore=shutil.ignore_patterns("agent.sock"))
        home.chmod(0o700)
        return Agent(self.supervisor, self.world.build, home, f"{agent.name}-bild", agent.passphrase)

    @unittest.skipUnless(FAKETIME.exists(), "libfaketime is not installed")
    def test_guessing_a_passphrase(self):
        """By somebody who is patient (all clocks are moved between tries): ten wrong ones end the home, not its original."""
        image = self.image(self.bernd)

        def tried(passphrase: str, hours: int) -> tuple:
            image.passphrase = passphrase
            descriptor = image.open_passphrase()
            moved = moved_clock(self.world.build, f"+{hours}h", boot=True)
            try:
                done = subprocess.run([str(word) for word in image.words(descriptor, "inbox", "--wait", "0")], text=True,
                                      capture_output=True, timeout=120, pass_fds=(descriptor,),
                                      env={**os.environ, **moved})
            finally:
                os.close(descriptor)
            return done.returncode, done.stderr

        self.assertEqual(tried(self.bernd.passphrase, 0)[0], 0)
        for number in range(9):
            status, said = tried(f"geraten {number}", 2 * number)
            self.assertEqual(status, 8, said)
            self.assertIn("the passphrase is wrong", said)
        status, said = tried(self.bernd.passphrase, 16)  # minutes too early, by the same clock
        self.assertEqual(status, 8, said)
        self.assertIn("too many wrong passphrases", said)
        for passphrase in ("geraten 9", self.bernd.passphrase):
            status, said = tried(passphrase, 20)
            self.assertEqual(status, 3, said)
        self.assertFalse((image.home / "container.db").exists())
        self.ok(self.bernd.run("inbox", "--wait", "0"))

    def test_the_database_copied_away(self):
        """Neither content nor a key of a handset, a passphrase, a token or a code is in it; what is there is found."""
        self.bernd.online()
        text, name = f"Einsatz {secrets.token_hex(8)}", f"lage-{secrets.token_hex(8)}.txt"
        content = secrets.token_bytes(20_000)
        (self.folder / name).write_bytes(content)
        self.ok(self.anna.run("send", "--to", BERND, text))
        self.ok(self.anna.run("send", "--to", BERND, "--file", self.folder / name, "--caption", f"{text} im Bild"))
        self.wait_texts(self.bernd, [text])
        clara, address = self.world.agent("clara"), ROSTER["clara"][0]
        self.assertEqual(clara.run("enrol", "--provisioning", self.world.provisioning, address).status, 2)
        code = self.world.mail.code(address)
        wanted = {"text": text.encode(), "name": name.encode(), "content": content[5_000:5_032], "code": code.encode(),
                  "code without its groups": "".join(filter(str.isalnum, code)).encode()}
        for agent in (self.anna, self.bernd):
            wanted[f"{agent.name}'s passphrase"] = agent.passphrase.encode()
            wanted[f"{agent.name}'s token"] = self.token(agent).encode()
            for number, (what, value) in enumerate(self.world.container_keys(agent)):
                wanted[f"{agent.name}'s {what} {number}"] = value
        self.assertGreater(len(wanted), 50)
        shutil.copytree(self.gateway.folder / "store", self.folder / "copied")
        dump = self.folder / "copied.dump"
        with open(dump, "wb") as out:
            subprocess.run([self.world.build.program("nimes-store-dump"), self.folder / "copied"], check=True, stdout=out)
        streams = leak_search.dump_streams(dump)
        raw = {str(file): file.read_bytes() for file in (self.folder / "copied").iterdir() if file.is_file()}

        def found(secret: dict) -> list:
            return [str(hit) for place, data in {**streams, **raw}.items() for hit in leak_search.search(data, secret, place)]
        self.assertEqual(found(wanted), [])
        self.assertNotEqual(found({"address": ROSTER["anna"][0].encode()}), [], "it finds nothing at all")
        # Under another gateway's keys it is not a directory.
        thief = Gateway(self.supervisor, self.world.build, self.folder / "dieb")
        thief.init("polizei-nds", {})
        shutil.rmtree(thief.folder / "store", ignore_errors=True)
        shutil.copytree(self.folder / "copied", thief.folder / "store")
        run = [thief.program, "run", "--config", thief.configuration]
        started = subprocess.run(run, capture_output=True, timeout=60)
        self.assertNotEqual(started.returncode, 0)
        # With all keys but the one that seals the handsets' shares, neither.
        shutil.copytree(self.gateway.folder / "keys", thief.folder / "keys", dirs_exist_ok=True)
        (thief.folder / "keys" / "shares.key").unlink()
        started = subprocess.run(run, capture_output=True, timeout=60)
        self.assertNotEqual(started.returncode, 0)
        self.assertIn(b"shares.key", started.stderr)


if __name__ == "__main__":
    unittest.main()
