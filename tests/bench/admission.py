"""What it costs to let somebody in: TLS connects a second beside Mosquitto's own password file, and the plugin's memory
for the devices of a whole force.

Both brokers run at once, with the same certificate and listener; the same client (nimes-swarm knock) goes to one and the
other in turns, each connect with a TLS handshake of its own. Ours checks a token: one Ed25519 verification, its nonce,
the device's state. The password file has as many users, hashed by mosquitto_passwd as it does by itself (PBKDF2 of
SHA-512, 101 rounds).
"""
import secrets
import subprocess
import time

from rows import limit, our_world, quantile, row
from servers import PlainBroker, SwarmFailed, cpu_seconds, swarm

PEOPLE = 2_000
CONNECTS = 2_000  # of each side in each round: short rounds, so that what others do on the machine meets both alike
ROUNDS = 15
FORCE_PEOPLE, FORCE_DEVICES_EACH = 23_000, 2
MIRROR_ITEM = 68  # bytes of a device in a snapshot


def password_broker(world, folder) -> tuple:
    """Mosquitto with a password file, and the file of its users in the clear for the client."""
    folder.mkdir()
    clear, hashed = folder / "users", folder / "passwords"
    clear.write_text("".join(f"{n:026}:{secrets.token_urlsafe(24)}\n" for n in range(PEOPLE)))
    hashed.write_text(clear.read_text())
    subprocess.run(["mosquitto_passwd", "-U", hashed], check=True, capture_output=True)
    broker = PlainBroker(world.supervisor, folder / "broker", world.certificates,
                         plugin=f"password_file {hashed}")
    broker.start()
    return broker, clear


def knock(build, broker, count, **who) -> dict:
    words = ["--users", who["users"]] if "users" in who else []
    before = cpu_seconds(broker.child)
    report = swarm(build, "knock", broker, "--count", count, *words, accounts=who.get("accounts"),
                   audience=who.get("audience", ""))
    report["broker_us"] = 1e6 * (cpu_seconds(broker.child) - before) / count
    report["client_us"] = 1e6 * report["cpu_seconds"] / count
    return report


def middle(reports: list, name: str) -> float:
    return quantile([report[name] for report in reports], 0.5)


def connects(build, folder) -> list:
    """Client and broker share two cores, and the client needs more of them: so the broker's own CPU time counts, too."""
    with our_world(build, folder, "ours", PEOPLE, tls=True) as world:
        peer, users = password_broker(world, folder / "peer")
        ours_as = {"accounts": world.accounts, "audience": world.broker_url}
        for broker, who in ((peer, {"users": users}), (world.broker, ours_as)):
            knock(build, broker, 500, **who)
        theirs, ours = [], []
        for number in range(ROUNDS):
            for mine in (number % 2 == 0, number % 2 == 1):
                if mine:
                    ours.append(knock(build, world.broker, CONNECTS, **ours_as))
                else:
                    theirs.append(knock(build, peer, CONNECTS, users=users))
    name = "Mosquitto password file, TLS"
    return [row("TLS connects", "1/s", middle(ours, "connects_per_second"), name,
                middle(theirs, "connects_per_second"), 0.85, True, rounds(ours, theirs, "connects_per_second")),
            row("broker CPU, TLS connect", "µs", middle(ours, "broker_us"), name, middle(theirs, "broker_us"), 1 / 0.85,
                False, rounds(ours, theirs, "broker_us"))]


def rounds(ours: list, theirs: list, name: str) -> dict:
    values = [[round(report[name]) for report in side] for side in (ours, theirs)]
    ratios = sorted(round(a / b, 3) for a, b in zip(*values))
    return {"ours": values[0], "peer": values[1], "ratios": [ratios[0], ratios[len(ratios) // 2], ratios[-1]],
            "connect_ms": [side[-1]["connect_ms"] for side in (ours, theirs)],
            "client_cpu_us": [round(middle(side, "client_us")) for side in (ours, theirs)]}


def memory_kib(child) -> dict:
    """Of the whole process: resident, and its share of what others map too."""
    lines = open(f"/proc/{child.pid}/smaps_rollup", encoding="ascii").read().splitlines()
    fields = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith("kB")}
    return {"rss": int(fields["Rss"]), "pss": int(fields["Pss"])}


def settled(world, devices: int) -> dict:
    """The broker's memory once it holds that many devices, and has written them down."""
    snapshot = world.folder / "broker" / "mirror.snapshot"
    until = time.monotonic() + 60
    while not snapshot.exists() or snapshot.stat().st_size < devices * MIRROR_ITEM:
        if time.monotonic() > until:
            raise SwarmFailed("the plugin does not get its mirror")
        time.sleep(0.1)
    time.sleep(2)
    return memory_kib(world.broker.child)


def memory(build, folder) -> dict:
    devices = FORCE_PEOPLE * FORCE_DEVICES_EACH
    with our_world(build, folder, "one", 1) as small, our_world(build, folder, "force", FORCE_PEOPLE,
                                                                FORCE_DEVICES_EACH) as force:
        fed = [settled(small, 1), settled(force, devices)]
        for world in (small, force):
            world.broker.stop()
            world.broker.start()
        restarted = [settled(small, 1), settled(force, devices)]
    grown = {when: {kind: pair[1][kind] - pair[0][kind] for kind in pair[0]}
             for when, pair in (("fed", fed), ("from_snapshot", restarted))}
    most = max(both["rss"] for both in grown.values()) / 1_024
    return limit("plugin, 46,000 devices", "MiB", most, 16,
                 {"devices": devices, "kib": {"fed": fed, "from_snapshot": restarted}, "grown_kib": grown})


def admission(build, folder) -> list:
    return [*connects(build, folder / "connects"), memory(build, folder / "memory")]
