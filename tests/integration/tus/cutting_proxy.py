"""A TCP proxy that cuts: each connection lives for so many bytes upwards, then it is closed, or left half open.

It sees TLS from outside and changes nothing. `up` counts what it handed to the server, `down` what it handed to the
client, both parts of TLS included. One thread a direction; used as a context manager. `budgets`, and `down_budgets` for
the other way, are asked for each connection: how many bytes it may carry, or None for all.
"""
import random
import socket
import threading


class CuttingProxy:
    def __init__(self, upstream: int, budgets, reset: bool = False, half_open: bool = False, port: int = 0,
                 down_budgets=None):
        self.upstream, self.budgets, self.reset, self.half_open = upstream, budgets, reset, half_open
        self.down_budgets = down_budgets or (lambda connection: None)
        self.up, self.down, self.cuts, self.connections = 0, 0, 0, 0
        self.lock = threading.Lock()
        self.left_open = []
        self.server = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = self.server.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self.server.close()
        for end in self.left_open:
            end.close()

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.upstream))
            except OSError:  # it is being killed and started again
                client.close()
                continue
            with self.lock:
                self.connections += 1
                budget, down = self.budgets(self.connections), self.down_budgets(self.connections)
            threading.Thread(target=self.upwards, args=(client, server, budget), daemon=True).start()
            threading.Thread(target=self.downwards, args=(server, client, down), daemon=True).start()

    def upwards(self, client, server, budget):
        try:
            while data := client.recv(16384 if budget is None else min(16384, max(budget, 1))):
                server.sendall(data)
                with self.lock:
                    self.up += len(data)
                if budget is not None and (budget := budget - len(data)) <= 0:
                    return self.cut(client, server)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (client, server):
                end.close()

    def cut(self, client, server):
        with self.lock:
            self.cuts += 1
        if self.half_open:  # the phone's side has died, the server hears nothing of it
            self.left_open.append(server)
        elif self.reset:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            server.close()
        else:
            server.shutdown(socket.SHUT_WR)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()

    def downwards(self, server, client, budget):
        try:
            while data := server.recv(16384 if budget is None else min(16384, max(budget, 1))):
                client.sendall(data)
                with self.lock:
                    self.down += len(data)
                if budget is not None and (budget := budget - len(data)) <= 0:
                    with self.lock:
                        self.cuts += 1
                    server.shutdown(socket.SHUT_RDWR)
                    return client.shutdown(socket.SHUT_WR)  # no reset, which would take what has arrived from it
            client.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (client, server):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def every(least: int, most: int, seed: int, times=None):
    """Budgets between least and most for the first `times` connections, then none."""
    chance = random.Random(seed)
    return lambda n: None if times is not None and n > times else chance.randint(least, most)


__all__ = ["CuttingProxy", "every"]
