#!/usr/bin/python3
"""An SMTP server that keeps every mail as a file and delivers nothing.

Listens on 127.0.0.1 at a port the kernel chooses (or --port) and prints that port as the first line of its output.
Each accepted mail becomes DIR/000001.eml and so on: written aside and renamed, so that whoever sees the name sees the
whole mail. The envelope is kept in front as X-Envelope-From and X-Envelope-To, one line a recipient.
"""
import argparse
import asyncio
import os
import signal
import ssl
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP

MAX_MAIL = 1 << 20


class Keeper:
    """aiosmtpd's handler: called in its event loop only, so the counter needs no lock."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.count = sum(1 for _ in directory.glob("*.eml"))

    async def handle_DATA(self, _server, _session, envelope):
        self.count += 1
        lines = [f"X-Envelope-From: {envelope.mail_from}"] + [f"X-Envelope-To: {to}" for to in envelope.rcpt_tos]
        mail = "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n" + envelope.original_content
        path = self.directory / f"{self.count:06}.eml"
        aside = path.with_suffix(".part")
        aside.write_bytes(mail)
        os.replace(aside, path)
        return "250 kept"


async def serve(options) -> None:
    directory = Path(options.directory)
    directory.mkdir(parents=True, exist_ok=True)
    keeper = Keeper(directory)
    context = None
    if options.tls != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.cert, options.key)
    starttls = context if options.tls == "starttls" else None

    def session():
        return SMTP(keeper, hostname="sink.invalid", data_size_limit=MAX_MAIL, enable_SMTPUTF8=True,
                    tls_context=starttls, require_starttls=starttls is not None)

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(session, "127.0.0.1", options.port,
                                      ssl=context if options.tls == "implicit" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()
    server.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", help="where the mails are kept; made if absent")
    parser.add_argument("--port", type=int, default=0, help="listen there (default: the kernel chooses)")
    parser.add_argument("--tls", choices=("none", "starttls", "implicit"), default="none")
    parser.add_argument("--cert", help="PEM certificate chain for --tls")
    parser.add_argument("--key", help="PEM key for --tls")
    options = parser.parse_args()
    if options.tls != "none" and not (options.cert and options.key):
        parser.error("--tls needs --cert and --key")
    asyncio.run(serve(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
