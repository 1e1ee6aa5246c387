"""Steps 2 and 3: an administrator makes an organisation, people enrol their handsets, strangers get nothing."""
import ssl
import urllib.error
import urllib.request

from harness.gateway import Refused
from harness.processes import wait_until

DOMAIN = "polizei.example"
ROSTER = [  # address, name, rank, unit
    (f"a.meyer@{DOMAIN}", "Meyer, Anna", "PHK", "Celle"),
    (f"b.meyer@{DOMAIN}", "Meyer, Bernd", "POK", "Gifhorn"),
    (f"c.schulz@{DOMAIN}", "Schulz, Clara", "PK", "Celle"),
    (f"d.jansen@{DOMAIN}", "Jansen, Dirk", "KHK", "Gifhorn"),
]
STRANGERS = {
    "a foreign domain": "eve@elsewhere.example",
    "two @ in the address": f"eve@elsewhere.example@{DOMAIN}",
    "two @, the other way round": f"eve@{DOMAIN}@elsewhere.example",
    "not on the roster": f"e.nobody@{DOMAIN}",
}


def organise(stage) -> None:
    report, gateway = stage.report, stage.world.gateway
    report.step(2, "An administrator creates the organisation, two units, and imports the roster")
    gateway.admin("org", "create", "--name", "Polizei Niedersachsen", "--domain", DOMAIN)
    for unit in ("Celle", "Gifhorn"):
        gateway.admin("unit", "create", "--name", unit)
    file = stage.folder / "roster.csv"
    write_roster(file, ROSTER)
    gateway.admin("roster", "import", file, "--dry-run")
    imported = gateway.admin("roster", "import", file)
    report.check(f"{len(ROSTER)} people are on the roster", str(len(ROSTER)) in str(imported), str(imported))
    bad = stage.folder / "bad.csv"
    write_roster(bad, ROSTER[:1] + [(f"x@y@{DOMAIN}", "Nobody", "PK", "Celle")])
    report.check("a roster with a wrong line is refused whole", refused(gateway, "roster", "import", bad))


def write_roster(file, rows) -> None:
    quoted = (",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows)
    file.write_text("address,name,rank,unit\n" + "\n".join(quoted) + "\n", encoding="utf-8")


def refused(gateway, *words) -> bool:
    try:
        gateway.admin(*words)
        return False
    except Refused as error:
        return error.status == 6


def enrol(stage) -> None:
    report, world = stage.report, stage.world
    report.step(3, "Three people enrol with a code by mail, one a second handset by voucher; strangers get nothing")
    ask_as_strangers(stage)
    for name, row in (("anna", ROSTER[0]), ("bernd", ROSTER[1]), ("clara", ROSTER[2])):
        agent = world.agent(name)
        outcome = world.enrol(agent, row[0])
        report.check(f"{row[1]} enrols a handset", outcome.status == 0, outcome.err)
    second_handset(stage)
    report.check("the strangers got no mail", not world.mail.recipients() & set(STRANGERS.values()))
    report.check("and nobody else did", world.mail.recipients() == {row[0] for row in ROSTER[:3]})
    devices = world.gateway.admin("devices", "list")
    report.check("the administrator sees four devices", len(devices) == 4, f"{len(devices)} devices")


def ask_as_strangers(stage) -> None:
    """Before anybody enrols: a mail that is late would be noticed at the end of the step."""
    report, world = stage.report, stage.world
    known = ask_for_code(world, ROSTER[3][0])
    for who, address in STRANGERS.items():
        answer = ask_for_code(world, address)
        report.check(f"{who}: the same answer as for somebody on the roster", answer == known, f"{answer[0]}")
    # the one on the roster does get a mail: the comparison above was with a real one
    wait_until(lambda: world.mail.mails(ROSTER[3][0]), "mail to somebody on the roster", 30, stage.supervisor)
    for mail in world.mail.folder.glob("*.eml"):
        mail.unlink()


def ask_for_code(world, address: str) -> tuple:
    """POST /v1/enrol/code as a hostile client would, without the agent's own checks: status, headers, body."""
    text = address.encode()
    request = urllib.request.Request(world.gateway_url + "/v1/enrol/code", data=b"\x0a" + bytes([len(text)]) + text,
                                     headers={"Content-Type": "application/x-protobuf"}, method="POST")
    context = ssl.create_default_context(cafile=world.certificates / "ca.crt")
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            return answer.status, names(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, names(error.headers), error.read()


def names(headers) -> list:
    return sorted(name.lower() for name in headers.keys())


def second_handset(stage) -> None:
    """A further device needs a voucher by one of the same person's."""
    report, world = stage.report, stage.world
    bernd, tablet = world.agents["bernd"], world.agent("bernd-tablet")
    address = ROSTER[1][0]
    waiting = world.enrol(tablet, address)
    report.check("Bernd's second handset waits for a voucher", waiting.status == 5, waiting.err)
    pending = bernd.run("devices", "pending").lines()
    report.check("Bernd's first handset is asked", len(pending) == 1, f"{len(pending)} pending")
    vouched = bernd.run("devices", "vouch", pending[0]["device"])
    report.check("he vouches for it", vouched.status == 0, vouched.err)
    done = tablet.run("enrol", "--provisioning", world.provisioning, address)
    report.check("the second handset is enrolled", done.status == 0, done.err)
