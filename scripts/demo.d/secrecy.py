"""Step 5: no plaintext, no file name and no key is with broker or gateway; and the search can find what is there.

The places are what passed once TLS was off, every key and value of the gateway's store, all logs of the servers, and the
metrics. Into each a canary is planted, the way its contents come to be where that is possible, and must be found.
"""
import base64
import json
import secrets
import ssl
import subprocess
import urllib.request

from harness.build import ROOT

SEARCH = ROOT / "tests" / "tools" / "leak_search.py"


def prove(stage) -> None:
    report = stage.report
    report.step(5, "No plaintext, no file name, no key with broker or gateway")
    collect_keys(stage)
    places = collect_places(stage)
    found = search(stage, stage.secrets, places)
    report.say(f"searched {found['bytes']} bytes for {len(stage.secrets)} secrets, as bytes, hex and base64: "
               "traffic, store, logs, metrics")
    report.check("every place had something to search", not found["empty"], str(found["empty"]))
    report.check("nothing was found", not found["hits"],
                 ", ".join(f"{hit['secret']} as {hit['form']} in {hit['place']}" for hit in found["hits"]))
    show_that_it_finds(stage, places)


def collect_keys(stage) -> None:
    """Every key that a handset holds, read from its container with passphrase and share, and the passphrase itself."""
    count = 0
    for name, agent in stage.world.agents.items():
        stage.keep_secret(f"{name}'s passphrase", agent.passphrase)
        for what, value in stage.world.container_keys(agent):
            stage.keep_secret(f"{name}'s {what} {count}", value)
            count += 1
    stage.report.check("the handsets hold keys to search for", count >= 4 * len(stage.world.agents), f"{count}")
    stage.report.say(f"{count} keys of {len(stage.world.agents)} handsets: identities, seal keys, chains, media")


def collect_places(stage) -> dict:
    """name -> source for leak_search.py."""
    world = stage.world
    dump = stage.folder / "store.dump"
    world.dump_store(dump)
    metrics = stage.folder / "metrics.txt"
    metrics.write_text(world.gateway.fetch("/metrics")[1])
    places = {"the store": f"dump:{dump}", "metrics": str(metrics)}
    for name, tap in (("broker", world.broker_tap), ("gateway", world.gateway_tap)):
        for way, file in tap.files.items():
            places[f"traffic {way} at the {name}"] = str(file)
    logs = [log for log in world.logs() if log.stat().st_size > 0]
    stage.report.check("both servers have logged", {log.stem for log in logs} == {"gateway", "mosquitto"})
    for log in logs:
        places[f"{log.name}"] = str(log)
    return places


def search(stage, wanted: dict, places: dict) -> dict:
    file = stage.folder / "secrets.tsv"
    file.write_text("".join(f"{name}\thex\t{value.hex()}\n" for name, value in wanted.items()))
    done = subprocess.run(["/usr/bin/python3", SEARCH, "--json", "--secrets", file, *places.values()], text=True,
                          capture_output=True)
    file.unlink()
    if done.returncode not in (0, 1, 3):
        raise subprocess.SubprocessError(done.stderr)
    return json.loads(done.stdout)


def show_that_it_finds(stage, places: dict) -> None:
    """One canary for each place; the search must name exactly the place where it was planted."""
    report, world = stage.report, stage.world
    canary = f"Kanarienvogel-{secrets.token_hex(8)}"
    upload_in_clear(stage, canary)  # through the tap into the store, as any client could
    dump = stage.folder / "canary.dump"
    world.dump_store(dump)
    found = {hit["place"] for hit in search(stage, {"canary": canary.encode()}, {
        **{name: source for name, source in places.items() if name == "traffic up at the gateway"},
        "the store": f"dump:{dump}"})["hits"]}
    report.check("a canary uploaded in clear is found in the traffic", any("gateway.up" in place for place in found))
    report.check("and among the store's values", any("canary.dump" in place for place in found))
    for name, source in places.items():
        if name in ("traffic up at the gateway", "the store"):
            continue
        copy = stage.folder / "canary.copy"
        with open(source, "rb") as original:
            copy.write_bytes(original.read() + b"\n" + canary.encode() + b"\n")
        hits = search(stage, {"canary": canary.encode()}, {name: str(copy)})["hits"]
        copy.unlink()
        report.check(f"a canary planted in a copy is found: {name}", len(hits) == 1)


def upload_in_clear(stage, canary: str) -> None:
    """A tus upload that a hostile or broken client did not seal."""
    world = stage.world
    token = world.agents["anna"].run("token").last()["token"]
    blob = secrets.token_bytes(16)
    body = (canary * 8).encode()
    context = ssl.create_default_context(cafile=world.certificates / "ca.crt")
    common = {"Tus-Resumable": "1.0.0", "Authorization": f"Bearer {token}"}

    def request(method: str, path: str, headers: dict, data: bytes) -> None:
        ask = urllib.request.Request(world.gateway_url + path, data=data, headers={**common, **headers}, method=method)
        urllib.request.urlopen(ask, timeout=30, context=context).close()

    request("POST", "/v1/media", {"Upload-Length": str(len(body)),
                                  "Upload-Metadata": "id " + base64.b64encode(blob).decode()}, b"")
    request("PATCH", f"/v1/media/{blob.hex()}", {"Upload-Offset": "0",
                                                 "Content-Type": "application/offset+octet-stream"}, body)
