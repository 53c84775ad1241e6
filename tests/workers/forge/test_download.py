"""How a job's log travels: without credentials, as a stream, unpacked within limits, without secrets."""

from __future__ import annotations

import gzip
import zlib
from itertools import cycle

import pytest

from tests.workers.forge.scripted import Reply, scripted
from workers import logs
from workers.errors import Retryable, Stop
from workers.github.download import fetch_log, unpacked
from workers.redact import MARK, Redactor

HEAD = "##[group]Run make\n\x1b[36;1mmake\x1b[0m\nshell: /usr/bin/bash -e {0}\n##[endgroup]\n"
LOG = f"{HEAD}token is my-own-token-value\n##[error]Process completed with exit code 2.\n"


@pytest.mark.parametrize("packed", [False, True])
def test_a_log_is_read_without_credentials_and_without_secrets(packed: bool) -> None:
    """The address of a log gets no Authorization header; packed or not, registered values never come out of it."""
    body, headers = LOG.encode(), {}
    if packed:
        body, headers = gzip.compress(body[:40]) + gzip.compress(body[40:]), {"Content-Encoding": "gzip"}
    with scripted(Reply(200, body, headers)) as server:
        log = fetch_log(server.url, 5)(f"{server.url}/log?sig=1", Redactor("my-own-token-value"))
    assert "authorization" not in server.seen[0][2]
    assert log.failed is not None
    assert log.failed.output.startswith(f"token is {MARK}\n")


def test_logs_are_read_from_proper_addresses_only() -> None:
    """Files and, beside an https API, plain http are refused; an expired link is asked for again later."""
    for url in ("file:///etc/passwd", "http://169.254.169.254/latest", "ftp://x/y"):
        with pytest.raises(Stop):
            fetch_log("https://api.github.com", 5)(url, Redactor())
    with scripted(Reply(403)) as server, pytest.raises(Retryable):
        fetch_log(server.url, 5)(server.url, Redactor())
    with scripted(Reply(302, b"", {"Location": "http://127.0.0.1:1/"})) as server, pytest.raises(Retryable):
        fetch_log(server.url, 5)(server.url, Redactor())


@pytest.mark.fault(50)
@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(b"x" * 9999)[:-9], "gzip"), (b"no gzip", "gzip"), (b"\x1b", "br")],
    ids=["cut", "not packed at all", "packed as nobody asked for"],
)
def test_a_broken_answer_is_asked_for_again(body: bytes, encoding: str) -> None:
    """What cannot be unpacked is trouble on the way, which passes."""
    with scripted(Reply(200, body, {"Content-Encoding": encoding})) as server, pytest.raises(Retryable):
        fetch_log(server.url, 5)(server.url, Redactor())


@pytest.mark.fault(50)
def test_what_is_packed_small_is_unpacked_in_pieces() -> None:
    """A few packed bytes that hold many never lie in memory at once."""
    packed = zlib.compress(b"\0" * (64 << 20), wbits=16 + zlib.MAX_WBITS)
    sizes = [len(piece) for piece in unpacked([packed], "gzip")]
    assert max(sizes) <= 256 << 10
    assert sum(sizes) == 64 << 20


@pytest.mark.uncounted
@pytest.mark.fault(50)
def test_a_log_without_an_end_is_read_to_the_limit() -> None:
    """Beyond the limit nothing is read, and the log says so."""
    log = logs.read(cycle([b"line\n" * 9999]), limit=3 << 20)
    assert log.notes == ("The log is longer than 3 MiB: only its beginning was read.",)
    assert log.text.endswith(log.notes[0])
