"""Asks the process that owns an agent's home, as its command line would (device-agent/cli/VERBS.md), without a process
for each question: that is what makes a hundred thousand messages affordable.

A question whose connection breaks is asked again with the same id, of the next owner, until somebody answers or the
patience ends.
"""
import json
import secrets
import socket
import time
from pathlib import Path


class Failed(Exception):
    """The owner answered with an error."""

    def __init__(self, code: str, detail: str):
        super().__init__(f"{code}: {detail}")
        self.code = code


class NoAnswer(Exception):
    """Nobody answered within the patience."""


class HomeClient:
    def __init__(self, home: Path, passphrase: str):
        self.path, self.passphrase = str(home / "agent.sock"), passphrase.encode().hex()

    def ask(self, verb: str, arguments: dict = None, id: str = None, patience: float = 60) -> tuple:
        """(lines before the last, result)."""
        request = {"id": id or secrets.token_hex(16), "verb": verb, "arguments": arguments or {},
                   "passphrase": self.passphrase}
        line = (json.dumps(request) + "\n").encode()
        until = time.monotonic() + patience
        while (left := until - time.monotonic()) > 0:
            try:
                answer = self._once(line, left)
            except OSError:
                answer = None
            if answer is not None:
                return answer
            time.sleep(0.1)
        raise NoAnswer(f"{verb}: nobody at {self.path} within {patience:g} s")

    def _once(self, line: bytes, left: float):
        lines = []
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(left)
            channel.connect(self.path)
            channel.sendall(line)
            with channel.makefile("rb") as answers:
                for raw in answers:
                    if not raw.endswith(b"\n"):
                        return None  # cut in the middle of a line
                    answer = json.loads(raw)
                    if "line" in answer:
                        lines.append(answer["line"])
                    elif "error" in answer:
                        raise Failed(answer["error"]["code"], answer["error"]["detail"])
                    else:
                        return lines, answer["result"]
        return None
