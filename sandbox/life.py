"""One container from its creation to its removal, in steps: begun, fed, perhaps left to wait, fed again, ended, gone.

Its streams are drained from the first moment to the last, whatever happens to it.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import Any

from docker import DockerClient
from docker.models.containers import Container

from sandbox.capture import Capture
from sandbox.engine_errors import InUse, Missing, translated
from sandbox.errors import EngineDown, SandboxError
from sandbox.stream import Caps, Marks, Stop, Stream

_ADDED = 1
_CHANGES_LIMIT = 16 << 20
_AGAIN_S = (1.0, 4.0)
_ATTACH = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}


@dataclass(frozen=True)
class Ended:
    """A container's end: what it said, and how long it took (see `Stream.seconds`).

    `over` means that its first process told the end itself: then nobody waited for its exit code, and what the engine
    would say is left out.
    """

    exit_code: int | None
    oom_killed: bool
    stdout: bytes
    stderr: Capture
    stopped: Stop | None
    seconds: float
    image: str | None = None
    over: bool = False


NEVER = Ended(None, False, b"", Capture(0, 0), Stop.CANCELLED, 0.0)
"""The end of a container that was cancelled before it was begun."""


@dataclass(frozen=True)
class Commit:
    """Make an image of a container that ended with 0, if `wanted` says so of the paths new in its file system.

    Without `wanted` it is made in any case, and where the list of these paths is longer than we read.
    """

    repository: str
    tag: str
    wanted: Callable[[list[str]], bool] | None
    changes: tuple[str, ...] = ()
    """Lines of a Dockerfile that set the image's own settings (ENV, USER, ...)."""
    asked: Callable[[bytes], bool] = lambda _: True
    """Whether its output says that there may be something: the engine takes a second to compare file systems."""


class Life:
    """A running container of ours. Whoever has one must `remove` it; doing so twice does no harm."""

    def __init__(
        self, client: DockerClient, container: Container, stream: Stream, on_removed: Callable[[], None]
    ) -> None:
        self._client, self._container, self._stream = client, container, stream
        self._on_removed = on_removed
        self._removing = threading.Lock()
        self._removed = False

    @classmethod
    def begin(
        cls,
        client: DockerClient,
        settings: Mapping[str, Any],
        caps: Caps,
        marks: Marks,
        on_end: Callable[[], None] | None = None,
        on_removed: Callable[[], None] = lambda: None,
    ) -> Life:
        """Create a container, attach to it, start it. `on_end` is called when its streams have ended."""
        with translated():
            container = client.containers.create(**settings)
        try:
            with translated():
                attached = client.api.attach_socket(str(container.id), params=_ATTACH)
                stream = Stream(attached, caps, marks, on_end)
        except BaseException:
            remove_container(client, str(container.id))
            raise
        life = cls(client, container, stream, on_removed)
        try:
            with translated():
                stream.begin()
                container.start()
        except BaseException:
            life.remove()
            raise
        return life

    @property
    def id(self) -> str:
        return str(self._container.id)

    @property
    def ended(self) -> bool:
        """Its streams have ended: it has, or is about to."""
        return self._stream.ended.is_set()

    def feed(self, data: Iterable[bytes]) -> None:
        """Send to its standard input, after what was fed before. Returns at once."""
        self._stream.feed(data)

    def ready(self, seconds: float) -> bool:
        """Wait for the line `ready` of its marks; False when it has ended, with or without it, or in vain."""
        return self._stream.ready.wait(seconds) and not self.ended

    def finish(self, seconds: float, cancel: Event | None, commit: Commit | None = None) -> Ended:
        """Wait for its end, or end it after `seconds` (from now, on our own clock), on `cancel`, or for its output."""
        with translated():
            stopped = self._stream.watch(seconds, cancel)
            if stopped is None and self._stream.over:
                return self._ended(None, None, {}, None)
            if stopped is not None:
                self.kill()
                self._stream.drained()
            code = int(self._container.wait(timeout=30)["StatusCode"])
            self._container.reload()
            image = self._committed(commit) if commit and stopped is None and code == 0 else None
            return self._ended(code, stopped, (self._container.attrs or {}).get("State", {}), image)

    def beside(self, argv: Sequence[str], caps: Caps, marks: Marks, seconds: float, cancel: Event | None) -> Ended:
        """Run another process in it, with the container's own user and limits, up to the line `over` of its marks.

        One that is stopped before goes on inside: only the end of the container ends it for certain.
        """
        with translated():
            made = self._client.api.exec_create(self.id, list(argv))
            stream = Stream(self._client.api.exec_start(made["Id"], socket=True), caps, marks)
        try:
            with translated():
                stream.begin()
                stopped = stream.watch(seconds, cancel)
        finally:
            stream.close()
        return Ended(None, False, stream.stdout.bytes(), stream.stderr, stopped, stream.seconds(), over=stream.over)

    def rename(self, name: str) -> None:
        """Give it another name. It may have ended by itself a moment ago. Raises EngineDown."""
        with contextlib.suppress(InUse, Missing), translated():
            self._container.rename(name)

    def kill(self) -> None:
        """End it now. It may have ended by itself a moment ago."""
        with contextlib.suppress(InUse, Missing), translated():
            self._container.kill()

    def remove(self) -> None:
        """Remove it, running or not, and everything the engine holds of it. Raises EngineDown."""
        with self._removing:
            if not self._removed:
                self._removed = True
                try:
                    self._stream.close()
                finally:
                    try:
                        remove_container(self._client, self.id)
                    finally:
                        self._on_removed()

    def _ended(self, code: int | None, stopped: Stop | None, state: Mapping[str, Any], image: str | None) -> Ended:
        stream = self._stream
        return Ended(
            code, bool(state.get("OOMKilled")), stream.stdout.bytes(), stream.stderr, stopped, stream.seconds(),
            image, over=not state,
        )  # fmt: skip

    def _committed(self, commit: Commit) -> str | None:
        if not commit.asked(self._stream.stdout.bytes()):
            return None
        if commit.wanted is not None:
            added = self._added()
            if added is not None and not commit.wanted(added):
                return None
        made = self._container.commit(repository=commit.repository, tag=commit.tag, changes=list(commit.changes))
        return str(made.id)

    def _added(self) -> list[str] | None:
        """The new paths, None if there are too many: their number and their length are the untrusted side's."""
        api = self._client.api
        told = bytearray()
        place = f"{api.base_url}/v{api.api_version}/containers/{self.id}/changes"
        with closing(api.get(place, stream=True, timeout=api.timeout)) as answer:
            answer.raise_for_status()
            for piece in answer.iter_content(1 << 16):
                told += piece
                if len(told) > _CHANGES_LIMIT:
                    return None
        changes = json.loads(told) or []
        return [str(change["Path"]) for change in changes if change["Kind"] == _ADDED]


def remove_container(client: DockerClient, container: str) -> None:
    """Remove a container, running or not; one that is gone, or is being removed, is no error.

    A busy engine that does not see its process end in time refuses, so it is asked again. Raises EngineDown, at once,
    and SandboxError when it still refuses.
    """
    for pause in (*_AGAIN_S, None):
        try:
            with contextlib.suppress(Missing, InUse), translated():
                client.api.remove_container(container, v=True, force=True)
            return
        except EngineDown:
            raise
        except SandboxError:
            if pause is None:
                raise
            time.sleep(pause)
