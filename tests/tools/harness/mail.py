"""A running smtp_sink.py, read like a person would: find the newest mail to an address, take the code out of it."""
import re
from email import message_from_bytes, policy
from pathlib import Path

from .build import ROOT
from .processes import Supervisor, wait_until

TOOL = ROOT / "tests" / "tools" / "smtp_sink.py"
# digits, or letters and digits in groups, standing alone on a line or after a colon
CODE = re.compile(r"(?:^|:)\s*([A-Z0-9]{3,}(?:-[A-Z0-9]{3,})*)\s*$", re.MULTILINE)


class Mailbox:
    def __init__(self, supervisor: Supervisor, folder: Path):
        self.supervisor, self.folder = supervisor, folder
        self.child, self.port = supervisor.start_with_port("smtp", ["/usr/bin/python3", TOOL, folder])

    def mails(self, address: str) -> list:
        """Mails whose envelope names exactly this address, oldest first."""
        out = []
        for path in sorted(self.folder.glob("*.eml")):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            if address in (mail.get_all("X-Envelope-To") or []):
                out.append(mail)
        return out

    def recipients(self) -> set:
        mails = (message_from_bytes(path.read_bytes(), policy=policy.default) for path in self.folder.glob("*.eml"))
        return {to for mail in mails for to in mail.get_all("X-Envelope-To") or []}

    def code(self, address: str, after: int = 0) -> str:
        """The code in the first mail to this address beyond the first `after` ones; waits for it."""
        mail = wait_until(lambda: self.mails(address)[after:], f"mail to {address}", 120, self.supervisor)[0]
        found = CODE.search(mail.get_body(("plain",)).get_content())
        if not found:
            raise ValueError(f"no code in the mail to {address}")
        return found.group(1)
