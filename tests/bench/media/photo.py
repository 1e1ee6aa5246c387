#!/usr/bin/python3
"""A photo of 12 megapixels on loopback: prepared, sealed, uploaded and its message accepted, by the real programs.

Asked for over the home's socket, as a front end does it. The median counts; aim: 600 ms. Exit status 1 when it could not
be measured: a photo was not accepted, or its bytes never reached the gateway. An aim that is missed is shown.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "network"), str(ROOT / "tests" / "tools")]
from people import Build, Supervisor, World  # noqa: E402

AIM_MS = 600


def send(anna, bernd, photo: Path) -> float:
    began = time.monotonic()
    answer = anna.ask("send", to=bernd.name, file=str(photo), variant="original", wait_ms=60_000)
    if not answer["accepted"]:
        raise RuntimeError(f"a photo is not accepted: {answer}")
    return 1_000 * (time.monotonic() - began)


def measure(build: Path, folder: Path, count: int) -> tuple:
    with Supervisor(folder / "logs") as supervisor:
        world = World(supervisor, Build(build), folder, rate=1_000)
        world.open()
        anna, bernd = world.enrol("anna"), world.enrol("bernd")
        anna.online()
        times, size, sent = [], 0, 0
        for n in range(count + 1):
            photo = folder / f"{n}.jpg"
            subprocess.run(["/usr/bin/python3", ROOT / "tests/tools/make_photo.py", photo, "--size", "4000x3000", "--grain",
                            "--seed", str(n)], check=True, stdout=subprocess.DEVNULL)
            size = photo.stat().st_size
            sent += size
            times.append(send(anna, bernd, photo))
        received = world.gateway.metric("nimes_upload_received_bytes_total")
        if received < sent / 2:  # turning it and leaving things out may save some
            raise RuntimeError(f"of {sent} bytes of photos {received:.0f} were uploaded")
        return times[1:], size  # the first looks people up and opens the chain


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--count", type=int, default=7)
    parser.add_argument("--json", type=Path, help="the row is added to the list in this file")
    options = parser.parse_args()
    if options.count < 1:
        parser.error("at least one photo")
    try:
        with tempfile.TemporaryDirectory(prefix="nimes-photo-") as folder:
            times, size = measure(options.build, Path(folder), options.count)
    except Exception as error:  # whatever stood in the way: there is no figure
        print(f"error: the photo was not measured: {error}", file=sys.stderr)
        return 1
    middle = sorted(times)[len(times) // 2]
    met = middle <= AIM_MS
    print(f"photo of {size / 1e6:.1f} MB, prepared, sealed, uploaded, accepted: {middle:.0f} ms "
          f"({min(times):.0f} to {max(times):.0f}), aim {AIM_MS} {'' if met else 'MISSED'}")
    if options.json:
        earlier = json.loads(options.json.read_text()) if options.json.exists() else []
        row = {"name": "photo of 12 megapixels", "unit": "ms", "value": round(middle, 1), "goal": AIM_MS, "met": met,
               "detail": {"bytes": size, "all_ms": [round(t, 1) for t in times]}}
        options.json.write_text(json.dumps(earlier + [row], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
