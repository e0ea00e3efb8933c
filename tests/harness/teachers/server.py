"""A web server on this machine, with the habits that servers and the networks before them have."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlparse


@dataclass
class Server:
    """Where it is, what it gives, and what it was asked for."""

    content: bytes
    url: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range of every request."""
    released: threading.Event = field(default_factory=threading.Event)
    """Set when it is to stop: until then an answer may stall."""


@contextmanager
def serving(content: bytes) -> Iterator[Server]:
    """A server that gives ``content``; its path says how."""
    server = Server(content)

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

        def do_GET(self) -> None:
            path = urlparse(self.path).path
            server.asked.append((path, self.headers["Range"]))
            match path:
                case "/whole":
                    self._give(server.content)
                case "/ranges":
                    self._ranges()
                case "/cut":
                    self._give(server.content[: len(server.content) // 2], length=len(server.content))
                case "/stalls":
                    self._give(server.content[: len(server.content) // 2], length=len(server.content))
                    server.released.wait(60)
                case "/login":
                    self._give(b"<html>sign in</html>", kind="text/html; charset=utf-8")
                case "/moved" | "/moved-to-login":
                    self.send_response(302)
                    self.send_header("Location", "/login" if path.endswith("login") else "/ranges")
                    self.end_headers()
                case _:
                    self.send_error(int(path.removeprefix("/")))

        def _ranges(self) -> None:
            first = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
            if first >= len(server.content):
                self.send_error(416)
            else:
                self._give(server.content[first:], status=206 if self.headers["Range"] else 200)

        def _give(
            self, body: bytes, status: int = 200, kind: str = "application/octet-stream", length: int | None = None
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        server.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            running.shutdown()
            thread.join()
