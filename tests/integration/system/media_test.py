#!/usr/bin/python3
"""tus 1.0.0 and Range against the running gateway, read like a trace of the wire."""
import base64
import http.client
import secrets
import socket
import ssl
import time
from urllib.parse import urlsplit

from people import WorldTest, unittest


class Media(WorldTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.context = ssl.create_default_context(cafile=cls.world.certificates / "ca.crt")
        cls.tokens = {agent.name: agent.run("token").last()["token"] for agent in (cls.anna, cls.bernd)}

    def ask(self, method: str, path: str, headers=None, body=b"", who="anna", tus=True) -> tuple:
        """Status, headers in lower case, body."""
        address = urlsplit(self.world.gateway_url)
        connection = http.client.HTTPSConnection(address.hostname, address.port, context=self.context, timeout=30)
        fields = {"Tus-Resumable": "1.0.0"} if tus else {}
        if who:
            fields["Authorization"] = f"Bearer {self.tokens[who]}"
        connection.request(method, path, body, {**fields, **(headers or {})})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, data

    def create(self, length: int, blob=None, who="anna") -> str:
        blob = blob or secrets.token_bytes(16)
        status, headers, _ = self.ask("POST", "/v1/media", {
            "Upload-Length": str(length), "Upload-Metadata": "id " + base64.b64encode(blob).decode()}, who=who)
        self.assertEqual(status, 201)
        self.assertEqual(headers["location"], f"/v1/media/{blob.hex()}")
        return headers["location"]

    def patch(self, path: str, offset: int, body: bytes, **more) -> tuple:
        return self.ask("PATCH", path, {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"},
                        body, **more)

    def offset(self, path: str, who="anna") -> int:
        status, headers, _ = self.ask("HEAD", path, who=who)
        self.assertEqual(status, 200)
        self.assertEqual(headers["cache-control"], "no-store")
        return int(headers["upload-offset"])

    def test_options(self):
        status, headers, _ = self.ask("OPTIONS", "/v1/media", who=None, tus=False)
        self.assertEqual(status, 204)
        self.assertEqual(headers["tus-version"], "1.0.0")
        self.assertEqual(set(headers["tus-extension"].split(",")), {
            "creation", "creation-with-upload", "creation-defer-length", "checksum", "termination", "expiration",
            "concatenation"})
        self.assertGreater(int(headers["tus-max-size"]), 1 << 20)

    def test_a_whole_upload_in_three_parts(self):
        data = secrets.token_bytes(700_000)
        path = self.create(len(data))
        self.assertEqual(self.ask("GET", path, tus=False)[0], 404)
        for part in (data[:100_000], data[100_000:400_000], data[400_000:]):
            at = self.offset(path)
            status, headers, _ = self.patch(path, at, part)
            self.assertEqual((status, int(headers["upload-offset"])), (204, at + len(part)))
        for who in ("anna", "bernd"):  # whoever knows the id
            status, headers, got = self.ask("GET", path, who=who, tus=False)
            self.assertEqual((status, got), (200, data))
        status, headers, got = self.ask("GET", path, {"Range": "bytes=262140-262150"}, tus=False)
        self.assertEqual((status, got), (206, data[262_140:262_151]))
        self.assertEqual(headers["content-range"], f"bytes 262140-262150/{len(data)}")
        self.assertEqual(self.ask("GET", path, {"Range": "bytes=-5"}, tus=False)[2], data[-5:])
        self.assertEqual(self.ask("GET", path, {"Range": "bytes=5-", "If-Range": '"other"'}, tus=False)[0], 200)
        self.assertEqual(self.ask("GET", path, {"Range": "bytes=5-", "If-Range": headers["etag"]}, tus=False)[0], 206)
        status, headers, _ = self.ask("GET", path, {"Range": f"bytes={len(data)}-"}, tus=False)
        self.assertEqual((status, headers["content-range"]), (416, f"bytes */{len(data)}"))

    def test_refusals(self):
        data = b"x" * 1_000
        path = self.create(len(data))
        self.assertEqual(self.ask("POST", "/v1/media", {"Upload-Length": "10"})[0], 400)
        self.assertEqual(self.ask("POST", "/v1/media", {"Upload-Length": "10"}, tus=False)[0], 412)
        self.assertEqual(self.ask("POST", "/v1/media", {"Upload-Length": str(1 << 40), "Upload-Metadata":
                                                        "id " + base64.b64encode(bytes(16)).decode()})[0], 413)
        self.assertEqual(self.patch(path, 0, data, who=None)[0], 401)
        self.assertEqual(self.patch(path, 0, data, who="bernd")[0], 404)
        status, headers, _ = self.patch(path, 5, data)
        self.assertEqual((status, headers["upload-offset"]), (409, "0"))
        self.assertEqual(self.ask("PATCH", path, {"Upload-Offset": "0", "Content-Type": "image/jpeg"}, data)[0], 415)
        self.assertEqual(self.patch(path, 0, data + b"y")[0], 400)
        self.assertEqual(self.offset(path), 0)
        self.assertEqual(self.patch(path, 0, data)[0], 204)
        self.assertEqual(self.ask("HEAD", "/v1/media/" + "0" * 32)[0], 404)
        self.assertEqual(self.ask("HEAD", "/v1/media/nonsense")[0], 404)
        taken = bytes.fromhex(path.rsplit("/", 1)[1])
        status, headers, _ = self.ask("POST", "/v1/media", {
            "Upload-Length": "10", "Upload-Metadata": "id " + base64.b64encode(taken).decode()}, who="bernd")
        self.assertEqual(status, 409)
        self.assertEqual(self.ask("DELETE", path, who="bernd")[0], 404)
        self.assertEqual(self.ask("DELETE", path)[0], 204)
        self.assertEqual(self.ask("HEAD", path)[0], 404)

    def cut_patch(self, path: str, length: int, body: bytes):
        """A PATCH that promises `length` bytes, sends some and stays open."""
        address = urlsplit(self.world.gateway_url)
        raw = socket.create_connection((address.hostname, address.port), timeout=30)
        tls = self.context.wrap_socket(raw, server_hostname=address.hostname)
        tls.sendall((f"PATCH {path} HTTP/1.1\r\nHost: gateway\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
                     f"Content-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n"
                     f"Authorization: Bearer {self.tokens['anna']}\r\n\r\n").encode() + body)
        return tls

    def test_a_cut_keeps_what_came(self):
        data = secrets.token_bytes(900_000)
        path = self.create(len(data))
        hanging = self.cut_patch(path, len(data), data[:500_000])
        time.sleep(1)  # until the kernel has handed all of it on
        at = self.offset(path)  # the newcomer: what came before is kept
        hanging.close()
        self.assertEqual(at, 500_000)
        self.assertEqual(self.patch(path, at, data[at:])[0], 204)
        self.assertEqual(self.ask("GET", path, tus=False)[2], data)

    def test_a_newcomer_takes_over_from_a_half_open_connection(self):
        data = secrets.token_bytes(300_000)
        path = self.create(len(data))
        hanging = self.cut_patch(path, len(data), data[:1_000])
        time.sleep(0.3)
        at = self.offset(path)
        self.assertEqual(self.patch(path, at, data[at:])[0], 204)
        self.assertEqual(self.ask("GET", path, tus=False)[2], data)
        hanging.close()

    def test_what_was_confirmed_survives_kill_9(self):
        data = secrets.token_bytes(2_500_000)
        path = self.create(len(data))
        self.assertEqual(self.patch(path, 0, data[:1_500_000])[0], 204)
        hanging = self.cut_patch(path, len(data), b"")
        self.supervisor.kill(self.gateway.child)
        hanging.close()
        self.gateway.start(self.world.port["operations"])
        self.assertEqual(self.offset(path), 1_500_000)
        self.assertEqual(self.patch(path, 1_500_000, data[1_500_000:])[0], 204)
        self.assertEqual(self.ask("GET", path, tus=False)[2], data)


if __name__ == "__main__":
    unittest.main()
