"""The egress proxy, whole: which hosts may be reached, and a small HTTP proxy that lets nothing else through.

A tunnel carries TLS to the very host that was asked for, or nothing: the first record has to name it. What travels
inside cannot be seen, so a host that fetches from elsewhere for anybody does not belong on an allow-list.

It runs alone in a container of its own, from this file's text and nothing but the standard library (Python 3.11), and
writes one line of JSON per connection to standard output: client, host, verdict, bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import re
import signal
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PORT = 3128
_CHUNK = 64 << 10
_LINGER_S = 1
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.){0,8}[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TARGET = re.compile(r"http://([^/?#@:]+)(?::([0-9]{1,5}))?(/[!-~]*)?")
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([ -~\t\x80-\xff]*)")
_HELLO_BYTES = 32 << 10
_RECORD_BYTES = 16 << 10
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HIDDEN_NAME = 22, 1, 0, 0xFE0D
_ALERT = bytes((21, 3, 3, 0, 2, 2, 112))  # fatal: unrecognized_name
_PASSED_ON = ("accept", "accept-encoding", "cache-control", "if-modified-since", "if-none-match", "if-range", "range",
              "user-agent")  # fmt: skip
_REASONS = {400: "Bad Request", 403: "Forbidden", 408: "Request Timeout", 431: "Request Header Fields Too Large",
            502: "Bad Gateway", 503: "Service Unavailable"}  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """What is let through. Hosts are exact or `*.suffix`; `plain` may be asked by HTTP, `tls` by CONNECT to 443.

    `private` names hosts whose private address the operator accepts. Only addresses of `clients` may ask, and only on
    the network of that `prefix` length which they share with the proxy.
    """

    tls: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    clients: str = "0.0.0.0/0"
    prefix: int = 0
    connections: int = 256
    connections_each: int = 64
    head_bytes: int = 32 << 10
    head_s: float = 10
    connect_s: float = 15
    idle_s: float = 60
    total_s: float = 900
    total_bytes: int = 2 << 30
    lines_a_minute: int = 500


@dataclass(frozen=True)
class Request:
    """A request that was understood: a tunnel when `path` is None, else a plain GET or HEAD."""

    method: str
    host: str
    port: int
    path: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Refused(Exception):  # noqa: N818 - it is an answer, not a failure
    """The request is answered with `status` and `reason`; `host` as far as it was understood."""

    def __init__(self, status: int, reason: str, host: str = "") -> None:
        super().__init__(reason)
        self.status, self.reason, self.host = status, reason, host

    def answer(self) -> bytes:
        body = f"egress proxy: {self.reason}\n".encode()
        head = f"HTTP/1.1 {self.status} {_REASONS[self.status]}\r\nContent-Type: text/plain\r\n"
        return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


class Misnamed(Refused):
    """What comes through a tunnel is no TLS for its host; the answer is TLS's own."""

    def __init__(self, reason: str, status: int = 403) -> None:
        super().__init__(status, reason)

    def answer(self) -> bytes:
        return _ALERT


# Addresses


class Reach(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"
    NEVER = "never"  # this machine, its link, its metadata service, groups of machines


_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.192/32", "100.100.100.200/32", "168.63.129.16/32",
        "224.0.0.0/4", "240.0.0.0/4", "::/96", "::ffff:0:0/96", "fe80::/10", "ff00::/8", "fd00:ec2::/32",
        "fd20:ce::254/128", "2001::/32", "2002::/16", "64:ff9b:1::/48",
    )
)  # fmt: skip
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "2001::/23", "2001:db8::/32",
        "3fff::/20",
    )
)  # fmt: skip
_GLOBAL6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def reach(text: str) -> Reach:
    """How far an address reaches. The lists are our own: those of the ipaddress module changed between releases."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return reach(str(address.ipv4_mapped))
        if address in _NAT64:
            return reach(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
    if any(address in network for network in _NEVER):
        return Reach.NEVER
    outside = isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL6
    if outside or any(address in network for network in _PRIVATE) or address.is_multicast or address.is_private:
        return Reach.PRIVATE
    return Reach.PUBLIC


def examine(host: str, addresses: list[str], rules: Rules) -> None:
    """Refused unless every address of the host may be connected to."""
    for address in addresses:
        known = reach(address)
        if known is Reach.NEVER or (known is Reach.PRIVATE and host not in rules.private):
            raise Refused(403, f"its address {address} is not public", host)


# Requests


def parse(head: bytes) -> Request:
    """A request's head, up to and with its empty line. Raises Refused."""
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.0", "HTTP/1.1"):
        raise Refused(400, "not a request")
    headers = []
    for line in lines:
        matched = _HEADER.fullmatch(line)
        if matched is None:
            raise Refused(400, "not a header")
        headers.append((matched.group(1).lower(), matched.group(2).strip()))
    if words[0] == "CONNECT":
        name, _, port = words[1].rpartition(":")
        return Request("CONNECT", _host(name), _port(port))
    return _plain(words[0], words[1], headers)


def _plain(method: str, target: str, headers: list[tuple[str, str]]) -> Request:
    matched = _TARGET.fullmatch(target)
    if matched is None:
        raise Refused(400, "not a proxy request")
    host, port = _host(matched.group(1)), _port(matched.group(2) or "80")
    if method not in ("GET", "HEAD"):
        raise Refused(403, "only GET and HEAD may be plain HTTP", host)
    if any(name == "transfer-encoding" or (name == "content-length" and value != "0") for name, value in headers):
        raise Refused(403, "a plain request may carry no body", host)
    kept = tuple((name, value) for name, value in headers if name in _PASSED_ON)
    return Request(method, host, port, matched.group(3) or "/", kept)


def _host(text: str) -> str:
    """A host name as DNS has it. Addresses are none: the last label starts with a letter."""
    host = text.lower().removesuffix(".")
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise Refused(403, "not a host name", ascii(text[:100])[1:-1])
    return host


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text):
        raise Refused(400, "not a port")
    return int(text)


def listed(host: str, names: tuple[str, ...]) -> bool:
    """Whether the host is one of the names; `*.suffix` stands for every host below the suffix, not for itself."""
    return any(host.endswith(name[1:]) if name.startswith("*.") else host == name for name in names)


def admit(request: Request, rules: Rules) -> None:
    """Raise Refused unless the allow-list has the request's host, for its way of asking and its port."""
    tunnel = request.path is None
    if not listed(request.host, rules.tls if tunnel else rules.plain):
        known = not tunnel and listed(request.host, rules.tls)
        raise Refused(403, "by HTTPS only" if known else "not on the allow-list", request.host)
    if request.port != (443 if tunnel else 80):
        raise Refused(403, f"port {request.port} is not allowed", request.host)


def forwarded(request: Request) -> bytes:
    """The head that the server of a plain request gets: written anew, so that nothing rides along."""
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {request.host}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


# Tunnels


def server_name(hello: bytes) -> str:
    """The host that a TLS ClientHello asks for (RFC 8446, 4.1.2; RFC 6066, 3). Raises Misnamed.

    One that hides the name it means behind another (encrypted client hello) is refused.
    """
    at = 2 + 32  # version, random
    for width in (1, 2, 1):  # session, cipher suites, compression methods
        _, at = _counted(hello, at, width)
    extensions, end = _counted(hello, at, 2)
    found, at = [], 0
    while at < len(extensions):
        kind = int.from_bytes(extensions[at : at + 2], "big")
        body, at = _counted(extensions, at + 2, 2)
        if kind == _HIDDEN_NAME:
            raise Misnamed("its TLS hides the name it means")
        if kind == _SERVER_NAME:
            found.append(body)
    if len(found) != 1 or end != len(hello):
        raise Misnamed("its TLS does not say which host it means")
    names, end = _counted(found[0], 0, 2)
    name, last = _counted(names, 1, 2)
    if names[0] or last != len(names) or end != len(found[0]):
        raise Misnamed("its TLS does not say which host it means")
    return name.decode("latin-1").lower()


def _counted(data: bytes, at: int, width: int) -> tuple[bytes, int]:
    """The field at this place that begins with its own length of `width` bytes, and where the next one begins."""
    start = at + width
    end = start + int.from_bytes(data[at:start], "big")
    if start > len(data) or end > len(data):
        raise Misnamed("not TLS")
    return data[start:end], end


async def first_flight(reader: asyncio.StreamReader, host: str) -> bytes:
    """The TLS records with which a client begins, all of its ClientHello, which has to be for this host."""
    records, message = b"", b""
    while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4], "big"):
        head = await reader.readexactly(5)
        length = int.from_bytes(head[3:], "big")
        if head[0] != _HANDSHAKE or head[1] != 3 or not 0 < length <= _RECORD_BYTES:
            raise Misnamed("not TLS")
        body = await reader.readexactly(length)
        records, message = records + head + body, message + body
        if message[0] != _CLIENT_HELLO or len(message) > _HELLO_BYTES:
            raise Misnamed("not TLS")
    if len(message) != 4 + int.from_bytes(message[1:4], "big"):
        raise Misnamed("not TLS")
    named = server_name(message[4:])
    if named.removesuffix(".") != host:
        raise Misnamed(f"its TLS is for {ascii(named[:100])[1:-1]}")
    return records


# Connections


class Flow:
    """The bytes of one connection, both ways together."""

    def __init__(self, limit: int) -> None:
        self.moved, self._limit = 0, limit

    async def pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Pass bytes on until the source ends; then say so to the target."""
        while data := await source.read(_CHUNK):
            self.moved += len(data)
            if self.moved > self._limit:
                raise Refused(503, "too many bytes")
            target.write(data)
            await target.drain()
        if target.can_write_eof():
            with contextlib.suppress(OSError):  # it may have left already
                target.write_eof()


class Proxy:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._clients = ipaddress.ip_network(rules.clients)
        self._open: Counter[str] = Counter()
        self._said: Counter[str] = Counter()
        self._minute = 0

    async def serve(self, host: str, port: int) -> asyncio.Server:
        return await asyncio.start_server(self.handle, host, port, limit=self._rules.head_bytes, backlog=256)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte to its line in the log."""
        client, here = (str(writer.get_extra_info(name)[0]) for name in ("peername", "sockname"))
        started, flow = time.time(), Flow(self._rules.total_bytes)
        line = {"at": round(started, 6), "client": client, "host": "", "verdict": "allowed", "reason": ""}
        self._open[client] += 1
        try:
            async with asyncio.timeout(self._rules.total_s):
                self._welcome(client, here)
                await self._answer(reader, writer, flow, line)
        except Refused as refused:
            host = refused.host or line["host"]
            line.update(verdict="refused", status=refused.status, reason=refused.reason, host=host)
            if not flow.moved:
                writer.write(refused.answer())
        except (OSError, TimeoutError) as error:
            line.update(reason=f"{line['reason']} {type(error).__name__}".strip())
        self._note(client, {**line, "bytes": flow.moved, "seconds": round(time.time() - started, 3)})
        try:
            await _part(reader, writer)
        finally:
            self._open -= Counter([client])

    def _note(self, client: str, line: dict[str, object]) -> None:
        """Write the line, unless this client has had its share of this minute: the log's size is limited, and what
        one says may not push out what the others need to be told."""
        minute = int(time.time() // 60)
        if minute != self._minute:
            self._minute = minute
            self._said.clear()
        self._said[client] += 1
        if self._said[client] <= self._rules.lines_a_minute:
            _say(line)

    def _welcome(self, client: str, here: str) -> None:
        """Refused unless the client is on the one network that it shares with us, and has not too many connections."""
        own = ipaddress.ip_network((here, self._rules.prefix), strict=False)
        if not all(ipaddress.ip_address(client) in network for network in (self._clients, own)):
            raise Refused(403, "not a client of this proxy")
        if self._open[client] > self._rules.connections_each or self._open.total() > self._rules.connections:
            raise Refused(503, "too many connections")

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flow: Flow, line: dict[str, object]
    ) -> None:
        request = parse(await self._head(reader))
        line["host"] = request.host
        admit(request, self._rules)
        upstream_reader, upstream = await self._connect(request)
        try:
            if request.path is None:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                upstream.write(await self._first_flight(reader, request.host))
                ways = [flow.pump(upstream_reader, writer), flow.pump(reader, upstream)]
            else:
                upstream.write(forwarded(request))
                ways = [flow.pump(upstream_reader, writer)]
            await self._relay([asyncio.create_task(way) for way in ways], flow, line)
        finally:
            upstream.transport.abort()

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            async with asyncio.timeout(self._rules.head_s):
                return await reader.readuntil(b"\r\n\r\n")
        except TimeoutError:
            raise Refused(408, "no request in time") from None
        except asyncio.LimitOverrunError:
            raise Refused(431, "the request's head is too long") from None
        except asyncio.IncompleteReadError:
            raise Refused(400, "no request") from None

    async def _first_flight(self, reader: asyncio.StreamReader, host: str) -> bytes:
        try:
            async with asyncio.timeout(self._rules.head_s):
                return await first_flight(reader, host)
        except TimeoutError:
            raise Misnamed("no TLS in time", 408) from None
        except asyncio.IncompleteReadError:
            raise ConnectionAbortedError from None

    async def _connect(self, request: Request) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Resolve, examine, and connect to the very address that was examined."""
        try:
            async with asyncio.timeout(self._rules.connect_s):
                found = await asyncio.get_running_loop().getaddrinfo(request.host, None, type=socket.SOCK_STREAM)
                addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
                examine(request.host, addresses, self._rules)
                for address in addresses:
                    with contextlib.suppress(OSError):
                        return await asyncio.open_connection(address, request.port)
        except socket.gaierror:
            raise Refused(502, "its name does not resolve", request.host) from None
        except TimeoutError:
            raise Refused(502, "it did not answer in time", request.host) from None
        raise Refused(502, "it does not answer", request.host)

    async def _relay(self, ways: list[asyncio.Task[None]], flow: Flow, line: dict[str, object]) -> None:
        """Until both ways have ended, one has failed, or nothing has moved for too long."""
        waiting = set(ways)
        try:
            while waiting:
                before = flow.moved
                done, waiting = await asyncio.wait(
                    waiting, timeout=self._rules.idle_s, return_when=asyncio.FIRST_COMPLETED
                )
                for way in done:
                    way.result()
                if not done and flow.moved == before:
                    line["reason"] = "idle"
                    return
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


async def _part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close, but first hear the client out for a moment: closing over unread bytes would take the answer back."""
    try:
        with contextlib.suppress(OSError, TimeoutError):
            writer.write_eof()
            async with asyncio.timeout(_LINGER_S):
                while await reader.read(_CHUNK):
                    pass
    finally:
        writer.close()


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def main(rules: Rules) -> None:
    server = await Proxy(rules).serve("0.0.0.0", PORT)  # noqa: S104 - other networks' clients are turned away
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    _say({"ready": PORT})
    await stop.wait()
    server.close()


if __name__ == "__main__":
    values: dict[str, Any] = json.loads(sys.argv[1])
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    asyncio.run(main(Rules(**given)))
