"""Another clock for one process, by Debian's libfaketime."""
from pathlib import Path

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


def moved_clock(build, shift: str, boot: bool = False) -> dict:
    """Environment of a process whose clock is `shift` ("+7d", "-1h") away; with `boot` the one since boot, too."""
    sanitizers = build.plugin_environment().get("LD_PRELOAD", "")  # want to be first
    return {"LD_PRELOAD": f"{sanitizers}:{FAKETIME}".lstrip(":"), "FAKETIME": shift,
            "FAKETIME_DONT_FAKE_MONOTONIC": "0" if boot else "1"}
