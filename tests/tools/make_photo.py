#!/usr/bin/python3
"""Makes a real JPEG as a camera would: a picture with EXIF, a position, a serial number and a time of capture.

The picture is fractal noise from --seed, so its bytes do not compress and each seed gives another picture.
With --json the metadata that must never leave the handset is printed: position, artist, serial number, comment.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

POSITION = (52.6226, 10.0815)  # the castle of Celle


def make_photo(path: Path, size: str, seed: int, grain: bool = False) -> dict:
    marks = {"artist": f"Photographer-{seed:08}", "serial": f"SN-{seed:010}", "comment": f"Fundort hinter dem Haus {seed}"}
    subprocess.run(["convert", "-size", size, "-seed", str(seed), "plasma:fractal",
                    *(["-attenuate", "0.8", "+noise", "Gaussian"] if grain else []), "-quality", "88", f"jpeg:{path}"],
                   check=True, capture_output=True)
    latitude, longitude = POSITION
    subprocess.run(
        ["exiftool", "-q", "-overwrite_original", f"-GPSLatitude={latitude}", "-GPSLatitudeRef=N",
         f"-GPSLongitude={longitude}", "-GPSLongitudeRef=E", "-DateTimeOriginal=2026:11:23 10:15:30",
         "-Make=Example", "-Model=Service Phone", f"-Artist={marks['artist']}", f"-SerialNumber={marks['serial']}",
         f"-Comment={marks['comment']}", str(path)],
        check=True, capture_output=True)
    return {"file": str(path), "bytes": path.stat().st_size, "latitude": latitude, "longitude": longitude, **marks}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--size", default="2048x1536", help="WIDTHxHEIGHT (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--grain", action="store_true", help="as of a sensor: about 5 MB for 12 megapixels")
    parser.add_argument("--json", action="store_true", help="print what was written into it")
    options = parser.parse_args()
    try:
        made = make_photo(options.file, options.size, options.seed, options.grain)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
