#!/usr/bin/python3
"""The gateway's store is lost and comes back as it was a while ago: what was accepted since is submitted again by those
who sent it, and everybody ends up with everything, once and in order."""
import shutil

from people import WorldTest, unittest, wait_until

BERND = "Meyer, Gifhorn"


class Restore(WorldTest):
    PEOPLE = ("anna", "bernd", "clara")

    def stop_gateway(self) -> None:
        self.supervisor.kill(self.gateway.child)

    def start_gateway(self) -> None:
        self.gateway.start(self.world.port["operations"])

    def send(self, agent, to: tuple, *texts) -> None:
        for text in texts:
            self.assertTrue(self.ok(agent.run("send", to[0], to[1], text, "--wait", "60"))["accepted"])

    def settled(self, agent) -> None:
        wait_until(lambda: self.ok(agent.run("status"))["outbox"] == 0, f"outbox of {agent.name}", 90, self.supervisor)

    def test_the_store_of_an_hour_ago(self):
        for agent in (self.anna, self.bernd, self.clara):
            agent.online()
        self.ok(self.anna.run("group", "create", "--title", "Alt", "--with", BERND, "--with", "Schulz, Celle"))
        self.send(self.anna, ("--to", BERND), "vorher 1", "vorher 2")
        self.send(self.bernd, ("--group", "Alt"), "vorher an alle")
        self.wait_texts(self.bernd, ["vorher 1", "vorher 2"])
        self.wait_texts(self.clara, ["vorher an alle"])

        store, checkpoint = self.gateway.folder / "store", self.gateway.folder / "checkpoint"
        self.stop_gateway()
        shutil.copytree(store, checkpoint)
        self.start_gateway()

        # What nobody has but its sender and the gateway, what its reader has, and a group that is new.
        self.clara.offline()
        self.send(self.anna, ("--to", BERND), "seither 1", "seither 2")
        self.wait_texts(self.bernd, ["seither 1", "seither 2"])
        self.send(self.bernd, ("--group", "Alt"), "seither an alle 1", "seither an alle 2")
        self.ok(self.anna.run("group", "create", "--title", "Neu", "--with", BERND, "--with", "Schulz, Celle"))
        self.send(self.anna, ("--group", "Neu"), "in der neuen Gruppe")
        self.wait_texts(self.bernd, ["in der neuen Gruppe"])

        self.stop_gateway()
        shutil.rmtree(store)
        checkpoint.rename(store)
        self.start_gateway()
        self.clara.online()
        everything = ["vorher an alle", "seither an alle 1", "seither an alle 2", "in der neuen Gruppe"]
        self.wait_texts(self.clara, everything, 120)
        self.settled(self.anna)
        self.settled(self.bernd)
        self.send(self.anna, ("--to", BERND), "danach")
        self.send(self.bernd, ("--group", "Neu"), "danach an alle")
        self.wait_texts(self.bernd, ["danach"])
        self.wait_texts(self.clara, ["danach an alle"])

        shown = list(dict.fromkeys(self.texts(self.clara)))  # her second watch begins with what the first had shown
        self.assertEqual([text for text in shown if text.endswith(("an alle 1", "an alle 2"))],
                         ["seither an alle 1", "seither an alle 2"])  # in the order of their sender
        for agent in (self.anna, self.bernd, self.clara):
            shown = [line["text"] for line in agent.run("inbox", "--peek", "--wait", "0").lines()
                     if line.get("kind") == "text" and not line["own"]]
            self.assertEqual(len(shown), len(set(shown)), shown)
            status = self.ok(agent.run("status"))
            # The older store hands out one-time keys that are used up: such a grant is refused, asked for, and comes again.
            undecryptable = {**status["undecryptable"], "refused": 0}
            self.assertEqual(undecryptable, {"damaged": 0, "unreadable": 0, "refused": 0, "lost": 0})
            self.assertEqual(status["alarms"], [])
        bernds = [text for text in self.texts(self.bernd) if text in
                  ("vorher 1", "vorher 2", "seither 1", "seither 2", "in der neuen Gruppe", "danach")]
        self.assertEqual(bernds, ["vorher 1", "vorher 2", "seither 1", "seither 2", "in der neuen Gruppe", "danach"])


if __name__ == "__main__":
    unittest.main()
