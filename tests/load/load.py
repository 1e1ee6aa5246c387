#!/usr/bin/python3
"""Starts Mosquitto with the plugin and the gateway on loopback, with so many devices in the directory, and runs
nimes-swarm against them (tests/load/run --help)."""
import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from servers import Build, Prepared, Supervisor, SwarmFailed, rss_kib, swarm

LIMIT = 18_000  # of open files on a common machine there are 20,000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--devices", type=int, default=1_000)
    parser.add_argument("--devices-each", type=int, default=1)
    parser.add_argument("--workload", choices=("pairs", "fanout", "idle"), default="pairs")
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--window", type=int, default=20)
    parser.add_argument("--senders", type=int, default=0)
    parser.add_argument("--messages", type=int, default=5)
    parser.add_argument("--bytes", type=int, default=240)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--patience", type=float, default=120)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--sealed", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--stop-gateway", type=float, default=0)
    parser.add_argument("--restart-broker", action="store_true")
    parser.add_argument("--keep", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not 2 <= options.devices <= LIMIT:
        parser.error(f"--devices: 2 to {LIMIT}")
    if options.workload == "fanout" and options.devices > 3_000 and options.devices_each == 1:
        options.devices_each = 7  # a group's event with everyone in it must fit a packet
    return options


def words(options) -> list:
    out = ["--devices", options.devices, "--workload", options.workload, "--seconds", options.seconds, "--patience",
           options.patience, "--bytes", options.bytes, "--messages", options.messages]
    if options.rate:
        out += ["--rate", options.rate]
    else:
        out += ["--window", options.window]
    if options.senders:
        out += ["--senders", options.senders]
    return out + (["--sealed"] if options.sealed else [])


def disaster(world: Prepared, options):
    """What happens to the servers two seconds after everybody has come; called by swarm(), which goes on meanwhile."""
    def run():
        time.sleep(2)
        if options.stop_gateway:
            os.kill(world.gateway.child.pid, signal.SIGSTOP)
            time.sleep(options.stop_gateway)
            os.kill(world.gateway.child.pid, signal.SIGCONT)
        if options.restart_broker:
            world.supervisor.kill(world.broker.child)
            world.broker.start()
            threading.Event().wait()  # a child dies with the thread that started it (PR_SET_PDEATHSIG)
    if options.stop_gateway or options.restart_broker:
        threading.Thread(target=run, daemon=True).start()


def dropped(world: Prepared) -> dict:
    """What the broker threw away, as its plugin and itself count it and the gateway shows it."""
    with urllib.request.urlopen(f"http://127.0.0.1:{world.port['operations']}/metrics", timeout=30) as page:
        lines = page.read().decode().splitlines()
    wanted = {"nimes_broker_relay_dropped_total": "by the plugin", "nimes_broker_publish_dropped_total": "by Mosquitto"}
    named = [(line.split("{")[0].split()[0], float(line.rsplit(" ", 1)[1])) for line in lines if not line.startswith("#")]
    return {what: int(sum(value for name, value in named if name == metric)) for metric, what in wanted.items()}


def show(report: dict) -> None:
    print(f"devices           {report['connected']} of {report['devices']}, {'TLS' if report['tls'] else 'no TLS'}, "
          f"connected in {report['connect_seconds']:.1f} s ({report['connects_per_second']:.0f}/s)")
    if "window" in report:
        print(f"accepted          {report['window']['accepted_per_second']:.0f}/s")
        print(f"delivered         {report['window']['delivered_per_second']:.0f}/s")
    if "fanout" in report:
        print(f"fan-out           median device {report['fanout']['median_ms']:.0f} ms, last "
              f"{report['fanout']['last_ms']:.0f} ms")
    for name in ("accept", "deliver"):
        times = report[f"{name}_ms"]
        if times["count"]:
            print(f"send → {name + 'ed':<10} p50 {times['p50']:.2f} ms, p99 {times['p99']:.2f} ms, "
                  f"max {times['max']:.1f} ms")
    print("counts            " + ", ".join(f"{name} {value}" for name, value in report["counts"].items() if value))
    print("dropped           " + ", ".join(f"{who} {count}" for who, count in report["dropped"].items()))
    seconds = report["connects_by_second"]
    back = [each for each in seconds if each[0] > seconds[0][0] + report["connect_seconds"] + 1]
    if back:
        print(f"came back         {sum(count for _, count in back)} within {back[-1][0] - back[0][0] + 1} s, at most "
              f"{max(count for _, count in back)} in one second; connected at the end {report['still_connected']}")
    print(f"memory            gateway {report['gateway_rss_kib'] / 1024:.0f} MiB, "
          f"broker {report['broker_rss_kib'] / 1024:.0f} MiB")
    print("CPU seconds       " + ", ".join(f"{name} {value:.1f}" for name, value in report["cpu"].items()))


def main() -> int:
    options = arguments()
    people = -(-options.devices // options.devices_each)
    with tempfile.TemporaryDirectory(prefix="nimes-load-") as folder:
        with Supervisor(Path(folder) / "logs") as supervisor:
            world = Prepared(supervisor, Build(options.build), Path(folder), tls=not options.plain, rate=100_000)
            made = world.prepare(people, options.devices_each)
            print(f"{made['devices']} devices stand in the directory after {made['seconds']:.1f} s", file=sys.stderr)
            began = time.monotonic()
            world.start()
            print(f"gateway ready after {time.monotonic() - began:.1f} s", file=sys.stderr)
            try:
                report = swarm(world.build, "run", world.broker, *words(options), accounts=world.accounts,
                               audience=world.broker_url, checked=False, hold=lambda: disaster(world, options),
                               seconds=3 * options.patience + options.seconds + 60)
            except SwarmFailed as failed:
                print(f"error: {failed}", file=sys.stderr)
                return 1
            report.update(prepared=made, dropped=dropped(world), gateway_rss_kib=rss_kib(world.gateway.child),
                          broker_rss_kib=rss_kib(world.broker.child),
                          cpu=dict(world.cpu(), client=report["cpu_seconds"]))
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return report["exit_status"]


if __name__ == "__main__":
    sys.exit(main())
