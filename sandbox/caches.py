"""Package caches: one volume per trust domain and image, lent to one set-up at a time.

Tools link from a cache instead of copying only where both are one mount. So for the time of a set-up the cache's
folder is moved into the environment's own volume, as /env/.cache, and home again before anything else may see the
environment: what a check mounts holds no cache. What set-up writes there reaches the later set-ups of its own trust
domain, and linked files are one file: a trust domain is one writer, and nobody else reads what it wrote.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from threading import Event

from sandbox import policy
from sandbox.engine import Engine
from sandbox.errors import Cancelled, EngineDown, SandboxError
from sandbox.images.build import resolve
from sandbox.life import Life
from sandbox.stream import Caps, Marks
from sandbox.usage import Usage

_SOURCE = (Path(__file__).parent / "images" / "lend.py").read_text()
_READY_S, _RETURN_S = 20, 60
_CAPS = Caps(4096, 4096, 4096, 1 << 20)


class Caches:
    """The package caches of one installation on one engine. `owner` may be a session of it; sessions share."""

    def __init__(self, engine: Engine, owner: str, usage: Usage) -> None:
        self._engine, self._owner, self._usage = engine, owner.partition("/")[0], usage

    @contextlib.contextmanager
    def lent(
        self, trust: str, about: str, image: str, volume: str, labels: policy.Labels, cancel: Event | None = None
    ) -> Iterator[None]:
        """While this lasts, the volume holds its trust domain's cache, or an empty one. Raises EngineDown, Cancelled.

        The volume must be new: it gets the image's own /env. Without a cache set-up is only slower, so whatever else
        keeps us from lending one is passed over.
        """
        key = self._key(trust, image)
        self._fill(image, volume, labels)
        if cancel is not None and cancel.is_set():
            raise Cancelled("making the environment was cancelled")
        life = self._lend(key, about, volume, labels, cancel)
        try:
            yield
        finally:
            if life is not None:
                self._take_back(life)

    def _key(self, trust: str, image: str) -> str:
        return hashlib.sha256("\0".join((self._owner, trust, image)).encode()).hexdigest()[:32]

    def _fill(self, image: str, volume: str, labels: policy.Labels) -> None:
        self._engine.fill_volume(policy.filling_container(image, volume, replace(labels, role="filler")))

    def _lend(self, key: str, about: str, volume: str, labels: policy.Labels, cancel: Event | None) -> Life | None:
        ours = next((image for image in map(resolve, ("python", "debian")) if self._engine.has_image(image)), None)
        if ours is None:
            return None
        kept = replace(labels, owner=self._owner, role="cache", key=key)
        cache = self._engine.create_volume(f"heal-cache-{key}", {**kept.as_dict(), "heal.about": about})
        self._usage.note(key)
        arguments = ["-I", "-c", _SOURCE, cache.name, volume]
        folder = str(PurePosixPath(cache.path).parent.parent)
        settings = policy.lending_container(ours, folder, arguments, replace(labels, role="lender"))
        try:
            life = self._engine.begin(settings, _CAPS, Marks(ready=b"HEAL-READY\n"), cancel=cancel)
        except EngineDown:
            raise
        except SandboxError:
            return None
        if life.ready(_READY_S):
            return life
        life.remove()
        return None

    def _take_back(self, life: Life) -> None:
        """A cache that does not come home is lost with the environment, or stays in it unused; the next is cold."""
        with contextlib.suppress(SandboxError):
            life.feed([b"return\n"])
            life.finish(_RETURN_S, None)
        with contextlib.suppress(SandboxError):
            life.remove()
