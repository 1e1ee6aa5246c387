#!/usr/bin/python3
"""Writes the files of this folder from copies of their sources, which README.md names.

    condense.py SOURCES

SOURCES is a folder that holds x25519_test.json, ed25519_test.json and xchacha20_poly1305_test.json of Wycheproof and
blake2b-kat.txt of the BLAKE2 reference. Every case of the sources is kept, one line each; what no test of ours reads
(notes, the same key in other encodings) is left out.
"""
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEPT = {
    "x25519": ("public", "private", "shared"),
    "ed25519": ("msg", "sig"),
    "xchacha20_poly1305": ("key", "iv", "aad", "msg", "ct", "tag"),
}


def wycheproof(source: dict, kept: tuple) -> str:
    cases = []
    for group in source["testGroups"]:
        shared = {"pk": group["publicKey"]["pk"]} if "publicKey" in group else {}
        for case in group["tests"]:
            fields = {key: case[key] for key in ("tcId", "flags", *kept, "result")}
            cases.append(json.dumps({**shared, **fields}, separators=(",", ":")))
    if len(cases) != source["numberOfTests"]:
        raise SystemExit(f"{source['algorithm']}: {len(cases)} cases, the file says {source['numberOfTests']}")
    return '{"tests":[\n' + ",\n".join(cases) + "\n]}\n"


def blake2b(text: str) -> str:
    """Case n hashes 00 01 … n−1 under the key 00 01 … 3f, so the hashes alone say all of it."""
    hashes = []
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line]
        if not lines:
            continue
        said, key, digest = (line.split(":")[1].strip() for line in lines)
        if bytes.fromhex(said) != bytes(range(len(hashes))) or bytes.fromhex(key) != bytes(range(64)):
            raise SystemExit(f"case {len(hashes)} of the BLAKE2b file is not of the form that is written down here")
        hashes.append(digest)
    return "[\n" + ",\n".join(f'"{digest}"' for digest in hashes) + "\n]\n"


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip())
        raise SystemExit(0 if sys.argv[1:] and sys.argv[1].startswith("-") else 2)
    sources = Path(sys.argv[1])
    for name, kept in KEPT.items():
        source = json.loads((sources / f"{name}_test.json").read_text(encoding="utf-8"))
        (HERE / f"{name}.json").write_text(wycheproof(source, kept), encoding="utf-8")
    text = (sources / "blake2b-kat.txt").read_text(encoding="utf-8")
    (HERE / "blake2b_keyed.json").write_text(blake2b(text), encoding="utf-8")


if __name__ == "__main__":
    main()
