"""Stands in for BadLink where namespaces are not allowed: a TCP proxy with rate, delay and cuts, in this process.

Handsets reach the servers at FRONT, where the proxy listens; the servers listen at 127.0.0.1 on the same ports. Only
connections of the handset whose home is named by slow() are slowed down. What a proxy cannot do: it sees no packets and
no headers, so bytes are those of TLS; and it loses nothing: a chunk that would have been lost comes a round trip later,
with all behind it, as TCP would deliver it. It ends TCP: both ends see a short round trip.
"""
import asyncio
import random
import sys
import threading
from pathlib import Path

from badlink import CLEAN, Profile

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from proxy import Pair, Proxy  # noqa: E402

FRONT = "127.0.0.2"
CHUNK = 1_348  # bytes: a packet of the real link


class Lane:
    """One direction of the link, shared by all connections: each proxy serves its own in a thread of its own."""

    def __init__(self, seed: int):
        self.chance, self.free_at, self.mutex = random.Random(seed), 0.0, threading.Lock()
        self.counts = {"packets": 0, "bytes": 0, "lost": 0, "overflowed": 0, "cut": 0, "arrived_bytes": 0}

    def send(self, now: float, size: int, rate: int, profile: Profile) -> tuple:
        """When it arrives, and for how long its sender must wait before the next."""
        with self.mutex:
            self.counts["packets"] += 1
            self.counts["bytes"] += size
            self.free_at = max(now, self.free_at) + (8 * size / rate if rate else 0)
            at = self.free_at + (profile.delay + self.chance.uniform(-profile.jitter, profile.jitter)) / 1_000
            if self.chance.random() < profile.loss:
                self.counts["lost"] += 1
                at += 2 * profile.delay / 1_000
            return at, self.free_at - now - profile.queue / 1_000


def is_of(home: str, port: int) -> bool:
    """Whether the connection that comes from that local port is of a process that works on that home."""
    inodes = {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
              if int(line.split()[1].split(":")[1], 16) == port}
    for process in Path("/proc").iterdir():
        try:
            if not process.name.isdigit() or home not in (process / "cmdline").read_text():
                continue
            if any(str(fd.readlink()) in {f"socket:[{inode}]" for inode in inodes} for fd in (process / "fd").iterdir()):
                return True
        except OSError:
            continue  # it ended meanwhile
    return False


class SlowPair(Pair):
    """A connection through the stand-in; one that is not the slow handset's passes as it comes."""

    def __init__(self, link: "StandIn", client, server):
        super().__init__(client, server)
        port = client[1].get_extra_info("peername")[1]
        self.link, self.slow = link, link.home is not None and is_of(link.home, port)
        if self.slow and link.is_cut:
            self.flowing.clear()

    async def pump(self, direction: str) -> None:
        if not self.slow:
            return await super().pump(direction)
        (reader, _), (_, writer) = (self.client, self.server) if direction == "up" else (self.server, self.client)
        queue = asyncio.Queue()
        deliverer = asyncio.ensure_future(self.deliver(direction, queue, writer))
        try:
            while data := await reader.read(CHUNK):
                profile = self.link.profile
                at, waits = self.link.lanes[direction].send(asyncio.get_running_loop().time(), len(data),
                                                            profile.up if direction == "up" else profile.down, profile)
                await queue.put((at, data))
                if waits > 0:  # a full queue: the sender notices
                    await asyncio.sleep(waits)
        except OSError:
            pass
        await queue.put((0.0, b""))
        await deliverer

    async def deliver(self, direction: str, queue, writer) -> None:
        try:
            while True:
                at, data = await queue.get()
                await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
                await self.flowing.wait()
                if not data:
                    return writer.write_eof()
                self.link.lanes[direction].counts["arrived_bytes"] += len(data)
                writer.write(data)
                await writer.drain()
        except (OSError, RuntimeError):
            self.abort()


class StandIn:
    def __init__(self, seed: int):
        self.profile, self.home, self.congestion = CLEAN, None, None  # of the machine, and of no use: it ends TCP
        self.lanes = {"up": Lane(seed), "down": Lane(seed + 1)}
        self.is_cut, self.proxies = False, []

    def listen(self, port: int) -> None:
        self.proxies.append(Proxy(port, port, FRONT, lambda client, server: SlowPair(self, client, server)))

    def slow(self, home: Path) -> None:
        self.home = str(home)

    def set(self, profile: Profile) -> None:
        self.profile = profile
        for lane in self.lanes.values():
            lane.free_at = 0.0

    def cut(self, is_cut: bool) -> None:
        self.is_cut = is_cut
        for proxy in self.proxies:
            if is_cut:
                proxy.stall(random.Random(0), 1.0)  # every connection: bernd stands still, too
            else:
                proxy.heal()

    def stats(self) -> dict:
        return {way: dict(lane.counts) for way, lane in self.lanes.items()}

    def close(self) -> None:
        for proxy in self.proxies:
            proxy.loop.call_soon_threadsafe(proxy.loop.stop)
