"""What is measured on a bad link, each a function of the world's link and its two people; figures in ms and bytes.

Bytes are those that enter the link on the handset's side, with IP and TCP headers, in both directions, lost ones too.
"""
import os
import subprocess
import time
from pathlib import Path

from badlink import CLEAN, BadLink, Profile, used
from people import Person, wait_until

ROOT = Path(__file__).resolve().parents[2]
TEXT = "Zwei Personen am Nordeingang, eine davon mit rotem Rucksack, ich gehe nach"[:68]
QUIET_SECONDS = 1.5


def text(label: str) -> str:
    """68 characters of ASCII, each one another: 240 sealed bytes."""
    return (label + " " + TEXT)[:68]


def quantiles(values: list) -> dict:
    ordered = sorted(values)
    at = lambda q: round(ordered[min(len(ordered) - 1, int(q * len(ordered)))], 1)  # noqa: E731
    return {"count": len(ordered), "p50": at(0.5), "p99": at(0.99), "max": round(ordered[-1], 1)}


def quiet(link: BadLink, seconds: float = QUIET_SECONDS) -> dict:
    """Waits until nothing has entered the link for so long."""
    last, since = link.stats(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.05)
        now = link.stats()
        if any(now[way]["packets"] != last[way]["packets"] for way in now):
            last, since = now, time.monotonic()
    return last


def tries(label: str, link_time: float, count: int, sender: Person, receiver: Person, pause: float) -> list:
    """Milliseconds from the request to send until the other agent shows it, one message after the other."""
    out = []
    for n in range(count):
        words = text(f"{label}{n:04d}")
        began = sender.say(receiver, words)
        receiver.wait_for([words], 180 + link_time, f"message {n}")
        out.append(1_000 * (receiver.seen[words] - began))
        time.sleep(pause)
    return out


def send_to_opened(profile: Profile, anna: Person, bernd: Person, count: int, round_no: int = 0) -> dict:
    pause = 0.2 if profile.up < 1_000_000 else 0.05
    up = tries(f"u{round_no}-{profile.name}", profile.cut_seconds, count, anna, bernd, pause)
    down = tries(f"d{round_no}-{profile.name}", profile.cut_seconds, count, bernd, anna, pause)
    return {"up_ms": quantiles(up), "down_ms": quantiles(down)}


def bytes_of_message(link: BadLink, profile: Profile, anna: Person, bernd: Person, count: int) -> dict:
    """A text of 68 characters on the sender's leg, with its acceptance, nothing else going on; median. Loss is off
    for this: what is sent again belongs to the loss and not to the message. The receiver does not read (no receipts)."""
    link.set(Profile("lossless", profile.up, profile.down, profile.delay, 0, 0, 10_000))
    bernd.offline()
    up, down, packets_up, packets_down = [], [], [], []
    for n in range(count):
        before = quiet(link)
        anna.say(bernd, text(f"b-{profile.name}{n:03d}"), wait_ms=60_000)
        spent = used(before, quiet(link))
        up.append(spent["up"]["bytes"])
        down.append(spent["down"]["bytes"])
        packets_up.append(spent["up"]["packets"])
        packets_down.append(spent["down"]["packets"])
    bernd.online()
    link.set(profile)
    middle = lambda v: sorted(v)[len(v) // 2]  # noqa: E731
    return {"bytes_up": middle(up), "bytes_down": middle(down), "bytes": middle([a + b for a, b in zip(up, down)]),
            "packets_up": middle(packets_up), "packets_down": middle(packets_down)}


def idle(link: BadLink, seconds: float, anna: Person) -> dict:
    """What a connected handset that says nothing costs: everything that enters the link in so long a time, in an hour
    at that rate. Only as good as the time is long against the keepalive."""
    before = quiet(link)
    began = time.monotonic()
    bursts, last = 0, before
    while time.monotonic() - began < seconds:
        time.sleep(0.2)
        now = link.stats()
        if now["up"]["packets"] != last["up"]["packets"]:
            bursts += 1
        last = now
    spent = used(before, last)
    took = time.monotonic() - began
    total = spent["up"]["bytes"] + spent["down"]["bytes"]
    return {"seconds": round(took), "bytes": total, "bursts": bursts, "bytes_per_hour": round(total * 3_600 / took),
            "how": "all bytes of the window × 3600 / its seconds"}


def catch_up(link: BadLink, profile: Profile, anna: Person, bernd: Person, count: int) -> dict:
    """Messages that wait for the handset while it is away: from its start until it shows the last one. The share of the
    rate is of all bytes that arrived on the way down between the first message shown and the last;
    with_connect: since the first packet, handshakes and all."""
    anna.offline()
    link.set(CLEAN)
    texts = {text(f"c-{profile.name}{n:05d}") for n in range(count)}
    for words in sorted(texts):
        bernd.say(anna, words)
    time.sleep(2)  # the last ones are accepted, too
    link.set(profile)
    before = link.stats()
    began = time.monotonic()
    anna.come_online()
    samples, missing, first = [], set(texts), None
    while missing:
        if time.monotonic() - began > 900:
            raise TimeoutError(f"{len(missing)} of {count} waiting messages are not shown")
        missing -= anna.look().keys()
        samples.append((time.monotonic(), link.stats()["down"]["arrived_bytes"]))
        if first is None and len(missing) < count:
            first = samples[-1]
        time.sleep(0.01)
    last = samples[-1]
    connected = next(at for at, arrived in samples if arrived > before["down"]["arrived_bytes"])
    out = {"messages": count, "seconds": round(last[0] - began, 2), "first_packet_seconds": round(connected - began, 2),
           "first_message_seconds": round(first[0] - began, 2),
           "bytes_down": last[1] - before["down"]["arrived_bytes"], "share_of_rate": None,
           "share_with_connect": round(8 * (last[1] - before["down"]["arrived_bytes"]) /
                                       (profile.down * (last[0] - connected)), 3)}
    if last[0] - first[0] > 0.2:
        out["share_of_rate"] = round(8 * (last[1] - first[1]) / (profile.down * (last[0] - first[0])), 3)
    wait_until(lambda: anna.agent.run("status").last().get("connected"), "connection", 120)
    return out


def make_video(path: Path, size: int) -> None:
    """A clip of about that many bytes."""
    subprocess.run(["ffmpeg", "-loglevel", "fatal", "-y", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-t", "600",
                    "-c:v", "mpeg4", "-q:v", "3", "-fs", str(size), str(path)], check=True)


def behind_upload(link: BadLink, profile: Profile, anna: Person, bernd: Person, folder: Path, count: int) -> dict:
    """Chat while a video goes up, beside the same chat without. The upload's speed is part of the answer: a chat that
    is quick because the video stands still would be no merit."""
    alone = tries(f"a-{profile.name}", profile.cut_seconds, count, anna, bernd, 0.3)
    video = folder / f"{profile.name}.mp4"
    make_video(video, {"edge": 500_000, "3g": 4_000_000}.get(profile.name, 25_000_000))
    before, began = link.stats(), time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            answer = anna.ask("send", to=anna.conversation, file=str(video), media_type="video/mp4", wait_ms=900_000)
            os._exit(0 if answer["accepted"] else 2)
        finally:
            os._exit(1)
    time.sleep(1)
    during, ended, status = [], False, 0
    while len(during) < count and not ended:
        pid, status = os.waitpid(child, os.WNOHANG)
        ended = pid == child
        if not ended:
            during += tries(f"p-{profile.name}{len(during):03d}", profile.cut_seconds, 1, anna, bernd, 0.3)
    spent, took = used(before, link.stats()), time.monotonic() - began
    if not ended:
        status = os.waitpid(child, 0)[1]
    if status != 0 or len(during) < count / 3:
        raise RuntimeError(f"the video's upload ended with status {status} after {len(during)} texts")
    out = {"alone_ms": quantiles(alone), "during_ms": quantiles(during), "video_bytes": video.stat().st_size,
           "upload_share_of_rate": round(8 * spent["up"]["arrived_bytes"] / (profile.up * took), 3)}
    out["ratio"] = round(out["during_ms"]["p50"] / out["alone_ms"]["p50"], 2)
    return out
