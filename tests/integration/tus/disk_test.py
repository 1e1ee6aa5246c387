#!/usr/bin/python3
"""A small disk under the gateway's store, at its floor: new media are refused, what is there stays, and can be cleaned up."""
import hashlib
import os
import secrets
import shutil
import subprocess
import sys

from media_world import MediaTest, unittest, wait_until

MIB = 1 << 20
DISK = 448 * MIB
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


class Disk(MediaTest):
    SETTINGS = {"store.floor_bytes": FLOOR}

    @classmethod
    def setUpClass(cls):
        if not os.environ[MOUNTED]:
            raise unittest.SkipTest("nobody may mount a small disk here (no root, no user namespaces)")
        super().setUpClass()
        cls.store = cls.gateway.folder / "store"
        cls.supervisor.stop(cls.gateway.child)
        shutil.move(cls.store, cls.folder / "moved")
        cls.store.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", cls.store], check=True)
        cls.addClassCleanup(subprocess.run, ["umount", "--lazy", cls.store], check=True)
        shutil.copytree(cls.folder / "moved", cls.store, dirs_exist_ok=True)
        cls.gateway.start(cls.world.port["operations"])

    def begin(self, length: int) -> tuple:
        return self.ask("POST", "/v1/media", {"Upload-Length": str(length), **self.metadata(secrets.token_bytes(16))})

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


if __name__ == "__main__":
    in_a_namespace()
    unittest.main()
