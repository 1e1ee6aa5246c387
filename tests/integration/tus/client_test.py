#!/usr/bin/python3
"""tus-js-client, taken from npm as it is: whole, in parts, in parallel, cut, resumed, with a token that runs out."""
import time

from cutting_proxy import CuttingProxy, every
from media_world import MediaTest, unittest

MIB = 1 << 20


class Client(MediaTest):
    def uploaded(self, outcome: dict, file) -> dict:
        self.assertNotIn("error", outcome)
        self.same(outcome["id"], file)
        return outcome

    def test_one_request(self):
        file = self.file(3 * MIB + 17)
        done = self.uploaded(self.node(file), file)
        self.assertEqual(done["requests"], {"POST": 1, "PATCH": 1})
        self.assertTrue(done["url"].endswith(f":{self.port}/v1/media/{done['id']}"))  # the relative Location was found

    def test_parts_one_after_the_other(self):
        file = self.file(5 * MIB + 1)
        self.assertEqual(self.uploaded(self.node(file, chunk=MIB), file)["requests"], {"POST": 1, "PATCH": 6})

    def test_bytes_with_the_creation(self):
        file = self.file(2 * MIB)
        self.assertEqual(self.uploaded(self.node(file, withCreation=True), file)["requests"], {"POST": 1})

    def test_a_length_that_comes_late(self):
        file = self.file(2 * MIB + 5)
        self.uploaded(self.node(file, deferred=True, chunk=MIB), file)

    def test_by_post_alone(self):
        file = self.file(MIB)
        self.assertNotIn("PATCH", self.uploaded(self.node(file, override=True, chunk=MIB // 2), file)["requests"])

    def test_parallel_parts_become_one(self):
        file = self.file(9 * MIB + 3)
        done = self.uploaded(self.node(file, parallel=4), file)
        self.assertEqual(done["requests"], {"POST": 5, "PATCH": 4})

    def test_cuts_of_every_kind(self):
        for kind in ({}, {"reset": True}, {"half_open": True}):
            file = self.file(6 * MIB)
            with CuttingProxy(self.port, every(200_000, 1_500_000, seed=1), **kind) as proxy:
                done = self.uploaded(self.node(file, port=proxy.port, chunk=4 * MIB), file)
                self.assertGreater(proxy.cuts, 3)
                self.assertEqual(done["requests"]["POST"], 1, done)  # resumed, never begun anew

    def test_parallel_parts_that_are_cut(self):
        file = self.file(8 * MIB)
        with CuttingProxy(self.port, every(100_000, 900_000, seed=2, times=12)) as proxy:
            self.uploaded(self.node(file, port=proxy.port, parallel=3), file)
            self.assertGreater(proxy.cuts, 4)

    def test_another_process_goes_on_where_one_died(self):
        file = self.file(8 * MIB)
        begun = self.node(file, chunk=MIB, stopAt=3 * MIB)
        at = self.offset(f"/v1/media/{begun['id']}")
        self.assertGreaterEqual(at, 2 * MIB)
        done = self.node(file, chunk=MIB, url=begun["url"], id=begun["id"])
        self.uploaded(done, file)
        self.assertEqual(done["requests"].get("POST", 0), 0)

    def test_a_token_that_runs_out_in_the_middle(self):
        """The upload meets 401, gets a new token as any app would, and goes on; nothing is sent twice."""
        renewed = self.folder / "renewed"
        renewed.write_text(self.token("anna", seconds_left=500))
        self.token_file.write_text(self.token("anna", seconds_left=4))
        self.addCleanup(lambda: self.token_file.write_text(self.tokens["anna"]))
        file = self.file(24 * MIB)
        before = self.gateway.metric("nimes_upload_received_bytes_total")
        with SlowPath(self.port, 3 * MIB) as path:
            done = self.node(file, port=path.port, chunk=MIB, renewed=str(renewed))
        self.uploaded(done, file)
        self.assertIn(401, done["statuses"])
        self.assertEqual(done["requests"]["POST"], 1)
        self.assertEqual(self.gateway.metric("nimes_upload_received_bytes_total") - before, 24 * MIB)


class SlowPath(CuttingProxy):
    """Cuts nothing and lets only so many bytes a second pass, so that something can happen meanwhile."""

    def __init__(self, upstream: int, rate: int):
        super().__init__(upstream, lambda n: None)
        self.rate = rate

    def upwards(self, client, server, budget):
        try:
            while data := client.recv(16384):
                server.sendall(data)
                time.sleep(len(data) / self.rate)
            server.shutdown(2)
        except OSError:
            client.close()


if __name__ == "__main__":
    unittest.main()
