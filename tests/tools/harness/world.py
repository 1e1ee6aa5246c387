"""A whole nimes on one machine: CA, mail server, Mosquitto with the plugin, gateway, and a tap before each server.

Clients connect to the taps, which is where the public addresses point; so all that passes between anybody and a server
is captured once TLS is off. World.start() brings the servers up in order; agents are made by agent(). Everything lives
in one folder and ends with the supervisor.
"""
import os
import secrets
import subprocess
from pathlib import Path

from .agent import Agent
from .broker import Broker
from .build import ROOT, Build
from .gateway import Gateway
from .mail import Mailbox
from .processes import Ports, Supervisor, answers, wait_until
from .tap import Tap

ORGANISATION = "polizei-nds"
BROKER_NAME = "edge-1"


class World:
    def __init__(self, folder: Path, build: Build, supervisor: Supervisor):
        self.folder, self.build, self.supervisor = folder, build, supervisor
        self.certificates = folder / "certificates"
        self.captures = folder / "captures"
        self.provisioning = folder / "handset.provisioning"
        self.agents = {}
        self.ports = Ports()
        names = ("broker", "gateway", "operations", "broker_tap", "gateway_tap")
        self.port = {name: self.ports.reserve() for name in names}
        self.broker_url = f"mqtts://127.0.0.1:{self.port['broker_tap']}"
        self.gateway_url = f"https://127.0.0.1:{self.port['gateway_tap']}"
        self.operations_url = f"http://127.0.0.1:{self.port['operations']}"

    def make_certificates(self) -> None:
        subprocess.run(["/usr/bin/python3", ROOT / "tests/tools/make_ca.py", self.certificates, "broker", "gateway"],
                       check=True)

    def start_mail(self) -> None:
        self.mail = Mailbox(self.supervisor, self.folder / "mails")

    def make_gateway(self) -> None:
        self.gateway = Gateway(self.supervisor, self.build, self.folder / "gateway")
        self.gateway.init(ORGANISATION, self.gateway_settings())
        self.gateway.provision(self.provisioning)

    def gateway_settings(self) -> dict:
        """What differs from the gateway.toml that `init` writes."""
        return {
            "http.listen": f"127.0.0.1:{self.port['gateway']}",
            "http.public_url": self.gateway_url,
            "http.certificate": str(self.certificates / "gateway.crt"),
            "http.key": str(self.certificates / "gateway.key"),
            "http.ca": str(self.certificates / "ca.crt"),
            "operations.listen": f"127.0.0.1:{self.port['operations']}",
            "broker.name": BROKER_NAME,
            "broker.url": self.broker_url,
            "broker.ca": str(self.certificates / "ca.crt"),
            "smtp.url": f"smtp://127.0.0.1:{self.mail.port}",
            "smtp.sender": "nimes@polizei.example",
            "policy.device_hold_seconds": 0,
        }

    def plugin_options(self) -> dict:
        keys = self.gateway.folder / "keys"
        return {
            "organisation": ORGANISATION,
            "broker": BROKER_NAME,
            "audience": self.broker_url,
            "gateway_key": (keys / "gateway.pub").read_text().strip(),
            "directory_key": (keys / "directory.pub").read_text().strip(),
            "snapshot": self.folder / "broker" / "mirror.snapshot",
        }

    def start_servers(self) -> None:
        for name in ("broker", "gateway"):
            self.ports.release(self.port[f"{name}_tap"])
        self.broker_tap = Tap(self.supervisor, self.captures, "broker", self.port["broker"], self.certificates,
                              self.port["broker_tap"])
        self.gateway_tap = Tap(self.supervisor, self.captures, "gateway", self.port["gateway"], self.certificates,
                               self.port["gateway_tap"])
        self.broker = Broker(self.supervisor, self.build, self.folder / "broker", self.certificates,
                             self.ports.release(self.port["broker"]), self.plugin_options())
        self.broker.start()
        for name in ("gateway", "operations"):
            self.ports.release(self.port[name])
        self.gateway.start(self.port["operations"])
        wait_until(lambda: answers(self.port["gateway"]), "answer of the gateway", watch=self.supervisor)

    def start(self) -> None:
        self.make_certificates()
        self.start_mail()
        self.make_gateway()
        self.start_servers()

    def agent(self, name: str) -> Agent:
        """A new handset with a home and a passphrase of its own."""
        agent = Agent(self.supervisor, self.build, self.folder / "homes" / name, name, secrets.token_urlsafe(18))
        self.agents[name] = agent
        return agent

    def enrol(self, agent: Agent, address: str):
        """Types the code from the next mail to this address."""
        before = len(self.mail.mails(address))
        return agent.enrol(self.provisioning, address, lambda: self.mail.code(address, before))

    def dump_store(self, out: Path) -> None:
        """Every key and value of the gateway's RocksDB, read while the gateway runs."""
        with open(out, "wb") as file:
            subprocess.run([self.build.program("nimes-store-dump"), self.gateway.folder / "store"], check=True,
                           stdout=file, timeout=300)

    def container_keys(self, agent: Agent, shares_key: Path = None) -> list:
        """(name, bytes) of every secret in a handset's container, opened with its passphrase and the gateway's share, which
        lies in the store under shares_key (the gateway's own, unless another one is named)."""
        shares_key = shares_key or self.gateway.folder / "keys" / "shares.key"
        dump = self.folder / "shares.dump"
        self.dump_store(dump)
        descriptor = agent.open_passphrase()
        try:
            done = subprocess.run([self.build.program("nimes-container-keys"), agent.home, "--passphrase-fd",
                                   str(descriptor), dump, shares_key], check=True, text=True, capture_output=True,
                                  pass_fds=(descriptor,))
        finally:
            os.close(descriptor)
            dump.unlink()
        lines = (line.split("\t") for line in done.stdout.splitlines())  # NAME<TAB>hex<TAB>DIGITS
        return [(name, bytes.fromhex(digits)) for name, _, digits in lines]

    def logs(self) -> list:
        """What the servers said of themselves; the taps' and agents' logs are none of a server's business."""
        return [self.supervisor.logs / f"{name}.{kind}" for name in ("gateway", "mosquitto") for kind in ("log", "out")]
