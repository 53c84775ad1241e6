"""A registry that will not give an image: the engine's words become one line, soon, and nothing is left behind."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sandbox import explain
from sandbox.engine import Engine
from sandbox.errors import PullFailed
from sandbox.pulls import pull
from sandbox.references import parse

LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
FOREIGN = {
    "schemaVersion": 2,
    "mediaType": LIST,
    "manifests": [
        {
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "digest": f"sha256:{'0' * 64}",
            "size": 2,
            "platform": {"architecture": "s390x", "os": "linux"},
        }
    ],
}


class Refusing(BaseHTTPRequestHandler):
    """The name of an image says what becomes of it."""

    def do_GET(self) -> None:
        told: object = {}
        status, kind = 200, "application/json"
        if "/limited/" in self.path:
            status, told = 429, {"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your pull rate"}]}
        elif "/gone/" in self.path:
            status, told = 404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
        elif "/foreign/" in self.path:
            kind, told = LIST, FOREIGN
        body = json.dumps(told).encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Docker-Distribution-Api-Version": "registry/2.0"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Keep the tests' output quiet."""


@pytest.fixture
def registry() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.fault(38)
@pytest.mark.engine
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("limited", "(?i)too ?many ?requests"),
        ("gone", "manifest unknown|not found"),
        ("foreign", "no matching manifest"),
    ],
)
def test_what_a_registry_refuses(engine: Engine, registry: str, name: str, words: str) -> None:
    """Too many pulls, no such image, an image for another machine: told with the registry's reason, as trouble of the
    engine's that passes."""
    reference = parse(f"{registry}/{name}:1")
    with pytest.raises(PullFailed, match=words) as told:
        pull(engine, reference, patience_s=20)
    assert "\n" not in explain.error(told.value)
    assert not engine.has_image(str(reference))
