#!/usr/bin/python3
"""leak_search.py finds a secret in every form and place it promises, and nothing where there is nothing."""
import base64
import contextlib
import io
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import leak_search  # noqa: E402

SECRET = "Müller trifft 17:30 am Gänsemarkt"


def found(data: bytes, secret=SECRET.encode()) -> bool:
    return bool(leak_search.search(data, {"s": secret}, "here"))


class Forms(unittest.TestCase):
    def test_raw_bytes_and_hex(self):
        raw = SECRET.encode()
        for data in (raw, raw.hex().encode(), raw.hex().upper().encode()):
            self.assertTrue(found(b"before" + data + b"after"))

    def test_base64_at_every_alignment_and_length(self):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            for length in range(6, 40):
                secret = bytes(range(200, 200 + length))
                for front in range(4):
                    for back in range(4):
                        data = encode(os.urandom(front) + secret + os.urandom(back))
                        self.assertTrue(found(data, secret), (encode, length, front, back))

    def test_base64_over_line_ends(self):
        self.assertTrue(found(base64.encodebytes(os.urandom(45) + SECRET.encode() + os.urandom(60))))

    def test_json_escapes_and_percent_encoding(self):
        self.assertTrue(found(rb'{"t":"M\u00fcller trifft 17:30 am G\u00e4nsemarkt"}'))
        self.assertTrue(found(b"/x?q=M%C3%BCller%20trifft%2017%3A30%20am%20G%C3%A4nsemarkt"))

    def test_nothing_where_there_is_nothing(self):
        self.assertFalse(found(os.urandom(1 << 20)))
        near = bytearray(SECRET.encode())
        near[5] ^= 1
        self.assertFalse(found(bytes(near) + base64.b64encode(near) + near.hex().encode()))


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.secrets = self.write("secrets", f"text\ttext\t{SECRET}\nkey\thex\t{'5a' * 32}\n".encode())

    def write(self, name: str, data: bytes) -> str:
        path = Path(self.folder.name, name)
        path.write_bytes(data)
        return str(path)

    def run_search(self, *sources: str, secrets=None):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            status = leak_search.main(["--secrets", secrets or self.secrets, *sources])
        return status, out.getvalue()

    def test_clean_file(self):
        self.assertEqual(self.run_search(self.write("log", b"x" * 1000))[0], 0)

    def test_hit_is_reported_without_the_secret(self):
        status, out = self.run_search(self.write("log", b"x" * 1000 + SECRET.encode()))
        self.assertEqual(status, 1)
        self.assertIn("FOUND text as raw bytes", out)
        self.assertIn("at 1000", out)
        self.assertNotIn("trifft", out)

    def test_dump_is_decoded_and_searched_over_borders_of_records(self):
        secret = SECRET.encode()
        inside = f"mailbox\t{b'k'.hex()}\t{(b'ab' + secret).hex()}\n"
        key = f"mailbox\t{secret.hex()}\t00\n"
        split = f"blocks\t00\t{secret[:9].hex()}\nblocks\t01\t{secret[9:].hex()}\n"
        coded = f"mailbox\t00\t{base64.b64encode(secret).hex()}\n"
        for dump in (inside, key, split, coded):
            self.assertEqual(self.run_search("dump:" + self.write("dump", dump.encode()))[0], 1, dump)
        other = f"mailbox\t{b'k'.hex()}\t{os.urandom(40).hex()}\n"
        self.assertEqual(self.run_search("dump:" + self.write("dump", other.encode()))[0], 0)

    def test_folder(self):
        self.write("a.log", b"nothing")
        self.write("b.log", b"\x5a" * 32)
        Path(self.secrets).rename(self.folder.name + ".secrets")
        self.addCleanup(os.unlink, self.folder.name + ".secrets")
        self.assertEqual(self.run_search(self.folder.name, secrets=self.folder.name + ".secrets")[0], 1)

    def test_nothing_to_search_is_no_success(self):
        self.assertEqual(self.run_search(self.write("empty", b""))[0], 3)
        self.assertEqual(self.run_search(self.folder.name + "/absent")[0], 3)
        self.assertEqual(self.run_search("dump:" + self.write("bad", b"a\tzz\t00\n"))[0], 3)

    def test_secrets_that_prove_nothing_are_refused(self):
        for line in (b"short\ttext\tabc\n", b"kind\toctal\t777777\n", b"digits\thex\tzz\n", b"\n", b"name only\n"):
            self.assertEqual(self.run_search(self.secrets, secrets=self.write("bad", line))[0], 2, line)


if __name__ == "__main__":
    unittest.main()
