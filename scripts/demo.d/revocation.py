"""Step 6: a handset is revoked while it is connected. It is cut, wiped, and left out of the next message; a copy of its
files opens no more, whatever passphrase its thief knows."""
import re
import secrets
import shutil
import subprocess
import time

from harness.agent import Agent
from harness.processes import wait_until

from messages import secret_text, send
from people import ROSTER

TARGET_SECONDS = 1.0
STEPS = ("recorded", "tokens_refused", "broker_told", "broker_obeyed", "requests_cut", "mailbox_destroyed",
         "seal_keys_destroyed", "share_deleted", "wipe_ordered", "chains_listed")


def revoke(stage) -> None:
    report, world = stage.report, stage.world
    report.step(6, "Bernd's handset is stolen: the administrator revokes it while it is connected")
    anna, bernd, tablet = (world.agents[name] for name in ("anna", "bernd", "bernd-tablet"))
    device = bernd.run("status").last()["device"]
    image = copy_of(stage, bernd)
    report.check("its thief has copied it, and knows the passphrase: with the gateway's share it opens",
                 opens(stage, image))
    before = len(world.broker_tap.closed())
    bernd.expect_end()
    started = time.time()
    shown = world.gateway.command("admin", "--config", world.gateway.configuration, "revoke", device, "--reason", "stolen",
                                  "--watch").splitlines()
    # The broker cuts it; a handset that hears of its revocation first hangs up by itself.
    cut = wait_until(lambda: world.broker_tap.closed()[before:], "cut of the revoked handset", 30, stage.supervisor)[0]
    seconds = cut["closed"] - started
    report.check(f"its connection is cut within {TARGET_SECONDS:g} s of the command", seconds < TARGET_SECONDS,
                 f"{seconds:.2f} s, by the {cut['end'].split()[0]}")
    report.figure("revoked: from the command to the cut", f"{seconds * 1000:.0f} ms", "starting the command included")
    show_steps(stage, shown)
    cannot_return(stage, bernd, device)
    report.check("the copy opens no more, with the passphrase and with all that the gateway has", not opens(stage, image))
    report.check("asked for messages, it shows none", image.run("inbox").status != 0)
    goes_on(stage, anna, bernd, tablet, device)


def show_steps(stage, shown: list) -> None:
    """What `nimes-gateway admin revoke --watch` printed: each step, and how long after the order it was confirmed."""
    report = stage.report
    report.say("what the administrator saw, step by step:")
    for line in shown:
        report.say(f"  {line}")
    steps = dict(re.findall(r"^  (\w+) +(\d+) ms  ", "\n".join(shown), re.MULTILINE))
    report.check(f"{len(STEPS)} steps, each confirmed and timed", list(steps) and set(steps) == set(STEPS),
                 ", ".join(set(STEPS) ^ set(steps)))
    report.figure("revoked: from the order to its last step", f"{max(map(int, steps.values()))} ms",
                  f"the broker obeyed after {steps['broker_obeyed']} ms, the share was gone after {steps['share_deleted']} ms")


def cannot_return(stage, bernd, device: str) -> None:
    report, world = stage.report, stage.world
    text = secret_text(stage, "a text of the thief", "Hier ist Bernd,")
    sent = send(stage, bernd, "Meyer, Celle", text)
    report.check("it can send nothing more", sent.status != 0, f"status {sent.status}")
    bernd.offline()
    again = bernd.run("send", "--to", "Meyer, Celle", text)
    report.check("nor after it was started anew", again.status != 0, f"status {again.status}")
    report.check("it is wiped, and its receipt is with the gateway", wait_until(
        lambda: world.gateway.admin("devices", "wipe", device)["state"] == "receipted", "receipt", 30))
    report.check("nothing of its store is left", not (bernd.home / "container.db").exists())
    state = [line for line in world.gateway.admin("devices", "list", "--user", ROSTER[1][0]) if line["device"] == device]
    report.check("the administrator sees it as revoked", state and state[0]["state"] == "revoked", str(state))
    stage.text_of_the_thief = text


def copy_of(stage, agent) -> Agent:
    home = stage.folder / "stolen"
    shutil.copytree(agent.home, home, ignore=shutil.ignore_patterns("agent.sock"))
    home.chmod(0o700)
    return Agent(stage.supervisor, stage.build, home, "the thief's copy", agent.passphrase)


def opens(stage, image) -> bool:
    try:
        return len(stage.world.container_keys(image)) > 0
    except subprocess.CalledProcessError:
        return False


def goes_on(stage, anna, bernd, tablet, device: str) -> None:
    """Anna's next message is not sealed for it; Bernd's other handset reads it."""
    report = stage.report
    text = secret_text(stage, "a text after the revocation", "Neue Losung")
    sent = send(stage, anna, "Meyer, Gifhorn", text)
    report.check("Anna sends on", sent.status == 0, sent.err)
    sealed_for = sent.last()["devices"]
    report.check("her message is not sealed for the revoked handset", device not in sealed_for and sealed_for)
    tablet.wait_for(lambda event: event.get("text") == text, "Anna's text")
    report.check("Bernd's other handset reads it", True)
    shown = [event for name in ("anna", "clara", "bernd-tablet") for event in stage.world.agents[name].events()]
    report.check("nobody was shown what the thief wrote",
                 all(event.get("text") != stage.text_of_the_thief for event in shown))
    answer = f"Verstanden {secrets.token_hex(4)}"
    report.check("and it answers", send(stage, tablet, "Meyer, Celle", answer).status == 0)
    anna.wait_for(lambda event: event.get("text") == answer, "the answer")
