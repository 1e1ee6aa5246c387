#!/usr/bin/python3
"""The demo: seven steps, each printed and checked. scripts/demo builds first and then runs this; see its --help."""
import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "tools"))
import keeping  # noqa: E402
import messages  # noqa: E402
import people  # noqa: E402
import revocation  # noqa: E402
import secrecy  # noqa: E402
import servers  # noqa: E402
from harness.build import Build  # noqa: E402
from harness.gateway import Refused  # noqa: E402
from harness.processes import Died, Supervisor, TimedOut  # noqa: E402
from report import CheckFailed, Report  # noqa: E402

EXPECTED = (CheckFailed, Died, TimedOut, Refused, FileNotFoundError, KeyError, subprocess.SubprocessError)


class Stage:
    """What the steps share: the world, the people in it, what must stay secret, what was measured."""

    def __init__(self, report: Report, folder: Path, supervisor: Supervisor, photo: Path | None):
        self.report, self.folder, self.supervisor, self.photo = report, folder, supervisor, photo
        self.build = Build()
        self.secrets = {}  # name -> bytes that no server may ever see

    def keep_secret(self, name: str, value) -> None:
        self.secrets[name] = value.encode() if isinstance(value, str) else bytes(value)


def steps(stage: Stage) -> None:
    servers.start(stage)              # 1
    people.organise(stage)            # 2
    people.enrol(stage)               # 3
    messages.talk(stage)              # 4
    secrecy.prove(stage)              # 5
    revocation.revoke(stage)          # 6
    stage.report.step(7, "What was measured")
    stage.report.table()


def interrupted(*_):
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running")
    parser.add_argument("--photo", type=Path, metavar="FILE", help="send this JPEG")
    parser.add_argument("--stop", type=Path, metavar="FOLDER", help="end what --keep left running there")
    options = parser.parse_args()
    if options.stop:
        return keeping.stop(options.stop)
    if options.photo and not options.photo.is_file():
        parser.error(f"{options.photo} is no file")
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)

    report = Report()
    folder = Path(tempfile.mkdtemp(prefix="nimes-demo-"))
    supervisor = Supervisor(folder / "logs", detached=options.keep)
    held = False
    try:
        stage = Stage(report, folder, supervisor, options.photo and options.photo.resolve())
        steps(stage)
        supervisor.all_alive()
        report.end()
        held = True
        if options.keep:
            keeping.leave(stage)
        return 0
    except EXPECTED as error:
        if not isinstance(error, CheckFailed):
            report.failed(f"{type(error).__name__}: {error}")
        return 1
    except KeyboardInterrupt:
        report.failed("interrupted")
        return 130
    except Exception:  # a bug of the demo itself
        traceback.print_exc()
        return 1
    finally:
        if not (held and options.keep):
            supervisor.stop_all()
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
