"""First process of the pause container of a job with services: the network they share is this container's.

It puts each service's stored data in its place, gives up what rights it had for that, forwards the ports that the
workflow publishes under another number, and says on standard output which services answer. One JSON argument:
`copies` [[from, to]], `forwards` [[listens, leads to]], `probes` [[service, protocol, [ports], user]], `lives` seconds.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

USER = 1000
HOST = "127.0.0.1"
POLL_S = 0.02
PATIENCE_S = 2.0
CANNOT_CONNECT_NOW = b"C57P03\0"


def say(**values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def copy(source: Path, target: Path) -> None:
    """Everything in a folder, and the folder's own owner and mode where we may set them."""
    entries = [str(entry) for entry in source.iterdir()]
    if entries:
        subprocess.run(["cp", "-a", "--sparse=auto", "-t", str(target), *entries], check=True)
    if os.getuid() == 0:
        status = source.stat()
        os.chown(target, status.st_uid, status.st_gid)
        target.chmod(status.st_mode & 0o7777)


def give_up_rights() -> None:
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def forward(port: int, target: int) -> asyncio.Server:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection(HOST, target)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(pipe(reader, there_writer), pipe(there_reader, writer))
        there_writer.close()
        writer.close()

    return await asyncio.start_server(one, HOST, port)


def first_words(protocol: str, user: str) -> tuple[bytes, Callable[[bytes], bool]] | None:
    """What a client of the protocol says first, and how a server that is ready begins its answer."""
    if protocol == "postgres":
        body = b"\0\x03\0\0user\0" + user.encode() + b"\0\0"
        return (len(body) + 4).to_bytes(
            4, "big"
        ) + body, lambda said: said[:1] == b"R" or (said[:1] == b"E" and CANNOT_CONNECT_NOW not in said)
    if protocol == "redis":
        return b"PING\r\n", lambda said: said[:1] in (b"+", b"-") and not said.startswith(b"-LOADING")
    if protocol == "mariadb":
        return b"", lambda said: said[4:5] == b"\x0a"
    if protocol == "memcached":
        return b"version\r\n", lambda said: said.startswith(b"VERSION")
    if protocol == "rabbitmq":
        return b"AMQP\0\0\x09\x01", lambda said: said[:1] == b"\x01"
    return None


async def answers(protocol: str, port: int, user: str) -> bool:
    """Whether the server is ready, or, of a protocol we do not know, whether the port accepts connections."""
    words = first_words(protocol, user)
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    try:
        if words is None:
            return True
        writer.write(words[0])
        return words[1](await asyncio.wait_for(reader.read(1024), PATIENCE_S))
    except OSError:  # also out of time
        return False
    finally:
        writer.close()


async def probe(name: str, protocol: str, ports: list[int], user: str) -> None:
    for port in ports:
        while not await answers(protocol, port, user):  # noqa: ASYNC110 - another process decides it
            await asyncio.sleep(POLL_S)
    say(ready=name)


async def main(task: dict[str, Any]) -> None:
    servers = [await forward(port, target) for port, target in task["forwards"]]
    say(standing=len(servers))
    await asyncio.gather(*(probe(*each) for each in task["probes"]))
    await asyncio.Event().wait()


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    for source, target in given["copies"]:
        copy(Path(source), Path(target))
    give_up_rights()
    with contextlib.suppress(TimeoutError):
        asyncio.run(asyncio.wait_for(main(given), given["lives"]))
