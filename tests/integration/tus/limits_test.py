#!/usr/bin/python3
"""Crowds of idle, slow and half-open clients, two that write at once, revocation: each has its answer, nothing is lost."""
import hashlib
import secrets
import subprocess
import threading

from media_world import MediaTest, unittest, wait_until

MIB = 1 << 20


class Limits(MediaTest):
    PEOPLE = ("anna", "bernd", "clara")  # clara is revoked
    SETTINGS = {"policy.media_open_uploads": 1_200, "store.cache_bytes": 8 * MIB}

    def memory(self) -> int:
        """Bytes of the gateway that are in memory and no file's."""
        with open(f"/proc/{self.gateway.child.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:")) * 1024

    def test_a_thousand_idle_uploads(self):
        """They hold no thread; others are served; each goes on where it was."""
        session = self.session()
        paths = [self.create(100_000, over=session) for _ in range(1_000)]
        session.close()
        before = self.received()
        idle = [self.patching(path, 0, 100_000, bytes(1_000)) for path in paths]
        wait_until(lambda: self.received() - before == 1_000 * 1_000, "a thousand beginnings", 120, self.supervisor)
        data = secrets.token_bytes(2 * MIB)
        path = self.create(len(data))
        self.assertEqual(self.patch(path, 0, data)[0], 204)
        self.assertEqual(self.stored(path), hashlib.sha256(data).hexdigest())
        for tls in idle:
            tls.close()
        for path in paths[::50]:
            self.assertEqual(self.offset(path), 1_000)

    def test_many_half_open_uploads_are_taken_over_at_once(self):
        """As when a cell of the network dies under everybody: nothing that came is lost, and others are served meanwhile."""
        part, data = 50_000, secrets.token_bytes(100_000)
        paths = [self.create(len(data)) for _ in range(64)]
        before = self.received()
        hanging = [self.patching(path, 0, len(data), data[:part]) for path in paths]
        wait_until(lambda: self.received() - before == part * len(paths), "the first halves", 120, self.supervisor)
        asking = [self.connected() for _ in paths]
        for path, tls in zip(paths, asking):  # in one moment
            self.raw(f"HEAD {path} HTTP/1.1", tls=tls)
        self.assertEqual(self.ask("GET", "/v1/status", who=None)[0], 200)
        for tls in asking:
            self.assertIn(f"Upload-Offset: {part}\r\n", self.head_from(tls))
            tls.close()
        going_on = [self.patching(path, part, len(data) - part, data[part:]) for path in paths]
        self.assertEqual(self.ask("GET", "/v1/status", who=None)[0], 200)
        for path, tls in zip(paths, going_on):
            self.assertIn(f"Upload-Offset: {len(data)}\r\n", self.head_from(tls))
            self.assertEqual(self.stored(path), hashlib.sha256(data).hexdigest())
            self.ask("DELETE", path)
        for tls in (*hanging, *going_on):
            tls.close()

    def test_slow_readers(self):
        """Two hundred that read nothing hold neither threads nor the medium in memory."""
        data = secrets.token_bytes(24 * MIB)
        path = self.create(len(data))
        self.assertEqual(self.patch(path, 0, data)[0], 204)
        memory = self.memory()
        slow = [self.raw(f"GET {path} HTTP/1.1") for _ in range(200)]
        self.assertEqual(self.stored(path), hashlib.sha256(data).hexdigest())
        self.assertLess(self.memory() - memory, 200 * len(data) / 10)  # a tenth of what they ask for
        for tls in slow:
            tls.close()

    def test_two_that_write_at_once(self):
        """Whatever they are answered, the medium is what was sent, and offsets only rise."""
        data = secrets.token_bytes(3 * MIB)
        path = self.create(len(data))
        told, strange, ended = [], [], []

        def write():
            at = 0
            while at < len(data):
                try:
                    status, headers, _ = self.patch(path, at, data[at:at + 200_000])
                    if status not in (204, 409, 423):
                        strange.append(status)
                    at = int(headers["upload-offset"]) if status in (204, 409) else self.offset(path)
                    told.append(at)
                except OSError:
                    at = self.offset(path)
            ended.append(at)
        writers = [threading.Thread(target=write) for _ in range(3)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(240)
            self.assertFalse(writer.is_alive())
        self.assertEqual((strange, ended), ([], [len(data)] * 3))
        self.assertEqual(self.stored(path), hashlib.sha256(data).hexdigest())

    def test_ranges_by_curl(self):
        data = secrets.token_bytes(1_000_000)
        path = self.create(len(data))
        self.assertEqual(self.patch(path, 0, data)[0], 204)

        def curl(*words) -> tuple:
            done = subprocess.run(["curl", "--silent", "--cacert", self.ca, "--dump-header", "-", "--oauth2-bearer",
                                   self.tokens["bernd"], f"https://127.0.0.1:{self.port}{path}", *words],
                                  capture_output=True, check=True)
            head, _, body = done.stdout.partition(b"\r\n\r\n")
            return int(head.split()[1]), head.decode().lower(), body
        whole = curl()
        self.assertEqual((whole[0], whole[2]), (200, data))
        for asked, first, last in (("0-0", 0, 0), ("262143-262144", 262_143, 262_144), ("999999-", 999_999, 999_999),
                                   ("-17", 999_983, 999_999), ("500000-9999999", 500_000, 999_999)):
            status, head, body = curl("--range", asked)
            self.assertEqual((status, body), (206, data[first:last + 1]), asked)
            self.assertIn(f"content-range: bytes {first}-{last}/{len(data)}", head)
        for beyond in ("1000000-", "1000000-1000001", "-0"):
            status, head, _ = curl("--range", beyond)
            self.assertEqual(status, 416, beyond)
            self.assertIn(f"content-range: bytes */{len(data)}", head)
        self.assertEqual(curl("--range", "0-1,5-6")[::2], (200, data))  # several: the whole, as RFC 9110 allows
        # HEAD tells a reader of the whole, whatever part is asked for
        for words in ((), ("--range", "5-9"), ("--range", "1000000-")):
            status, head, body = curl("--head", *words)
            self.assertEqual((status, body.strip()), (200, b""))  # curl shows the head twice
            for field in (f"content-length: {len(data)}\r\n", "accept-ranges: bytes\r\n", "cache-control: no-store\r\n",
                          f'etag: "{path.rsplit("/", 1)[1]}"\r\n'):
                self.assertIn(field, head + "\r\n")
            self.assertNotIn("content-range", head)
        # a download that breaks off goes on where it was
        part = self.folder / "part"
        part.write_bytes(data[:400_000])
        self.addCleanup(part.unlink)
        subprocess.run(["curl", "--silent", "--cacert", self.ca, "--oauth2-bearer", self.tokens["bernd"], "--continue-at",
                        "-", "--output", part, f"https://127.0.0.1:{self.port}{path}"], check=True)
        self.assertEqual(part.read_bytes(), data)

    def test_revocation_cuts_uploads_and_downloads_and_an_id_is_not_enough_afterwards(self):
        data = secrets.token_bytes(24 * MIB)
        shared, own = self.create(len(data)), self.create(1_000_000, who="clara")
        self.assertEqual(self.patch(shared, 0, data)[0], 204)
        down = self.raw(f"GET {shared} HTTP/1.1", "clara")
        self.assertIn(b"200", down.recv(100))
        up = self.patching(own, 0, 1_000_000, bytes(100_000), "clara")
        device = next(line["device"] for line in self.gateway.admin("devices", "list") if "Clara" in line["name"])
        self.gateway.admin("revoke", device, "--reason", "stolen")
        for tls in (down, up):
            got = 0
            try:
                while part := tls.recv(1 << 16):
                    got += len(part)
            except OSError:
                pass
            self.assertLess(got, len(data))
        for method, path in (("GET", shared), ("HEAD", own), ("PATCH", own), ("DELETE", own), ("POST", "/v1/media")):
            self.assertEqual(self.ask(method, path, who="clara")[0], 403, method)
        self.assertEqual(self.ask("GET", shared)[0], 200)


if __name__ == "__main__":
    unittest.main()
