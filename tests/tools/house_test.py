#!/usr/bin/python3
"""The rules of the house, held by a test: see CONTRIBUTING.md.

- no source file is longer than 400 lines;
- a room includes only what stands below it (ROOMS repeats the table of CONTRIBUTING.md);
- the tests that SECURITY.md names exist under their names;
- every step of the two paths in ARCHITECTURE.md names files, they exist, and each opens by saying which step it is.

    house_test.py [House|Steps|Threats|Rules]
"""
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 400
SOURCES = {".cpp", ".hpp", ".h", ".c", ".py", ".proto", ".cmake", ".sh", ".bash", ".ts", ".js"}
NOT_OURS = {".git", "build", "node_modules", "vectors", "corpus", "vendor", "__pycache__"}

# room -> the rooms it may include besides itself and schemas; None: every room of its program
FOUNDATION = {"store", "audit", "broker", "http", "operations"}
ROOMS = {
    "gateway": {
        **{room: set() for room in FOUNDATION},
        "audit": {"store"},
        "rights": FOUNDATION - {"broker"},
        **{room: FOUNDATION for room in ("directory", "enrolment", "mailbox", "media", "wake", "shares")},
        **{room: FOUNDATION | {"rights"} for room in ("admin", "revocation")},
        "app": None,
        "cli": None,
    },
    "device-agent": {
        "sealing": set(),
        **{room: {"sealing"} for room in ("conversation", "directory", "container", "media", "transport")},
        "engine": None,
        "cli": None,
    },
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
STEP = re.compile(r"^(\d+)\. (.*(?:\n(?!\d+\. |\n|#).*)*)", re.MULTILINE)
PATHS = ("The path of a message", "The path of a photo")


def sources(root: Path):
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if NOT_OURS.isdisjoint(inside.parts) and path.is_file() and (
                path.suffix in SOURCES or path.name == "run" or path.parent.name == "scripts"):
            yield inside


def too_long(root: Path) -> list:
    lengths = ((path, len((root / path).read_bytes().splitlines())) for path in sources(root))
    return [f"{path}: {length} lines, at most {MAX_LINES}" for path, length in lengths if length > MAX_LINES]


def refused_include(path: Path, target: str):
    """Why `path` may not include `target`; None if it may."""
    if target.startswith("../") or "/../" in target:
        return "include by the path from the program's folder"
    if target.startswith("nimes/"):
        return None
    program = path.parts[0]
    if program == "schemas":
        return None if "/" not in target else "schemas include nothing else of ours"
    if program == "broker-plugins":
        return None if "/" not in target or target.split("/")[0] == path.parts[1] else "the plugin includes schemas alone"
    rooms = ROOMS.get(program)
    if rooms is None:
        return None
    room = path.parts[1]
    other = target.split("/")[0]
    if room not in rooms:
        return None if path.parts[1:2] == (path.name,) or room == "include" else f"'{room}' is no room of {program}"
    if "/" not in target or other == room:
        return None
    if other not in rooms:
        return f"'{other}' is no room of {program}"
    allowed = rooms[room]
    return None if allowed is None or other in allowed else f"{room} stands beside or below {other}"


def wrong_includes(root: Path) -> list:
    out = []
    for path in sources(root):
        if path.suffix in {".cpp", ".hpp", ".h"} and path.parts[0] in {"schemas", "broker-plugins", *ROOMS}:
            for target in INCLUDE.findall((root / path).read_text(encoding="utf-8")):
                if why := refused_include(path, target):
                    out.append(f'{path}: "{target}": {why}')
    return out


def path_sections(text: str) -> dict:
    """title -> [(number, text)] of the numbered lists under the two headings."""
    out = {}
    for title in PATHS:
        found = re.search(rf"^#+ (?:\d+ )?{title}\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
        out[title] = [(int(n), body) for n, body in STEP.findall(found.group(1))] if found else []
    return out


def broken_steps(root: Path) -> list:
    out = []
    for title, steps in path_sections((root / "ARCHITECTURE.md").read_text(encoding="utf-8")).items():
        if [number for number, _ in steps] != list(range(1, len(steps) + 1)) or not steps:
            out.append(f"{title}: no steps, or not numbered from 1")
        for number, body in steps:
            files = [Path(name) for name in re.findall(r"`([\w./-]+/[\w.-]+\.\w+)`", body)]
            if not files:
                out.append(f"{title}, step {number}: names no file")
            for file in files:
                if not (root / file).is_file():
                    out.append(f"{title}, step {number}: no file {file}")
                elif not re.search(rf"\bstep {number}\b", opening(root / file), re.IGNORECASE):
                    out.append(f"{title}, step {number}: {file} does not open with its step")
    return out


def missing_tests(root: Path, text: str) -> list:
    """What the threat table's last column names, `file` "beginning of a name", and is not there."""
    rows = re.findall(r'^\|.*\| `([\w./-]+)` "([^"]+)" \|$', text, re.MULTILINE)
    gone = [f"{file}: {name}" for file, name in rows
            if not (root / file).is_file() or name not in (root / file).read_text(encoding="utf-8")]
    return gone if rows else ["no table"]


def opening(path: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8").splitlines()[:12])


class House(unittest.TestCase):
    def test_no_file_is_too_long(self):
        self.assertEqual(too_long(ROOT), [])

    def test_arrows_point_down(self):
        self.assertEqual(wrong_includes(ROOT), [])


class Steps(unittest.TestCase):
    def test_every_step_is_in_the_file_it_names(self):
        self.assertEqual(broken_steps(ROOT), [])


class Threats(unittest.TestCase):
    def test_every_threat_has_its_test(self):
        text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
        table = text[text.index("## Threats"):text.index("Not held by a test")]
        self.assertEqual(missing_tests(ROOT, table), [])
        self.assertEqual(table.count('" |\n'), table.count("\n| ") - 1, "a row names no test")
        self.assertEqual(len(missing_tests(ROOT, '| x | `SECURITY.md` "' + "Z" * 9 + '" |')), 1)
        self.assertEqual(len(missing_tests(ROOT, '| x | `tests/nowhere.py` "a" |')), 1)


class Rules(unittest.TestCase):
    """The rules themselves refuse what they should."""

    def test_includes(self):
        cases = {
            ("gateway/mailbox/a.cpp", "store/store.hpp"): True,
            ("gateway/mailbox/a.cpp", "mailbox/b.hpp"): True,
            ("gateway/mailbox/a.cpp", "nimes/token.hpp"): True,
            ("gateway/mailbox/a.cpp", "directory/people.hpp"): False,
            ("gateway/mailbox/a.cpp", "app/wiring.hpp"): False,
            ("gateway/mailbox/a.cpp", "../directory/people.hpp"): False,
            ("gateway/store/a.cpp", "operations/log.hpp"): False,
            ("gateway/app/a.cpp", "directory/people.hpp"): True,
            ("gateway/main.cpp", "app/daemon.hpp"): True,
            ("gateway/attic/a.cpp", "store/store.hpp"): False,
            ("device-agent/sealing/a.cpp", "container/store.hpp"): False,
            ("device-agent/media/a.cpp", "sealing/chain.hpp"): True,
            ("device-agent/media/a.cpp", "container/store.hpp"): False,
            ("device-agent/engine/a.cpp", "container/store.hpp"): True,
            ("broker-plugins/identity/a.cpp", "gateway/store/store.hpp"): False,
            ("schemas/src/a.cpp", "store/store.hpp"): False,
        }
        for (path, target), allowed in cases.items():
            self.assertEqual(refused_include(Path(path), target) is None, allowed, (path, target))

    def test_steps_are_found_with_their_lines(self):
        text = "## The path of a message\n\n1. *a*: `x/a.cpp`\n   and `x/b.cpp`\n2. *b*\n\n## The path of a photo\n1. c\n"
        sections = path_sections(text)
        self.assertEqual([number for number, _ in sections["The path of a message"]], [1, 2])
        self.assertIn("x/b.cpp", sections["The path of a message"][0][1])
        self.assertEqual(len(sections["The path of a photo"]), 1)


if __name__ == "__main__":
    unittest.main()
