"""Every route that the gateway has, every status that its document promises: produced, and held against it."""
from admin_api import ask, hold, operations, plain
from orders import OTHERS
from people import ROSTER
from harness.gateway import Refused

NO_DEVICE = "a" * 26
# Who may what, once more: o owner, a administrator, u administrator of a unit, h help desk of a unit, r auditor.
RIGHTS = {"look": "oauhr", "see_people": "oauhr", "see_orders": "oauhr", "suspend": "oauh", "reinstate": "oau",
          "revoke": "oau", "approve": "oauh", "import_roster": "oau", "read_audit": "oar", "organise": "oa",
          "provision": "oa", "steward_groups": "oa", "make_administrators": "o"}
ROLES = {"o": ("owner",), "a": ("administrator",), "u": ("administrator", "Celle"), "h": ("help_desk", "Celle"),
         "r": ("auditor",)}
V1 = "/v1/admin"


class EveryAnswer:
    """A test of a WorldTest's that has `make`, `socket` and the orders' helpers."""

    def expect(self, status: int, method: str, pattern: str, *params, body=None, token: str = "", query: str = "", **more):
        path = V1 + pattern
        for value in params:
            path = path.replace(path[path.index("{"):path.index("}") + 1], str(value), 1)
        got, kind, said = ask(self.socket, method, path + query, body, token, **more)
        self.assertEqual(got, status, (method, path, said))
        hold(self, operations()[method, plain(V1 + pattern)], got, kind, said)
        self.seen.add((method, plain(V1 + pattern), str(status)))
        return said

    def test_every_answer(self):
        self.seen = set()
        rows = self.expect(200, "GET", "/self")["may"]
        documented = operations()
        self.assertEqual({(row["method"], plain(row["path"])) for row in rows}, set(documented),
                         "the gateway's routes, and those of the document")
        for row in rows:
            says = documented[row["method"], plain(row["path"])]
            self.assertEqual(set(row["actions"]), set(says["x-action"].split(", as")[0].replace(" or", ",").split(", ")), row)
        tokens = self.every_role()
        self.every_route_by_every_role(rows, tokens)
        self.organisation(tokens)
        self.devices(tokens)
        self.orders(tokens)
        self.approvals()
        self.groups()
        self.administrators()
        missing = [(*where, status) for where, says in sorted(documented.items())
                   for status, promised in says["responses"].items()
                   if "x-tested-in" not in promised and (*where, status) not in self.seen]
        self.assertEqual(missing, [])

    def every_role(self) -> dict:
        return {letter: self.make(f"rolle-{letter}", role[0], OTHERS["gustav"][0], *role[1:]).read_text().strip()
                for letter, role in ROLES.items()}

    def every_route_by_every_role(self, rows: list, tokens: dict) -> None:
        """With nothing to act on: who may is told what is missing, who may not that they may not; a stranger nothing."""
        for row in rows:
            path = row["path"].replace("{name}", "niemand").replace("{id}", NO_DEVICE)
            pattern = row["path"][len(V1):]
            self.expect(401, row["method"], pattern, *["x"] * pattern.count("{"), token="nimes-admin-" + "0" * 64)
            for action in row["actions"]:
                for letter, token in tokens.items():
                    body = {"kind": action} if len(row["actions"]) > 1 else None
                    status, kind, said = ask(self.socket, row["method"], path, body, token)
                    allowed = letter in RIGHTS[action]
                    self.assertEqual(status != 403, allowed, (row, action, letter, said))
                    if not allowed:
                        hold(self, operations()[row["method"], plain(row["path"])], status, kind, said)
                        self.assertIn(f"{action} is not for", said["detail"])
                        self.assertIn("an owner", said["detail"], "what would be right")
                        self.seen.add((row["method"], plain(row["path"]), "403"))

    def organisation(self, tokens: dict) -> None:
        for path in ("/health", "/provisioning", "/policy", "/org", "/people", "/devices", "/approvals", "/revocations",
                     "/groups/orphaned", "/administrators", "/audit", "/audit/head"):
            self.expect(200, "GET", path)
        self.expect(409, "POST", "/org", body={"name": "Zweite", "domain": "zweite.example"})
        self.expect(400, "POST", "/org", body={"name": "Zweite"})
        self.expect(201, "POST", "/units", body={"name": "Winsen"})
        self.expect(409, "POST", "/units", body={"name": "Winsen"})
        self.expect(400, "POST", "/units", body={"name": "Win\nsen"})
        self.expect(400, "GET", "/audit", query="?from=x")
        rows = "".join(",".join(f'"{field}"' for field in row) + "\n" for row in (*ROSTER.values(), *OTHERS.values())
                       if row[0] != ROSTER["bernd"][0])
        told = self.expect(200, "POST", "/roster", body=("address,name,rank,unit\n" + rows).encode(), query="?dry_run=1")
        self.assertIn(("suspend", ROSTER["bernd"][0]), [(c["what"], c["address"]) for c in told["changes"]])
        self.expect(400, "POST", "/roster", body=b"address,name,rank,unit\nx@y@polizei.example,X,,Celle\n")
        self.expect(413, "POST", "/roster", headers={"Content-Length": str(17 * 2**20)})
        self.assertEqual({p["unit"] for p in self.expect(200, "GET", "/people", token=tokens["u"])}, {"Celle"})

    def devices(self, tokens: dict) -> None:
        anna, bernd = self.device(self.anna), self.device(self.bernd)
        self.expect(400, "GET", "/devices", query="?user=x@y@z")
        self.expect(200, "GET", "/devices/{id}/wipe", anna)
        self.expect(400, "GET", "/devices/{id}/wipe", "x")
        self.expect(403, "GET", "/devices/{id}/wipe", bernd, token=tokens["u"])
        for word, given in (("suspend", "suspended"), ("resume", "active"), ("revoke", "revoked")):
            self.expect(400, "POST", f"/devices/{{id}}/{word}", "x")
        self.expect(400, "POST", "/devices/{id}/revoke", anna, body={"why": "ohne Grund"})
        ida = self.device(self.member("ida"))
        self.expect(404, "GET", "/devices/{id}/revocation", ida)
        for word, state in (("suspend", "suspended"), ("resume", "active"), ("revoke", "revoked")):
            done = self.expect(200, "POST", f"/devices/{{id}}/{word}", ida, body={"reason": "lost", "why": "Probe"})
            self.assertEqual(done["state"], state)
            self.complete(done["order"])
        self.expect(403, "POST", "/devices/{id}/suspend", ida)
        self.expect(200, "GET", "/devices/{id}/revocation", ida)
        self.expect(400, "GET", "/devices/{id}/revocation", "x")

    def orders(self, tokens: dict) -> None:
        bernd = self.device(self.bernd)
        order = self.expect(201, "POST", "/revocations", body={"kind": "suspend", "devices": [bernd], "why": "Probe"})
        self.complete(order["id"])
        self.expect(403, "GET", "/revocations/{id}", order["id"], token=tokens["u"])
        self.expect(403, "GET", "/devices/{id}/revocation", bernd, token=tokens["u"])
        self.expect(403, "POST", "/revocations", body={"kind": "reinstate", "devices": [bernd]}, token=tokens["u"])
        self.complete(self.expect(201, "POST", "/revocations", body={"kind": "reinstate", "devices": [bernd]})["id"])
        self.expect(200, "GET", "/revocations/{id}", order["id"])
        self.expect(404, "GET", "/revocations/{id}", 999_999)
        self.expect(400, "GET", "/revocations/{id}", "x")
        self.expect(400, "GET", "/revocations", query="?before=x")
        self.expect(400, "POST", "/revocations", body={"kind": "burn", "devices": [bernd]})
        self.expect(404, "POST", "/revocations", body={"kind": "suspend", "users": ["n.niemand@polizei.example"]})

    def approvals(self) -> None:
        """Also of somebody who is shut out since their device waits: refused, and said what to do first."""
        heinz, second, address = self.member("heinz"), self.world.agent("heinz-zwei"), OTHERS["heinz"][0]
        self.complete(self.gateway.admin("revoke", self.device(heinz), "--reason", "lost")["id"])
        self.assertEqual(self.world.enrol(second, address).status, 5)
        waiting = next(w["device"] for w in self.expect(200, "GET", "/approvals") if w["address"] == address)
        self.expect(400, "POST", "/devices/{id}/approve", "x")
        self.expect(404, "POST", "/devices/{id}/approve", NO_DEVICE)
        self.complete(self.gateway.admin("revoke", "--user", address, "--reason", "left")["id"])
        self.assertTrue(next(w["shut_out"] for w in self.expect(200, "GET", "/approvals") if w["device"] == waiting))
        with self.assertRaises(Refused) as caught:
            self.gateway.admin("devices", "approve", waiting)
        self.assertIn("admin reinstate --user", caught.exception.text)
        self.expect(403, "POST", "/devices/{id}/approve", waiting)
        self.complete(self.gateway.admin("reinstate", "--user", address)["id"])
        self.assertEqual(self.expect(200, "POST", "/devices/{id}/approve", waiting)["state"], "approved")
        self.ok(second.run("enrol", "--provisioning", self.world.provisioning, address))

    def groups(self) -> None:
        group = self.ok(self.anna.run("group", "create", "--title", "Probe", "--with", "Meyer, Gifhorn"))["conversation"]
        self.expect(200, "GET", "/groups/{id}", group)
        self.expect(400, "GET", "/groups/{id}", "x")
        self.expect(404, "GET", "/groups/{id}", "0" * 32)
        self.expect(403, "POST", "/groups/{id}/administrator", group, body={"address": ROSTER["bernd"][0]})
        self.expect(404, "POST", "/groups/{id}/administrator", "0" * 32, body={"address": ROSTER["bernd"][0]})
        self.expect(400, "POST", "/groups/{id}/administrator", group, body={"address": "x@y@z"})

    def administrators(self) -> None:
        one = {"name": "vertrag", "address": ROSTER["clara"][0], "role": "help_desk", "units": ["Celle"]}
        token = self.expect(201, "POST", "/administrators", body=one)["token"]
        self.assertEqual(self.expect(200, "GET", "/self", token=token)["units"], ["Celle"])
        self.expect(409, "POST", "/administrators", body=one)
        self.expect(400, "POST", "/administrators", body={**one, "role": "king"})
        self.expect(404, "POST", "/administrators", body={**one, "name": "anders", "units": ["Nirgends"]})
        self.expect(200, "DELETE", "/administrators/{name}", "vertrag")
        self.expect(404, "DELETE", "/administrators/{name}", "vertrag")
        self.expect(401, "GET", "/self", token=token)
