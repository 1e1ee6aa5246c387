#!/usr/bin/python3
"""docs/enrolment.md: what goes wrong when people enrol, and that each way out leads where the page says, in its words."""
import re
import subprocess

from people import ROOT, ROSTER, WorldTest, unittest

PAGE = (ROOT / "docs" / "enrolment.md").read_text()
ID = r"\b[a-z2-7]{26}\b"


class Page(WorldTest):
    PEOPLE = ("anna", "bernd")

    def says(self, outcome, status: int, line: str):
        """That these words came, and that they stand on the page, whatever the device's id."""
        self.assertEqual(outcome.status, status, outcome.err + outcome.out)
        self.assertIn(line, outcome.err + outcome.out)
        self.assertIn(re.sub(ID, "", line), re.sub(ID, "", PAGE))

    def ask(self, agent, person: str):
        """Asks for a code without typing one; answers the code that was mailed."""
        address = ROSTER[person][0]
        before = len(self.world.mail.mails(address))
        self.assertEqual(agent.run("enrol", "--provisioning", self.world.provisioning, address).status, 2)
        return self.world.mail.code(address, before)

    def enrol(self, agent, person: str, *words):
        return agent.run("enrol", "--provisioning", self.world.provisioning, ROSTER[person][0], *words)

    def administrator_approves(self, device: str):
        self.assertEqual([line["device"] for line in self.gateway.admin("devices", "waiting")], [device])
        said = self.gateway.command("admin", "--config", self.gateway.configuration, "devices", "approve", device)
        self.assertIn(f"{device} is approved now", said)
        self.assertIn(" is approved now", PAGE)

    def test_lost_mail_and_second_try(self):
        handset = self.world.agent("clara")
        lost, newest = self.ask(handset, "clara"), self.ask(handset, "clara")
        self.assertNotEqual(lost, newest)
        refused = self.enrol(handset, "clara", "--code", lost)
        self.says(refused, 6, "the code is wrong, used or too old")
        self.says(refused, 6, "type the newest code from the mail, or ask for another")
        self.ok(self.enrol(handset, "clara", "--code", newest))
        self.says(self.enrol(handset, "clara"), 6, "this home holds a device already")

    def test_a_new_phone_while_the_old_one_works(self):
        new = self.world.agent("anna-neu")
        waiting = self.enrol(new, "anna", "--code", self.ask(new, "anna"))
        self.says(waiting, 5, "another device of yours must vouch for this one")
        self.says(waiting, 5, "run nimes-agent devices vouch on it, then go on here")
        device = self.anna.run("devices", "pending").lines()[0]["device"]
        self.ok(self.anna.run("devices", "vouch", device))
        self.assertEqual(self.ok(self.enrol(new, "anna"))["device"], device)
        old = self.ok(self.anna.run("status"))["device"]
        self.ok(new.run("devices", "revoke", old, "--reason", "replaced"))
        states = {line["device"]: line["state"] for line in self.gateway.admin("devices", "list", "--user", ROSTER["anna"][0])}
        self.assertEqual((states[old], states[device]), ("revoked", "active"))

    def test_a_forgotten_passphrase_in_the_order_that_is_not_the_pages(self):
        """First the new home, then the revocation: who waited for a voucher waits for the administrator."""
        old = self.ok(self.bernd.run("status"))["device"]
        right, self.bernd.passphrase = self.bernd.passphrase, "vergessen"
        wrong = self.bernd.run("inbox")
        self.bernd.passphrase = right
        self.says(wrong, 8, "the passphrase is wrong")
        self.says(wrong, 8, "try again; waiting grows from the third try")
        new = self.world.agent("bernd-neu")
        code = self.ask(new, "bernd")
        self.says(self.enrol(new, "bernd", "--code", code), 5, "another device of yours must vouch for this one")
        self.gateway.admin("revoke", old, "--reason", "lost")
        waiting = self.enrol(new, "bernd")
        self.says(waiting, 5, "an administrator must approve this device")
        self.administrator_approves(self.gateway.admin("devices", "waiting")[0]["device"])
        self.ok(self.enrol(new, "bernd"))

    def test_the_commands_of_the_page_exist(self):
        for line in re.findall(r"^\$ (nimes-\w+ .*)$", PAGE, re.MULTILINE):
            program, *words = line.split()
            verbs = []
            for word in words:
                if word.startswith("-") or re.search(r"[@.]|" + ID, word):
                    break
                verbs.append(word)
            program = self.world.build.program(program)
            shown = subprocess.run([program, *verbs, "--help"], capture_output=True, text=True)
            self.assertEqual(shown.returncode, 0, line)
            for option in (word for word in words if word.startswith("--")):
                self.assertIn(option, shown.stdout, line)


if __name__ == "__main__":
    unittest.main()
