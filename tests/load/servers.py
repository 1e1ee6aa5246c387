"""What a load test stands on: a broker, with or without our plugin, and a gateway whose directory holds devices already.

    PlainBroker   Mosquitto alone: the peer of the benchmarks
    Prepared      Mosquitto with the plugin and the gateway, devices made by nimes-load-accounts before it starts

Both use the same listener options; TLS is on or off for both alike. cpu() is what the servers spent so far.
"""
import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

from harness.build import ROOT, Build  # noqa: E402
from harness.gateway import Gateway  # noqa: E402
from harness.processes import Child, Ports, Supervisor, answers, wait_until  # noqa: E402

ORGANISATION = "polizei-load"
BROKER_NAME = "edge-1"

# As tests/tools/harness/broker.py has them, and why; only the listener and the plugin come and go.
CONFIGURATION = """\
per_listener_settings false
allow_anonymous {anonymous}
{persistence}
user {user}
listener {port} {address}
{tls}
set_tcp_nodelay true
max_keepalive 600
max_packet_size 98304
max_inflight_messages 20
max_queued_messages 1000
allow_duplicate_messages true
retain_available false
sys_interval 1
log_dest stderr
log_type error
log_type warning
{plugin}
"""
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(child: Child) -> float:
    fields = Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_kib(child: Child) -> int:
    for line in Path(f"/proc/{child.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def disk_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def make_certificates(folder: Path, host: str) -> None:
    subprocess.run(["/usr/bin/python3", ROOT / "tests/tools/make_ca.py", folder, "broker", "gateway", "--also",
                    f"IP:{host}"], check=True, stdout=subprocess.DEVNULL)


class PlainBroker:
    """`certificates` is a folder of make_certificates(), None: no TLS. `saving`: autosave on every change."""

    def __init__(self, supervisor: Supervisor, folder: Path, certificates=None, saving: bool = False,
                 plugin: str = "", environment=None, port: int = 0, address: str = "127.0.0.1"):
        folder.mkdir(parents=True, exist_ok=True)
        self.supervisor, self.folder, self.environment = supervisor, folder, environment
        ports = Ports()
        self.port = port or ports.release(ports.reserve())
        self.url = f"mqtts://{address}:{self.port}"
        self.address = address
        self.ca = certificates / "ca.crt" if certificates else None
        tls = (f"certfile {certificates}/broker.crt\nkeyfile {certificates}/broker.key\ntls_version tlsv1.2"
               if certificates else "")
        persistence = (f"persistence true\npersistence_location {folder}/\nautosave_on_changes true\n"
                       "autosave_interval 1" if saving else "persistence false")
        self.configuration = folder / "mosquitto.conf"
        self.configuration.write_text(CONFIGURATION.format(
            anonymous="false" if plugin else "true", persistence=persistence, user=pwd.getpwuid(os.getuid()).pw_name,
            port=self.port, address=address, tls=tls, plugin=plugin))

    def start(self) -> Child:
        self.child = self.supervisor.start("mosquitto" if self.environment is not None else "mosquitto-plain",
                                           ["mosquitto", "-c", self.configuration], env=self.environment)
        wait_until(lambda: answers(self.port), "answer of Mosquitto", watch=self.supervisor)
        return self.child

    def stop(self) -> None:
        self.supervisor.stop(self.child)


class Prepared:
    """Call prepare(), then start(). `rate`: packets a second that the plugin allows a device; its default is 20.
    `host`: where devices reach the servers; elsewhere than on loopback these listen on every address, or on `listen`."""

    def __init__(self, supervisor: Supervisor, build: Build, folder: Path, tls: bool = True, rate: int = 20,
                 host: str = "127.0.0.1", listen: str = ""):
        self.host = host
        self.listen = listen or (host if host == "127.0.0.1" else "0.0.0.0")
        self.supervisor, self.build, self.folder, self.rate = supervisor, build, folder, rate
        self.certificates = folder / "certificates"
        self.accounts = folder / "devices.accounts"
        self.tls = tls
        self.gateway = Gateway(supervisor, build, folder / "gateway")
        self.ports = Ports()
        self.port = {name: self.ports.reserve() for name in ("broker", "gateway", "operations")}
        self.broker_url = f"mqtts://{host}:{self.port['broker']}"

    def prepare(self, people: int, devices_each: int = 1) -> dict:
        make_certificates(self.certificates, self.host)
        self.gateway.init(ORGANISATION, self.settings())
        return self.fill("--people", people, "--devices-each", devices_each, "--out", self.accounts)

    def fill(self, *words) -> dict:
        """Runs nimes-load-accounts on the gateway's folder, while no gateway runs."""
        done = subprocess.run(
            [str(word) for word in (self.build.program("nimes-load-accounts"), "--gateway", self.gateway.folder,
                                    "--organisation", ORGANISATION, *words)],
            check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def settings(self) -> dict:
        return {
            "http.listen": f"{self.listen}:{self.port['gateway']}",
            "http.public_url": f"https://{self.host}:{self.port['gateway']}",
            "http.certificate": str(self.certificates / "gateway.crt"),
            "http.key": str(self.certificates / "gateway.key"),
            "http.ca": str(self.certificates / "ca.crt"),
            "operations.listen": f"127.0.0.1:{self.port['operations']}",
            "broker.name": BROKER_NAME,
            "broker.url": self.broker_url,
            # The address in the tokens stays; only the way there is another, and without TLS if so wanted.
            "broker.dial": f"{'mqtts' if self.tls else 'tcp'}://127.0.0.1:{self.port['broker']}",
            "broker.ca": str(self.certificates / "ca.crt"),
            "smtp.url": "smtp://127.0.0.1:25",  # nobody enrols here
            "smtp.sender": "nimes@load.example",
        }

    def plugin(self) -> str:
        keys = self.gateway.folder / "keys"
        options = {
            "organisation": ORGANISATION,
            "broker": BROKER_NAME,
            "audience": self.broker_url,
            "gateway_key": (keys / "gateway.pub").read_text().strip(),
            "directory_key": (keys / "directory.pub").read_text().strip(),
            "snapshot": self.folder / "broker" / "mirror.snapshot",
            "rate_per_second": self.rate,
            "rate_burst": max(200, 10 * self.rate),
        }
        return "\n".join([f"plugin {self.build.plugin()}"] +
                         [f"plugin_opt_{name} {value}" for name, value in options.items()])

    def start(self) -> None:
        self.broker = PlainBroker(self.supervisor, self.folder / "broker", self.certificates if self.tls else None,
                                  plugin=self.plugin(), environment=self.build.plugin_environment(),
                                  port=self.ports.release(self.port["broker"]), address=self.listen)
        self.broker.start()
        self.start_gateway()

    def start_gateway(self) -> None:
        for name in ("gateway", "operations"):
            if self.port[name] in self.ports.held:
                self.ports.release(self.port[name])
        self.gateway.start(self.port["operations"])

    def cpu(self) -> dict:
        return {"mosquitto": cpu_seconds(self.broker.child), "gateway": cpu_seconds(self.gateway.child)}

    def stop(self) -> None:
        self.supervisor.stop(self.gateway.child)
        self.supervisor.stop(self.broker.child)


class SwarmFailed(Exception):
    """nimes-swarm ended with an error, or found something lost."""


def swarm(build: Build, verb: str, broker: PlainBroker, *words, accounts: Path = None, audience: str = "",
          seconds: float = 300, checked: bool = True, hold=None) -> dict:
    """What nimes-swarm reported. With `checked` a run that lost or doubled something raises SwarmFailed. `hold` is
    called once all devices are connected, and its answer reported as "held"; then standard input ends."""
    command = [build.program("nimes-swarm"), verb, "--broker", f"127.0.0.1:{broker.port}", *words]
    if broker.ca:
        command += ["--ca", broker.ca]
    if accounts:
        command += ["--accounts", accounts, "--audience", audience or broker.url]
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        said = process.stderr.readline()  # "connected …", or what is wrong
        held = hold() if hold else None
        out, err = process.communicate(timeout=seconds)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    report = json.loads(out) if out.strip() else {}
    if process.returncode != 0 and (checked or not report):
        raise SwarmFailed(f"nimes-swarm {verb}: exit status {process.returncode}: {(said + err).strip()} "
                          f"{json.dumps(report.get('counts', {}))}")
    report.update(exit_status=process.returncode, held=held)
    return report
