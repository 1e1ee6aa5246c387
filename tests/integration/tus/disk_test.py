#!/usr/bin/python3
"""A small disk under the gateway's store: at its floor, and filled by others to the last byte while uploads run."""
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import threading

from media_world import WINDOW, MediaTest, unittest, wait_until
from uploads import Upload
from harness.faketime import moved_clock

MIB = 1 << 20
DISK = 448 * MIB
FLOOR = 200 * MIB
RESERVE = 32 * MIB
MOUNTED = "NIMES_TEST_MAY_MOUNT"
LATER = 25 * 3600  # seconds after which media that nobody names are over


def in_a_namespace() -> None:
    """Starts this test again where it may mount a small disk; if nobody may, it says so when it comes to that."""
    if MOUNTED in os.environ:
        return
    for words in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        if subprocess.run([*words, "sh", "-c", "mount -t tmpfs none /mnt"], capture_output=True).returncode == 0:
            os.execvpe(words[0], [*words, sys.executable, *sys.argv], {**os.environ, MOUNTED: "yes"})
    os.environ[MOUNTED] = ""


class Disk(MediaTest):
    SETTINGS = {"store.floor_bytes": FLOOR}

    @classmethod
    def setUpClass(cls):
        if not os.environ[MOUNTED]:
            raise unittest.SkipTest("nobody may mount a small disk here (no root, no user namespaces)")
        super().setUpClass()
        cls.late = cls.token("anna", seconds_left=WINDOW + LATER)
        cls.store = cls.gateway.folder / "store"
        cls.supervisor.stop(cls.gateway.child)
        shutil.move(cls.store, cls.folder / "moved")
        cls.store.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", cls.store], check=True)
        cls.addClassCleanup(subprocess.run, ["umount", "--lazy", cls.store], check=True)
        shutil.copytree(cls.folder / "moved", cls.store, dirs_exist_ok=True)
        cls.gateway.start(cls.world.port["operations"])

    def free(self) -> int:
        disk = os.statvfs(self.store)
        return disk.f_bavail * disk.f_frsize

    def begin(self, length: int) -> tuple:
        return self.ask("POST", "/v1/media", {"Upload-Length": str(length), **self.metadata(secrets.token_bytes(16))})

    def whole(self, size: int) -> tuple:
        """A finished medium: where, and its digest."""
        body = secrets.token_bytes(size)
        path = self.create(size)
        self.assertEqual(self.patch(path, 0, body)[0], 204)
        return path, hashlib.sha256(body).hexdigest()

    def fill(self) -> tuple:
        """Uploads until the disk has reached its floor: finished ones, and the one that stands still."""
        data = {}
        while True:
            body, at, part = secrets.token_bytes(16 * MIB), 0, 16 * MIB
            status, headers, text = self.begin(len(body))
            path = headers.get("location")
            while status in (201, 204) and at < len(body):
                try:
                    status, headers, text = self.patch(path, at, body[at:at + part])
                    at = int(headers.get("upload-offset", at))
                except OSError:  # hung up while it still sent: a short one is told why
                    at, part = self.offset(path), MIB // 16
            if status == 507:
                self.assertIn(b"ERR_DISK_FULL", text)
                return data, path, body
            self.assertEqual(status, 204, text)
            data[path] = hashlib.sha256(body).hexdigest()

    def test_a_disk_at_its_floor_refuses_keeps_serves_and_can_be_cleaned(self):
        self.configure({"store.floor_bytes": FLOOR})  # whatever ran before
        data, standing, body = self.fill()
        self.assertGreater(len(data), 5)
        self.assertEqual({path: self.stored(path) for path in data}, data)
        at = self.offset(standing) if standing else None
        self.restart(kill=True)  # a full disk and a crash
        self.assertEqual({path: self.stored(path) for path in data}, data)
        for path in data:
            self.assertEqual(self.ask("DELETE", path)[0], 204)
        wait_until(lambda: self.begin(5)[0] == 201, "room on the disk", 120, self.supervisor)
        if standing:
            self.assertEqual(self.offset(standing), at)
            self.assertEqual(self.patch(standing, at, body[at:])[0], 204)
            self.assertEqual(self.stored(standing), hashlib.sha256(body).hexdigest())
            self.assertEqual(self.ask("DELETE", standing)[0], 204)

    def others_fill(self) -> None:
        """To the last byte."""
        block = bytes(MIB)
        try:
            with open(self.store / "of-others", "ab", buffering=0) as file:
                while True:
                    file.write(block)
        except OSError:
            pass

    def others_leave(self) -> None:
        (self.store / "of-others").unlink()

    def refused_for_the_disk(self, answer: tuple) -> None:
        self.assertEqual(answer[0], 507, answer[2])
        self.assertIn(b"ERR_DISK_FULL", answer[2])

    def test_others_fill_the_disk_while_uploads_run(self):
        self.configure({"store.floor_bytes": 0, "store.reserve_bytes": RESERVE})
        kept, taken_back = self.whole(8 * MIB), self.whole(8 * MIB)
        may_end = threading.Event()
        uploads = [Upload(self, seed, 16 * MIB, may_end) for seed in range(5)]
        for upload in uploads:
            upload.start()
        wait_until(lambda: all(upload.told > 0 for upload in uploads), "uploads that run", 60, self.supervisor)
        self.others_fill()
        may_end.set()
        wait_until(lambda: all(upload.refused for upload in uploads), "a refusal for each", 120, self.supervisor)
        self.assertEqual({answer for upload in uploads for answer in upload.refused}, {(507, "ERR_DISK_FULL")})
        self.refused_for_the_disk(self.begin(5))
        for path, digest in (kept, taken_back):
            self.assertEqual(self.stored(path), digest)
        for upload in uploads:
            self.assertGreaterEqual(self.offset(upload.path), upload.told)
        self.assertEqual(self.ask("DELETE", taken_back[0])[0], 204)
        self.assertEqual(self.ask("GET", taken_back[0])[0], 404)
        self.refused_for_the_disk(self.begin(5))  # what is free now is for erasing alone
        self.assertEqual({answer for upload in uploads for answer in upload.refused}, {(507, "ERR_DISK_FULL")})
        self.others_leave()
        for upload in uploads:
            upload.judge()
        self.assertIsNone(self.gateway.child.process.poll(), "it ended")
        self.expired_on_a_full_disk([kept[0], *(upload.path for upload in uploads)])

    def expired_on_a_full_disk(self, paths: list) -> None:
        """Killed there, and started again a day later."""
        self.others_fill()
        self.supervisor.kill(self.gateway.child)
        self.gateway.child = self.supervisor.start("gateway", [self.gateway.program, "run", "--config",
                                                               self.gateway.configuration],
                                                   env=moved_clock(self.world.build, f"+{LATER}s"))
        wait_until(lambda: self.gateway.fetch("/livez")[0] == 200, "the gateway", 60, self.supervisor)
        wait_until(lambda: self.gateway.metric("nimes_media_removed_total") >= len(paths), "the sweep", 60, self.supervisor)
        for path in paths:
            self.assertEqual(self.ask("GET", path, token=self.late)[0], 404)
        wait_until(lambda: self.free() > 2 * RESERVE, "the space of what has ended", 120, self.supervisor)
        self.assertEqual(self.ask("POST", "/v1/media", {"Upload-Length": "5", **self.metadata(secrets.token_bytes(16))},
                                  token=self.late)[0], 201)
        self.others_leave()


if __name__ == "__main__":
    in_a_namespace()
    unittest.main()
