"""What the engine answers becomes an error of ours: from the real engine where that can be brought about, else from
answers as the engine words them."""

from __future__ import annotations

import uuid

import pytest
import requests
from docker.errors import APIError, ImageNotFound, NotFound

from sandbox import policy
from sandbox.engine import Engine
from sandbox.engine_errors import InUse, Missing, translated
from sandbox.errors import (
    EngineBusy,
    EngineDown,
    EngineFull,
    ImageMissing,
    PullFailed,
    RuntimeUnknown,
    SandboxError,
)  # fmt: skip
from sandbox.images.build import resolve
from sandbox.pulls import pull
from sandbox.references import parse
from sandbox.spec import Limits


def said(status: int, words: str) -> APIError:
    response = requests.Response()
    response.status_code = status
    return APIError("500 Server Error", response, words)


@pytest.mark.fault(38)
@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (said(500, "write /var/lib/docker/tmp/x: no space left on device"), EngineFull),
        (said(500, "failed to create shim: mkdir /run/containerd: No space left on device: unknown"), EngineFull),
        (said(500, "error creating overlay mount: disk quota exceeded"), EngineFull),
        (said(400, "Unknown runtime specified runsc"), RuntimeUnknown),
        (said(400, "unknown or invalid runtime name: kata"), RuntimeUnknown),
        (said(500, "fork/exec /usr/bin/containerd-shim: cannot allocate memory"), EngineBusy),
        (said(500, "fork/exec /usr/bin/runc: resource temporarily unavailable"), EngineBusy),
        (said(500, "a disk usage operation is already running"), EngineBusy),
        (said(409, "container is running: stop it first"), InUse),
        (said(500, "something else"), SandboxError),
        (NotFound("404", None, "No such container: x"), Missing),
        (ImageNotFound("404", None, "No such image: x:1"), ImageMissing),
        (requests.ConnectionError("Connection aborted"), EngineDown),
        (requests.ReadTimeout("Read timed out"), EngineDown),
        (ConnectionResetError(104, "Connection reset by peer"), EngineDown),
    ],
)  # fmt: skip
def test_recorded(raised: Exception, kind: type[SandboxError]) -> None:
    """Each answer becomes the kind of error that says what to do, and keeps the engine's words."""
    with pytest.raises(SandboxError) as caught, translated():
        raise raised
    assert type(caught.value) is kind
    words = str(getattr(raised, "explanation", None) or raised)
    assert words in str(caught.value)


@pytest.mark.fault(38)
@pytest.mark.engine
def test_real(engine: Engine) -> None:
    """A runtime that nobody registered, an image that is not there, a registry where nobody listens, no engine."""
    labels = policy.Labels("tests", uuid.uuid4().hex, "check", "key", 0)
    settings = policy.check_container(resolve("debian"), "heal-none", {}, Limits(), labels)
    with pytest.raises(RuntimeUnknown), translated():
        engine.client().containers.create(**{**settings, "mounts": [], "runtime": "no-such"})
    with pytest.raises(ImageMissing, match="heal-none") as missing:
        engine.image_id("heal-none:such")
    assert missing.value.repair == "heal images build"
    with pytest.raises(PullFailed, match="connection refused"):
        pull(engine, parse("127.0.0.1:1/x:1"))
    with pytest.raises(EngineDown, match=r"tcp://127\.0\.0\.1:1 "):
        Engine("tcp://127.0.0.1:1").version()
