#!/usr/bin/python3
"""Two brokers, each with its own mirror of the directory. Anna knows the first alone, Clara the second, Bernd both."""
import shutil
import signal

from people import World, unittest, wait_until
from orders import OrdersTest
from harness.broker import Broker
from harness.tap import Tap

ANNA, BERND, CLARA = "Meyer, Celle", "Meyer, Gifhorn", "Schulz"
FIRST, SECOND = "edge-1", "edge-2"


class TwoBrokers(World):
    def start_servers(self) -> None:
        port = self.ports.reserve()
        url, ca = f"mqtts://127.0.0.1:{port}", self.certificates / "ca.crt"
        text = self.gateway.configuration.read_text()
        self.gateway.provision(self.provisioning)
        self.provisions = {"anna": self.provisioned("first", text),
                           "clara": self.provisioned("second", with_broker(text, SECOND, url))}
        self.link_port = self.ports.reserve()
        both = (f'{text}\n[[broker.more]]\nname = "{SECOND}"\nurl = "{url}"\nca = "{ca}"\n'
                f'dial = "mqtts://127.0.0.1:{self.link_port}"\n')
        self.provisions["bernd"] = self.provisioned("both", both)
        self.gateway.configuration.write_text(both)
        options = {**self.plugin_options(), "broker": SECOND, "audience": url,
                   "snapshot": self.folder / "broker-2" / "mirror.snapshot"}
        self.second_port = self.ports.release(port)
        self.second = Broker(self.supervisor, self.build, self.folder / "broker-2", self.certificates, self.second_port,
                             options)
        self.second.start()
        for kind in ("crt", "key"):
            shutil.copy(self.certificates / f"broker.{kind}", self.certificates / f"link.{kind}")
        self.ports.release(self.link_port)
        self.link_stands()
        super().start_servers()

    def link_stands(self) -> None:
        """Between the gateway and the second broker; handsets have a way of their own."""
        self.link = Tap(self.supervisor, self.captures, "link", self.second_port, self.certificates, self.link_port)

    def provisioned(self, name: str, text: str):
        """What handsets get by such a configuration."""
        before, file = self.gateway.configuration.read_text(), self.folder / f"{name}.provisioning"
        self.gateway.configuration.write_text(text)
        self.gateway.provision(file)
        self.gateway.configuration.write_text(before)
        return file


    def enrol(self, agent, address: str):
        before = len(self.mail.mails(address))
        return agent.enrol(self.provisions[agent.name], address, lambda: self.mail.code(address, before))


def with_broker(text: str, name: str, url: str) -> str:
    """With that one in the place of the first."""
    out, section = [], ""
    for line in text.splitlines():
        section = line if line.startswith("[") else section
        if section == "[broker]" and line.startswith(("name =", "url =")):
            line = f'name = "{name}"' if line.startswith("name") else f'url = "{url}"'
        if section == "[broker]" and line.startswith("dial ="):
            continue
        out.append(line)
    return "\n".join(out) + "\n"


class Brokers(OrdersTest):
    PEOPLE = ("anna", "bernd", "clara")
    WORLD = TwoBrokers

    def setUp(self):
        for broker in (FIRST, SECOND):
            self.linked(broker, 1)
        for agent in (self.anna, self.bernd, self.clara):
            agent.online()

    def figure(self, name: str, broker: str) -> float:
        lines = self.gateway.fetch("/metrics")[1].splitlines()
        return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f'{name}{{broker="{broker}"}}'))

    def linked(self, broker: str, wanted: int) -> None:
        wait_until(lambda: self.figure("nimes_broker_linked", broker) == wanted, f"link to {broker}: {wanted}", 120,
                   self.supervisor)

    def say(self, sender, to: str, text: str) -> dict:
        return self.ok(sender.run("send", "--to", to, text, "--wait", "90"))

    def confirmed(self, number: int) -> set:
        return {step["step"] for step in self.order(number)["steps"] if step["done"]}

    def suspended(self) -> int:
        """Clara, as far as that goes without her broker."""
        self.clara.expect_end()
        number = self.gateway.admin("suspend", self.device(self.clara))["id"]
        wait_until(lambda: {"tokens_refused", "requests_cut", "share_withheld"} <= self.confirmed(number),
                   "all but the broker", 60, self.supervisor)
        self.assertNotIn("broker_obeyed", self.confirmed(number))
        return number

    def waits_for(self, number: int, what: str) -> None:
        def brokers():
            return {b["name"]: (b["holds"], b["waited_for"]) for b in self.order(number)["brokers"]}
        wait_until(lambda: brokers() == {FIRST: (True, False), SECOND: (False, True)}, "one that holds it", 30,
                   self.supervisor)
        shown = self.gateway.command("admin", "--config", self.gateway.configuration, "revocations", number)
        self.assertIn(f"{SECOND} {what}: it is waited for", shown)

    def let_in_again(self, text: str) -> None:
        """And only now does she hear what waited for her."""
        if self.clara.watcher is not None:
            self.assertNotIn(text, self.texts(self.clara))
        self.clara.offline()
        self.complete(self.gateway.admin("reinstate", self.device(self.clara))["id"])
        self.clara.online()
        self.wait_texts(self.clara, [text], 120)

    def test_between_handsets_of_different_brokers(self):
        self.say(self.anna, CLARA, "vom ersten zum zweiten")
        self.wait_texts(self.clara, ["vom ersten zum zweiten"])
        self.say(self.clara, ANNA, "und zurück")
        self.wait_texts(self.anna, ["und zurück"])
        self.say(self.bernd, CLARA, "wo auch immer Bernd ist")
        self.assertEqual(self.wait_texts(self.clara, ["wo auch immer Bernd ist"]), ["wo auch immer Bernd ist"])

    def test_waits_for_the_one_that_lags(self):
        second = self.world.second.child.process
        second.send_signal(signal.SIGSTOP)
        try:
            number = self.suspended()
            wait_until(lambda: self.figure("nimes_broker_mirror_lag_seconds", SECOND) > 0, "lag", 30, self.supervisor)
            self.assertEqual(self.figure("nimes_broker_mirror_lag_seconds", FIRST), 0)
            self.waits_for(number, "has not obeyed yet")
        finally:
            second.send_signal(signal.SIGCONT)
        done = self.complete(number)
        self.assertEqual({b["name"]: b["holds"] for b in done["brokers"]}, {FIRST: True, SECOND: True})
        wait_until(lambda: self.figure("nimes_broker_mirror_lag_seconds", SECOND) == 0, "no lag", 60, self.supervisor)
        self.assertEqual(self.figure("nimes_broker_mirror_revision", SECOND),
                         self.figure("nimes_broker_mirror_revision", FIRST))
        self.say(self.anna, BERND, "ohne Clara")
        self.wait_texts(self.bernd, ["ohne Clara"])
        self.complete(self.gateway.admin("reinstate", self.device(self.clara))["id"])

    def test_a_link_that_fell_brings_nothing_to_who_was_shut_out_meanwhile(self):
        """Her broker and her connection to it stand all the time; what waits for her is in the gateway."""
        self.supervisor.kill(self.world.link.child)
        self.linked(SECOND, 0)
        self.say(self.anna, CLARA, "vor der Sperre")
        number = self.suspended()
        self.waits_for(number, "is not linked")
        self.world.link_stands()
        self.complete(number)
        self.let_in_again("vor der Sperre")

    def test_one_that_is_away_is_waited_for_a_minute(self):
        """Then no longer; and it comes back with its old snapshot as the only one, and serves whom it may."""
        self.supervisor.kill(self.world.second.child)
        self.linked(SECOND, 0)
        self.say(self.anna, CLARA, "niemand ist da")
        number = self.suspended()
        self.waits_for(number, "is not linked")
        wait_until(lambda: self.order(number)["complete"], "the end of its patience", 120, self.supervisor)
        self.assertFalse({b["name"]: b["holds"] for b in self.order(number)["brokers"]}[SECOND])
        self.world.second.start()
        self.supervisor.kill(self.world.broker.child)
        self.linked(FIRST, 0)
        self.linked(SECOND, 1)
        wait_until(lambda: self.figure("nimes_broker_mirror_lag_seconds", SECOND) == 0, "what was missed", 60,
                   self.supervisor)
        self.assertTrue(self.say(self.bernd, ANNA, "über den zweiten")["accepted"])
        self.clara.offline()
        self.assertEqual(self.clara.run("inbox").status, 4)
        self.world.broker.start()
        self.linked(FIRST, 1)
        self.wait_texts(self.anna, ["über den zweiten"], 120)
        self.let_in_again("niemand ist da")


if __name__ == "__main__":
    unittest.main()
