#!/usr/bin/python3
"""Searches places for secrets that must not be there, in every form in which they could have been written down.

    leak_search.py --secrets FILE SOURCE...

FILE has one secret a line: NAME<TAB>text<TAB>VALUE or NAME<TAB>hex<TAB>DIGITS; at least 6 bytes each.
SOURCE is a file's path, a folder's (every file in it), or dump:PATH for the output of nimes-store-dump, whose keys and
values are decoded first and searched across the borders of records too.

Each secret is searched as raw bytes, as hexadecimal digits of either case, as base64 and base64url at each of the three
alignments (the characters that neighbours share are left out), base64 across line ends too, and, where it is not plain
ASCII, as JSON escapes and percent-encoding. A hit names the secret, the form, the source and the offset; never the secret.

exit status: 0 nothing found, 1 found, 2 usage, 3 a source was missing or empty (a search of nothing proves nothing)
"""
import argparse
import base64
import json
import sys
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

MIN_SECRET = 6


@dataclass(frozen=True)
class Hit:
    secret: str
    form: str
    place: str
    offset: int

    def __str__(self):
        return f"FOUND {self.secret} as {self.form} in {self.place} at {self.offset}"


def base64_cores(secret: bytes, encode) -> list:
    """The characters that stand for `secret` alone, wherever it begins inside a group of three bytes."""
    cores = []
    for shift in range(3):
        text = encode(bytes(shift) + secret).rstrip(b"=")
        shared_front = (0, 2, 3)[shift]
        shared_back = 0 if (shift + len(secret)) % 3 == 0 else 1
        cores.append(text[shared_front:len(text) - shared_back])
    return cores


def forms(secret: bytes) -> dict:
    """form's name -> the bytes to look for."""
    out = {"raw bytes": secret, "hex": secret.hex().encode(), "upper-case hex": secret.hex().upper().encode()}
    for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for shift, core in enumerate(base64_cores(secret, encode)):
            out[f"{name} at {shift}"] = core
    try:
        text = secret.decode()
        if not text.isascii():
            out["JSON escapes"] = json.dumps(text)[1:-1].encode()
            out["percent-encoding"] = urllib.parse.quote(text).encode()
    except UnicodeDecodeError:
        pass
    return out


def search(data: bytes, secrets: dict, place: str) -> list:
    """Every first hit of each form; base64 is also looked for with line ends taken out."""
    hits = []
    joined = data.replace(b"\r", b"").replace(b"\n", b"") if b"\n" in data else b""
    for name, secret in secrets.items():
        seen = set()
        for form, needle in forms(secret).items():
            if needle in seen:  # base64 and base64url are mostly the same text
                continue
            seen.add(needle)
            at = data.find(needle)
            if at < 0 and joined and form.startswith("base64"):
                at = joined.find(needle)
                form += " over line ends"
            if at >= 0:
                hits.append(Hit(name, form, place, at))
    return hits


def load_secrets(path: Path) -> dict:
    out = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        name, kind, value = (line.split("\t", 2) + ["", ""])[:3]
        if kind not in ("text", "hex"):
            raise ValueError(f"{path}:{number}: want NAME<TAB>text|hex<TAB>VALUE")
        secret = bytes.fromhex(value) if kind == "hex" else value.encode()
        if len(secret) < MIN_SECRET:
            raise ValueError(f"{path}:{number}: {name} is shorter than {MIN_SECRET} bytes: it would be found by chance")
        out[name] = secret
    if not out:
        raise ValueError(f"{path}: no secrets")
    return out


def dump_streams(path: Path) -> dict:
    """family -> keys, values; each as one stream in the dump's order, so that no border hides a secret."""
    streams = {}
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        family, key, value = line.split("\t")
        for part, digits in (("keys", key), ("values", value)):
            streams.setdefault(f"{family} {part}", bytearray()).extend(bytes.fromhex(digits))
    return {name: bytes(stream) for name, stream in streams.items()}


def open_source(source: str) -> dict:
    """place -> bytes. OSError or ValueError where it cannot be read."""
    if source.startswith("dump:"):
        path = Path(source[5:])
        return {f"{path.name} {name}": data for name, data in dump_streams(path).items()}
    path = Path(source)
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return {str(p): p.read_bytes() for p in files}


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--secrets", type=Path, required=True, metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.add_argument("sources", nargs="+", metavar="SOURCE")
    options = parser.parse_args(arguments)
    try:
        secrets = load_secrets(options.secrets)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    hits, empty, searched = [], [], 0
    for source in options.sources:
        try:
            places = open_source(source)
        except (OSError, ValueError) as error:
            print(f"error: {source}: {error}", file=sys.stderr)
            places = {}
        size = sum(len(data) for data in places.values())
        searched += size
        if size == 0:
            empty.append(source)
        for place, data in places.items():
            hits += search(data, secrets, place)
    if options.json:
        print(json.dumps({"secrets": len(secrets), "bytes": searched, "empty": empty,
                          "hits": [vars(hit) for hit in hits]}))
    else:
        for hit in hits:
            print(hit)
        for source in empty:
            print(f"EMPTY {source}")
        print(f"searched {searched} bytes for {len(secrets)} secrets: {len(hits)} found")
    return 1 if hits else 3 if empty else 0


if __name__ == "__main__":
    sys.exit(main())
