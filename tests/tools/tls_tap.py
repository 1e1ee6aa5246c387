#!/usr/bin/python3
"""Stands between a client and a TLS server and keeps what passes once TLS is taken off.

Listens with the server's own certificate, ends TLS, opens a verified TLS connection to the real server and moves
bytes both ways. Every decrypted byte is appended, in the order it passed, to
    DIR/NAME.up      client to server        DIR/NAME.down    server to client
and for every connection one line {"id", "up", "down", "opened", "closed", "end"} to DIR/NAME.connections. The files
grow before the bytes are passed on, so whoever sees an effect of a byte finds it captured. Byte counts are those
inside TLS. The port is printed as the first line of the output. Closing is passed on at once, in both directions.
"""
import argparse
import asyncio
import json
import signal
import ssl
import sys
import time
from pathlib import Path

BLOCK = 64 * 1024


class Tap:
    def __init__(self, options):
        self.host, port = options.upstream.rsplit(":", 1)
        self.port = int(port)
        directory = Path(options.directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.files = {way: open(directory / f"{options.name}.{way}", "ab", buffering=0) for way in ("up", "down")}
        self.connections = open(directory / f"{options.name}.connections", "a", buffering=1, encoding="utf-8")
        self.count = 0
        self.front = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.front.load_cert_chain(options.cert, options.key)
        self.back = ssl.create_default_context(cafile=options.ca)

    async def pump(self, way: str, reader, writer, line) -> str:
        """Moves one direction until it ends; answers how it ended."""
        try:
            while block := await reader.read(BLOCK):
                self.files[way].write(block)
                line[way] += len(block)
                writer.write(block)
                await writer.drain()
            return "closed"
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, OSError) as error:
            return type(error).__name__

    async def connection(self, client_reader, client_writer) -> None:
        self.count += 1
        line = {"id": self.count, "up": 0, "down": 0, "opened": time.time()}
        try:
            server_reader, server_writer = await asyncio.open_connection(
                self.host, self.port, ssl=self.back, server_hostname=self.host)
        except (OSError, ssl.SSLError) as error:
            client_writer.transport.abort()
            self.note(line, f"upstream: {type(error).__name__}")
            return
        pumps = {"client": asyncio.create_task(self.pump("up", client_reader, server_writer, line)),
                 "server": asyncio.create_task(self.pump("down", server_reader, client_writer, line))}
        done, waiting = await asyncio.wait(pumps.values(), return_when=asyncio.FIRST_COMPLETED)
        first = next(side for side, task in pumps.items() if task in done)
        self.note(line, f"{first} {pumps[first].result()}")  # the time of the cut, before anything is wound up
        for writer in (client_writer, server_writer):
            writer.close()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for writer in (client_writer, server_writer):
            try:
                await asyncio.wait_for(writer.wait_closed(), 2)
            except (OSError, ssl.SSLError, asyncio.TimeoutError):
                writer.transport.abort()

    def note(self, line: dict, end: str) -> None:
        self.connections.write(json.dumps({**line, "closed": time.time(), "end": end}) + "\n")


async def serve(options) -> None:
    tap = Tap(options)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await asyncio.start_server(tap.connection, "127.0.0.1", options.port, ssl=tap.front, backlog=100)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()
    server.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", help="where the captures go; made if absent")
    parser.add_argument("--name", required=True, help="first part of the captures' names")
    parser.add_argument("--upstream", required=True, metavar="HOST:PORT", help="the real server; its name is verified")
    parser.add_argument("--ca", required=True, help="PEM: who signs the real server's certificate")
    parser.add_argument("--cert", required=True, help="PEM certificate shown to clients")
    parser.add_argument("--key", required=True, help="PEM key of --cert")
    parser.add_argument("--port", type=int, default=0, help="listen there (default: the kernel chooses)")
    asyncio.run(serve(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
