"""Errors of the docker SDK, and of the connection below it, as ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from sandbox.errors import EngineBusy, EngineDown, EngineFull, ImageMissing, RuntimeUnknown, SandboxError


class Missing(SandboxError):  # noqa: N818
    """The engine has no such object."""


class InUse(SandboxError):  # noqa: N818
    """The engine refuses because something still uses the object."""


class MountFailed(SandboxError):  # noqa: N818
    """The engine's kernel does not mount a volume as its options say."""


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Whatever the SDK raises within leaves as a SandboxError."""
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


_FULL = ("no space left on device", "disk quota exceeded")
_RUNTIME = ("unknown runtime", "unknown or invalid runtime")
_BUSY = ("cannot allocate memory", "too many open files", "resource temporarily unavailable")

_COUNTING = "disk usage operation is already running"


def _of_api(error: APIError) -> SandboxError:
    text = str(error.explanation or error)
    low = text.lower()
    if any(words in low for words in _RUNTIME):
        return RuntimeUnknown(text)
    if any(words in low for words in _FULL):
        return EngineFull(f"the container engine's disk is full: {text}")
    if _COUNTING in low:
        return EngineBusy(f"the container engine counts its disk for somebody else: {text}")
    if any(words in low for words in _BUSY):
        return EngineBusy(f"the container engine has no room: {text}")
    if error.response is not None and error.response.status_code == requests.codes.conflict:
        return InUse(text)
    kind = MountFailed if "failed to mount local volume" in text else SandboxError
    return kind(f"the container engine refused: {text}")
