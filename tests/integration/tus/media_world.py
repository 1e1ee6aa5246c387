"""A world whose gateway is asked about media: tokens of any age, tus by hand, tus-js-client, curl."""
import base64
import hashlib
import http.client
import json
import os
import secrets
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from people import WorldTest, unittest, wait_until  # noqa: E402
from harness.gateway import set_keys  # noqa: E402

HERE = Path(__file__).resolve().parent
NODE = os.environ.get("NIMES_NODE", "node")
WINDOW = 600  # seconds for which a token is good


class MediaTest(WorldTest):
    SETTINGS: dict = {}  # of gateway.toml, beside the harness's

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = cls.world.port["gateway"]
        cls.ca = cls.world.certificates / "ca.crt"
        cls.context = ssl.create_default_context(cafile=cls.ca)
        cls.tokens = {agent.name: agent.run("token").last()["token"] for agent in map(lambda n: getattr(cls, n), cls.PEOPLE)}
        cls.token_file = cls.folder / "token"
        cls.token_file.write_text(cls.tokens["anna"])
        if cls.SETTINGS:
            cls.configure(cls.SETTINGS)

    @classmethod
    def configure(cls, settings: dict) -> None:
        cls.gateway.configuration.write_text(set_keys(cls.gateway.configuration.read_text(), settings))
        cls.restart(kill=False)

    @classmethod
    def restart(cls, kill: bool = True) -> None:
        (cls.supervisor.kill if kill else cls.supervisor.stop)(cls.gateway.child)
        cls.gateway.start(cls.world.port["operations"])

    @classmethod
    def token(cls, name: str, seconds_left: float) -> str:
        """Another token of that person's device, which runs out so soon."""
        seed = dict(cls.world.container_keys(getattr(cls, name)))["identity seed"]
        raw = base64.urlsafe_b64decode(cls.tokens[name])
        issued = int((time.time() - WINDOW + seconds_left) * 1000)
        part = raw[:32] + issued.to_bytes(8, "big") + secrets.token_bytes(16)
        signature = Ed25519PrivateKey.from_private_bytes(seed).sign(b"NM1/token".ljust(16, b"\0") + part)
        return base64.urlsafe_b64encode(part + signature).decode()

    def session(self, port=None) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", port or self.port, context=self.context, timeout=60)

    def ask(self, method: str, path: str, headers=None, body=b"", who="anna", token=None, port=None, over=None) -> tuple:
        """Status, headers in lower case, body. A header that is None is left out. Over a session, or a connection of its own."""
        connection = over or self.session(port)
        fields = {"Tus-Resumable": "1.0.0"}
        if who or token:
            fields["Authorization"] = f"Bearer {token or self.tokens[who]}"
        fields = {name: value for name, value in {**fields, **(headers or {})}.items() if value is not None}
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        data = answer.read()
        if not over:
            connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, data

    def create(self, length: int, blob=None, **more) -> str:
        status, headers, text = self.ask("POST", "/v1/media", {
            "Upload-Length": str(length), **self.metadata(blob or secrets.token_bytes(16))}, **more)
        self.assertEqual(status, 201, text)
        return headers["location"]

    def patch(self, path: str, offset: int, body: bytes, headers=None, **more) -> tuple:
        return self.ask("PATCH", path, {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream",
                                        **(headers or {})}, body, **more)

    def offset(self, path: str, who="anna") -> int:
        while True:
            status, headers, _ = self.ask("HEAD", path, who=who)
            if status != 423:  # another request of this person has come since: it is asked again
                break
            time.sleep(0.05)
        self.assertEqual(status, 200)
        return int(headers["upload-offset"])

    def metadata(self, blob: bytes) -> dict:
        return {"Upload-Metadata": "id " + base64.b64encode(blob).decode()}

    def connected(self):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=120)
        return self.context.wrap_socket(plain, server_hostname="127.0.0.1")

    def raw(self, head: str, who: str = "anna", tls=None):
        """A connection on which that request was begun: its first line and what fields it has beside the usual ones."""
        tls = tls or self.connected()
        tls.sendall((head + f"\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nAuthorization: Bearer {self.tokens[who]}\r\n\r\n").encode())
        return tls

    def patching(self, path: str, offset: int, length: int, body: bytes = b"", who: str = "anna"):
        tls = self.raw(f"PATCH {path} HTTP/1.1\r\nUpload-Offset: {offset}\r\nContent-Length: {length}\r\n"
                       "Content-Type: application/offset+octet-stream", who)
        tls.sendall(body)
        return tls

    def head_from(self, tls) -> str:
        text = b""
        while b"\r\n\r\n" not in text and (more := tls.recv(4096)):
            text += more
        return text.decode()

    def received(self) -> float:
        return self.gateway.metric("nimes_upload_received_bytes_total")

    def file(self, size: int) -> Path:
        path = self.folder / f"file-{secrets.token_hex(4)}"
        path.write_bytes(secrets.token_bytes(size))
        self.addCleanup(path.unlink)
        return path

    def node(self, file: Path, seconds: float = 240, port=None, **settings) -> dict:
        """Runs upload.js; its last line."""
        settings = {"endpoint": f"https://127.0.0.1:{port or self.port}/v1/media", "file": str(file),
                    "id": secrets.token_hex(16), "token": str(self.token_file), **settings}
        done = subprocess.run([NODE, HERE / "upload.js", json.dumps(settings)], capture_output=True, text=True,
                              timeout=seconds, env={**os.environ, "NODE_EXTRA_CA_CERTS": str(self.ca)})
        self.assertTrue(done.stdout.strip(), done.stderr)
        line = json.loads(done.stdout.strip().splitlines()[-1])
        return {**line, "id": settings["id"]}

    def stored(self, path: str) -> str:
        """SHA-256 of what the gateway serves."""
        status, _, data = self.ask("GET", path)
        self.assertEqual(status, 200)
        return hashlib.sha256(data).hexdigest()

    def same(self, blob: str, file: Path) -> None:
        self.assertEqual(self.stored(f"/v1/media/{blob}"), hashlib.sha256(file.read_bytes()).hexdigest())


__all__ = ["MediaTest", "unittest", "wait_until", "HERE", "NODE"]
