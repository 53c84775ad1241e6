"""Getting an image from a registry: anonymously, up to a size, and in the registry's own words when not."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any

import requests
from docker.errors import APIError, DockerException

from sandbox.engine import Engine
from sandbox.engine_errors import translated
from sandbox.errors import Cancelled, EngineDown, PullFailed, SandboxError
from sandbox.references import Reference

SIZE_LIMIT = 6 << 30
"""Compressed bytes of an image's layers beyond which a pull is broken off."""
PATIENCE_S = 900.0
_GLANCE_S = 0.2
_BREAK_S = 10.0
_NOISE = re.compile(r"^(Error response from daemon: )?(Get \"?https?://\S+?\"?: )?")


def pull(
    engine: Engine,
    reference: Reference,
    cancel: Event | None = None,
    limit: int = SIZE_LIMIT,
    patience_s: float = PATIENCE_S,
) -> None:
    """Bring what the registry has under this name today. Raises PullFailed, EngineDown and Cancelled.

    An empty set of credentials is sent on purpose: without one the SDK would look up the operator's.
    """
    said: SimpleQueue[dict[str, Any] | Exception | None] = SimpleQueue()
    had, given_up = engine.has_image(str(reference)), Event()
    asking = Thread(target=_ask, args=(engine, reference, said, given_up), daemon=True)
    asking.start()
    try:
        _follow(said, reference, cancel, limit, patience_s)
    except SandboxError:
        given_up.set()
        asking.join(_BREAK_S)
        if not had:  # it may have been complete before the engine was told to stop
            with contextlib.suppress(SandboxError):
                engine.remove_image(str(reference))
        raise


def _follow(
    said: SimpleQueue[dict[str, Any] | Exception | None],
    reference: Reference,
    cancel: Event | None,
    limit: int,
    patience_s: float,
) -> None:
    layers: dict[str, int] = {}
    until = time.monotonic() + patience_s
    while (line := _next(said)) is not None:
        if isinstance(line, Exception):
            raise line
        if "error" in line:
            raise _failed(reference, str(line["error"]))
        if total := (line.get("progressDetail") or {}).get("total"):
            layers[str(line.get("id"))] = int(total)
        if sum(layers.values()) > limit:
            raise _failed(reference, f"its layers are larger than {limit >> 20} MiB")
        if time.monotonic() > until:
            raise _failed(reference, f"the registry did not give it within {patience_s:g} s")
        if cancel is not None and cancel.is_set():
            raise Cancelled(f"pulling {reference} was cancelled")


def _next(said: SimpleQueue[dict[str, Any] | Exception | None]) -> dict[str, Any] | Exception | None:
    """The next line, or an empty one so that clocks are looked at while a registry is silent."""
    try:
        return said.get(timeout=_GLANCE_S)
    except Empty:
        return {}


def _ask(
    engine: Engine, reference: Reference, said: SimpleQueue[dict[str, Any] | Exception | None], given_up: Event
) -> None:
    """Hand on the engine's lines, then None. Its own thread: a silent registry blocks the reading for minutes.

    The engine pulls for as long as somebody listens: whoever has given up has to hang up, too.
    """
    try:
        with translated():
            client = engine.client()
        lines = client.api.pull(str(reference), stream=True, decode=True, auth_config={})
        for line in lines:
            if given_up.is_set():
                break
            said.put(line)
        del lines  # with its last user the connection is closed
        said.put(None)
    except SandboxError as error:
        said.put(error)
    except APIError as error:
        said.put(_failed(reference, str(error.explanation or error)))
    except (DockerException, requests.RequestException, OSError) as error:
        said.put(EngineDown(f"the container engine does not answer: {error}"))


def _failed(reference: Reference, words: str) -> PullFailed:
    said = _NOISE.sub("", " ".join(words.split()))[:300]
    return PullFailed(f"the image {reference} cannot be pulled: {said}")


def flatten(
    engine: Engine, image: str, repository: str, tag: str, changes: tuple[str, ...], labels: Mapping[str, str]
) -> None:
    """Replace the image by one of a single layer that says only `changes` of itself.

    So it declares no volume any more: the engine makes one for each container, and nothing limits its size. `labels`
    mark the container that stands in between; it is never started.
    """
    with translated():
        api = engine.client().api
        container = api.create_container(image, command=["true"], labels=dict(labels))
        try:
            api.import_image_from_stream(api.export(container["Id"]), repository, tag, list(changes))
        finally:
            engine.remove_container(container["Id"])
            api.remove_image(image, force=True)
