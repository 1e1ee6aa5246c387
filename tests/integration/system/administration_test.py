#!/usr/bin/python3
"""Administrators of every role at the real socket; the last owner; and every answer against schemas/openapi-admin.yaml."""
import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from admin_contract import EveryAnswer
from orders import OTHERS, WithOthers
from people import ROSTER, World, json, unittest
from people_roster import write_roster
from harness.gateway import Refused

NOBODY = 65_534


class OpenWorld(World):
    """The socket lies where others can reach it, and is open to the gateway's group."""

    def gateway_settings(self) -> dict:
        self.socket_folder = Path(tempfile.mkdtemp(prefix="nimes-socket-"))
        self.socket_folder.chmod(0o755)
        return {**super().gateway_settings(), "admin.socket": str(self.socket_folder / "admin.sock"),
                "admin.open_to_group": True}


class Administration(EveryAnswer, WithOthers):
    WORLD = OpenWorld

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.socket = cls.world.socket_folder / "admin.sock"
        cls.addClassCleanup(shutil.rmtree, cls.world.socket_folder)

    def make(self, name: str, role: str, address: str, *units, stays: bool = False) -> Path:
        """The file with their token; they are an administrator until the test ends."""
        file = self.folder / f"{name}.token"
        made = self.gateway.admin("administrators", "add", name, "--address", address, "--role", role, "--out", file,
                                  *(word for unit in units for word in ("--unit", unit)))
        self.assertNotIn("token", made)
        if not stays:
            self.addCleanup(self.gone, name)
        return file

    def gone(self, name: str) -> None:
        with contextlib.suppress(Refused):  # taken away already, or the last owner
            self.gateway.admin("administrators", "remove", name)

    def by(self, file: Path, *words):
        return self.gateway.admin("--as-token-file", file, *words)

    def refused(self, what: str, file, *words) -> str:
        with self.assertRaises(Refused) as caught:
            self.by(file, *words) if file else self.gateway.admin(*words)
        self.assertIn(what, caught.exception.text)
        return caught.exception.text

    def acts(self) -> list:
        lines = self.gateway.command("admin", "--config", self.gateway.configuration, "audit", "export").splitlines()
        return [json.loads(line) for line in lines[:-1]]

    def test_a_unit_is_where_its_administrator_acts(self):
        dora, emil = self.member("dora"), self.member("emil")
        celle = self.make("celle", "administrator", ROSTER["clara"][0], "Celle")
        desk = self.make("wache", "help_desk", ROSTER["clara"][0], "Celle")
        own, bernds, emils = self.device(dora), self.device(self.bernd), self.device(emil)
        order = self.by(celle, "--why", "im Zug vergessen", "revoke", own, "--reason", "lost")
        self.assertTrue(order["who"].startswith("administrator celle, uid "), order["who"])
        self.complete(order["id"])
        self.assertIn(dora.run("inbox").status, (3, 4))  # wiped, or on the way to it
        refused = self.metric()
        for words in (("revoke", bernds, "--reason", "lost"), ("suspend", bernds), ("reinstate", bernds),
                      ("suspend", "--unit", "Gifhorn"), ("revoke", "--user", ROSTER["bernd"][0], "--reason", "left")):
            self.refused("in another unit", celle, *words)
        self.assertEqual(self.metric(), refused + 5)
        self.refused("an owner, an administrator of the organisation", celle, "unit", "create", "--name", "Uelzen")
        self.assertEqual((self.state(bernds), self.orders_on(bernds)), ("active", []))
        entries = [a for a in self.acts() if a["what"] == "refused" and a["who"].startswith("administrator celle, ")]
        self.assertEqual(len(entries), 6)

        # At three at night: out at once; in again by somebody who can find out whether it was found.
        self.complete(self.by(desk, "suspend", emils)["id"])
        self.assertEqual(emil.run("inbox").status, 4)
        self.refused("reinstate is not for help_desk of the unit Celle", desk, "reinstate", emils)
        self.refused("revoke is not for", desk, "revoke", emils, "--reason", "stolen")
        self.complete(self.by(celle, "reinstate", emils)["id"])
        self.ok(emil.run("inbox"))
        self.assertEqual({p["unit"] for p in self.by(celle, "people")}, {"Celle"})
        self.assertNotIn(bernds, [d["device"] for d in self.by(desk, "devices", "list")])
        self.complete(self.gateway.admin("suspend", bernds)["id"])  # an order of elsewhere is not theirs to see
        self.complete(self.gateway.admin("reinstate", bernds)["id"])
        self.assertNotIn(self.orders_on(bernds)[0], [o["id"] for o in self.by(celle, "revocations")])
        self.refused("in another unit", celle, "revocations", self.orders_on(bernds)[0])

        # Their roster is that of their unit: nobody of Gifhorn leaves by it, or is taken.
        rows = [row for row in (*ROSTER.values(), *OTHERS.values()) if row[3] == "Celle"]
        write_roster(self.folder / "celle.csv", rows)
        self.assertEqual(self.by(celle, "roster", "import", self.folder / "celle.csv")["suspended"], 0)
        write_roster(self.folder / "taken.csv", [*rows, (*ROSTER["bernd"][:3], "Celle")])
        self.refused("not yours to move", celle, "roster", "import", self.folder / "taken.csv")

    def metric(self) -> float:
        try:
            return self.gateway.metric("nimes_admin_refusals_total")
        except KeyError:
            return 0

    def test_a_stolen_token_is_worth_what_its_role_is_and_nothing_once_it_is_taken_away(self):
        file = self.make("pruefer", "auditor", ROSTER["clara"][0])
        token = file.read_text().strip()
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertTrue(self.by(file, "audit", "head")["seq"] > 0)
        self.refused("suspend is not for auditor", file, "suspend", self.device(self.anna))
        self.refused("make_administrators is not for", file, "administrators", "add", "ich", "--address",
                     ROSTER["clara"][0], "--role", "owner")
        file.chmod(0o644)
        self.refused("others may open", file, "audit", "head")
        file.chmod(0o600)

        # It is in no copy of the store.
        self.world.dump_store(self.folder / "store.dump")
        dump = (self.folder / "store.dump").read_bytes()
        self.assertIn(b"pruefer".hex().encode(), dump)  # keys and values are in hex there
        for secret in (token.encode(), token[12:].encode(), bytes.fromhex(token[12:])):
            self.assertNotIn(secret.hex().encode(), dump)

        self.complete(self.gateway.admin("suspend", "--user", ROSTER["clara"][0])["id"])
        self.refused("its person is shut out", file, "audit", "head")
        self.complete(self.gateway.admin("reinstate", "--user", ROSTER["clara"][0])["id"])
        self.by(file, "audit", "head")
        self.restart()
        self.by(file, "audit", "head")
        self.assertGreater(self.listed("pruefer")["last_used_ms"], 0)
        self.gateway.admin("administrators", "remove", "pruefer")
        for _ in range(2):
            self.refused("no administrator has this token", file, "audit", "head")
            self.restart()

    def listed(self, name: str) -> dict:
        return next(line for line in self.gateway.admin("administrators", "list") if line["name"] == name)

    @unittest.skipUnless(os.getuid() == 0, "only root can be another user")
    def test_another_user_of_the_machine(self):
        """Who may open the socket is nobody without a token; with it, the administrator, and the audit knows both."""
        self.assertEqual(self.socket.stat().st_mode & 0o777, 0o660)
        file = self.make("nachbar", "administrator", ROSTER["clara"][0])

        def curl(*words) -> tuple:
            done = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", "--unix-socket", self.socket, *words,
                                   "http://gateway/v1/admin/units"], capture_output=True, text=True, timeout=60,
                                  user=NOBODY, group=os.getgid(), extra_groups=[], cwd="/")
            self.assertEqual(done.returncode, 0, done.stderr)
            text, status = done.stdout.rsplit("\n", 1)
            return int(status), json.loads(text)
        body = ("-d", '{"name": "Soltau"}')
        status, said = curl(*body)
        self.assertEqual((status, said["code"]), (401, "ERR_FORBIDDEN"))
        self.assertIn("token", said["detail"])
        self.assertEqual(curl("-H", f"Authorization: Bearer {file.read_text().strip()}", *body)[0], 201)
        made = [a for a in self.acts() if a["what"] == "unit create" and a["whom"]["name"] == "Soltau"]
        self.assertEqual([a["who"].split(" login ")[0] for a in made], [f"administrator nachbar, uid {NOBODY}"])

    def test_the_last_owner(self):
        frieda, gustav = OTHERS["frieda"][0], OTHERS["gustav"][0]
        last, first = "the last owner stays", self.make("frieda", "owner", frieda, stays=True)
        for line in self.gateway.admin("administrators", "list"):
            if line["role"] == "owner" and line["name"] != "frieda":  # of another test
                self.gateway.admin("administrators", "remove", line["name"])
        self.refused(last, None, "administrators", "remove", "frieda")
        for words in (("suspend", "--user", frieda), ("revoke", "--user", frieda, "--reason", "left"),
                      ("suspend", "--unit", "Celle")):
            before = self.gateway.admin("revocations")[:1]
            self.refused(last, None, *words)
            self.refused(last, first, *words)
            self.assertEqual(self.gateway.admin("revocations")[:1], before)
        tried = [a["who"].split(",")[0] for a in self.acts() if a["what"] in ("suspend failed", "revoke failed")]
        self.assertEqual(tried.count("administrator frieda"), 3, tried)
        rows = [row for row in (*ROSTER.values(), *OTHERS.values()) if row[0] != frieda]
        write_roster(self.folder / "ohne.csv", rows)
        done = self.gateway.admin("roster", "import", self.folder / "ohne.csv")
        self.assertEqual((done["kept"], done["suspended"]), ([frieda], 0))
        self.by(first, "administrators", "list")  # she still is what she was

        second = self.make("gustav", "owner", gustav, stays=True)
        self.refused(last, None, "suspend", "--unit", "Celle")  # both of them
        self.complete(self.by(first, "suspend", "--user", gustav)["id"])
        self.refused("its person is shut out", second, "administrators", "list")
        self.refused(last, None, "administrators", "remove", "frieda")
        self.complete(self.by(first, "reinstate", "--user", gustav)["id"])
        self.by(second, "administrators", "remove", "frieda")
        self.refused(last, second, "administrators", "remove", "gustav")

    def test_the_program_says_its_version(self):
        said = subprocess.run([self.gateway.program, "--version"], capture_output=True, text=True, check=True, timeout=60)
        self.assertRegex(said.stdout, r"^nimes-gateway [0-9]+[.][0-9]+[.][0-9]+\n$")


if __name__ == "__main__":
    unittest.main()
