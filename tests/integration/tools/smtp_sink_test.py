#!/usr/bin/python3
"""smtp_sink.py keeps each mail whole, with its envelope, and speaks TLS when told to."""
import smtplib
import ssl
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "tools"
MAIL = b"Subject: Your code\r\n\r\nThe code is 4711-0815.\r\n..a line with dots\r\n"


class Sink(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def start(self, *arguments: str) -> int:
        process = subprocess.Popen([sys.executable, TOOLS / "smtp_sink.py", self.folder / "mails", *arguments],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return int(process.stdout.readline())

    def certificate(self) -> list:
        subprocess.run([sys.executable, TOOLS / "make_ca.py", self.folder, "smtp"], check=True)
        return ["--cert", str(self.folder / "smtp.crt"), "--key", str(self.folder / "smtp.key")]

    def kept(self) -> list:
        return sorted((self.folder / "mails").glob("*.eml"))

    def test_keeps_mails_with_their_envelope(self):
        port = self.start()
        for _ in range(2):
            with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
                client.sendmail("gateway@polizei.example", ["a.meyer@polizei.example"], MAIL)
        self.assertEqual([path.name for path in self.kept()], ["000001.eml", "000002.eml"])
        text = self.kept()[0].read_bytes()
        self.assertIn(b"X-Envelope-To: a.meyer@polizei.example\r\n", text)
        self.assertIn(b"The code is 4711-0815.\r\n", text)
        self.assertIn(b"\r\n..a line with dots\r\n", text)

    def test_starttls_is_demanded(self):
        port = self.start("--tls", "starttls", *self.certificate())
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            with self.assertRaises(smtplib.SMTPException):
                client.sendmail("a@b.example", ["c@d.example"], MAIL)
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            client.starttls(context=ssl.create_default_context(cafile=self.folder / "ca.crt"))
            client.sendmail("a@b.example", ["c@d.example"], MAIL)
        self.assertEqual(len(self.kept()), 1)

    def test_implicit_tls(self):
        port = self.start("--tls", "implicit", *self.certificate())
        context = ssl.create_default_context(cafile=self.folder / "ca.crt")
        with smtplib.SMTP_SSL("127.0.0.1", port, timeout=10, context=context) as client:
            client.sendmail("a@b.example", ["c@d.example"], MAIL)
        self.assertEqual(len(self.kept()), 1)


if __name__ == "__main__":
    unittest.main()
