"""The container engine: with `connection`, `life`, `pulls` and `engine_errors` the only module that imports docker.

One client per process, made on first use so that a forked worker never shares a socket with its parent.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO, Any

import docker
from docker.types import IPAMConfig, IPAMPool

from sandbox import policy
from sandbox.admission import SHARE, Room, Ticket
from sandbox.connection import connect
from sandbox.engine_errors import InUse, Missing, translated
from sandbox.errors import ImageMissing, RuntimeUnknown, SandboxError
from sandbox.forks import fresh_after_fork
from sandbox.images.sources import REPOSITORY
from sandbox.life import Commit, Ended, Life, remove_container
from sandbox.stream import Caps, Marks

_LAST_LINES = 5
_RUN_LABEL = "heal.run"
_COUNT = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Image:
    """An image of ours on the engine: its names, its size in bytes, when it was made in seconds since 1970."""

    id: str
    names: tuple[str, ...]
    size: int
    made: float
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Volume:
    """`path` is where its files are on the engine's machine."""

    name: str
    labels: Mapping[str, str]
    path: str = ""


class Engine:
    """A Docker engine (API 1.41 or later), local or remote. `host` None means the engine's usual socket.

    With `certificates` (a folder with ca.pem, cert.pem and key.pem) a `tcp://` engine is spoken to by TLS, and both
    sides have to show who they are. Of its machine's memory `memory_share` may be used by all our containers together,
    by their limits.
    """

    def __init__(
        self,
        host: str | None = None,
        call_timeout_s: int = 60,
        memory_share: float = SHARE,
        certificates: Path | None = None,
    ) -> None:
        self.host = host or "unix:///var/run/docker.sock"
        self._certificates = certificates
        self._call_timeout_s = call_timeout_s
        self._lock = threading.Lock()
        self._client: docker.DockerClient | None = None
        self._memory = 0
        self.room = Room(self, memory_share)
        fresh_after_fork(self)

    def client(self) -> docker.DockerClient:
        with self._lock:
            if self._client is None:
                self._client = connect(self.host, self._certificates, self._call_timeout_s)
            return self._client

    def renew(self) -> None:
        """Connect anew for what is asked from now on. What is under way keeps its connections; they are closed when
        nobody holds them any more."""
        with self._lock:
            self._client = None

    def close(self) -> None:
        """Close the connections, also those that somebody is about to use."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def after_fork(self) -> None:
        """In a forked process: the parent's connections are its own."""
        self._lock = threading.Lock()
        self._client = None

    def version(self) -> dict[str, Any]:
        with translated():
            return dict(self.client().version())

    def info(self) -> dict[str, Any]:
        with translated():
            return dict(self.client().info())

    def memory(self) -> int:
        """Bytes of memory of the engine's machine."""
        self._memory = self._memory or int(self.info()["MemTotal"])
        return self._memory

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

    def build(self, context: IO[bytes], tag: str, labels: Mapping[str, str], fresh: bool = False) -> None:
        """Build an image from a tar of its context; SandboxError with the last lines when it fails.

        `fresh` takes no layer from an earlier build.
        """
        last: deque[str] = deque(maxlen=_LAST_LINES)
        with translated():
            lines = self.client().api.build(
                fileobj=context, custom_context=True, tag=tag, labels=dict(labels), nocache=fresh,
                rm=True, forcerm=True, decode=True,
            )  # fmt: skip
            for line in lines:
                last.extend(str(line.get("stream", "")).strip().splitlines())
                if "error" in line:
                    said = " | ".join(last)
                    raise SandboxError(f"image {tag} cannot be built: {str(line['error']).strip()}: {said}")

    def images(self, pattern: str) -> list[Image]:
        """The images with a name of that pattern (`heal-sandbox/*`)."""
        return self._images({"reference": pattern})

    def labelled_images(self, label: str) -> list[Image]:
        """The images of ours with the label, with a name or without.

        An image of others may say anything of itself: it is ours when all its names are.
        """
        return [one for one in self._images({"label": label}) if all(map(_is_ours, one.names))]

    def _images(self, filters: Mapping[str, str]) -> list[Image]:
        with translated():
            found = self.client().api.images(filters=dict(filters))
        return [
            Image(str(one["Id"]), tuple(one["RepoTags"] or ()), one["Size"], one["Created"], one["Labels"] or {})
            for one in found
        ]

    def images_in_use(self) -> set[str]:
        """The ids of the images that containers were made from, whether they run or not."""
        with translated():
            return {str(one["ImageID"]) for one in self.client().api.containers(all=True)}

    def remove_image(self, reference: str) -> bool:
        """Take this name from an image, and with its last name the image; False when something still uses it."""
        try:
            with translated():
                self.client().images.remove(reference, force=False)
        except InUse:
            return False
        except (ImageMissing, Missing):
            return True
        return True

    def remove_images(self, label: str) -> int:
        """Remove the images of ours with the label that no container uses; how many they were."""
        found = self.labelled_images(label)
        with translated():
            for image in found:
                self.client().images.remove(image.id, force=True)
        return len(found)

    # Networks

    def create_network(
        self, name: str, subnet: str, gateway: str, options: Mapping[str, str], labels: Mapping[str, str]
    ) -> None:
        """Create an internal network: nothing is routed into it or out of it."""
        pool = IPAMPool(subnet=subnet, gateway=gateway)
        with translated():
            self.client().networks.create(
                name, driver="bridge", internal=True, options=dict(options), labels=dict(labels),
                ipam=IPAMConfig(pool_configs=[pool]),
            )  # fmt: skip

    # Volumes and left-overs

    def create_volume(self, name: str, labels: Mapping[str, str], options: Mapping[str, str] | None = None) -> Volume:
        """Create a volume, or return the one of that name as it is: the first creator's labels stay.

        `options` are those of mount (`type`, `device`, `o`) for a volume that is more than a folder of the engine.
        """
        with translated():
            volume = self.client().volumes.create(name=name, labels=dict(labels), driver_opts=dict(options or {}))
            return self.volume(str(volume.name)) or Volume(name, dict(labels))

    def volume(self, name: str) -> Volume | None:
        try:
            with translated():
                return _volume(self.client().volumes.get(name))
        except Missing:
            return None

    def volumes(self, label: str) -> list[Volume]:
        with translated():
            return [_volume(found) for found in self.client().volumes.list(filters={"label": label})]

    def fill_volume(self, settings: Mapping[str, Any]) -> None:
        """Create the container of these settings and remove it: its image's files are then in its empty volume."""
        with translated():
            container = self.client().containers.create(**settings)
        self.remove_container(str(container.id))

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
        """Ids and labels of every container with the label, running or not.

        A container has its image's labels too. We give each of ours a run of its own, so one whose run is its image's
        is not ours: somebody started it from an image that we made, or that calls itself ours.
        """
        with translated():
            found = self.client().api.containers(all=True, filters={"label": label})
            images = self.client().api.images(all=True, filters={"label": _RUN_LABEL}) if found else []
        runs = {one["Id"]: one["Labels"].get(_RUN_LABEL) for one in images}
        return {
            str(one["Id"]): dict(one["Labels"] or {})
            for one in found
            if one["ImageID"] not in runs or one["Labels"].get(_RUN_LABEL) != runs[one["ImageID"]]
        }

    def written(self, label: str) -> int:
        """How many bytes the containers with the label have in their own layers together."""
        with translated():
            found = self.client().api.containers(all=True, size=True, filters={"label": label})
            return sum(int(one.get("SizeRw") or 0) for one in found)

    def memory_in_use(self, owner: str) -> dict[str, int]:
        """Memory limits (bytes) of the running containers of the owner's installation, all its sessions, by id.

        Those that wait without files are left out: of their limit they take nothing yet.
        """
        with translated():
            found = self.client().api.containers(filters={"label": policy.MEMORY_LABEL})
        labels = {str(one["Id"]): one["Labels"] for one in found if not policy.is_kept(one["Names"])}
        ours = owner.partition("/")[0]
        return {
            name: int(held[policy.MEMORY_LABEL])
            for name, held in labels.items()
            if str(held.get("heal.owner")).partition("/")[0] == ours and _COUNT.fullmatch(held[policy.MEMORY_LABEL])
        }

    def remove_container(self, container_id: str) -> None:
        """As `sandbox.life.remove_container`."""
        remove_container(self.client(), container_id)

    # Running

    def begin(
        self,
        settings: Mapping[str, Any],
        caps: Caps,
        marks: Marks = Marks(),  # noqa: B008 - a frozen value
        on_end: Callable[[], None] | None = None,
        cancel: Event | None = None,
        ticket: Ticket | None = None,
    ) -> Life:
        """Start a container when there is room for it (`ticket`, or waiting for one), attached and drained.

        Raises Cancelled or EngineBusy when it does not get room.
        """
        admitted = ticket or self.room.enter(int(settings["mem_limit"]), settings["labels"]["heal.owner"], cancel)
        try:
            life = Life.begin(self.client(), settings, caps, marks, on_end, lambda: self.room.leave(admitted))
        except BaseException as error:
            self.room.leave(admitted)
            if isinstance(error, SandboxError):
                raise self._of_runtime(error, settings.get("runtime")) from error
            raise
        admitted.container = life.id
        return life

    def _of_runtime(self, error: SandboxError, runtime: str | None) -> SandboxError:
        """What a runtime that was asked for makes of a start: unknown to the engine, or of no use on its machine."""
        text = str(error)
        if isinstance(error, RuntimeUnknown):
            return RuntimeUnknown(f"the engine has no runtime {runtime}, it knows {', '.join(sorted(self.runtimes()))}")
        if runtime is None or "OCI runtime" not in text:
            return error
        return RuntimeUnknown(f"the container runtime {runtime} does not work on this engine: {text}")

    def runtimes(self) -> list[str]:
        """The container runtimes that the engine was told of."""
        return list(self.info().get("Runtimes") or {})

    def run(
        self,
        settings: Mapping[str, Any],
        feed: Iterable[bytes],
        seconds: float,
        caps: Caps,
        cancel: Event | None = None,
        commit: Commit | None = None,
        ticket: Ticket | None = None,
    ) -> Ended:
        """A container's whole life: started, fed, drained until it ends or is ended after `seconds`, and removed."""
        life = self.begin(settings, caps, cancel=cancel, ticket=ticket)
        try:
            life.feed(feed)
            return life.finish(seconds, cancel, commit)
        finally:
            life.remove()


def _is_ours(name: str) -> bool:
    return name.startswith((f"{REPOSITORY}/", "<none>"))


def _volume(found: Any) -> Volume:
    attrs = found.attrs or {}
    return Volume(str(found.name), attrs.get("Labels") or {}, str(attrs.get("Mountpoint") or ""))
