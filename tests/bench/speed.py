#!/usr/bin/python3
"""The speed of the whole system beside plain Mosquitto, one row after the other (tests/bench/run --help).

Both sides are loaded by the same client (nimes-swarm: one process, one thread, the same codec and connections), on the
same machine, in turns; without TLS on both, but for revocation and admission (shut_out.py, admission.py). Each row is {name,
unit, value, peer, peer_value, ratio, aim, met, detail}.
"""
import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from rows import our_world, plain_world, row
from servers import Build, Prepared, Supervisor, SwarmFailed, cpu_seconds, disk_bytes, rss_kib, swarm

from admission import admission
from shut_out import revocation

PAIRS = 50
WINDOW = 20
BYTES = 240


def shares(before: dict, after: dict, delivered: int) -> dict:
    """Microseconds of CPU for each message that was delivered, by process."""
    return {name: round(1e6 * (after[name] - before[name]) / max(1, delivered), 1) for name in before}


def peer_pairs(build, broker, seconds, *words) -> dict:
    before = cpu_seconds(broker.child)
    report = swarm(build, "plain", broker, "--pairs", PAIRS, "--bytes", BYTES, "--warm", 1, "--seconds", seconds, *words)
    report["broker_cpu_seconds"] = cpu_seconds(broker.child) - before
    return report


def our_pairs(world, seconds, *words) -> dict:
    before = world.cpu()
    report = swarm(world.build, "run", world.broker, "--devices", 2 * PAIRS, "--bytes", BYTES, "--warm", 1, "--seconds",
                   seconds, *words, accounts=world.accounts, audience=world.broker_url)
    report["cpu_us_per_message"] = shares(before, world.cpu(), report["counts"]["delivered"])
    report["cpu_us_per_message"]["client"] = round(1e6 * report["cpu_seconds"] / report["counts"]["delivered"], 1)
    return report


def throughput(build, folder) -> list:
    """50 senders, 50 receivers, 20 messages under way each, one in a packet; ours synced before it is accepted."""
    with our_world(build, folder, "ours", 2 * PAIRS) as world, plain_world(build, folder, "plain") as plain:
        first = peer_pairs(build, plain, 3, "--window", WINDOW)
        ours = our_pairs(world, 6, "--window", WINDOW)
        second = peer_pairs(build, plain, 3, "--window", WINDOW)
    with plain_world(build, folder, "saving", saving=True) as saving:
        saved = peer_pairs(build, saving, 3, "--window", WINDOW, "--durable")
    value = min(ours["window"]["accepted_per_second"], ours["window"]["delivered_per_second"])
    rates = [report["window"]["delivered_per_second"] for report in (first, second)]
    detail = {"accepted_per_second": round(ours["window"]["accepted_per_second"]),
              "delivered_per_second": round(ours["window"]["delivered_per_second"]),
              "accept_ms": ours["accept_ms"], "cpu_us_per_message": ours["cpu_us_per_message"],
              "counts": ours["counts"], "peer_runs_per_second": [round(rate) for rate in rates]}
    return [row("throughput", "msg/s", value, "Mosquitto QoS 1, volatile", sum(rates) / 2, 0.35, True, detail),
            row("throughput", "msg/s", value, "Mosquitto autosave_on_changes", saved["window"]["delivered_per_second"],
                15, True, {"peer": "durable subscriber sessions, saved with each change, not synced"})]


def latency(build, folder) -> list:
    """100 messages a second over 50 pairs, all online: handed to the network → at the receiver; ours synced."""
    rate = ("--rate", 100)
    with our_world(build, folder, "ours", 2 * PAIRS) as world, plain_world(build, folder, "plain") as plain:
        peer = peer_pairs(build, plain, 5, *rate)
        ours = our_pairs(world, 10, *rate)
    out = []
    for name, aim_ms in (("p50", 3), ("p99", 15)):
        value, other = ours["deliver_ms"][name], peer["deliver_ms"][name]
        line = row(f"latency {name}", "ms", value, "Mosquitto QoS 1, volatile", other, 0, False,
                   {"accept_ms": ours["accept_ms"], "deliver_ms": ours["deliver_ms"]})
        line.update(aim=f"< {aim_ms} ms", met=value < aim_ms)
        out.append(line)
    return out


def fanout(build, folder) -> list:
    """One message to 10,000 connected devices (7 of each person) until the last has it, median of 5."""
    devices = 9_996
    with plain_world(build, folder, "plain") as plain:
        peer = swarm(build, "plain", plain, "--workload", "fanout", "--pairs", devices, "--messages", 5, "--window", 20,
                     "--bytes", BYTES)
    with our_world(build, folder, "ours", devices // 7, 7) as world:
        empty = rss_kib(world.gateway.child)
        idle = swarm(build, "run", world.broker, "--workload", "idle", "--warm", 1, "--seconds", 2, "--patience", 120,
                     accounts=world.accounts, audience=world.broker_url, hold=lambda: rss_kib(world.gateway.child))
        ours = swarm(build, "run", world.broker, "--workload", "fanout", "--messages", 5, "--warm", 3, "--patience",
                     120, accounts=world.accounts, audience=world.broker_url)
    line = row("fan-out", "ms", ours["fanout"]["last_ms"], "Mosquitto, as many publishes", peer["fanout"]["last_ms"], 3,
               False, {"ours": ours["fanout"], "peer": peer["fanout"], "devices": devices,
                       "connects_per_second": round(ours["connects_per_second"])})
    grown = (idle["held"] - empty) / devices
    memory = row("memory", "KiB", grown, "aim, a connected device", 1, 1, False,
                 {"gateway_rss_kib": [empty, idle["held"]], "connected": idle["connected"]})
    return [line, memory]


def start(build, folder) -> list:
    """1 million waiting entries: how long the gateway takes until it is ready, and what an entry takes on disk."""
    entries = 1_000_000
    with Supervisor(folder / "logs") as supervisor:
        world = Prepared(supervisor, build, folder / "ours", tls=False)
        world.prepare(1_000, 1)
        before = disk_bytes(world.gateway.folder / "store")
        made = world.fill("--accounts", world.accounts, "--waiting", entries)
        grown = disk_bytes(world.gateway.folder / "store") - before
        world.start()
        world.supervisor.stop(world.gateway.child)
        began = time.monotonic()
        world.start_gateway()
        took = time.monotonic() - began
    return [row("start, 1 million waiting", "s", took, "aim", 3, 1, False, made),
            row("waiting entry on disk", "bytes", grown / made["entries"], "aim", 200, 1, False,
                {"store_grew_bytes": grown, "entries": made["entries"]})]


ROWS = {"throughput": throughput, "latency": latency, "fanout": fanout, "start": start, "revocation": revocation,
        "admission": admission}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--row", action="append", choices=sorted(ROWS))
    parser.add_argument("--json", type=Path, help="rows are added to the list in this file")
    options = parser.parse_args()
    rows, failed = [], False
    for name in options.row or ROWS:
        with tempfile.TemporaryDirectory(prefix="nimes-bench-") as folder:
            try:
                made = ROWS[name](Build(options.build), Path(folder))
            except (SwarmFailed, OSError, KeyError) as error:
                print(f"error: {name}: {error}", file=sys.stderr)
                failed = True
                continue
        for line in made:
            print(f"{line['name']:<24} {line['value']:>12.6g} {line['unit']:<6} {line['peer']:<30} "
                  f"{line['peer_value']:>10.6g}   ratio {line['ratio']:.3f}   aim {line['aim']} "
                  f"{'met' if line['met'] else 'NOT met'}", flush=True)
        rows += made
    if options.json:
        earlier = json.loads(options.json.read_text()) if options.json.exists() else []
        options.json.write_text(json.dumps(earlier + rows, indent=2, ensure_ascii=False) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
