"""The line for every error and every ending: what happened, its number, and what to do."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import get_args

import pytest

from sandbox import errors, explain
from sandbox.errors import (
    Cancelled,
    EngineBusy,
    EngineDown,
    EngineFull,
    ImageMissing,
    NetworkDenied,
    NoSession,
    PullFailed,
    RuntimeUnknown,
    SandboxError,
    ServiceFailed,
    ServiceMissing,
    SetupFailed,
)  # fmt: skip
from sandbox.spec import Ending, Evidence, Limits, Output, Result

ERRORS = (
    (EngineDown("nobody at /x.sock"), "nobody at /x.sock; repair: deploy/bootstrap services"),
    (EngineBusy("no room for 2048 MiB within 300 s"), "HEAL_SLOTS"),
    (EngineFull("the disk is full"), "repair: heal sandbox prune"),
    (ImageMissing("no image python"), "repair: heal images build"),
    (RuntimeUnknown("unknown runtime runsc"), "HEAL_SANDBOX_RUNTIME"),
    (ServiceFailed("postgres", "was not ready within 120 s", "log"), "was not ready within 120 s; read its log"),
    (ServiceMissing("service 'db': no registry gives it"), "gives it; name a public image"),
    (NoSession("no working copy can be kept: no space"), "no space; what needed it is left out"),
    (SetupFailed("Install", 3, "log"), "'Install' failed with exit code 3; read its log"),
    (SetupFailed("set-up", None, "log", "out of time after 600 s"), "set-up failed: out of time after 600 s; read its"),
    (NetworkDenied("Install", 3, "log", ("a.example.org",)), "a.example.org, which set-up may not reach; the operator"),
    (Cancelled("making the environment was cancelled"), "nothing of it was kept"),
    (SandboxError("refused:\n two\nlines."), "refused: two lines; see `heal doctor`"),
    (PullFailed("x cannot be pulled: manifest unknown"), "correct its name"),
    (PullFailed("x cannot be pulled: pull access denied for x, repository does not exist or may"), "correct its"),
    (PullFailed("x cannot be pulled: unauthorized: authentication required"), "private"),
    (PullFailed("x cannot be pulled: toomanyrequests: You have reached"), "try again later"),
    (PullFailed("x cannot be pulled: dial tcp 127.0.0.1:1: connect: connection refused"), "reach the registry"),
    (PullFailed("x cannot be pulled: x509: certificate signed by unknown authority"), "trust the registry"),
    (PullFailed("x cannot be pulled: its layers are larger than 6144 MiB"), "smaller image"),
    (PullFailed("x cannot be pulled: something new"), "docker pull"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("error", "line"), ERRORS, ids=lambda one: type(one).__name__ if not isinstance(one, str) else ""
)
def test_errors(error: SandboxError, line: str) -> None:
    """Its own words, then what mends it, in one line."""
    told = explain.error(error)
    assert line in told
    assert "\n" not in told


def test_no_error_is_left_out() -> None:
    """Every class of the family has its own case and its own example here."""
    family = {cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, SandboxError)}
    assert set(get_args(explain.Known)) == family - {SandboxError}
    assert {type(error) for error, _ in ERRORS} == family


EVIDENCE = Evidence("image", "environment", "0123456789abcdef", "patch", "runc")
RESULT = Result(Ending.FAILED, 3, Output(""), (), b"", 1.25, 0, EVIDENCE)
ENDINGS = {
    Ending.PASSED: "passed in 1.2 s",
    Ending.FAILED: "exit code 3",
    Ending.TIMEOUT: "its 90 s and was killed; raise environment.timeout in heal.yml",
    Ending.OOM: "its 2 GiB of memory and was killed; raise environment.memory in heal.yml",
    Ending.OUTPUT_LIMIT: "more than 256 MiB",
    Ending.DISK_FULL: "1 GiB for the work tree, 512 MiB for /tmp",
    Ending.KILLED: "by none of the sandbox's limits",
    Ending.PATCH_REJECTED: "commit 0123456789ab",
    Ending.NETWORK_DENIED: "environment.network in heal.yml and HEAL_CHECK_HOSTS",
    Ending.CANCELLED: "cancelled",
}


@pytest.mark.parametrize("ending", Ending)
def test_endings(ending: Ending) -> None:
    """Every ending has a sentence with its number."""
    told = explain.ending(replace(RESULT, ending=ending), Limits(wall_s=90))
    assert ENDINGS[ending] in told
    assert told.endswith(".")


def test_a_denied_host_is_named() -> None:
    """The hosts are named; one that was granted was asked for past the proxy."""
    denied = replace(RESULT, ending=Ending.NETWORK_DENIED, asked=("a.example.org", "b.example.org"))
    assert "a.example.org, b.example.org, which it may not reach" in explain.ending(denied, Limits())
    granted = replace(denied, evidence=replace(EVIDENCE, network=("a.example.org", "b.example.org")))
    assert "past the proxy" in explain.ending(granted, Limits())


def test_sizes() -> None:
    """Bytes are told in the unit that people use for them."""
    assert [explain.size(n) for n in (5, 2048, 3 << 20, 3 << 29)] == ["5 bytes", "2 KiB", "3 MiB", "1.5 GiB"]
