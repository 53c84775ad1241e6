"""Names of images as people write them, and which registries are asked for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import ImageMissing
from sandbox.references import REGISTRIES, allowed, parse

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("postgres", "docker.io/library/postgres:latest"),
        ("python:3.12-slim", "docker.io/library/python:3.12-slim"),
        ("bitnami/redis:7", "docker.io/bitnami/redis:7"),
        ("docker.io/node:22", "docker.io/library/node:22"),
        ("index.docker.io/library/node", "docker.io/library/node:latest"),
        ("docker://alpine:3", "docker.io/library/alpine:3"),
        ("ghcr.io/owner/app:1.2", "ghcr.io/owner/app:1.2"),
        ("GHCR.IO/owner/app", "ghcr.io/owner/app:latest"),
        (f"quay.io/a/b/c@{DIGEST}", f"quay.io/a/b/c@{DIGEST}"),
        (f"debian:12@{DIGEST}", f"docker.io/library/debian@{DIGEST}"),
        ("127.0.0.1:5000/x:y", "127.0.0.1:5000/x:y"),
        ("localhost/x", "localhost/x:latest"),
    ],
)
def test_a_name_is_read_as_the_engine_reads_it(written: str, meant: str) -> None:
    """Registry, path and version are what Docker would make of the name, with a digest before a tag."""
    assert str(parse(written)) == meant


@pytest.mark.parametrize("written", ["", "Upper/Case", "a b", "x:", "x@sha256:1", "../x", "x;rm", "-x", "a" * 600])
def test_what_is_no_name_is_refused(written: str) -> None:
    """A sentence names what was given, and nothing is asked of anybody."""
    with pytest.raises(ImageMissing, match="is no image reference"):
        parse(written)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the reader fail in another way, and what it made reads as itself again."""
    try:
        found = parse(text)
    except ImageMissing:
        return
    assert parse(str(found)) == found


@pytest.mark.parametrize(
    ("name", "patterns", "asked"),
    [
        ("postgres", REGISTRIES, True),
        ("ghcr.io/a/b", REGISTRIES, True),
        ("10.0.0.5:5000/a", REGISTRIES, False),
        ("registry.internal.example/a", REGISTRIES, False),
        ("a.example.org/x", ("*.example.org",), True),
        ("example.org.evil.net/x", ("*.example.org",), False),
        ("localhost:5000/x", REGISTRIES, False),
    ],
)
def test_only_known_registries_are_asked(name: str, patterns: tuple[str, ...], asked: bool) -> None:
    """A repository cannot make the engine knock at hosts of its own choice."""
    assert allowed(parse(name), patterns) is asked
