#!/usr/bin/python3
"""Runs Google Benchmark programs and puts each row beside its peer.

A benchmark named ROW is ours, one named ROW/peer/PEER is what it is measured against. Each program runs its benchmarks
several times in random order, and the quickest run of each counts: what it costs when nobody else uses the machine. A
row without a peer, or one that failed, ends with exit status 1: half a table would be read as a whole one.
"""
import argparse
import json
import subprocess
import sys


def measure(program: str, seconds: float, repetitions: int) -> dict:
    """Row, or row/peer/name -> least time in nanoseconds: CPU time of the thread, of all threads, or elapsed."""
    command = [program, "--benchmark_format=json", f"--benchmark_min_time={seconds}",
               f"--benchmark_repetitions={repetitions}", "--benchmark_enable_random_interleaving=true"]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
    times = {}
    for line in report["benchmarks"]:
        if line.get("error_occurred"):
            raise ValueError(f"{line['name']}: {line.get('error_message', 'failed')}")
        if line["run_type"] == "iteration":
            to_ns = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[line["time_unit"]]
            name, clock = line["run_name"], "cpu_time"
            if name.endswith("/real_time"):
                clock = "real_time"
            name = row_name(name)
            time = line[clock] * to_ns
            times[name] = min(time, times.get(name, time))
    return times


def row_name(run_name: str) -> str:
    """Without what Google Benchmark appends: arguments, and which clock was read."""
    parts = run_name.split("/")
    kept = 3 if len(parts) > 2 and parts[1] == "peer" else 1
    return "/".join(parts[:kept])


def pair(times: dict) -> list:
    """Rows in the order of their names. ValueError where one stands alone."""
    ours = {name: value for name, value in times.items() if "/peer/" not in name}
    rows = []
    for name, value in times.items():
        if "/peer/" not in name:
            continue
        row, peer = name.split("/peer/", 1)
        if row not in ours:
            raise ValueError(f"peer '{peer}' has no row '{row}'")
        rows.append({"name": row, "unit": "ns", "value": round(ours[row], 1), "peer": peer,
                     "peer_value": round(value, 1), "ratio": round(ours[row] / value, 3)})
    alone = sorted(set(ours) - {row["name"] for row in rows})
    if alone:
        raise ValueError(f"without a peer: {', '.join(alone)}")
    return sorted(rows, key=lambda row: row["name"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    parser.add_argument("--seconds", type=float, default=0.1, help="least time for each measurement")
    parser.add_argument("--repetitions", type=int, default=7)
    options = parser.parse_args()
    try:
        times = {}
        for program in options.programs:
            times.update(measure(program, options.seconds, options.repetitions))
        rows = pair(times)
    except (OSError, ValueError, KeyError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for row in rows:
        print(f"{row['name']:<24} {row['value']:>12.0f} ns   {row['peer']:<36} {row['peer_value']:>12.0f} ns"
              f"   ratio {row['ratio']:.2f}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump(rows, out, indent=2)
            out.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
