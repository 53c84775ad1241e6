"""The container engine: the only module that imports docker, and the place where its errors become ours.

One client per process, made on first use so that a forked worker never shares a socket with its parent.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from sandbox.capture import Capture
from sandbox.errors import EngineDown, ImageMissing, RuntimeUnknown, SandboxError
from sandbox.stream import Caps, Stop, Stream

_ADDED = 1
_PORT, _KNOCK_S = 2375, 10
_ATTACH = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}


@dataclass(frozen=True)
class Ended:
    """A container's whole life: what it said, how it ended, when the marker line and the last line passed.

    `address` is what it had on its network if it was on one, `started` when it started, in seconds since 1970.
    """

    exit_code: int | None
    oom_killed: bool
    stdout: bytes
    stderr: Capture
    stopped: Stop | None
    seconds: float
    image: str | None = None
    address: str | None = None
    started: float | None = None


@dataclass(frozen=True)
class Commit:
    """Make an image of a container that ended with 0, if `wanted` says so of the paths new in its file system."""

    repository: str
    tag: str
    wanted: Callable[[list[str]], bool]
    changes: tuple[str, ...] = ()
    """Lines of a Dockerfile that set the image's own settings (ENV, USER, ...)."""


@dataclass(frozen=True)
class Volume:
    name: str
    labels: Mapping[str, str]


class Engine:
    """A Docker engine (API 1.41 or later), local or remote. `host` None means the engine's usual socket."""

    def __init__(self, host: str | None = None, call_timeout_s: int = 60) -> None:
        self.host = host or "unix:///var/run/docker.sock"
        self._call_timeout_s = call_timeout_s
        self._lock = threading.Lock()
        self._client: docker.DockerClient | None = None
        self._pid = 0

    def client(self) -> docker.DockerClient:
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                _knock(self.host)
                with translated():
                    self._client = docker.DockerClient(
                        base_url=self.host, timeout=self._call_timeout_s, max_pool_size=32, version="auto"
                    )
                self._pid = os.getpid()
            return self._client

    def close(self) -> None:
        with self._lock:
            if self._client is not None and self._pid == os.getpid():
                self._client.close()
            self._client = None

    def version(self) -> dict[str, Any]:
        with translated():
            return dict(self.client().version())

    def info(self) -> dict[str, Any]:
        with translated():
            return dict(self.client().info())

    # Images

    def image_id(self, reference: str) -> str:
        """The content id of an image; ImageMissing when the engine does not have it."""
        with translated():
            return str(self.client().images.get(reference).id)

    def image_config(self, reference: str) -> dict[str, Any]:
        """What the image says of itself: Env, Volumes, User, ... in the engine's words; ImageMissing as above."""
        with translated():
            return dict(self.client().images.get(reference).attrs.get("Config") or {})

    def has_image(self, reference: str) -> bool:
        try:
            self.image_id(reference)
        except ImageMissing:
            return False
        return True

    def pull(self, reference: str) -> None:
        with translated():
            self.client().images.pull(reference)

    def tag(self, reference: str, repository: str, tag: str) -> None:
        with translated():
            self.client().images.get(reference).tag(repository, tag)

    def import_rootfs(self, tarball: Path, repository: str, tag: str) -> None:
        """Make an image of one layer from a root file system's tar."""
        with translated():
            self.client().api.import_image_from_file(str(tarball), repository=repository, tag=tag)

    def build(self, context: bytes, dockerfile: str, tag: str, args: Mapping[str, str]) -> Iterator[str]:
        """Build an image from a tar of its context; yields the engine's lines, raises SandboxError when it fails."""
        with translated():
            lines = self.client().api.build(
                fileobj=io.BytesIO(context), custom_context=True, dockerfile=dockerfile, tag=tag,
                buildargs=dict(args), rm=True, forcerm=True, decode=True,
            )  # fmt: skip
            for line in lines:
                if "error" in line:
                    raise SandboxError(f"image {tag} cannot be built: {str(line['error']).strip()}")
                if text := str(line.get("stream", "")).strip():
                    yield text

    def remove_images(self, label: str) -> int:
        """Remove the images with the label that no container uses; how many they were."""
        with translated():
            found = self.client().images.list(filters={"label": label})
            for image in found:
                self.client().images.remove(str(image.id), force=True)
            return len(found)

    # Volumes and left-overs

    def create_volume(self, name: str, labels: Mapping[str, str]) -> Volume:
        """Create a volume, or return the one of that name as it is: the first creator's labels stay."""
        with translated():
            volume = self.client().volumes.create(name=name, labels=dict(labels))
            return self.volume(str(volume.name)) or Volume(name, dict(labels))

    def volume(self, name: str) -> Volume | None:
        try:
            with translated():
                attrs = self.client().volumes.get(name).attrs or {}
        except Missing:
            return None
        return Volume(name, attrs.get("Labels") or {})

    def volumes(self, label: str) -> list[Volume]:
        with translated():
            found = self.client().volumes.list(filters={"label": label})
            return [Volume(str(volume.name), (volume.attrs or {}).get("Labels") or {}) for volume in found]

    def remove_volume(self, name: str) -> bool:
        """Remove a volume; False when it is in use."""
        try:
            with translated():
                self.client().volumes.get(name).remove(force=True)
        except Missing:
            return True
        except InUse:
            return False
        return True

    def containers(self, label: str) -> dict[str, Mapping[str, str]]:
        """Ids and labels of every container with the label, running or not."""
        with translated():
            found = self.client().containers.list(all=True, filters={"label": label}, ignore_removed=True)
            return {str(container.id): dict(container.labels) for container in found}

    def remove_container(self, container_id: str) -> None:
        with contextlib.suppress(Missing, InUse), translated():
            self.client().api.remove_container(container_id, v=True, force=True)

    # Running

    def run(
        self,
        settings: Mapping[str, Any],
        feed: Iterable[bytes],
        deadline_s: float,
        caps: Caps,
        cancel: Event | None = None,
        marker: bytes = b"\x00",
        commit: Commit | None = None,
    ) -> Ended:
        """Create a container, stream `feed` into it, drain it until it ends or has to be ended, and remove it.

        `deadline_s` counts from the start of the container on our own clock. `seconds` in the answer runs from the
        line `marker` on standard output (else from the start) to the last byte of standard output.
        """
        with translated():
            container = self.client().containers.create(**settings)
        try:
            with translated():
                return self._run(container, feed, deadline_s, caps, cancel, marker, commit)
        finally:
            self.remove_container(str(container.id))

    def _run(
        self,
        container: Container,
        feed: Iterable[bytes],
        deadline_s: float,
        caps: Caps,
        cancel: Event | None,
        marker: bytes,
        commit: Commit | None,
    ) -> Ended:
        attached = self.client().api.attach_socket(str(container.id), params=_ATTACH)
        stream = Stream(attached, caps, marker)
        try:
            container.start()
            stream.begin(feed)
            address = _address(container)  # while it runs: afterwards it has none
            stopped = stream.watch(deadline_s, cancel)
            if stopped is not None:
                with contextlib.suppress(APIError):  # it may have ended by itself a moment ago
                    container.kill()
                stream.drained()
            code = int(container.wait(timeout=30)["StatusCode"])
            container.reload()
            state = (container.attrs or {}).get("State", {})
            image = _committed(container, commit) if commit and stopped is None and code == 0 else None
        finally:
            stream.close()
        oom = bool(state.get("OOMKilled"))
        started = datetime.fromisoformat(str(state["StartedAt"])).timestamp()
        return Ended(
            code, oom, stream.stdout.bytes(), stream.stderr, stopped, stream.seconds(), image, address, started
        )


def _address(container: Container) -> str | None:
    if (container.attrs or {})["HostConfig"]["NetworkMode"] == "none":
        return None
    container.reload()
    networks = (container.attrs or {})["NetworkSettings"]["Networks"].values()
    return next((str(network["IPAddress"]) for network in networks if network.get("IPAddress")), None)


def _committed(container: Container, commit: Commit) -> str | None:
    changes = container.diff() or []
    if not commit.wanted([str(change["Path"]) for change in changes if change["Kind"] == _ADDED]):
        return None
    return str(container.commit(repository=commit.repository, tag=commit.tag, changes=list(commit.changes)).id)


def _knock(host: str) -> None:
    """Raise EngineDown when nobody listens there: the SDK would say it too, in five lines, and leaks a descriptor."""
    address = urlsplit(host)
    try:
        if address.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as door:
                door.connect(host.removeprefix("unix://"))
        elif address.scheme == "tcp" and address.hostname:
            socket.create_connection((address.hostname, address.port or _PORT), timeout=_KNOCK_S).close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise EngineDown(f"no container engine answers at {host} ({reason})") from error


class Missing(SandboxError):  # noqa: N818
    """The engine has no such object."""


class InUse(SandboxError):  # noqa: N818
    """The engine refuses because something still uses the object."""


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Errors of the docker SDK and of the connection below it become ours."""
    try:
        yield
    except ImageNotFound as error:
        raise ImageMissing(f"the engine has no such image: {error.explanation}") from error
    except NotFound as error:
        raise Missing(str(error.explanation)) from error
    except APIError as error:
        raise _of_api(error) from error
    except DockerException as error:
        raise EngineDown(f"no container engine answers: {error}") from error
    except (requests.ConnectionError, requests.Timeout, OSError) as error:
        raise EngineDown(f"the container engine does not answer: {error}") from error


def _of_api(error: APIError) -> SandboxError:
    text = str(error.explanation or error)
    if "unknown runtime" in text.lower() or "unknown or invalid runtime" in text.lower():
        return RuntimeUnknown(text)
    if error.response is not None and error.response.status_code == requests.codes.conflict:
        return InUse(text)
    return SandboxError(f"the container engine refused: {text}")
