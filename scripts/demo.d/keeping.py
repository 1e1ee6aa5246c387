"""--keep and --stop: a world that outlives the demo, and its end."""
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

FILE = "running.json"


def started(pid: int):
    """When the kernel started this process, in ticks since boot: a pid alone may have been given to another since."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except OSError:
        return None


def leave(stage) -> None:
    world, report = stage.world, stage.report
    running = [{"name": child.name, "pid": child.pid, "started": started(child.pid)}
               for child in stage.supervisor.children]
    (stage.folder / FILE).write_text(json.dumps(running))
    report.line("")
    report.say("everything is left running:")
    report.say(f"metrics  {world.operations_url}/metrics")
    report.say(f"health   {world.operations_url}/livez and /readyz?verbose")
    report.say(f"API      {world.gateway_url}/v1/status   (CA: {world.certificates / 'ca.crt'})")
    report.say(f"homes    {stage.folder / 'homes'}")
    for name, agent in world.agents.items():
        report.say(f"         {name}: passphrase {agent.passphrase}")
    report.say(f"end it   scripts/demo --stop {stage.folder}")


def stop(folder: Path) -> int:
    try:
        running = json.loads((folder / FILE).read_text())
    except (OSError, json.JSONDecodeError) as error:
        print(f"error: nothing was left running in {folder}: {error}", file=sys.stderr)
        return 1
    for number, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
        alive = [one for one in running if one["started"] and started(one["pid"]) == one["started"]]
        for one in reversed(alive):
            os.killpg(one["pid"], number)
        until = time.monotonic() + seconds
        while any(started(one["pid"]) == one["started"] for one in alive) and time.monotonic() < until:
            time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)
    print(f"stopped {len(running)} processes, removed {folder}")
    return 0
