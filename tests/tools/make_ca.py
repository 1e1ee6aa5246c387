#!/usr/bin/python3
"""Makes a development CA and server certificates (ECDSA P-256) with the openssl command.

DIR/ca.crt and DIR/ca.key, and for each NAME DIR/NAME.crt and DIR/NAME.key, valid for 127.0.0.1, ::1 and localhost.
What exists is kept, so a second run changes nothing. For development and tests: the keys are not encrypted.
"""
import argparse
import os
import subprocess
import sys
from pathlib import Path

DAYS = "30"
ALT_NAMES = "IP:127.0.0.1,IP:::1,DNS:localhost"


def openssl(*arguments: str) -> None:
    subprocess.run(("openssl",) + arguments, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


def make_key(path: Path) -> None:
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(path))
    os.chmod(path, 0o600)


def make_ca(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    key, certificate = directory / "ca.key", directory / "ca.crt"
    if certificate.exists():
        return
    make_key(key)
    openssl("req", "-x509", "-new", "-key", str(key), "-sha256", "-days", DAYS, "-out", str(certificate),
            "-subj", "/CN=nimes development CA", "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")


def make_server(directory: Path, name: str, also: list) -> None:
    key, certificate = directory / f"{name}.key", directory / f"{name}.crt"
    if certificate.exists():
        return
    make_key(key)
    request, extensions = directory / f"{name}.csr", directory / f"{name}.ext"
    extensions.write_text(f"subjectAltName={','.join([ALT_NAMES, *also])}\nbasicConstraints=critical,CA:FALSE\n"
                          "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n")
    openssl("req", "-new", "-key", str(key), "-subj", f"/CN={name}", "-out", str(request))
    openssl("x509", "-req", "-in", str(request), "-CA", str(directory / "ca.crt"), "-CAkey", str(directory / "ca.key"),
            "-CAcreateserial", "-sha256", "-days", DAYS, "-extfile", str(extensions), "-out", str(certificate))
    request.unlink()
    extensions.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help="one server certificate each")
    parser.add_argument("--also", action="append", default=[], metavar="IP:ADDRESS",
                        help="a further name of every server certificate, as openssl writes it")
    options = parser.parse_args()
    try:
        make_ca(options.directory)
        for name in options.names:
            make_server(options.directory, name, options.also)
    except subprocess.CalledProcessError as error:
        print(f"error: openssl: {error.stderr.decode().strip()}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
