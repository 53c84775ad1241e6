"""Runs the double: `python -m tests.hub --port 0 --data DIR`. Prints one JSON line with its address when it is up."""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from tests.hub.app import build, served


class _Announcing(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(self, app: FastAPI, url: str) -> None:
        config = uvicorn.Config(
            served(app),
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=600,  # whoever asks again after a while must not meet a connection that is being closed
            date_header=False,  # the double tells its own time
        )
        super().__init__(config)
        self._app, self._url = app, url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(json.dumps({"url": self._url}) + "\n")
        sys.stdout.flush()
        self._app.state.contract.load()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        self._app.state.ci.close()


def main() -> None:
    """Bind to loopback, build the application for that address, serve until killed."""
    parser = argparse.ArgumentParser(prog="tests.hub")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--ci-image", default="")
    asked = parser.parse_args()
    data = asked.data or Path(tempfile.mkdtemp(prefix="hub-"))
    data.mkdir(parents=True, exist_ok=True)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", asked.port))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = _Announcing(build(data.resolve(), url, asked.ci_image), url)
        server.run(sockets=[listener])


if __name__ == "__main__":
    main()
