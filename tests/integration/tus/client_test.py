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

    def test_a_token_that_runs_out_between_a_cut_and_the_resume(self):
        """HEAD meets 401. tus-js-client takes that for the end of the upload and begins anew; here the same id is the
        same upload, and goes on where it was: no byte is taken twice."""
        renewed = self.folder / "renewed-2"
        renewed.write_text(self.token("anna", seconds_left=500))
        self.addCleanup(lambda: self.token_file.write_text(self.tokens["anna"]))
        file = self.file(6 * MIB)
        before = self.gateway.metric("nimes_upload_received_bytes_total")
        expired = self.token("anna", seconds_left=-60)
        with RunningOut(self.port, lambda n: 3 * MIB if n == 1 else None,
                        lambda: self.token_file.write_text(expired)) as proxy:
            done = self.uploaded(self.node(file, port=proxy.port, chunk=MIB, renewed=str(renewed)), file)
        self.assertEqual(proxy.cuts, 1)
        self.assertEqual(done["statuses"].count(401), 1, done)
        after = done["statuses"][done["statuses"].index(401):]
        self.assertEqual(after[:4], [401, 201, 409, 200])  # HEAD, POST, PATCH at 0, HEAD; then it goes on
        self.assertEqual(set(after[4:]), {204})
        self.assertLess(len(after[4:]), 6)  # of six parts some were there
        self.assertLess(self.gateway.metric("nimes_upload_received_bytes_total") - before, 7 * MIB)

    def test_a_process_that_goes_on_with_a_token_that_has_run_out(self):
        renewed = self.folder / "renewed-3"
        renewed.write_text(self.token("anna", seconds_left=500))
        self.addCleanup(lambda: self.token_file.write_text(self.tokens["anna"]))
        file = self.file(6 * MIB)
        begun = self.node(file, chunk=MIB, stopAt=3 * MIB)
        at = self.offset(f"/v1/media/{begun['id']}")
        self.assertGreaterEqual(at, 2 * MIB)
        self.token_file.write_text(self.token("anna", seconds_left=-60))
        done = self.uploaded(self.node(file, chunk=MIB, url=begun["url"], id=begun["id"], renewed=str(renewed)), file)
        self.assertEqual(done["statuses"][:4], [401, 201, 409, 200], done)
        self.assertEqual(done["url"].rsplit("/", 1)[1], begun["id"])


class RunningOut(CuttingProxy):
    """Says when it cuts, before anybody can notice."""

    def __init__(self, upstream: int, budgets, told):
        super().__init__(upstream, budgets)
        self.told = told

    def cut(self, client, server):
        self.told()
        super().cut(client, server)


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
