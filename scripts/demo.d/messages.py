"""Step 4: people find each other by name; a text and a photo reach somebody who was offline; a group talks."""
import hashlib
import json
import secrets
import statistics
import subprocess
import time

from harness.build import ROOT
from harness.processes import wait_until

SAMPLES = 20


def talk(stage) -> None:
    stage.report.step(4, "They find each other by name; a text, a photo to somebody offline, a group of three")
    world = stage.world
    anna, bernd = world.agents["anna"], world.agents["bernd"]
    find(stage, anna)
    world.agents["clara"].online()
    anna.online()
    stage.report.say("Anna and Clara are online, Bernd is not")
    photo = make_photo(stage)
    text = secret_text(stage, "a text", "Treffpunkt 17:30 am Gänsemarkt, Losung")
    sent = send(stage, anna, "Meyer, Gifhorn", text)
    stage.report.check("Anna's text is accepted while Bernd is offline", sent.status == 0, sent.err)
    send_photo(stage, anna, photo)
    bernd.online()
    world.agents["bernd-tablet"].online()
    stage.report.say("Bernd comes online with both handsets")
    for name in ("bernd", "bernd-tablet"):
        got = world.agents[name].wait_for(lambda event: event.get("text") == text, "Anna's text")
        stage.report.check(f"{name}: the text arrives, opened and verified, from Anna", sender(got).startswith("Meyer"))
    receive_photo(stage, bernd, photo)
    group(stage)
    measure(stage, anna, bernd)


def find(stage, anna) -> None:
    report = stage.report
    several = anna.run("people", "Meyer").lines()
    report.check("'Meyer' finds two people", len(several) == 2, f"{len(several)}")
    one = anna.run("people", "Meyer, Gifhorn").lines()
    report.check("'Meyer, Gifhorn' finds one", len(one) == 1 and one[0]["unit"] == "Gifhorn", f"{len(one)}")
    vague = anna.run("send", "--to", "Meyer", "x")
    report.check("sending to 'Meyer' is refused as ambiguous, with a hint", vague.status == 9, f"status {vague.status}")


def secret_text(stage, name: str, front: str) -> str:
    """A text that no server may see; the random end keeps it from being anywhere by chance."""
    text = f"{front} {secrets.token_hex(6)}"
    stage.keep_secret(name, text)
    return text


def sender(event: dict) -> str:
    who = event.get("from", "")
    return who.get("name", "") if isinstance(who, dict) else str(who)


def send(stage, agent, to: str, text: str):
    return agent.run("send", "--to", to, text)


def make_photo(stage) -> dict:
    """The photo with its position, and what of it no server may see: marks, file name, pieces of the picture."""
    path = stage.folder / f"Tatort-{secrets.token_hex(4)}.jpg"
    marks = {}
    if stage.photo:
        path.write_bytes(stage.photo.read_bytes())
    else:
        out = subprocess.run(["/usr/bin/python3", ROOT / "tests/tools/make_photo.py", path, "--json", "--seed",
                              str(secrets.randbelow(1 << 31))], check=True, capture_output=True).stdout
        marks = json.loads(out)
    data = path.read_bytes()
    stage.keep_secret("the photo's file name", path.name)
    for mark in ("artist", "serial", "comment"):
        if mark in marks:
            stage.keep_secret(f"the photo's {mark}", marks[mark])
    for part in (4, 2):
        middle = len(data) * (part - 1) // part
        stage.keep_secret(f"bytes of the photo at {middle}", data[middle:middle + 32])
    return {"path": path, "data": data, "marks": marks}


def send_photo(stage, anna, photo: dict) -> None:
    report = stage.report
    caption = secret_text(stage, "the caption", "Fahrzeug von vorn")
    report.check("the photo carries a position", stage.photo or positions(photo["path"]))
    before, started = stage.world.gateway_tap.passed(), time.monotonic()
    sent = anna.run("send", "--to", "Meyer, Gifhorn", "--photo", photo["path"], "--caption", caption)
    seconds = time.monotonic() - started
    report.check("Anna's photo is sealed, uploaded and accepted while Bernd is offline", sent.status == 0, sent.err)
    photo.update(sent=sent.last(), caption=caption)
    passed = stage.world.gateway_tap.passed() - before
    report.check("the whole photo went over the wire, sealed", passed > len(photo["data"]) // 4, f"{passed} bytes")
    report.figure("photo: prepared, sealed, uploaded", f"{passed / seconds / 1e6:.1f} MB/s",
                  f"{passed} bytes in {seconds:.2f} s, all of the command")


def positions(path) -> bool:
    shown = subprocess.run(["exiftool", "-n", "-j", "-gps:all", str(path)], check=True, capture_output=True).stdout
    return any("GPS" in key for key in json.loads(shown)[0])


def receive_photo(stage, bernd, photo: dict) -> None:
    report = stage.report
    event = bernd.wait_for(lambda event: event.get("media") and event.get("caption") == photo["caption"], "the photo")
    out = stage.folder / "received.jpg"
    got = bernd.run("media", "get", event["media"]["id"], "--out", out)
    report.check("Bernd fetches and opens the photo", got.status == 0, got.err)
    data = out.read_bytes()
    sealed = photo["sent"]["media"]["sha256"]
    report.check("byte for byte what was sealed", hashlib.sha256(data).hexdigest() == sealed)
    report.check("it is a JPEG", data[:3] == b"\xff\xd8\xff" and data[-2:] == b"\xff\xd9")
    report.check("without a position", not positions(out))
    for name, mark in photo["marks"].items():
        if name in ("artist", "serial", "comment"):
            report.check(f"without the {name}", mark.encode() not in data)
    stage.keep_secret("bytes of the sealed picture", data[len(data) // 2:len(data) // 2 + 32])
    size = subprocess.run(["identify", "-format", "%wx%h", out], check=True, capture_output=True, text=True).stdout
    report.say(f"the received picture is {size}, {len(data)} bytes")


def group(stage) -> None:
    """A group of three; what one says, the two others read."""
    report, agents = stage.report, stage.world.agents
    title = secret_text(stage, "the group's title", "Einsatz Altstadt")
    made = agents["anna"].run("group", "create", "--title", title, "--with", "Meyer, Gifhorn", "--with", "Schulz")
    report.check("Anna makes a group of three", made.status == 0, made.err)
    stage.group = title
    for speaker in ("anna", "bernd", "clara"):
        text = secret_text(stage, f"{speaker} in the group", "Lage unverändert,")
        wait_until(lambda: any(title == line.get("title") for line in agents[speaker].run("group", "list").lines()),
                   f"group at {speaker}", 30, stage.supervisor)
        said = send(stage, agents[speaker], title, text)
        report.check(f"{speaker} speaks in the group", said.status == 0, said.err)
        for listener in {"anna", "bernd", "clara"} - {speaker}:
            agents[listener].wait_for(lambda event: event.get("text") == text, f"{speaker}'s word")
        report.check("and the two others read it", True)


def measure(stage, anna, bernd) -> None:
    """Short texts, one after the other: until Bernd's agent shows each, and what passes at the broker meanwhile."""
    tap, times = stage.world.broker_tap, []
    send(stage, anna, "Meyer, Gifhorn", "aufwärmen")
    before = settled(tap)
    for number in range(SAMPLES):
        text = f"Probe {number:02} {secrets.token_hex(4)}"
        send(stage, anna, "Meyer, Gifhorn", text)
        event = bernd.wait_for(lambda event: event.get("text") == text, "a text")
        times.append(event["shown_ms"] - event["sent_ms"])
    each = (settled(tap) - before) / SAMPLES
    times.sort()
    stage.report.figure("a text, sealed to shown, median", f"{statistics.median(times):.0f} ms",
                        f"{SAMPLES} texts, slowest {times[-1]:.0f} ms")
    stage.report.figure("a text on the wire at the broker", f"{each:.0f} bytes",
                        "inside TLS: sender, gateway, and three receiving devices with their receipts")


def settled(tap, seconds: float = 2.0) -> int:
    """Bytes passed, once nothing has for a while: receipts and acknowledgements have arrived."""
    last, since = tap.passed(), time.monotonic()
    until = since + 20
    while time.monotonic() < min(since + seconds, until):
        time.sleep(0.05)
        if (now := tap.passed()) != last:
            last, since = now, time.monotonic()
    return last
