#!/usr/bin/python3
"""Makes a development CA and server certificates (ECDSA P-256).

DIR/ca.crt and DIR/ca.key, and for each NAME DIR/NAME.crt and DIR/NAME.key, valid for 127.0.0.1, ::1 and localhost, from
yesterday on, so that a handset whose clock is an hour behind trusts them, too. What exists is kept, so a second run
changes nothing. For development and tests: the keys are not encrypted.
"""
import argparse
import datetime
import ipaddress
import os
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
ALT_NAMES = ("IP:127.0.0.1", "IP:::1", "DNS:localhost")
USES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


def name_of(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def alternative(text: str) -> x509.GeneralName:
    kind, _, value = text.partition(":")
    if kind == "IP":
        return x509.IPAddress(ipaddress.ip_address(value))
    if kind == "DNS":
        return x509.DNSName(value)
    raise SystemExit(f"error: a further name is IP:ADDRESS or DNS:NAME, not {text}")


def begin(subject: str, issuer: x509.Name, key, uses: tuple) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (x509.CertificateBuilder().subject_name(name_of(subject)).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - DAY).not_valid_after(now + 30 * DAY)
            .add_extension(x509.KeyUsage(**{use: use in uses for use in USES}), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False))


def write(directory: Path, name: str, key, certificate: x509.Certificate) -> None:
    """The certificate last: whoever sees it finds the key, too."""
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
    with open(os.open(directory / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(private)
    (directory / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def make_ca(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    if (directory / "ca.crt").exists():
        return
    key, subject = ec.generate_private_key(ec.SECP256R1()), "nimes development CA"
    builder = begin(subject, name_of(subject), key, ("key_cert_sign", "crl_sign"))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    write(directory, "ca", key, builder.sign(key, hashes.SHA256()))


def make_server(directory: Path, name: str, also: list) -> None:
    if (directory / f"{name}.crt").exists():
        return
    issuer = x509.load_pem_x509_certificate((directory / "ca.crt").read_bytes())
    issuer_key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = begin(name, issuer.subject, key, ("digital_signature",))
    for extension, critical in (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.SubjectAlternativeName([alternative(text) for text in (*ALT_NAMES, *also)]), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)):
        builder = builder.add_extension(extension, critical=critical)
    write(directory, name, key, builder.sign(issuer_key, hashes.SHA256()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help="one server certificate each")
    parser.add_argument("--also", action="append", default=[], metavar="IP:ADDRESS",
                        help="a further name of every server certificate, or DNS:NAME")
    options = parser.parse_args()
    make_ca(options.directory)
    for name in options.names:
        make_server(options.directory, name, options.also)
    return 0


if __name__ == "__main__":
    sys.exit(main())
