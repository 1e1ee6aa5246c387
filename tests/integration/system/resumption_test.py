#!/usr/bin/python3
"""Does TLS resume, and what would it save? Python's ssl against the real Mosquitto and gateway, with 1.2 and 1.3; then
what the agent itself does when it connects again. The figures are printed; ARCHITECTURE.md draws the conclusion.
"""
import select
import socket
import ssl
import time

from people import unittest, wait_until
from wire_test import Wire

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def shake(port: int, context: ssl.SSLContext, session=None) -> dict:
    """One connection by hand: bytes of TLS each way, flights of the client, whether it resumed, the session after it."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(into, out, server_hostname="127.0.0.1", session=session)
    got = {"up": 0, "down": 0, "flights": 0}
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stream:
        def flush():
            if data := out.read():
                got["up"] += len(data)
                got["flights"] += 1
                stream.sendall(data)

        def feed(seconds: float) -> bool:
            if not select.select([stream], [], [], seconds)[0]:
                return False
            data = stream.recv(1 << 16)
            got["down"] += len(data)
            into.write(data)
            return bool(data)

        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                flush()
                feed(10)
        flush()
        # Tickets of 1.3 come behind the handshake.
        while feed(0.3):
            try:
                tls.read()
            except ssl.SSLWantReadError:
                pass
            if tls.session is not None and tls.session.has_ticket:
                break
        return {**got, "resumed": tls.session_reused, "session": tls.session}


def handshakes(packets: list) -> list:
    """For each connection of a capture: version and whether the server took a resumption, from the clear hellos."""
    out = []
    for client in sorted({packet[1] for packet in packets}):
        mine = [packet for packet in packets if packet[1] == client]
        up = b"".join(packet[4] for packet in mine if packet[2] == "up")
        down = b"".join(packet[4] for packet in mine if packet[2] == "down")
        if len(up) < 6 or up[0] != 22 or len(down) < 6 or down[0] != 22:
            continue
        version, taken = server_hello(down)
        offered = 41 in extensions(up[5 + 4:], client=True)
        total = sum(packet[3] for packet in mine)
        out.append({"version": version, "offered": offered, "resumed": taken, "bytes": total})
    return out


def extensions(hello: bytes, client: bool) -> dict:
    at = 2 + 32
    at += 1 + hello[at]
    if client:
        at += 2 + int.from_bytes(hello[at:at + 2], "big")
        at += 1 + hello[at]
    else:
        at += 3
    end = at + 2 + int.from_bytes(hello[at:at + 2], "big")
    at += 2
    found = {}
    while at + 4 <= end:
        kind, size = int.from_bytes(hello[at:at + 2], "big"), int.from_bytes(hello[at + 2:at + 4], "big")
        found[kind] = hello[at + 4:at + 4 + size]
        at += 4 + size
    return found


def server_hello(down: bytes) -> tuple:
    found = extensions(down[5 + 4:], client=False)
    if 43 in found:
        return "1.3", 41 in found
    record = int.from_bytes(down[3:5], "big")
    # In 1.2 the certificate follows in clear, in this record or the next, unless the session was resumed.
    kinds = {down[5]}
    inside = 5 + 4 + int.from_bytes(down[6:9], "big")
    kinds.add(down[inside] if inside < 5 + record else down[5 + record + 5])
    return "1.2", 11 not in kinds


class Resumption(Wire):
    def context(self, version: str) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.world.certificates / "ca.crt"))
        context.minimum_version = context.maximum_version = VERSIONS[version]
        return context

    def test_what_the_servers_offer(self):
        print("\n              first connection                    the next one")
        for server in ("broker", "gateway"):
            for version in VERSIONS:
                context = self.context(version)
                first = shake(self.world.port[server], context)
                again = shake(self.world.port[server], context, first["session"])
                print(f"{server:>8} {version}   " + "   ".join(
                    f"{'resumed' if got['resumed'] else 'full   '} up {got['up']:5} down {got['down']:5} flights "
                    f"{got['flights']}" for got in (first, again)))
                self.assertFalse(first["resumed"])
                self.assertTrue(again["resumed"], f"{server} {version}")
                self.assertLess(again["up"] + again["down"], first["up"] + first["down"])

    def test_what_the_agent_does(self):
        for port in ("broker", "gateway"):
            sniffer = self.sniff(port)
            self.anna.online()
            for _ in range(3):
                before = len(sniffer.clients())
                self.ok(self.anna.run("network", "changed"))
                if port == "broker":
                    wait_until(lambda: len(sniffer.clients()) > before, "connection", 30, self.supervisor)
                wait_until(lambda: self.anna.run("status").last()["synced"], "sync", 30, self.supervisor)
            time.sleep(1)
            self.anna.offline()
            seen = handshakes(list(sniffer.packets))
            for handshake in seen:
                print(f"\nagent to {port}: TLS {handshake['version']}, resumption offered {handshake['offered']}, "
                      f"taken {handshake['resumed']}, {handshake['bytes']} bytes in the whole connection", end="")
            self.assertTrue(seen)
            self.assertTrue(all(handshake["version"] == "1.3" for handshake in seen), seen)
        print()


if __name__ == "__main__":
    unittest.main(defaultTest="Resumption")
