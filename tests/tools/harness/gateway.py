"""nimes-gateway: made, configured, run and administered as an operator would, by its command line alone."""
import json
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from .build import Build
from .processes import Child, Supervisor, wait_until


def set_keys(toml: str, values: dict) -> str:
    """Sets "section.key" in a commented TOML file; KeyError for a key that the file does not show."""
    lines = toml.splitlines()
    for name, value in values.items():
        section, key = name.rsplit(".", 1) if "." in name else ("", name)
        here, at = "", None
        for number, line in enumerate(lines):
            if header := re.match(r"\s*\[([\w.-]+)\]", line):
                here = header.group(1)
            elif here == section and re.match(rf"\s*#?\s*{re.escape(key)}\s*=", line):
                at = number
        if at is None:
            raise KeyError(f"gateway.toml shows no {name}")
        lines[at] = f"{key} = {json.dumps(value)}"  # strings, numbers, booleans, lists: the same in both
    return "\n".join(lines) + "\n"


class Refused(Exception):
    """A command ended with another status than 0."""

    def __init__(self, command: str, status: int, text: str):
        super().__init__(f"{command}: exit status {status}: {text.strip()}")
        self.status, self.text = status, text


class Gateway:
    def __init__(self, supervisor: Supervisor, build: Build, folder: Path):
        self.supervisor, self.folder = supervisor, folder
        self.program = build.program("nimes-gateway")
        self.configuration = folder / "gateway.toml"

    def command(self, *words) -> str:
        done = subprocess.run([self.program, *map(str, words)], capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Refused(f"nimes-gateway {words[0]}", done.returncode, done.stderr or done.stdout)
        return done.stdout

    def init(self, organisation: str, settings: dict) -> None:
        self.command("init", "--dir", self.folder, "--organisation", organisation)
        self.configuration.write_text(set_keys(self.configuration.read_text(), settings))

    def provision(self, file: Path) -> None:
        self.command("provision", "--config", self.configuration, "--out", file)

    def admin(self, *words):
        """The answer of `admin … --json`: its object or list; a list too where each line is an object."""
        out = self.command("admin", "--config", self.configuration, *words, "--json")
        try:
            return json.loads(out or "null")
        except json.JSONDecodeError:
            return [json.loads(line) for line in out.splitlines() if line.strip()]

    def start(self, operations_port: int) -> Child:
        self.operations = f"http://127.0.0.1:{operations_port}"
        self.child = self.supervisor.start("gateway", [self.program, "run", "--config", self.configuration])
        wait_until(self.ready, "/readyz of the gateway", 60, self.supervisor)
        return self.child

    def fetch(self, path: str) -> tuple:
        """Status and body of a page of the operations listener; (0, "") while nothing answers."""
        try:
            with urllib.request.urlopen(self.operations + path, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def ready(self) -> bool:
        return self.fetch("/readyz")[0] == 200

    def metric(self, name: str) -> float:
        """Sum of all series of that name; KeyError where there is none."""
        values = [float(line.rsplit(" ", 1)[1]) for line in self.fetch("/metrics")[1].splitlines()
                  if re.match(rf"{re.escape(name)}(?:\{{| )", line)]
        if not values:
            raise KeyError(name)
        return sum(values)
