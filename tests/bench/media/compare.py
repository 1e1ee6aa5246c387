#!/usr/bin/python3
"""Uploads and downloads of the gateway's media room beside @tus/server and nginx, in one run, with the same client.

Every server is a process of its own on this machine, started for each row on an empty folder. Ours syncs before it
answers, the peers never do. CPU is the server's alone. Each row is repeated and the quickest run of each side counts.
Exit status 1 when a row misses its goal, unless --no-goals: on a machine that others use, only ratios mean something.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[1] / "tools"
MIB = 1 << 20
TICK = os.sysconf("SC_CLK_TCK")

NGINX = """daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{ access_log off; sendfile on; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}{tls}; root {folder}; }} }}
"""
NGINX_TLS = " ssl; ssl_certificate {0}/server.crt; ssl_certificate_key {0}/server.key"
# What lies in the folder at most, for each byte of a row: a store with its log, and the peer's copy of a medium.
ROOM = 2.5


class Server:
    """A running server and what it has used."""

    def __init__(self, words: list, folder: Path, port: int = 0):
        self.folder = folder
        self.process = subprocess.Popen([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = port or int(self.process.stdout.readline())
        self.base, self.peak, self.running = self.memory(), 0, True
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()

    def memory(self) -> int:
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon:"))

    def watch(self):
        while self.running:
            try:
                self.peak = max(self.peak, self.memory())
            except (OSError, StopIteration):
                return
            time.sleep(0.02)

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def written(self) -> int:
        lines = dict(line.split(": ") for line in Path(f"/proc/{self.process.pid}/io").read_text().splitlines())
        return int(lines["write_bytes"])

    def stop(self):
        self.running = False
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def forget(place: Path) -> None:
    """Nothing of these files stays in memory (posix_fadvise(2))."""
    for path in [place] if place.is_file() else [p for p in place.rglob("*") if p.is_file()]:
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


class Bench:
    def __init__(self, build: Path, folder: Path, runs: int):
        self.build, self.folder, self.runs = build, folder, runs
        self.number = 0
        subprocess.run(["/usr/bin/python3", TOOLS / "make_ca.py", folder / "tls", "server"], check=True, stdout=subprocess.DEVNULL)

    def fresh(self) -> Path:
        self.number += 1
        path = self.folder / str(self.number)
        path.mkdir()
        return path

    def ours(self, tls: bool) -> Server:
        folder = self.fresh()
        certificate = ["--certificate", self.folder / "tls/server.crt", "--key", self.folder / "tls/server.key"] if tls else []
        return Server([self.build / "media_peer_server", folder, *certificate], folder)

    def node(self, tls: bool) -> Server:
        folder = self.fresh()
        certificate = [self.folder / "tls/server.crt", self.folder / "tls/server.key"] if tls else []
        return Server(["node", HERE / "node/server.js", folder, *certificate], folder)

    def nginx(self, file: Path, tls: bool) -> Server:
        import socket
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        folder = self.fresh()
        os.link(file, folder / "file")
        os.chmod(self.folder, 0o755)
        (folder / "nginx.conf").write_text("user root;" * (os.getuid() == 0) + NGINX.format(
            folder=folder, port=port, tls=NGINX_TLS.format(self.folder / "tls") * tls))
        server = Server(["nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log"], folder, port)
        time.sleep(0.3)
        return server

    def client(self, server: Server, path: str, tls: bool, *words) -> tuple:
        """Seconds, and the URLs that it printed."""
        url = f"{'https' if tls else 'http'}://127.0.0.1:{server.port}{path}"
        done = subprocess.run([self.build / "media_peer_client", url, *(["--ca", self.folder / "tls/ca.crt"] if tls else []),
                               *map(str, words)], check=True, stdout=subprocess.PIPE, text=True)
        lines = done.stdout.split()
        return float(lines[-1]), lines[:-1]

    def upload(self, make, tls: bool, count: int, each: int, part: int, settle: bool = False) -> dict:
        best = {}
        for _ in range(self.runs):
            server = make(tls)
            seconds, _ = self.client(server, "/v1/media", tls, "--count", count, "--bytes", each, "--part", part)
            got = {"seconds": seconds, "cpu": server.cpu(), "memory": server.peak - server.base}
            if settle:  # what a background thread still writes counts as well
                time.sleep(3)
                got["written"] = server.written() / (count * each)
                got["cpu_settled"] = server.cpu()
            server.stop()
            shutil.rmtree(server.folder)
            best = got if not best or got["seconds"] < best["seconds"] else {**best, "memory": max(best["memory"], got["memory"])}
        best["rate"] = count * each / best["seconds"] / MIB
        return best

    def holding(self, size: int, tls: bool = False) -> tuple:
        """One of our servers with a medium of that size, and the path of it."""
        ours = self.ours(tls)
        _, urls = self.client(ours, "/v1/media", tls, "--bytes", size)
        return ours, "/v1/" + urls[0].split("/v1/")[1]

    def cold_download(self, size: int) -> tuple:
        """MiB/s of a download that nothing has in memory, and of the disk itself: the same bytes in a plain file."""
        ours, path = self.holding(size)
        file = self.folder / "plain"
        with open(file, "wb") as out:
            for _ in range(size // MIB):
                out.write(os.urandom(MIB))
        best = [1e9, 1e9]
        for _ in range(self.runs):
            forget(ours.folder)
            best[0] = min(best[0], self.client(ours, path, False, "--get")[0])
            forget(file)
            began = time.monotonic()
            with open(file, "rb") as plain:
                while plain.read(MIB):
                    pass
            best[1] = min(best[1], time.monotonic() - began)
        ours.stop()
        shutil.rmtree(ours.folder)
        file.unlink()
        return size / best[0] / MIB, size / best[1] / MIB

    def download(self, size: int, tls: bool) -> tuple:
        ours, path = self.holding(size, tls)
        file = self.folder / "served"
        file.write_bytes(os.urandom(MIB) * (size // MIB))
        nginx = self.nginx(file, tls)
        best = [1e9, 1e9]
        for _ in range(self.runs + 2):
            best[0] = min(best[0], self.client(ours, path, tls, "--get")[0])
            best[1] = min(best[1], self.client(nginx, "/file", tls, "--get")[0])
        for server in (ours, nginx):
            server.stop()
            shutil.rmtree(server.folder)
        file.unlink()
        return size / best[0] / MIB, size / best[1] / MIB


def measure(bench: Bench, total: int, downloads: int) -> list:
    rows = []

    def row(name, unit, value, goal, peer="", peer_value=0.0, higher=True):
        met = value / (peer_value or 1) >= goal if higher else value / (peer_value or 1) <= goal
        rows.append({"name": name, "unit": unit, "value": round(value, 3), "peer": peer, "peer_value": round(peer_value, 3),
                     "ratio": round(value / (peer_value or 1), 3), "goal": goal, "higher": higher, "met": met})
        print(f"{name:<44} {value:>10.2f} {unit:<7} {peer:<26} {peer_value:>10.2f}   {value / (peer_value or 1):>7.2f} "
              f"{'>=' if higher else '<='} {goal:<5} {'' if met else 'MISSED'}", flush=True)

    gib = total / (1 << 30)
    for tls in (False, True):
        end = ", TLS" if tls else ""
        one = bench.upload(bench.ours, tls, 1, total, 4 * MIB, settle=not tls)
        node = bench.upload(bench.node, tls, 1, total, 4 * MIB)
        many = bench.upload(bench.ours, tls, 64, total // 64, 4 * MIB)
        row(f"upload, 4 MiB parts{end}", "MiB/s", one["rate"], 1.5, "@tus/server, no sync", node["rate"])
        if not tls:
            row("upload, CPU", "s/GiB", one["cpu_settled"] / gib, 2.0, higher=False)
            row("upload, bytes written for each", "", one["written"], 2.2, higher=False)
        row(f"64 uploads at once{end}", "MiB/s", many["rate"], 1.0, "one upload", one["rate"])
        row(f"64 uploads at once, memory{end}", "MiB", many["memory"] / MIB, 64, higher=False)
    for tls in (False, True):
        ours, nginx = bench.download(downloads, tls)
        row(f"download from cache{', TLS' * tls}", "MiB/s", ours, 0.5, "nginx, TLS" if tls else "nginx, sendfile", nginx)
    cold, disk = bench.cold_download(downloads)
    row("download from disk", "MiB/s", cold, 0.5, "reading a plain file", disk)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True, help="folder of media_peer_server and media_peer_client")
    parser.add_argument("--full", action="store_true", help="1 GiB instead of 256 MiB")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", metavar="FILE", help="the rows are added to the list in that file")
    parser.add_argument("--no-goals", action="store_true", help="exit status 0 also when a goal is missed")
    parser.add_argument("--folder", help="where stores go (default: a temporary folder); a disk, not memory")
    options = parser.parse_args()
    total = (1024 if options.full else 256) * MIB
    with tempfile.TemporaryDirectory(prefix="nimes-bench-", dir=options.folder) as folder:
        if (free := shutil.disk_usage(folder).free) < ROOM * total:
            parser.error(f"{Path(folder).parent} has {free // MIB} MiB free, this takes {int(ROOM * total) // MIB}: see --folder")
        subprocess.run([HERE / "node/install"], check=True, stdout=subprocess.DEVNULL)
        rows = measure(Bench(options.build, Path(folder), options.runs), total, total)
    if options.json:
        file = Path(options.json)
        earlier = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        file.write_text(json.dumps(earlier + rows, indent=2) + "\n", encoding="utf-8")
    return 0 if options.no_goals or all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
