"""What a connection may do to a server: short limits on a real one, and sockets that do not keep to them."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from starlette.responses import PlainTextResponse

from bot.connections import BoundedProtocol
from tests.bot.conftest import listening, until

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
PATIENCE = 30.0


class Hasty(BoundedProtocol):
    """The same with little time and room."""

    head_seconds = 0.3
    whole_seconds = 0.6
    most = 3


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server that answers without reading anything."""
    with listening(PlainTextResponse("done"), http=Hasty, timeout_keep_alive=60) as port:
        yield port


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def _answered(port: int, sent: bytes) -> tuple[socket.socket, bytes]:
    """A connection whose request came in time, and what was said to it first; another one where the machine paused for
    longer than a head may take."""
    for _ in range(20):
        connection = _connect(port)
        connection.sendall(sent)
        said = connection.recv(4096)
        if not said.startswith(b"HTTP/1.1 408 "):
            break
        connection.close()
    return connection, said


def _rest(connection: socket.socket) -> bytes:
    """Everything until the server closes. Raises TimeoutError when it does not."""
    got = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(4096):
            got += piece
    return got


@pytest.mark.fault(7)
@pytest.mark.parametrize("begun", [b"", b"P", GET[:-2]])
def test_a_head_that_does_not_end(port: int, begun: bytes) -> None:
    """Nothing, one byte, or all but the last line: 408, and the connection is closed."""
    with _connect(port) as connection:
        connection.sendall(begun)
        assert _rest(connection).startswith(b"HTTP/1.1 408 ")


def _dripped(connection: socket.socket) -> bytes:
    """What the server says first while it gets a byte now and then, nothing when it closes instead."""
    connection.settimeout(0.02)
    for _ in range(500):
        try:
            connection.sendall(b"X")
            return connection.recv(4096)
        except TimeoutError:
            continue
        except ConnectionError:
            return b""
    raise AssertionError("the server waits for ever")


@pytest.mark.fault(7)
def test_a_head_that_comes_in_drops(port: int) -> None:
    """A byte now and then gives no more time."""
    with _connect(port) as connection:
        connection.sendall(b"GET /")
        assert _dripped(connection).startswith(b"HTTP/1.1 408 ")


@pytest.mark.fault(7)
def test_the_second_head_of_a_connection(port: int) -> None:
    """The first request is answered, and the limit holds for the next one as well."""
    connection, said = _answered(port, GET + GET[:10])
    with connection:
        assert re.findall(rb"HTTP/1.1 (\d+)", said + _rest(connection)) == [b"200", b"408"]


def test_a_request_that_came_whole(port: int) -> None:
    """It leaves no limit behind: the connection is there for the next one when all limits of the first are over."""
    connection, said = _answered(port, GET)
    with connection:
        assert said.startswith(b"HTTP/1.1 200 ")
        connection.settimeout(2 * Hasty.whole_seconds)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(PATIENCE)
        connection.sendall(GET)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_a_body_that_nobody_reads(port: int) -> None:
    """The answer is there at once, and the rest of the body keeps the connection for a while only."""
    connection, said = _answered(port, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999\r\n\r\n")
    with connection:
        assert said.startswith(b"HTTP/1.1 200 ")
        assert _dripped(connection) == b""


def test_more_connections_than_there_is_room_for(port: int) -> None:
    """Whoever comes beyond the limit is told to come again, and there is room once somebody has left."""
    held = []
    for _ in range(3):
        connection, said = _answered(port, GET)
        assert said.startswith(b"HTTP/1.1 200 ")
        held.append(connection)
    with _connect(port) as late:
        assert _rest(late).startswith(b"HTTP/1.1 503 ")
    for connection in held:
        connection.close()
    until(lambda: _asked(port).startswith(b"HTTP/1.1 200 "))


def _asked(port: int) -> bytes:
    with _connect(port) as connection, suppress(ConnectionError):
        connection.sendall(GET)
        return connection.recv(4096)
    return b""
