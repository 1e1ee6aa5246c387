#!/usr/bin/python3
"""The harness ends what it started, notices what dies, and configures what it should."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "tools"), str(ROOT / "scripts" / "demo.d")]
from harness.agent import Outcome  # noqa: E402
from harness.gateway import set_keys  # noqa: E402
from harness.mail import CODE  # noqa: E402
from harness.processes import Died, Ports, Supervisor, TimedOut, answers, wait_until  # noqa: E402
import keeping  # noqa: E402
import report  # noqa: E402


def exists(pid: int) -> bool:
    return keeping.started(pid) is not None


class Processes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_leaving_ends_children_and_their_children(self):
        with Supervisor(self.folder) as supervisor:
            child = supervisor.start("parent", ["sh", "-c", "sleep 600 & echo $!; wait"])
            wait_until(lambda: child.out.read_text().endswith("\n"), "pid")
            grandchild = int(child.out.read_text())
        self.assertFalse(child.alive())
        wait_until(lambda: not exists(grandchild) or "Z" in Path(f"/proc/{grandchild}/stat").read_text(), "end")

    def test_a_child_that_ignores_sigterm_is_killed(self):
        import harness.processes
        self.addCleanup(setattr, harness.processes, "GRACE_SECONDS", harness.processes.GRACE_SECONDS)
        harness.processes.GRACE_SECONDS = 0.2
        with Supervisor(self.folder) as supervisor:
            child = supervisor.start("deaf", ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"])
            wait_until(lambda: child.out.read_text(), "ready")
        self.assertEqual(child.process.returncode, -signal.SIGKILL)

    def test_children_die_with_a_supervisor_that_is_killed(self):
        script = ("import sys; sys.path.insert(0, sys.argv[1])\nfrom pathlib import Path\n"
                  "from harness.processes import Supervisor\nimport time\n"
                  "print(Supervisor(Path(sys.argv[2])).start('orphan', ['sleep', '600']).pid, flush=True)\ntime.sleep(600)")
        parent = subprocess.Popen([sys.executable, "-c", script, ROOT / "tests/tools", self.folder],
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(parent.stdout.close)
        orphan = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        wait_until(lambda: not exists(orphan) or "Z" in Path(f"/proc/{orphan}/stat").read_text(), "end of the orphan")

    def test_a_death_is_noticed_with_the_end_of_the_log(self):
        with Supervisor(self.folder) as supervisor:
            supervisor.start("short", ["sh", "-c", "echo why it died >&2; exit 3"])
            with self.assertRaisesRegex(Died, "short ended with 3:\n.*why it died"):
                wait_until(lambda: False, "anything", 20, supervisor)

    def test_waiting_has_an_end(self):
        with self.assertRaisesRegex(TimedOut, "no rain"):
            wait_until(lambda: False, "rain", 0.05)

    def test_ports_are_distinct_and_free_once_released(self):
        ports = Ports()
        reserved = {ports.reserve() for _ in range(20)}
        self.assertEqual(len(reserved), 20)
        self.assertFalse(any(answers(ports.release(port)) for port in reserved))

    def test_stop_ends_what_was_left_running_and_nobody_else(self):
        supervisor = Supervisor(self.folder / "logs", detached=True)
        left, other = (supervisor.start(name, ["sleep", "600"]) for name in ("left", "other"))
        self.addCleanup(supervisor.stop, other)
        lines = [{"name": "left", "pid": left.pid, "started": keeping.started(left.pid)},
                 {"name": "reused pid", "pid": other.pid, "started": "1"}]
        folder = self.folder / "demo"
        folder.mkdir()
        (folder / keeping.FILE).write_text(json.dumps(lines))
        stopper = subprocess.Popen([sys.executable, ROOT / "scripts/demo.d/demo.py", "--stop", folder],
                                   stdout=subprocess.DEVNULL)
        self.assertEqual(left.process.wait(30), -signal.SIGTERM)
        self.assertEqual(stopper.wait(30), 0)
        self.assertTrue(other.alive())
        self.assertFalse(folder.exists())


class Texts(unittest.TestCase):
    def test_keys_are_set_in_their_section_and_unknown_ones_refused(self):
        toml = "# nimes\n[http]\n# where\nlisten = \"a\"\n# ca = \"\"\n[smtp]\nlisten = 1\n"
        out = set_keys(toml, {"http.listen": "127.0.0.1:1", "http.ca": "/x", "smtp.listen": 2})
        self.assertEqual(out, "# nimes\n[http]\n# where\nlisten = \"127.0.0.1:1\"\nca = \"/x\"\n[smtp]\nlisten = 2\n")
        for name in ("http.port", "ftp.listen", "listen"):
            with self.assertRaises(KeyError):
                set_keys(toml, {name: 1})

    def test_the_code_is_found_and_prose_is_not(self):
        self.assertEqual(CODE.search("Your code is below.\n\n    ABCD-EFGH\n\nIt lives for 30 minutes.\n").group(1),
                         "ABCD-EFGH")
        self.assertEqual(CODE.search("Your code: 48151623\n").group(1), "48151623")
        self.assertIsNone(CODE.search("No code is in here. It expired in 2026\n"))

    def test_an_outcome_reads_json_lines_only(self):
        outcome = Outcome(0, 'Code: {"a": 1}\n{"b": 2}\nprose\n{"c": 3}\n', "")
        self.assertEqual(outcome.lines(), [{"b": 2}, {"c": 3}])
        self.assertEqual(outcome.last(), {"c": 3})

    def test_a_failed_check_ends_the_demo(self):
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            out = report.Report(nowhere)
            out.check("one", True)
            with self.assertRaises(report.CheckFailed):
                out.check("two", [])
            self.assertEqual(out.checks, 2)


if __name__ == "__main__":
    unittest.main()
