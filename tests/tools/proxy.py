"""A TCP proxy that behaves like a bad network: passes bytes on, and cuts, stalls, swallows or half-opens on demand.

It stands where the public address of a server points to and does not end TLS. An event loop in a thread of its own;
every public function may be called from any thread. Which connections a fault hits follows from the random source that
comes with it. Faults of a duration last until heal().
"""
import asyncio
import itertools
import threading

CHUNK = 64 * 1024


class Pair:
    """One connection through the proxy."""
    numbers = itertools.count()

    def __init__(self, client, server):
        self.number = next(self.numbers)
        self.client, self.server = client, server  # (reader, writer) each
        self.swallow = set()  # directions, "up" and "down", whose bytes vanish
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.dead = False  # half open: one side is gone, and the other never hears of it

    def abort(self) -> None:
        for _, writer in (self.client, self.server):
            writer.transport.abort()  # RST, not FIN: a cut says no good-bye

    async def pump(self, direction: str) -> None:
        (reader, _), (_, writer) = (self.client, self.server) if direction == "up" else (self.server, self.client)
        try:
            while data := await reader.read(CHUNK):
                await self.flowing.wait()
                if self.dead or direction in self.swallow:
                    continue
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        if not self.dead:
            self.abort()


class Proxy:
    """Listens at host:port, and passes everything on to 127.0.0.1:target. `pair` makes what serves a connection."""

    def __init__(self, port: int, target: int, host: str = "127.0.0.1", pair=Pair):
        self.port, self.target, self.host, self.make_pair = port, target, host, pair
        self.pairs = {}
        self.refusing = False
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self._call(self._listen())

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    async def _listen(self):
        await asyncio.start_server(self._accept, self.host, self.port, backlog=1024)

    async def _accept(self, reader, writer):
        if self.refusing:
            writer.transport.abort()
            return
        try:
            server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = self.make_pair((reader, writer), server)
        self.pairs[pair.number] = pair
        await asyncio.gather(pair.pump("up"), pair.pump("down"))
        pair.abort()
        del self.pairs[pair.number]

    def _on_some(self, random, share: float, act) -> int:
        """Calls act on each connection with that probability; answers how many it hit."""
        async def run():
            hit = [pair for _, pair in sorted(self.pairs.items()) if random.random() < share]
            for pair in hit:
                act(pair)
            return len(hit)
        return self._call(run())

    def cut(self, random, share: float = 1.0) -> int:
        return self._on_some(random, share, Pair.abort)

    def refuse(self, refusing: bool) -> None:
        self.refusing = refusing

    def stall(self, random, share: float) -> int:
        """Nothing passes until heal(); then all of it does."""
        return self._on_some(random, share, lambda pair: pair.flowing.clear())

    def swallow(self, random, share: float, directions) -> int:
        """Bytes vanish until heal(); what comes after has a hole before it."""
        return self._on_some(random, share, lambda pair: pair.swallow.update(directions))

    def half_open(self, random, share: float, gone: str) -> int:
        """One side's connection ends; the other side's stays open, takes every byte and never answers."""
        def act(pair):
            pair.dead = True
            (pair.server if gone == "server" else pair.client)[1].transport.abort()
        return self._on_some(random, share, act)

    def heal(self) -> None:
        """Bytes pass again. Half-open connections stay so: nothing tells their owners."""
        def act(pair):
            pair.swallow.clear()
            pair.flowing.set()
        self.refusing = False
        self._on_some(_Always(), 1.0, act)

    def reset_dead(self) -> int:
        """Half-open connections are reset, as a router does that has forgotten them."""
        return self._on_some(_Always(), 1.0, lambda pair: pair.abort() if pair.dead else None)


class _Always:
    @staticmethod
    def random() -> float:
        return 0.0
