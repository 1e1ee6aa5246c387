#!/usr/bin/python3
"""Takes the rule out that guards against an attack, and sees the attack's test fail.

    attack_mutations.py --list                 rows of FORMATS.md 2.14 and what is taken out for each
    attack_mutations.py --check                every text to be replaced is in the tree, and every row is covered
    attack_mutations.py --row NAME [--row …]   these rows; without --row and the above: all of them

Nothing of this tree is changed: it is copied, and the copy is built with and without each rule. --folder keeps the copy
for the next time; --prefix stands before each build command (a lock, nice). Ends with status 1 when a test passes
without its rule, when a copy does not build, or when a text is no longer found.
"""
import argparse
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from attack_mutations_list import LATER, MUTATIONS  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "unit" / "device-agent" / "attacks"
TARGET = "agent_attacks_test"


def table_rows() -> list:
    text = (ROOT / "schemas" / "FORMATS.md").read_text(encoding="utf-8")
    table = re.search(r"^### 2\.14 .*?\n(.*?)^### ", text, re.MULTILINE | re.DOTALL).group(1)
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    return rows[1:]  # without the heading


def test_names() -> list:
    return [name for path in sorted(TESTS.glob("*.cpp"))
            for name in re.findall(r'^TEST_CASE\("([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE)]


def not_found(root: Path) -> list:
    """Edits whose text is not exactly once in its file."""
    out = []
    for row, edits in MUTATIONS:
        for file, text, _ in edits:
            path = root / file
            found = path.read_text(encoding="utf-8").count(text) if path.is_file() else 0
            if found != 1:
                out.append(f"{row}: {file} has this text {found} times, not once: {text!r}")
    return out


def uncovered() -> list:
    rows, tests, mutated = table_rows(), test_names(), {row for row, _ in MUTATIONS}
    out = [f"no test for the row '{row}'" for row in rows if row not in tests and row not in LATER]
    out += [f"no row for the test '{test}'" for test in tests if test not in rows]
    out += [f"no rule is taken out for '{test}'" for test in tests if test not in mutated]
    out += [f"'{row}' has a test, and stands among those for later" for row in LATER if row in tests]
    out += [f"'{row}' stands among those for later, and in no row" for row in LATER if row not in rows]
    return out


class Copy:
    def __init__(self, folder: Path, prefix: list):
        self.folder, self.prefix = folder, prefix
        files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
        for name in files.decode().split("\0")[:-1]:
            source, target = ROOT / name, folder / name
            if not source.is_file():
                continue
            if target.is_file() and target.read_bytes() == source.read_bytes():
                continue  # keeps its time, so that it is not built again
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            target.chmod(source.stat().st_mode)
        self.build = folder / "build" / "dev"
        if not (self.build / "build.ninja").is_file():
            self.run(["cmake", "--preset", "dev"], "configures")

    def run(self, command: list, what: str):
        done = subprocess.run([*self.prefix, *command], cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"the copy no longer {what}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")

    def make(self):
        self.run(["cmake", "--build", str(self.build), "--target", TARGET], "builds")

    def passes(self, row: str) -> bool:
        name = re.sub(r"([,\[\]\\])", r"\\\1", row)
        done = subprocess.run([self.build / "tests" / "unit" / TARGET, name], cwd=self.build, capture_output=True,
                              check=False)  # what a failed test prints need not be text
        if b"No test cases matched" in done.stdout + done.stderr:
            raise SystemExit(f"no test is named '{row}'")
        return done.returncode == 0

    def without(self, edits: list, row: str) -> str:
        """How the row's test does without the rule."""
        kept = {file: (self.folder / file).read_text(encoding="utf-8") for file, _, _ in edits}
        try:
            for file, text, replacement in edits:
                path = self.folder / file
                path.write_text(path.read_text(encoding="utf-8").replace(text, replacement), encoding="utf-8")
            self.make()
            return "PASSES WITHOUT ITS RULE" if self.passes(row) else "seen to fail"
        except SystemExit as error:
            return f"DOES NOT BUILD: {error}\n"
        finally:
            for file, text in kept.items():
                (self.folder / file).write_text(text, encoding="utf-8")


def try_all(chosen: list, folder: Path, prefix: list) -> int:
    copy = Copy(folder, prefix)
    copy.make()
    failed = 0
    for row, edits in chosen:
        what = ", ".join(f"{file}: {text.strip().splitlines()[0]}" for file, text, _ in edits)
        outcome = copy.without(edits, row)
        failed += outcome != "seen to fail"
        print(f"{outcome:<24} {row}  ({what})", flush=True)
    copy.make()
    for row in dict.fromkeys(row for row, _ in chosen):
        if not copy.passes(row):
            failed += 1
            print(f"FAILS WITH ITS RULE      {row}", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--row", action="append", default=[])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--prefix", default="")
    args = parser.parse_args()
    if args.list:
        for row, edits in MUTATIONS:
            print(row)
            for file, text, replacement in edits:
                print(f"    {file}\n      - {text.strip()}\n      + {replacement.strip()}")
        for row, why in LATER.items():
            print(f"{row}\n    no test yet: {why}")
        return 0
    problems = not_found(ROOT) + uncovered()
    print("\n".join(problems), end="\n" if problems else "")
    if problems or args.check:
        return 1 if problems else 0
    unknown = [row for row in args.row if row not in {row for row, _ in MUTATIONS}]
    if unknown:
        print(f"no such row: {unknown[0]}; --list shows them")
        return 2
    chosen = [item for item in MUTATIONS if not args.row or item[0] in args.row]
    if args.folder:
        args.folder.mkdir(parents=True, exist_ok=True)
        return 1 if try_all(chosen, args.folder.resolve(), shlex.split(args.prefix)) else 0
    with tempfile.TemporaryDirectory() as folder:
        return 1 if try_all(chosen, Path(folder), shlex.split(args.prefix)) else 0


if __name__ == "__main__":
    sys.exit(main())
