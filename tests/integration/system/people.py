"""A world with people in it, for tests: servers up, organisation made, the named people enrolled and offline."""
import json
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "tools"), str(ROOT / "scripts" / "demo.d")]
from harness.build import Build  # noqa: E402
from harness.processes import Supervisor, wait_until  # noqa: E402
from harness.world import World  # noqa: E402
sys.path.insert(0, str(Path(__file__).resolve().parent))
from people_roster import ROSTER, write_roster  # noqa: E402


class WorldTest(unittest.TestCase):
    """One world for all tests of a class; each test uses texts of its own."""
    PEOPLE = ("anna", "bernd")
    WORLD = World

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="nimes-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.supervisor = Supervisor(cls.folder / "logs")
        cls.addClassCleanup(cls.supervisor.stop_all)
        cls.world = cls.WORLD(cls.folder, Build(), cls.supervisor)
        cls.world.start()
        cls.gateway = cls.world.gateway
        cls.gateway.admin("org", "create", "--name", "Polizei", "--domain", ROSTER["anna"][0].split("@")[1])
        for unit in sorted({row[3] for row in ROSTER.values()}):
            cls.gateway.admin("unit", "create", "--name", unit)
        write_roster(cls.folder / "roster.csv", ROSTER.values())
        cls.gateway.admin("roster", "import", cls.folder / "roster.csv")
        for name in cls.PEOPLE:
            agent = cls.world.agent(name)
            outcome = cls.world.enrol(agent, ROSTER[name][0])
            assert outcome.status == 0, outcome.err
            setattr(cls, name, agent)

    def tearDown(self):
        for agent in self.world.agents.values():
            agent.offline()

    def texts(self, agent) -> list:
        """What watch shows of others' texts, in the order shown."""
        return [event["text"] for event in agent.events() if event.get("kind") == "text" and not event["own"]]

    def wait_texts(self, agent, wanted: list, seconds: float = 60) -> list:
        """Until all of `wanted` are shown; answers those of them that were, in order, with repeats."""
        def shown():
            return [text for text in self.texts(agent) if text in wanted]
        wait_until(lambda: set(wanted) <= set(shown()), f"{len(wanted)} texts at {agent.name}", seconds, self.supervisor)
        return shown()

    def ok(self, outcome) -> dict:
        self.assertEqual(outcome.status, 0, outcome.err + outcome.out)
        return outcome.last()


__all__ = ["ROOT", "ROSTER", "World", "WorldTest", "json", "unittest", "wait_until"]
