#!/usr/bin/python3
"""Time limits of requests, made short, and when an offset of a long body is on disk: as x-media-limits of openapi.yaml."""
import re
import secrets
import subprocess
import time

import yaml
from media_world import HERE, MediaTest, unittest, wait_until

LIMITS = yaml.safe_load((HERE.parents[2] / "schemas" / "openapi.yaml").read_text())["x-media-limits"]
MIB = 1 << 20
IDLE = 5


class Times(MediaTest):
    SETTINGS = {"http.head_seconds": 5, "http.idle_seconds": IDLE}

    def ended(self, tls) -> bool:
        """The server has closed it; what still came is dropped."""
        try:
            tls.settimeout(0.01)
            return tls.recv(1 << 16) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def connections(self) -> float:
        return self.gateway.metric("nimes_http_connections")

    def test_heads_that_never_end(self):
        """Slowloris: a line now and then buys no time; meanwhile others are served."""
        heads = [self.connected() for _ in range(100)]
        for tls in heads:
            tls.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n")
        self.assertEqual(self.ask("OPTIONS", "/v1/media")[0], 204)

        def closed():
            for tls in list(heads):
                try:
                    tls.sendall(b"X: y\r\n")
                except OSError:
                    heads.remove(tls)
            return not heads
        wait_until(closed, "the end of a hundred heads", 100, self.supervisor)

    def test_a_body_that_rests_is_closed_and_what_came_counts_and_a_slow_one_takes_as_long_as_it_likes(self):
        steady, resting = self.create(10_000), self.create(100_000)
        slow, sent = self.patching(steady, 0, 10_000), 0
        tls = self.patching(resting, 0, 100_000, bytes(1_000))

        def ended():
            nonlocal sent
            slow.sendall(b"x")
            sent += 1
            return self.ended(tls)
        wait_until(ended, "the end of a silent upload", 100, self.supervisor)
        self.assertEqual(self.offset(resting), 1_000)
        slow.sendall(b"x" * (10_000 - sent))  # in all it took longer than the other was allowed to rest
        self.assertIn(" 204 ", self.head_from(slow))
        self.assertEqual(self.ask("GET", steady)[2], b"x" * 10_000)

    def test_readers_that_take_nothing_are_closed(self):
        data = secrets.token_bytes(24 * MIB)
        path = self.create(len(data))
        self.assertEqual(self.patch(path, 0, data)[0], 204)
        readers = [self.raw(f"GET {path} HTTP/1.1") for _ in range(10)]
        wait_until(lambda: self.connections() >= len(readers), "the readers", 60, self.supervisor)
        wait_until(lambda: self.connections() < len(readers) / 2, "the end of the readers", 100, self.supervisor)
        got = 0
        try:
            while part := readers[0].recv(1 << 16):
                got += len(part)
        except OSError:
            pass
        self.assertLess(got, len(data))
        for tls in readers:
            tls.close()

    def published(self, blob: bytes) -> int:
        """The offset that is on disk (gateway/media/LAYOUT.md), looked up without a word to the gateway."""
        key = (b"h" + blob).replace(b"\0", b"\0\xff").hex()
        with subprocess.Popen([self.world.build.program("nimes-store-dump"), self.gateway.folder / "store"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as dump:
            for line in dump.stdout:
                if found := re.match(rf"media_index\t{key}000168\t([0-9a-f]+)", line):
                    dump.kill()
                    return int.from_bytes(bytes.fromhex(found[1])[43:51], "big")
        raise AssertionError("no such upload in the store")

    def test_offsets_of_long_bodies_are_on_disk_after_so_many_bytes_or_so_long(self):
        self.configure({"http.idle_seconds": LIMITS["idle_seconds"]})  # who is closed for its rest is published, too
        self.addCleanup(self.configure, self.SETTINGS)
        fast, slow = secrets.token_bytes(16), secrets.token_bytes(16)
        paths = [self.create(16 * MIB, blob) for blob in (fast, slow)]
        few, sent = self.patching(paths[1], 0, 16 * MIB), 0
        many = self.patching(paths[0], 0, 16 * MIB, secrets.token_bytes(LIMITS["publish_bytes"] + 1_000))
        wait_until(lambda: self.received() == LIMITS["publish_bytes"] + 1_000, "the bytes", 60, self.supervisor)
        wait_until(lambda: self.published(fast), "an offset of many bytes", 60, self.supervisor)
        self.assertEqual(self.published(fast), LIMITS["publish_bytes"])
        until = time.monotonic() + 100
        while self.published(slow) == 0 and time.monotonic() < until:
            few.sendall(bytes(500))
            sent += 500
            time.sleep(0.2)
        came = self.published(slow)
        self.assertTrue(0 < came <= sent, (came, sent))
        self.restart(kill=True)
        self.assertEqual([self.offset(path) for path in paths], [LIMITS["publish_bytes"], came])
        for tls in (many, few):
            tls.close()


if __name__ == "__main__":
    unittest.main()
