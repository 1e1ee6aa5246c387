"""A running tls_tap.py: where clients connect, and what has passed through it so far."""
import json
from pathlib import Path

from .build import ROOT
from .processes import Supervisor

TOOL = ROOT / "tests" / "tools" / "tls_tap.py"


class Tap:
    def __init__(self, supervisor: Supervisor, captures: Path, name: str, upstream: int, certificates: Path, port: int):
        self.files = {way: captures / f"{name}.{way}" for way in ("up", "down")}
        self.lines = captures / f"{name}.connections"
        self.child, self.port = supervisor.start_with_port(
            f"tap-{name}", ["/usr/bin/python3", TOOL, captures, "--name", name, "--upstream", f"127.0.0.1:{upstream}",
                            "--ca", certificates / "ca.crt", "--cert", certificates / f"{name}.crt",
                            "--key", certificates / f"{name}.key", "--port", port])

    def passed(self) -> int:
        """Bytes inside TLS, both ways, all connections."""
        return sum(path.stat().st_size for path in self.files.values())

    def closed(self) -> list:
        """Connections that ended, in the order in which they did."""
        text = self.lines.read_text()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]
