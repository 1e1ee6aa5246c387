#!/usr/bin/python3
"""kill -9 of the gateway in the middle of fifty uploads, and a network that cuts: no published offset is lost."""
import hashlib
import random
import secrets
import time

from cutting_proxy import CuttingProxy, every
from media_world import MediaTest, unittest, wait_until
from uploads import Upload

MIB = 1 << 20
UPLOADS = 50
KILLS = 5


class Disaster(MediaTest):
    SETTINGS = {"policy.media_open_uploads": 100}

    def test_kill_9_in_the_middle_of_fifty_uploads(self):
        uploads = [Upload(self, seed) for seed in range(UPLOADS)]
        for upload in uploads:
            upload.start()
        chance = random.Random(7)
        for _ in range(KILLS):
            before = self.gateway.metric("nimes_upload_received_bytes_total")
            goal = before + chance.randint(2, 8) * MIB
            until = time.monotonic() + 60
            while self.gateway.metric("nimes_upload_received_bytes_total") < goal and time.monotonic() < until:
                time.sleep(chance.random() / 20)
            self.restart(kill=True)
        for upload in uploads:
            upload.judge()

    def test_cuts_cost_less_than_a_tenth(self):
        """All that reaches the gateway, TLS included, for one medium over a link that breaks every 300 to 900 KB."""
        data = secrets.token_bytes(12 * MIB)
        for kind in ({}, {"half_open": True}):
            path = self.create(len(data))
            before = self.gateway.metric("nimes_upload_received_bytes_total")
            with CuttingProxy(self.port, every(300_000, 900_000, seed=3), **kind) as proxy:
                at = 0
                while at < len(data):
                    try:
                        at = int(self.patch(path, at, data[at:], port=proxy.port)[1]["upload-offset"])
                    except OSError:
                        # Until the gateway has read what was let through: all but TLS, heads and the record that was cut.
                        wait_until(lambda: self.gateway.metric("nimes_upload_received_bytes_total") - before
                                   >= proxy.up - 25_000 * proxy.connections, "bytes before the cut", 60, self.supervisor)
                        at = self.offset(path)
                self.assertGreater(proxy.cuts, 10)
                self.assertLess(proxy.up, 1.1 * len(data))
            self.assertEqual(self.stored(path), hashlib.sha256(data).hexdigest())


if __name__ == "__main__":
    unittest.main()
