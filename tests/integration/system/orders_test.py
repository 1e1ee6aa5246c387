#!/usr/bin/python3
"""Suspension and revocation as orders: seen step by step, carried to their end whatever is killed, done once."""
import signal
import threading

from people import ROSTER, unittest, wait_until
from orders import OF_REVOKE, OrdersTest
from harness.gateway import Refused


class Orders(OrdersTest):
    PEOPLE = ("anna", "bernd", "clara")

    def test_a_person_is_kept_out_and_let_in_again(self):
        """All of Bernd's devices; and he enrols no new one until he is reinstated."""
        device = self.device(self.bernd)
        order = self.gateway.admin("--why", "Ermittlungen", "suspend", "--user", ROSTER["bernd"][0])
        done = self.complete(order["id"])
        self.assertEqual((done["scope"], done["why"], done["people"], done["devices"]), ("user", "Ermittlungen", 1, 1))
        self.assertEqual([s["step"] for s in done["steps"]],
                         ["recorded", "tokens_refused", "broker_told", "broker_obeyed", "requests_cut", "share_withheld"])
        self.assertEqual(self.bernd.run("inbox").status, 4)
        address, fresh = ROSTER["bernd"][0], self.world.agent("bernd-neu")
        mails = len(self.world.mail.mails(address))
        self.assertNotEqual(fresh.enrol(self.world.provisioning, address, lambda: "AAAA-AAAA").status, 0)
        self.assertEqual(len(self.world.mail.mails(address)), mails)
        self.assertEqual(self.complete(self.gateway.admin("reinstate", "--user", ROSTER["bernd"][0])["id"])["kind"], "reinstate")
        self.ok(self.bernd.run("inbox"))
        self.assertEqual((self.audited("suspend", device), self.audited("reinstate", device)), (0, 0))  # the person was named

    def test_the_broker_frozen_the_gateway_killed(self):
        """What the broker has not confirmed is open, survives kill -9, and is confirmed when the broker is back."""
        self.anna.online()
        self.clara.online()
        self.ok(self.anna.run("send", "--to", "Schulz", "davor"))
        self.wait_texts(self.clara, ["davor"])
        device = self.device(self.clara)
        self.clara.expect_end()
        broker = self.world.broker.child.process
        broker.send_signal(signal.SIGSTOP)
        try:
            number = self.gateway.admin("revoke", device, "--reason", "stolen")["id"]
            others = [step for step in OF_REVOKE if not step.startswith("broker")]
            def confirmed():
                return {s["step"] for s in self.order(number)["steps"] if s["done"]}
            wait_until(lambda: set(others) <= confirmed(), "all but the broker", 60, self.supervisor)
            self.assertFalse(self.order(number)["complete"])
            self.assertNotIn("broker_obeyed", confirmed())
            before = {s["step"]: s["ms"] for s in self.order(number)["steps"] if s["done"]}
            self.supervisor.kill(self.gateway.child)
        finally:
            broker.send_signal(signal.SIGCONT)
        self.gateway.start(self.world.port["operations"])
        done = self.complete(number)
        self.assertEqual([s["step"] for s in done["steps"]], OF_REVOKE)
        after = {s["step"]: s["ms"] for s in done["steps"]}
        self.assertEqual({step: after[step] for step in before}, before, "a confirmed step was done again")
        self.assertEqual(self.orders_on(device), [number])
        self.assertEqual(self.audited("revoke", device), 1)
        # Anna still sends under a chain that the stolen handset holds, until she writes again.
        self.assertEqual([o["by"] for o in done["owed"]], [ROSTER["anna"][0]])
        self.revoked_again(device, number)

    def revoked_again(self, device: str, number: int):
        again = self.gateway.admin("revoke", device, "--reason", "lost", "--watch")
        again = again[-1] if isinstance(again, list) else again
        self.assertEqual((again["id"], again["reason"]), (number, "stolen"))
        with self.assertRaises(Refused):
            self.gateway.admin("reinstate", device)
        shown = self.gateway.command("admin", "--config", self.gateway.configuration, "revocations", number)
        for word in ("share_deleted", "stolen", device, "owed"):
            self.assertIn(word, shown)

    def test_killed_while_orders_are_given(self):
        """kill -9 at some moment of an order, four times: it was never given, or it is complete, once."""
        device = self.device(self.anna)
        for i in range(4):
            kind = "suspend" if i % 2 == 0 else "reinstate"
            given = []
            def give():
                try:
                    given.append(self.gateway.admin(kind, device)["id"])
                except Refused:
                    pass
            before = self.orders_on(device)
            thread = threading.Thread(target=give)
            thread.start()
            thread.join(0.1 + 0.05 * i)
            self.restart()
            thread.join()
            now = self.orders_on(device)
            self.assertLessEqual(set(given), set(now), "an order that was answered is gone")
            self.assertLessEqual(len(now), len(before) + 1)
            for number in now:
                self.complete(number)
            if len(now) == len(before):
                self.gateway.admin(kind, device)  # so that the next one changes something
        state = [line["state"] for line in self.gateway.admin("devices", "list") if line["device"] == device]
        self.assertEqual(state, ["active"])
        self.assertEqual(self.audited("suspend", device), 2)
        self.assertEqual(self.audited("reinstate", device), 2)


if __name__ == "__main__":
    unittest.main()
