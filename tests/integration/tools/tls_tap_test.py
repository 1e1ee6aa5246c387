#!/usr/bin/python3
"""tls_tap.py passes every byte, keeps every byte, trusts only the right server and passes a closing on."""
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def eventually(condition, seconds: float = 10):
    until = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > until:
            raise AssertionError("did not happen in time")
        time.sleep(0.01)
    return value


class Tap(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        subprocess.run([sys.executable, TOOLS / "make_ca.py", self.folder, "server"], check=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)

    def serve(self, answer) -> None:
        """One connection; `answer` gets the server's TLS socket."""
        def run():
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self.folder / "server.crt", self.folder / "server.key")
            try:
                plain, _ = self.listener.accept()
                with context.wrap_socket(plain, server_side=True) as tls:
                    answer(tls)
            except OSError:
                pass
        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)

    def start(self, ca: Path) -> int:
        port = self.listener.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, TOOLS / "tls_tap.py", self.folder / "captures", "--name", "mqtt", "--upstream",
             f"127.0.0.1:{port}", "--ca", ca, "--cert", self.folder / "server.crt", "--key",
             self.folder / "server.key"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return int(process.stdout.readline())

    def connect(self, port: int) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=self.folder / "ca.crt")
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        client = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.addCleanup(client.close)
        return client

    def captured(self, way: str) -> bytes:
        return (self.folder / "captures" / f"mqtt.{way}").read_bytes()

    def test_every_byte_passes_and_is_kept(self):
        question, answer = os.urandom(200_000), os.urandom(300_000)

        def echo(tls):
            got = b""
            while len(got) < len(question):
                got += tls.recv(65536)
            self.assertEqual(got, question)
            tls.sendall(answer)
            tls.recv(1)  # until the client closes

        self.serve(echo)
        client = self.connect(self.start(self.folder / "ca.crt"))
        client.sendall(question)
        got = b""
        while len(got) < len(answer):
            got += client.recv(65536)
        self.assertEqual(got, answer)
        self.assertEqual((self.captured("up"), self.captured("down")), (question, answer))
        client.close()
        lines = eventually(lambda: (self.folder / "captures" / "mqtt.connections").read_text())
        line = json.loads(lines)
        self.assertEqual((line["up"], line["down"]), (len(question), len(answer)))
        self.assertTrue(line["end"].startswith("client"))

    def test_the_servers_closing_reaches_the_client(self):
        self.serve(lambda tls: tls.sendall(b"last words"))
        client = self.connect(self.start(self.folder / "ca.crt"))
        got = b""
        while block := client.recv(100):
            got += block
        self.assertEqual(got, b"last words")

    def test_a_server_of_another_ca_is_refused(self):
        self.serve(lambda tls: tls.sendall(b"stolen"))
        subprocess.run([sys.executable, TOOLS / "make_ca.py", self.folder / "other"], check=True)
        client = self.connect(self.start(self.folder / "other" / "ca.crt"))
        with self.assertRaises((OSError, AssertionError)):
            self.assertEqual(client.recv(100), b"stolen")
        self.assertIn("upstream", (self.folder / "captures" / "mqtt.connections").read_text())


if __name__ == "__main__":
    unittest.main()
