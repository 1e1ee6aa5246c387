#!/usr/bin/python3
"""A push service that wakes nobody: keeps what it is asked, and misbehaves where it is told to.

Listens on 127.0.0.1 at a port the kernel chooses and prints that port as the first line of its output. Each request
becomes one JSON line in DIR/requests: method, path, headers, body. By the beginning of the path:

    /up/…        201                                  /gone/…      410
    /status/N    that status                          /slow/…      never answers
    /redirect/…  307 to /up/redirected                /huge/…      201 and a body without an end
"""
import http.server
import json
import sys
import threading
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        line = json.dumps({"method": self.command, "path": self.path, "body": body.decode("latin-1"),
                           "headers": {name.lower(): value for name, value in self.headers.items()}})
        with self.server.lock, self.server.file.open("a") as out:
            out.write(line + "\n")
        what = self.path.split("/")[1]
        if what == "slow":
            self.server.ending.wait()
            return
        status = {"up": 201, "gone": 410, "redirect": 307, "huge": 201}.get(what) or int(self.path.split("/")[2])
        self.send_response(status)
        if what == "redirect":
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/up/redirected")
        if what != "huge":
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.end_headers()
        try:
            while not self.server.ending.is_set():
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass
        self.close_connection = True

    do_GET = do_POST

    def log_message(self, *_):
        pass


def main() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.file, server.lock, server.ending = Path(sys.argv[1]) / "requests", threading.Lock(), threading.Event()
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        sys.exit(0 if len(sys.argv) == 2 else 2)
    main()
