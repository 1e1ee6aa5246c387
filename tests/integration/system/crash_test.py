#!/usr/bin/python3
"""kill -9 of every process while messages are under way: nothing is lost, nothing is shown twice, the order holds."""
import threading
import time

from people import WorldTest, unittest, wait_until

COUNT = 25


class Crashes(WorldTest):
    def send_all(self, prefix: str) -> list:
        """Anna's texts, one command each, while she watches."""
        texts = [f"{prefix} {number:02}" for number in range(COUNT)]
        self.outcomes = []

        def run():
            for text in texts:
                self.outcomes.append(self.anna.run("send", "--to", "Meyer, Gifhorn", text, "--wait", "40"))
        self.sender = threading.Thread(target=run)
        self.sender.start()
        return texts

    def some_sent(self) -> None:
        wait_until(lambda: len(self.outcomes) >= COUNT // 4, "some texts", 60, self.supervisor)

    def all_arrived_once_in_order(self, texts: list) -> None:
        self.sender.join(300)
        self.assertFalse(self.sender.is_alive())
        for outcome in self.outcomes:
            self.assertEqual(outcome.status, 0, outcome.err)
        self.assertEqual(self.wait_texts(self.bernd, texts), texts)
        time.sleep(1)  # a repeat would come now
        self.assertEqual([text for text in self.texts(self.bernd) if text in texts], texts)

    def test_gateway(self):
        self.anna.online()
        self.bernd.online()
        texts = self.send_all("gateway")
        self.some_sent()
        self.supervisor.kill(self.gateway.child)
        self.gateway.start(self.world.port["operations"])
        self.all_arrived_once_in_order(texts)

    def test_broker(self):
        self.anna.online()
        self.bernd.online()
        texts = self.send_all("broker")
        self.some_sent()
        self.supervisor.kill(self.world.broker.child)
        self.world.broker.start()
        self.all_arrived_once_in_order(texts)

    def test_receiver(self):
        self.anna.online()
        self.bernd.online()
        texts = self.send_all("receiver")
        self.some_sent()
        before = [text for text in self.texts(self.bernd) if text in texts]
        self.supervisor.kill(self.bernd.watcher)
        self.bernd.watcher.out.write_text("")  # what a new watch shows begins with what is stored
        self.bernd.online()
        self.all_arrived_once_in_order(texts)
        self.assertGreater(len(before), 0)

    def test_sender(self):
        """The process that owns the home dies; the commands that asked it go on by themselves."""
        self.anna.online()
        self.bernd.online()
        texts = self.send_all("sender")
        self.some_sent()
        self.supervisor.kill(self.anna.watcher)
        self.anna.watcher = None
        self.all_arrived_once_in_order(texts)

    def test_nobody_is_there_when_the_gateway_dies(self):
        """Accepted means on disk: what was accepted before a crash arrives after it."""
        text = "bevor alles ausfiel"
        self.ok(self.anna.run("send", "--to", "Meyer, Gifhorn", text))
        self.supervisor.kill(self.gateway.child)
        self.supervisor.kill(self.world.broker.child)
        self.world.broker.start()
        self.gateway.start(self.world.port["operations"])
        self.bernd.online()
        self.assertEqual(self.wait_texts(self.bernd, [text]), [text])


if __name__ == "__main__":
    unittest.main()
