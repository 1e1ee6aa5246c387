#!/usr/bin/python3
"""Full disks, idle and slow clients, two that write at once, revocation: each has its documented answer, nothing is lost."""
import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time

from media_world import MediaTest, unittest, wait_until

MIB = 1 << 20
DISK = 640 * MIB
FLOOR = 200 * MIB
MOUNTED = "NIMES_TEST_MAY_MOUNT"


def in_a_namespace() -> None:
    """Starts this test again where it may mount a small disk; if nobody may, it says so when it comes to that."""
    if MOUNTED in os.environ:
        return
    for words in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        if subprocess.run([*words, "sh", "-c", "mount -t tmpfs none /mnt"], capture_output=True).returncode == 0:
            os.execvpe(words[0], [*words, sys.executable, *sys.argv], {**os.environ, MOUNTED: "yes"})
    os.environ[MOUNTED] = ""


class Limits(MediaTest):
    SETTINGS = {"policy.media_open_uploads": 1_100, "store.cache_bytes": 8 * MIB}

    def connected(self):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=120)
        return self.context.wrap_socket(plain, server_hostname="127.0.0.1")

    def raw(self, head: str, who: str = "anna", tls=None):
        tls = tls or Limits.connected(self)
        tls.sendall((head + f"\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nAuthorization: Bearer {self.tokens[who]}\r\n\r\n").encode())
        return tls

    def patching(self, path: str, offset: int, length: int, body: bytes = b"", who: str = "anna"):
        tls = self.raw(f"PATCH {path} HTTP/1.1\r\nUpload-Offset: {offset}\r\nContent-Length: {length}\r\n"
                       "Content-Type: application/offset+octet-stream", who)
        tls.sendall(body)
        return tls

    def received(self) -> float:
        return self.gateway.metric("nimes_upload_received_bytes_total")

    def memory(self) -> int:
        """Bytes of the gateway that are in memory and no file's."""
        with open(f"/proc/{self.gateway.child.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:")) * 1024

    def test_a_thousand_idle_uploads(self):
        """They hold no thread; others are served; each goes on where it was."""
        paths = [self.create(100_000) for _ in range(1_000)]
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
        for path in paths:
            self.ask("DELETE", path)

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

    def head_from(self, tls) -> str:
        text = b""
        while b"\r\n\r\n" not in text and (more := tls.recv(4096)):
            text += more
        return text.decode()

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

    def test_slowloris(self):
        """Heads that never end are closed after their time; meanwhile others are served."""
        heads = []
        for _ in range(100):
            plain = socket.create_connection(("127.0.0.1", self.port), timeout=120)
            tls = self.context.wrap_socket(plain, server_hostname="127.0.0.1")
            tls.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n")
            heads.append(tls)
        self.assertEqual(self.ask("OPTIONS", "/v1/media")[0], 204)
        deadline = time.monotonic() + 100
        while heads and time.monotonic() < deadline:
            time.sleep(2)
            heads = [tls for tls in heads if not self.closed(tls)]
        self.assertEqual(heads, [])

    def closed(self, tls) -> bool:
        try:
            tls.settimeout(0.01)
            tls.sendall(b"X: y\r\n")
            return tls.recv(100) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

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


class Revoked(MediaTest):
    def test_revocation_cuts_uploads_and_downloads_and_an_id_is_not_enough_afterwards(self):
        raw = Limits.raw.__get__(self)
        self.raw = raw
        data = secrets.token_bytes(24 * MIB)
        shared, own = self.create(len(data)), self.create(1_000_000, who="bernd")
        self.assertEqual(self.patch(shared, 0, data)[0], 204)
        down = raw(f"GET {shared} HTTP/1.1", "bernd")
        self.assertIn(b"200", down.recv(100))
        up = Limits.patching(self, own, 0, 1_000_000, bytes(100_000), "bernd")
        device = next(line["device"] for line in self.gateway.admin("devices", "list") if "Bernd" in line["name"])
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
            self.assertEqual(self.ask(method, path, who="bernd")[0], 403, method)
        self.assertEqual(self.ask("GET", shared)[0], 200)


class FullDisk(MediaTest):
    SETTINGS = {"store.floor_bytes": FLOOR}

    @classmethod
    def setUpClass(cls):
        if not os.environ[MOUNTED]:
            raise unittest.SkipTest("nobody may mount a small disk here (no root, no user namespaces)")
        super().setUpClass()
        store = cls.gateway.folder / "store"
        cls.supervisor.stop(cls.gateway.child)
        shutil.move(store, cls.folder / "moved")
        store.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", store], check=True)
        cls.addClassCleanup(subprocess.run, ["umount", "--lazy", store], check=True)
        shutil.copytree(cls.folder / "moved", store, dirs_exist_ok=True)
        cls.gateway.start(cls.world.port["operations"])

    def fill(self) -> tuple:
        """Uploads until the disk has reached its floor: finished ones, and the one that stands still."""
        data = {}
        while True:
            path = None
            body = secrets.token_bytes(16 * MIB)
            status, headers, text = self.ask("POST", "/v1/media", {
                "Upload-Length": str(len(body)), "Upload-Metadata": self.fresh()})
            if status == 201:
                path = headers["location"]
                try:
                    status, _, text = self.patch(path, 0, body)
                except OSError:  # hung up while it still sent: a short one is told why
                    at = self.offset(path)
                    status, _, text = self.patch(path, at, body[at:at + 10])
            if status == 507:
                self.assertIn(b"ERR_DISK_FULL", text)
                return data, path, body
            self.assertEqual(status, 204, text)
            data[path] = hashlib.sha256(body).hexdigest()

    def fresh(self) -> str:
        import base64
        return "id " + base64.b64encode(secrets.token_bytes(16)).decode()

    def test_a_full_disk_refuses_keeps_serves_and_can_be_cleaned(self):
        data, standing, body = self.fill()
        self.assertGreater(len(data), 5)
        self.assertEqual({path: self.stored(path) for path in data}, data)
        at = self.offset(standing) if standing else None
        self.restart(kill=True)  # a full disk and a crash
        self.assertEqual({path: self.stored(path) for path in data}, data)
        for path in data:
            self.assertEqual(self.ask("DELETE", path)[0], 204)
        wait_until(lambda: self.ask("POST", "/v1/media", {"Upload-Length": "5", "Upload-Metadata": self.fresh()})[0] == 201,
                   "room on the disk", 120, self.supervisor)
        if standing:
            self.assertEqual(self.offset(standing), at)
            self.assertEqual(self.patch(standing, at, body[at:])[0], 204)
            self.assertEqual(self.stored(standing), hashlib.sha256(body).hexdigest())


if __name__ == "__main__":
    in_a_namespace()
    unittest.main()
