"""What may travel through a tunnel of the egress proxy: TLS that names the host which was asked for, nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.images.egress import Misnamed, Proxy, Rules, first_flight, server_name


def hello(name: str | None, protocols: int = 0) -> bytes:
    """The records with which OpenSSL begins a connection to this name; many protocols make them long."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.set_alpn_protocols([f"{number:0250}" for number in range(protocols)])
    sent = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name).do_handshake()
    return sent.read()


def flight(data: bytes, host: str = "pypi.org") -> bytes:
    async def read() -> bytes:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await first_flight(reader, host)

    return asyncio.run(read())


def with_extension(data: bytes, kind: int, body: bytes = b"") -> bytes:
    """The same hello, in one record, with another extension at its end."""
    more = kind.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body
    message = data[9:]
    at = 34 + 1 + message[34]
    at += 2 + int.from_bytes(message[at : at + 2], "big")
    at += 1 + message[at]
    size = int.from_bytes(message[at : at + 2], "big") + len(more)
    message = message[:at] + size.to_bytes(2, "big") + message[at + 2 :] + more
    return in_records(b"\x01" + len(message).to_bytes(3, "big") + message)


def in_records(message: bytes, size: int = 16384) -> bytes:
    """A handshake message, cut into records of this size."""
    parts = [message[start : start + size] for start in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)


@pytest.mark.parametrize("size", [1, 7, 100, 16384])
def test_the_named_host_passes_however_it_is_cut(size: int) -> None:
    """A hello for the host that was asked for goes on byte for byte, in however many records it comes."""
    data = in_records(hello("pypi.org")[5:], size)
    assert flight(data) == data
    long = in_records(hello("pypi.org", protocols=60)[5:], max(size, 7))
    assert flight(long) == long


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (hello("attacker.example"), "its TLS is for attacker.example"),
        (hello("pypi.org.attacker.example"), "its TLS is for"),
        (hello(None), "does not say which host"),
        (with_extension(hello("pypi.org"), 0, b"\x00\x0b\x00\x00\x08evil.com"), "does not say which host"),
        (with_extension(hello("pypi.org"), 0xFE0D, b"\x00" * 40), "hides the name"),
        (in_records(hello("pypi.org")[5:] + hello("evil.example")[5:]), "not TLS"),
        (in_records(b"\x02" + hello("pypi.org")[6:]), "not TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n" + b" " * 300, "not TLS"),
        (b"GET / HTTP/1.1\r\nHost: attacker.example\r\n\r\n", "not TLS"),
        (b"\x16\x03\x01\xff\xff" + b"\x01" * 70000, "not TLS"),
        (in_records(b"\x01\xff\xff\xff" + b"\x00" * 40000), "not TLS"),
        (b"\x16\x03\x01\x00\x00" * 10, "not TLS"),
        (b"\x80\x2e\x01\x03\x01\x00\x15" + b"\x00" * 60, "not TLS"),
    ],
    ids=["another host", "a look-alike", "no host", "two hosts", "a hidden host", "a second hello", "no hello", "ssh",
         "http", "a record too long", "a hello too long", "empty records", "SSL 2"],
)  # fmt: skip
def test_anything_else_is_refused(data: bytes, why: str) -> None:
    """TLS for another host (domain fronting), with a hidden one, and what is no TLS at all ends the tunnel."""
    with pytest.raises(Misnamed, match=why):
        flight(data)


@given(st.binary(max_size=400))
def test_garbage_is_refused_not_raised(data: bytes) -> None:
    """Whatever stands in a hello, the answer is a name or a refusal."""
    for message in (data, hello("pypi.org")[9:] + data):
        try:
            name = server_name(message)
        except Misnamed:
            continue
        assert name == "pypi.org"


WRITERS: list[asyncio.StreamWriter] = []
Scene = Callable[[int, list[bytes]], Awaitable[None]]


def play(scene: Scene, monkeypatch: pytest.MonkeyPatch, **limits: float) -> None:
    """Run the scene against a proxy that lets `front.example` through, which a server of ours on loopback stands for;
    the scene gets the proxy's port and all that the server receives."""

    async def on_stage() -> None:
        got: list[bytes] = []

        async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            WRITERS.append(writer)
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    got.append(data)
            writer.close()

        behind = await asyncio.start_server(keep, "127.0.0.1", 0)
        given: dict[str, Any] = {"head_s": 30, **limits}
        proxy = Proxy(Rules(tls=("front.example",), plain=("front.example",), **given))

        async def connected(_: object) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            return await asyncio.open_connection(*behind.sockets[0].getsockname()[:2])

        monkeypatch.setattr(proxy, "_connect", connected)
        server = await proxy.serve("127.0.0.1", 0)
        async with server, behind:
            try:
                await scene(int(server.sockets[0].getsockname()[1]), got)
            finally:
                for writer in WRITERS:
                    writer.transport.abort()
                while busy := asyncio.all_tasks() - {asyncio.current_task()}:
                    await asyncio.wait(busy)
                WRITERS.clear()

    asyncio.run(on_stage())


async def tunnel(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    WRITERS.append(writer)
    writer.write(b"CONNECT front.example:443 HTTP/1.1\r\n\r\n")
    assert b"200" in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def test_nothing_of_a_refused_hello_leaves(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A fronted connection gets a TLS alert, the host behind not one byte, and the log names both hosts."""

    async def scene(port: int, got: list[bytes]) -> None:
        reader, writer = await tunnel(port)
        writer.write(hello("attacker.example"))
        assert await reader.read() == bytes((21, 3, 3, 0, 2, 2, 112))
        assert got == []

    play(scene, monkeypatch)
    assert '"host": "front.example", "verdict": "refused", "reason": "its TLS is for attacker.example"' in (
        capsys.readouterr().out
    )


def test_who_says_nothing_or_little_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tunnel whose hello does not come, or comes byte by byte, ends after the time that a head may take."""

    async def scene(port: int, got: list[bytes]) -> None:
        silent, _ = await tunnel(port)
        reader, writer = await tunnel(port)
        for byte in hello("front.example")[:20]:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)
        assert await asyncio.wait_for(reader.read(), 30)
        assert await asyncio.wait_for(silent.read(), 30)
        assert got == []

    play(scene, monkeypatch, head_s=0.5)


def test_the_rest_follows_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its hello a tunnel carries whatever comes, in order."""
    data = hello("FRONT.example")

    async def scene(port: int, got: list[bytes]) -> None:
        reader, writer = await tunnel(port)
        writer.write(data + b"x" * 100_000)
        await writer.drain()
        writer.write_eof()
        assert await reader.read() == b""
        assert b"".join(got) == data + b"x" * 100_000

    play(scene, monkeypatch)


def test_a_tunnel_that_is_left_is_no_refusal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who opens a tunnel and leaves without a word, as browsers do, was refused nothing."""

    async def scene(port: int, got: list[bytes]) -> None:
        reader, writer = await tunnel(port)
        writer.write_eof()
        await reader.read()

    play(scene, monkeypatch)
    assert '"verdict": "allowed"' in capsys.readouterr().out


def test_nothing_follows_a_plain_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of a plain request gets one head, written anew, for the host that was asked for, whatever else the
    client sent with it: another Host, a second request, a body."""
    smuggled = (
        b"GET http://front.example/a HTTP/1.1\r\nHost: attacker.example\r\nRange: bytes=0-1\r\n\r\n"
        b"GET http://attacker.example/b HTTP/1.1\r\n\r\nPOST /c HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
    )

    async def scene(port: int, got: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        WRITERS.append(writer)
        writer.write(smuggled)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 30) == b""
        assert b"".join(got) == (
            b"GET /a HTTP/1.1\r\nHost: front.example\r\nrange: bytes=0-1\r\nConnection: close\r\n\r\n"
        )

    play(scene, monkeypatch, idle_s=0.3)


@pytest.mark.parametrize("limits", [{"total_s": 0.4}, {"idle_s": 0.4}, {"total_bytes": 5000}], ids=str)
def test_every_connection_ends(limits: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    """A tunnel ends when its time is over, when nothing has moved for too long, and when too much has."""

    async def scene(port: int, got: list[bytes]) -> None:
        reader, writer = await tunnel(port)
        writer.write(hello("front.example") + b"x" * 10_000)
        assert await asyncio.wait_for(reader.read(), 20) == b""  # before any of the other limits

    play(scene, monkeypatch, **limits)
