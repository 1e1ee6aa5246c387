"""Two people on a nimes of their own: `anna` behind the bad link, `bernd` beside the servers. Real agents, enrolled by
mail over the clean link; what they are told goes over the socket of their homes, as any front end would."""
import csv
import json
import os
import secrets
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "load"))

from servers import Build, Prepared, Supervisor, wait_until  # noqa: E402

from harness.agent import Agent  # noqa: E402
from harness.mail import Mailbox  # noqa: E402

ROSTER = {"anna": ("a.meyer@polizei.example", "Meyer, Anna"), "bernd": ("b.meyer@polizei.example", "Meyer, Bernd")}


class World(Prepared):
    """`host` is where handsets reach the servers. Call open(), then enrol()."""

    def open(self) -> None:
        self.mail = Mailbox(self.supervisor, self.folder / "mails")
        from servers import ORGANISATION, make_certificates
        make_certificates(self.certificates, self.host)
        settings = {**self.settings(), "smtp.url": f"smtp://127.0.0.1:{self.mail.port}",
                    "policy.device_hold_seconds": 0}
        self.gateway.init(ORGANISATION, settings)
        self.provisioning = self.folder / "handset.provisioning"
        self.gateway.provision(self.provisioning)
        self.start()
        self.gateway.admin("org", "create", "--name", "Polizei", "--domain", "polizei.example")
        self.gateway.admin("unit", "create", "--name", "Celle")
        with open(self.folder / "roster.csv", "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(("address", "name", "rank", "unit"))
            out.writerows((address, name, "PK", "Celle") for address, name in ROSTER.values())
        self.gateway.admin("roster", "import", self.folder / "roster.csv")

    def enrol(self, name: str, program: Path = None) -> "Person":
        agent = Agent(self.supervisor, self.build, self.folder / "homes" / name, name, secrets.token_urlsafe(18))
        agent.program = program or agent.program
        address = ROSTER[name][0]
        before = len(self.mail.mails(address))
        outcome = agent.enrol(self.provisioning, address, lambda: self.mail.code(address, before))
        if outcome.status != 0:
            raise RuntimeError(f"{name} is not enrolled: {outcome.err}")
        return Person(agent)


class Person:
    def __init__(self, agent: Agent):
        self.agent = agent
        self.name = ROSTER[agent.name][1]
        self.read_to, self.seen = 0, {}
        self.conversation = ""

    def online(self) -> None:
        self.read_to = 0
        self.agent.online()

    def come_online(self) -> None:
        """Starts `watch`, and does not wait for anything."""
        self.read_to = 0
        descriptor = self.agent.open_passphrase()
        self.agent.watcher = self.agent.supervisor.start(
            f"agent-{self.agent.name}", self.agent.words(descriptor, "watch"), pass_fds=(descriptor,))
        os.close(descriptor)

    def offline(self) -> None:
        self.agent.offline()

    def ask(self, verb: str, **arguments) -> dict:
        """The last line of the answer."""
        request = {"id": secrets.token_hex(16), "verb": verb, "arguments": arguments,
                   "passphrase": self.agent.passphrase.encode().hex()}
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(600)
            line.connect(str(self.agent.home / "agent.sock"))
            line.sendall(json.dumps(request).encode() + b"\n")
            for answer in line.makefile():
                said = json.loads(answer)
                if "error" in said:
                    raise RuntimeError(f"{verb}: {said['error']}")
                if "result" in said:
                    return said["result"]
        raise RuntimeError(f"{verb}: the agent went away")

    def say(self, to: "Person", text: str, wait_ms: int = 0) -> float:
        """When it was asked for. The conversation is named once it is known, as a front end does: a person's name is
        looked up in the directory each time."""
        began = time.monotonic()
        self.ask("send", to=self.conversation or to.name, text=text, wait_ms=wait_ms)
        return began

    def look(self) -> dict:
        """text → when `watch` was first seen to show it, of others' texts."""
        path = self.agent.watcher.out
        with open(path, "rb") as file:
            file.seek(self.read_to)
            new = file.read()
        new = new[:new.rfind(b"\n") + 1]
        self.read_to += len(new)
        now = time.monotonic()
        for line in new.splitlines():
            event = json.loads(line)
            if event.get("kind") == "text" and not event["own"]:
                self.seen.setdefault(event["text"], now)
                self.conversation = event["conversation"]
        return self.seen

    def wait_for(self, texts, seconds: float, what: str) -> None:
        wait_until(lambda: all(text in self.look() for text in texts), f"{what} at {self.name}", seconds,
                   self.agent.supervisor)
