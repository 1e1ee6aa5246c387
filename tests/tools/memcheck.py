#!/usr/bin/python3
"""Reads what memcheck wrote of brokers under attack, one XML file each, and says what it means for us.

    memcheck.py FOLDER

Anything but a leak fails, in whoever's code: a broker that reads freed memory because of what our plugin told it is ours
to mend. A leak fails where the plugin is in its stack; Mosquitto's own are counted and named. A broker that a test killed
has a report without an end, whose errors count as well.
"""
import collections
import sys
import xml.etree.ElementTree as tree
from pathlib import Path

PLUGIN = "nimes_identity.so"


class Verdict:
    def __init__(self):
        self.ours = collections.Counter()
        self.others = collections.Counter()


def errors(file: Path):
    parser = tree.XMLPullParser(events=("end",))
    try:
        parser.feed(file.read_bytes())
        for _, element in parser.read_events():
            if element.tag == "error":
                yield element
    except tree.ParseError:  # killed in the middle of an error: those before it were whole
        return


def judge(error, verdict: Verdict) -> None:
    kind = error.findtext("kind", "?")
    frames = error.findall("stack/frame")
    ours = not kind.startswith("Leak_") or any(PLUGIN in frame.findtext("obj", "") for frame in frames)
    names = [frame.findtext("fn") or Path(frame.findtext("obj", "?")).name for frame in frames]
    what = f"{kind}: {' < '.join(names[:6])}"
    (verdict.ours if ours else verdict.others)[what] += 1


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 0 if "--help" in sys.argv else 2
    verdict, files = Verdict(), sorted(Path(sys.argv[1]).glob("*.xml"))
    for file in files:
        for error in errors(file):
            judge(error, verdict)
    for what, count in verdict.ours.most_common():
        print(f"memcheck: {count} × {what}")
    for what, count in verdict.others.most_common():
        print(f"memcheck: {count} × {what} (not in the plugin)")
    print(f"memcheck: {len(files)} brokers, {sum(verdict.ours.values())} errors, "
          f"{sum(verdict.others.values())} leaks of others")
    return 1 if verdict.ours or not files else 0


if __name__ == "__main__":
    sys.exit(main())
