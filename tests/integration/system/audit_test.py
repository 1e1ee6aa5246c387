#!/usr/bin/python3
"""The whole directory, fetched by an agent, proven, and held against a roster."""
import ssl
import urllib.error
import urllib.request

from people import ROSTER, WorldTest, unittest
from people_roster import write_roster


class Audit(WorldTest):
    PEOPLE = ("anna", "bernd")

    def dump(self, path: str) -> tuple:
        token = self.ok(self.anna.run("token"))["token"]
        request = urllib.request.Request(f"{self.world.gateway_url}/v1/directory/dump{path}",
                                         headers={"Authorization": f"Bearer {token}"})
        context = ssl.create_default_context(cafile=str(self.world.certificates / "ca.crt"))
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read(), refused.headers

    def test_everybody_is_on_the_roster(self):
        seen = self.ok(self.anna.run("audit", "--roster", self.folder / "roster.csv"))
        self.assertEqual((seen["people"], seen["reachable"], seen["strangers"]), (2, 2, []))
        self.assertEqual(seen["without_devices"], [ROSTER["clara"][0]])
        self.assertNotIn("strangers", self.ok(self.anna.run("audit")))

    def test_who_is_not_on_the_roster_is_named(self):
        short = self.folder / "short.csv"
        write_roster(short, [ROSTER["anna"]])
        seen = self.ok(self.anna.run("audit", "--roster", short))
        self.assertEqual(len(seen["strangers"]), 1)
        self.assertRegex(seen["strangers"][0], "^[0-9a-f]{64}$")
        empty = self.folder / "empty.csv"
        empty.write_text("name\nMeyer\n")
        refused = self.anna.run("audit", "--roster", empty)
        self.assertEqual(refused.status, 2, refused.err)
        self.assertIn("address", refused.err)

    def test_the_route(self):
        status, body, headers = self.dump("")
        self.assertEqual((status, body[:8]), (200, b"NMdd\x01\0\0\0"))
        self.assertEqual(int(headers["Content-Length"]), len(body))
        revision = int.from_bytes(body[16:24], "big")
        self.assertEqual(self.dump(f"?revision={revision}")[1], body)
        self.assertEqual(self.dump(f"?revision={revision + 1000}")[0], 404)
        self.assertEqual(self.dump("?revision=x")[0], 400)


if __name__ == "__main__":
    unittest.main()
