#!/usr/bin/python3
"""Two brokers, each with its own mirror of the directory: handsets are served by either, a revocation waits for both as long
as both are there, and one that was away catches up before it serves anybody again."""
import signal

from people import World, unittest, wait_until
from orders import OrdersTest
from harness.broker import Broker

BERND = "Meyer, Gifhorn"
SECOND = "edge-2"


class TwoBrokers(World):
    def start_servers(self) -> None:
        port = self.ports.reserve()
        self.second_url = f"mqtts://127.0.0.1:{port}"
        with open(self.gateway.configuration, "a", encoding="utf-8") as toml:
            toml.write(f'\n[[broker.more]]\nname = "{SECOND}"\nurl = "{self.second_url}"\n'
                       f'ca = "{self.certificates / "ca.crt"}"\n')
        self.gateway.provision(self.provisioning)  # with both addresses
        options = {**self.plugin_options(), "broker": SECOND, "audience": self.second_url,
                   "snapshot": self.folder / "broker-2" / "mirror.snapshot"}
        self.second = Broker(self.supervisor, self.build, self.folder / "broker-2", self.certificates,
                             self.ports.release(port), options)
        self.second.start()
        super().start_servers()


class Brokers(OrdersTest):
    PEOPLE = ("anna", "bernd", "clara")
    WORLD = TwoBrokers

    def figure(self, name: str, broker: str) -> float:
        lines = self.gateway.fetch("/metrics")[1].splitlines()
        return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f'{name}{{broker="{broker}"}}'))

    def linked(self, broker: str, wanted: int, seconds: float = 120) -> None:
        wait_until(lambda: self.figure("nimes_broker_linked", broker) == wanted, f"link to {broker}: {wanted}", seconds,
                   self.supervisor)

    def talk(self, text: str) -> None:
        self.ok(self.anna.run("send", "--to", BERND, text, "--wait", "90"))
        self.wait_texts(self.bernd, [text], 120)
        self.ok(self.bernd.run("send", "--to", "Meyer, Celle", f"{text}, ja", "--wait", "90"))
        self.wait_texts(self.anna, [f"{text}, ja"], 120)

    def confirmed(self, number: int) -> set:
        return {step["step"] for step in self.order(number)["steps"] if step["done"]}

    def test_served_by_either_and_a_revocation_waits_for_both(self):
        self.linked("edge-1", 1)
        self.linked(SECOND, 1)
        self.anna.online()
        self.bernd.online()
        self.talk("beide da")
        self.waits_for_the_one_that_lags()
        self.one_that_is_down_holds_up_nothing()

    def waits_for_the_one_that_lags(self) -> None:
        second = self.world.second.child.process
        second.send_signal(signal.SIGSTOP)
        try:
            number = self.gateway.admin("suspend", self.device(self.clara))["id"]
            wait_until(lambda: "tokens_refused" in self.confirmed(number), "all but the broker", 60, self.supervisor)
            wait_until(lambda: self.figure("nimes_broker_mirror_lag", "edge-1") == 0, "the first one's mirror", 60,
                       self.supervisor)
            self.assertGreater(self.figure("nimes_broker_mirror_lag", SECOND), 0)
            order = self.order(number)
            self.assertNotIn("broker_obeyed", self.confirmed(number))
            self.assertEqual({b["name"]: b["waited_for"] for b in order["brokers"]}, {"edge-1": False, SECOND: True})
        finally:
            second.send_signal(signal.SIGCONT)
        self.assertNotIn("brokers", self.complete(number))
        wait_until(lambda: self.figure("nimes_broker_mirror_lag", SECOND) == 0, "no lag", 60, self.supervisor)
        self.assertEqual(self.figure("nimes_broker_mirror_revision", SECOND),
                         self.figure("nimes_broker_mirror_revision", "edge-1"))

    def one_that_is_down_holds_up_nothing(self) -> None:
        """Revoked while it was down: with nothing but its old snapshot it comes back as the only one, and serves the others."""
        self.complete(self.gateway.admin("reinstate", self.device(self.clara))["id"])
        device = self.device(self.clara)
        self.supervisor.kill(self.world.second.child)
        self.linked(SECOND, 0)
        number = self.gateway.admin("revoke", device, "--reason", "stolen")["id"]
        self.revoked_once(number, device)
        self.talk("über den ersten")
        self.world.second.start()
        self.supervisor.kill(self.world.broker.child)
        self.linked("edge-1", 0)
        self.linked(SECOND, 1)
        wait_until(lambda: self.figure("nimes_broker_mirror_lag", SECOND) == 0, "what was missed", 60, self.supervisor)
        self.talk("über den zweiten")
        refused = self.clara.run("inbox")
        self.assertNotEqual(refused.status, 0)
        self.assertFalse((self.clara.home / "container.db").exists(), "it was told to wipe")
        self.assertNotIn("über den zweiten", refused.out)
        self.world.broker.start()
        self.linked("edge-1", 1)


if __name__ == "__main__":
    unittest.main()
