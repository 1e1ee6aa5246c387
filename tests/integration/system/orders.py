"""What the gateway says of its orders to shut out and to let in, for tests."""
from people import ROSTER, WorldTest, json, wait_until
from people_roster import write_roster

OF_REVOKE = ["recorded", "tokens_refused", "broker_told", "broker_obeyed", "requests_cut", "mailbox_destroyed",
             "seal_keys_destroyed", "share_deleted", "wipe_ordered", "chains_listed"]

OTHERS = {
    "dora": ("d.dorn@polizei.example", "Dorn, Dora", "PK", "Celle"),
    "emil": ("e.ernst@polizei.example", "Ernst, Emil", "PK", "Celle"),
    "frieda": ("f.frei@polizei.example", "Frei, Frieda", "PK", "Celle"),
    "gustav": ("g.groth@polizei.example", "Groth, Gustav", "PK", "Celle"),
    "heinz": ("h.hahn@polizei.example", "Hahn, Heinz", "PK", "Celle"),
    "ida": ("i.ihde@polizei.example", "Ihde, Ida", "PK", "Celle"),
    "jan": ("j.jung@polizei.example", "Jung, Jan", "PK", "Celle"),
}


class OrdersTest(WorldTest):
    def device(self, agent) -> str:
        return self.ok(agent.run("status"))["device"]

    def order(self, number: int) -> dict:
        return self.gateway.admin("revocations", number)

    def complete(self, number: int) -> dict:
        wait_until(lambda: self.order(number)["complete"], f"order {number}", 60, self.supervisor)
        return self.order(number)

    def orders_on(self, device: str) -> list:
        """Numbers of the orders that name this device."""
        return [o["id"] for o in self.gateway.admin("revocations")
                if any(t.get("device") == device for t in self.order(o["id"])["targets"])]

    def audited(self, what: str, device: str) -> int:
        lines = self.gateway.command("admin", "--config", self.gateway.configuration, "audit", "export").splitlines()
        file = self.folder / "audit.jsonl"
        file.write_text("".join(line + "\n" for line in lines))
        self.assertTrue(self.gateway.admin("audit", "verify", file)["sound"])
        acts = [json.loads(line) for line in lines[:-1]]
        return sum(1 for a in acts if a["what"] == what and device in a["whom"].get("devices", []))

    def restart(self):
        self.supervisor.kill(self.gateway.child)
        self.gateway.start(self.world.port["operations"])

    def state(self, device: str) -> str:
        return next(line["state"] for line in self.gateway.admin("devices", "list") if line["device"] == device)

    def revoked_once(self, number: int, device: str, wipe: bool = True) -> dict:
        """The order is complete; its record shows each step once, and there is no other order nor audited act."""
        done = self.complete(number)
        self.assertEqual([s["step"] for s in done["steps"]], [s for s in OF_REVOKE if wipe or s != "wipe_ordered"])
        for step in done["steps"]:
            self.assertTrue(step["done"], step)
        self.assertEqual((done["kind"], done["devices"]), ("revoke", 1))
        self.assertEqual(self.orders_on(device), [number])
        self.assertEqual(self.audited("revoke", device), 1)
        self.assertEqual(self.state(device), "revoked")
        return done


class WithOthers(OrdersTest):
    """Anna and Bernd have handsets; OTHERS stand in the roster, and enrol when a test wants them."""
    PEOPLE = ("anna", "bernd")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_roster(cls.folder / "all.csv", [*ROSTER.values(), *OTHERS.values()])
        cls.gateway.admin("roster", "import", cls.folder / "all.csv")

    def member(self, name: str):
        agent = self.world.agent(name)
        self.ok(self.world.enrol(agent, OTHERS[name][0]))
        return agent
