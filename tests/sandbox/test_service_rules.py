"""What is known of services without an engine: their names, their settings, and when one counts as ready."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sandbox import policy
from sandbox.images import pause
from sandbox.images.services import KINDS, speaks, stand_in
from sandbox.references import parse
from sandbox.spec import Limits, Plan, Service, Step

LABELS = policy.Labels("owner", "run", "service", "key", 1234.5)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("postgres", "postgres"),
        ("postgres:16-alpine", "postgres"),
        ("docker.io/library/postgres:9.6@sha256:" + "a" * 64, "postgres"),
        ("docker.io/redis:7", "redis"),
        ("mysql:8.0", "mariadb"),
        ("public.ecr.aws/docker/library/postgres:16", "postgres"),
        ("postgis/postgis:16-3.4", None),  # an extension that ours does not have
        ("localhost:5000/postgres:16", None),  # somebody's own
        ("mongo:7", None),
    ],
)
def test_ours_stand_in_for_the_same_program_only(image: str, kind: str | None) -> None:
    """By the repository's name, whatever its tag; an image with more in it than the program is not replaced."""
    found = stand_in(parse(image))
    assert (found.key if found else None) == kind


def test_related_images_are_known_by_their_protocol() -> None:
    """An image that is not replaced may still be known to be ready."""
    told = {image: speaks(parse(image)) for image in ("postgis/postgis:16", "bitnami/redis", "percona:8", "mongo:7")}
    assert {image: kind.key if kind else None for image, kind in told.items()} == {
        "postgis/postgis:16": "postgres",
        "bitnami/redis": "redis",
        "percona:8": "mariadb",
        "mongo:7": None,
    }


def test_settings_of_a_service_lock_it_in() -> None:
    """No network of its own, no capability for our own image, five for one that starts as root; bounded logs."""
    service = Service("db", "postgres", {"A": "b"})
    ours = policy.service_container("i", service, {"/data": "v"}, Limits(), LABELS, "p", own=True, root=False)
    theirs = policy.service_container("i", service, {"/data": "v"}, Limits(), LABELS, "p", own=False, root=True)
    for settings in (ours, theirs):
        assert settings["network_mode"] == "container:p"
        assert settings["read_only"] is True
        assert settings["cap_drop"] == ["ALL"]
        assert settings["mem_limit"] == settings["memswap_limit"] == 2 << 30
        assert settings["security_opt"] == policy.check_container("i", "v", {}, Limits(), LABELS)["security_opt"]
        assert settings["mounts"] == [{"Type": "volume", "Source": "v", "Target": "/data", "ReadOnly": False}]
        assert settings["log_config"]["config"]["max-size"] == "1m"
        assert not {"volumes", "devices", "ports", "privileged", "pid_mode", "extra_hosts"} & set(settings)
    assert "cap_add" not in ours
    assert theirs["cap_add"] == list(policy.SETUP_CAPABILITIES)


def test_settings_of_the_pause_container() -> None:
    """No network; rights only where other people's files have to be copied; every name is the loopback address."""
    ours = policy.pause_container("i", [], ["db"], "env", {"/d": "v"}, LABELS, foreign=False, counted=7)
    assert ours["network_mode"] == "none"
    assert ours["user"] == "1000:1000"
    assert "cap_add" not in ours
    assert ours["labels"][policy.MEMORY_LABEL] == "7"
    assert ours["extra_hosts"] == {"db": "127.0.0.1", "heal-job": "127.0.0.1"}
    assert [mount["ReadOnly"] for mount in ours["mounts"]] == [True, False]
    assert policy.pause_container("i", [], [], None, {}, LABELS, foreign=True, counted=7)["user"] == "0:0"


def test_services_are_part_of_the_environments_key() -> None:
    """What they run from and how they are set decides what set-up leaves in them."""
    step = Step("check", "true")
    with_one = Plan("debian", (), step, services=(Service("db", "postgres"),))
    keys = {
        Plan("debian", (), step).env_key("i"),
        with_one.env_key("i", ("one",)),
        with_one.env_key("i", ("two",)),
        Plan("debian", (), step, services=(Service("db", "postgres", {"A": "b"}),)).env_key("i", ("one",)),
    }
    assert len(keys) == 4


def test_every_kind_has_its_program_and_its_greeting() -> None:
    """Each has the script that starts it and words of its protocol."""
    for kind in KINDS:
        assert (Path(pause.__file__).parent / kind.image).is_file()
        assert pause.first_words(kind.key, "user") is not None


@pytest.mark.parametrize(
    ("protocol", "answer", "ready"),
    [
        ("postgres", b"R\0\0\0\x08\0\0\0\x0a", True),
        ("postgres", b"E\0\0\0\x50SFATAL\0C28000\0Mno such role\0\0", True),
        ("postgres", b"E\0\0\0\x50SFATAL\0C57P03\0Mstarting up\0\0", False),
        ("redis", b"+PONG\r\n", True),
        ("redis", b"-NOAUTH Authentication required.\r\n", True),
        ("redis", b"-LOADING Redis is loading the dataset in memory\r\n", False),
        ("mariadb", b"\x4a\0\0\0\x0a10.11.6-MariaDB\0", True),
        ("mariadb", b"\x10\0\0\0\xff\x69\x04too many", False),
        ("memcached", b"VERSION 1.6\r\n", True),
        ("rabbitmq", b"\x01\0\0\0\0", True),
        ("rabbitmq", b"", False),
        ("", b"", True),
    ],
)
def test_ready_is_what_the_protocol_says(protocol: str, answer: bytes, ready: bool) -> None:
    """A server that takes connections while it starts up is not ready; one that wants a password is."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if protocol not in ("", "mariadb"):
            await reader.read(1)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def ask() -> bool:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            return await pause.answers(protocol, server.sockets[0].getsockname()[1], "user")

    assert asyncio.run(ask()) is ready


def test_a_closed_port_is_not_ready() -> None:
    """Nobody listens yet."""

    async def ask() -> bool:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return await pause.answers("", port, "user")

    assert asyncio.run(ask()) is False
