"""The egress proxy as a server on loopback: what it survives, and that every limit ends a connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from sandbox.images.egress import Flow, Proxy, Refused, Rules

RULES = Rules(tls=("localhost", "no-such-host.invalid"), private=("localhost",), head_s=30, connections_each=20)
Scene = Callable[[int], Awaitable[None]]


def play(scene: Scene, rules: Rules = RULES) -> None:
    """Run the scene against a proxy on a free port; whatever it did, the proxy still answers afterwards."""

    async def on_stage() -> None:
        server = await Proxy(rules).serve("127.0.0.1", 0)
        async with server:
            port = int(server.sockets[0].getsockname()[1])
            await scene(port)
            if rules.connections_each > 1:
                assert b"403 Forbidden" in await said(port, b"CONNECT example.com:443 HTTP/1.1\r\n\r\n")

    asyncio.run(on_stage())


async def said(port: int, data: bytes) -> bytes:
    """All that the proxy answers to these bytes until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        return await asyncio.wait_for(reader.read(), 60)
    except ConnectionResetError:
        return b""
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00" + bytes(range(256)) + b"\r\n\r\n", b"400"),
        (b"\r\n\r\n", b"400"),
        (b"*1\r\n$4\r\nPING\r\n\r\n", b"400"),
        (b"GET http://localhost:6379/ HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT localhost:6379 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT no-such-host.invalid:443 HTTP/1.1\r\n\r\n", b"502"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000, b"431"),
    ],
)  # fmt: skip
def test_garbage_is_answered(data: bytes, status: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes that are no request, and requests for what is not allowed, get a refusal, and each a line in the log."""

    async def scene(port: int) -> None:
        got = await said(port, data)
        assert not got or got.split(b" ")[1] == status  # a head that is too long may meet a closed door

    play(scene)
    first, last = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["verdict"] == last["verdict"] == "refused"
    assert (last["host"], last["reason"]) == ("example.com", "not on the allow-list")


def test_loopback_is_refused_even_when_named() -> None:
    """A name that resolves to the proxy's own machine is refused, though the operator listed it as private."""

    async def scene(port: int) -> None:
        assert b"is not public" in await said(port, b"CONNECT localhost:443 HTTP/1.1\r\n\r\n")

    play(scene)


def test_slow_requests_are_ended() -> None:
    """Who sends a header's bytes one by one is cut off after the time a head may take, and holds up nobody."""

    async def scene(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer, sent = b"", 0
        while not answer and not reader.at_eof():
            writer.write(b"G")
            sent += 1
            with suppress(TimeoutError):
                answer = await asyncio.wait_for(reader.read(100), 0.05)
        assert b"408" in answer
        assert sent > 1
        writer.transport.abort()

    play(scene, replace(RULES, head_s=3))


def test_too_many_connections_are_turned_away() -> None:
    """Beyond its number of connections a client gets 503, and is served again when the others have gone."""

    async def scene(port: int) -> None:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        await asyncio.wait_for(held[0][1].drain(), 30)
        assert b"503" in await said(port, b"")
        for _, writer in held:
            writer.transport.abort()
        for reader, _ in held:
            await asyncio.wait_for(reader.read(), 30)
        while b"503" in await said(port, b"CONNECT example.com:443 HTTP/1.1\r\n\r\n"):
            pass

    play(scene)


def test_other_networks_are_turned_away() -> None:
    """Who is not on the clients' network gets nothing."""

    async def scene(port: int) -> None:
        assert b"not a client" in await said(port, b"CONNECT localhost:443 HTTP/1.1\r\n\r\n")

    play(scene, replace(RULES, clients="10.9.0.0/16", connections_each=0))


def test_many_at_once_with_garbage() -> None:
    """Two hundred connections that send rubbish and leave do not keep it from answering."""

    async def scene(port: int) -> None:
        await asyncio.gather(*(said(port, bytes([number]) * 3000 + b"\r\n\r\n") for number in range(200)))

    play(scene, replace(RULES, connections=300, connections_each=300))


def test_one_client_cannot_fill_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Beyond its share of a minute a client's lines are left out, so that the others' are still found."""

    async def scene(port: int) -> None:
        for _ in range(30):
            await said(port, b"CONNECT noise.example.com:443 HTTP/1.1\r\n\r\n")

    play(scene, replace(RULES, lines_a_minute=10))
    assert 10 <= capsys.readouterr().out.count("noise.example.com") <= 20  # the minute may have changed meanwhile


def test_bytes_of_a_connection_are_limited() -> None:
    """A connection that moves more than it may is ended."""

    async def scene() -> None:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            source = asyncio.StreamReader()
            source.feed_data(b"x" * 2000)
            source.feed_eof()
            with pytest.raises(Refused, match="too many bytes"):
                await Flow(1000).pump(source, writer)
            writer.transport.abort()

    asyncio.run(scene())
