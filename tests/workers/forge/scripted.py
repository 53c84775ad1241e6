"""An HTTP server that gives one scripted answer after the other and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Scripted:
    """The server's address, its script (the last reply repeats) and its record of (method, path, headers)."""

    url: str
    replies: list[Reply]
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def scripted(*replies: Reply) -> Iterator[Scripted]:
    """Serve the replies on a free port of the loopback."""
    script = Scripted("", list(replies))

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            if len(self.rfile.read(length)) < length:
                self.close_connection = True  # a request that breaks off is none
                return
            script.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
            reply = script.replies.pop(0) if len(script.replies) > 1 else script.replies[0]
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Keep the tests' output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
