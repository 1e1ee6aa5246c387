"""Stands in for BadLink where namespaces are not allowed: a TCP proxy with rate, delay and cuts, in this process.

Handsets reach the servers at FRONT, where the proxy listens; the servers listen at 127.0.0.1 on the same ports. Only
connections of the handset whose home is named by slow() are slowed down. What a proxy cannot do: it sees no packets and
no headers, so bytes are those of TLS; and it loses nothing: a chunk that would have been lost comes a round trip later,
with all behind it, as TCP would deliver it. It ends TCP: both ends see a short round trip.
"""
import asyncio
import random
import threading
from pathlib import Path

from badlink import CLEAN, Profile

FRONT = "127.0.0.2"
CHUNK = 1_348  # bytes: a packet of the real link


class Lane:
    """One direction of the link, shared by all connections."""

    def __init__(self, seed: int):
        self.chance, self.free_at = random.Random(seed), 0.0
        self.counts = {"packets": 0, "bytes": 0, "lost": 0, "overflowed": 0, "cut": 0, "arrived_bytes": 0}

    def arrival(self, now: float, size: int, rate: int, profile: Profile) -> float:
        self.counts["packets"] += 1
        self.counts["bytes"] += size
        self.free_at = max(now, self.free_at) + (8 * size / rate if rate else 0)
        at = self.free_at + (profile.delay + self.chance.uniform(-profile.jitter, profile.jitter)) / 1_000
        if self.chance.random() < profile.loss:
            self.counts["lost"] += 1
            at += 2 * profile.delay / 1_000
        return at


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


class StandIn:
    def __init__(self, seed: int):
        self.profile, self.home = CLEAN, None
        self.lanes = {"up": Lane(seed), "down": Lane(seed + 1)}
        self.open = None  # an asyncio.Event: not cut
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.call(self.begin())

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    async def begin(self):
        self.open = asyncio.Event()
        self.open.set()

    def listen(self, port: int) -> None:
        async def start():
            await asyncio.start_server(lambda r, w: self.accept(r, w, port), FRONT, port)
        self.call(start())

    def slow(self, home: Path) -> None:
        self.home = str(home)

    async def accept(self, reader, writer, port: int):
        slow = self.home is not None and is_of(self.home, writer.get_extra_info("peername")[1])
        try:
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(self.pump("up", reader, back_writer, slow), self.pump("down", back_reader, writer, slow))

    async def pump(self, way: str, reader, writer, slow: bool):
        queue = asyncio.Queue()
        deliverer = asyncio.ensure_future(self.deliver(way, queue, writer))
        try:
            while data := await reader.read(CHUNK):
                lane, now = self.lanes[way], self.loop.time()
                rate = self.profile.up if way == "up" else self.profile.down
                await queue.put((lane.arrival(now, len(data), rate, self.profile) if slow else 0, data))
                waits = lane.free_at - now - self.profile.queue / 1_000
                if slow and waits > 0:  # a full queue: the sender notices
                    await asyncio.sleep(waits)
        except OSError:
            pass
        await queue.put((0, b""))
        await deliverer

    async def deliver(self, way: str, queue, writer):
        try:
            while data := await self.taken(way, queue):
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        except (OSError, RuntimeError):
            writer.transport.abort()

    async def taken(self, way: str, queue) -> bytes:
        at, data = await queue.get()
        if at:
            await asyncio.sleep(max(0.0, at - self.loop.time()))
            await self.open.wait()
            self.lanes[way].counts["arrived_bytes"] += len(data)
        return data

    def set(self, profile: Profile) -> None:
        self.profile = profile
        for lane in self.lanes.values():
            lane.free_at = 0.0

    def cut(self, is_cut: bool) -> None:
        self.loop.call_soon_threadsafe(self.open.clear if is_cut else self.open.set)

    def stats(self) -> dict:
        return {way: dict(lane.counts) for way, lane in self.lanes.items()}

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
