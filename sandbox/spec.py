"""What can be asked of a sandbox and what it answers. Plain values only: no I/O, nothing of Docker.

Source of the shapes: the measurements in ARCHITECTURE.md, decision 4. Sizes are bytes, durations seconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from threading import Event
from typing import Protocol, runtime_checkable

from sandbox.archives import Archive, Contents, contents

SCHEMA = 2
"""Part of every environment key: raise it when the meaning of a stored environment changes."""


class Fidelity(StrEnum):
    """How near the sandbox comes to what CI ran."""

    EXACT = "exact"  # scripts from the log, same tool minor versions
    CLOSE = "close"  # same commands, other patch versions or distribution
    APPROXIMATE = "approximate"  # guessed from the repository's files
    IMPOSSIBLE = "not reproducible here"


class Ending(StrEnum):
    """How a command in the sandbox ended. Everything here is the untrusted side's doing."""

    PASSED = "passed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    OOM = "oom"
    OUTPUT_LIMIT = "output_limit"
    DISK_FULL = "disk_full"
    KILLED = "killed"
    PATCH_REJECTED = "patch_rejected"
    NETWORK_DENIED = "network_denied"  # it failed asking for a host that it may not reach; the notes name the host
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Step:
    """One shell step. The script reaches the shell as a file, as on GitHub's runner.

    `shell` holds `{0}` where the script's path goes; `workdir` is relative to the workspace.

    With an `id`, what it writes to $GITHUB_OUTPUT in the set-up takes the place of `${{steps.<id>.outputs.<name>}}`
    in script, variables and `workdir` of later steps; what any step wrote to $GITHUB_ENV that of `${{env.<name>}}`.
    """

    name: str
    script: str
    shell: str = "bash -e {0}"
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "."
    id: str = ""


@dataclass(frozen=True)
class Skipped:
    """A step of the job that is not run here, why, and whether that weakens what a green run proves."""

    step: str
    reason: str
    weakens_proof: bool


@dataclass(frozen=True)
class Health:
    """When a service counts as ready: `command` (run by a shell in its container) ends with 0. Durations in seconds."""

    command: str
    interval_s: float = 1.0
    timeout_s: float = 5.0
    retries: int = 30
    start_s: float = 0.0


@dataclass(frozen=True)
class Service:
    """A service container of the job: `name` is the host name under which it answers, beside `localhost`.

    `image` is what the workflow says ("postgres:16"); `ports` are the container's own, `forwards` are pairs (port of
    the job, port of the container) where these differ. Without `health` it is ready when its program answers, or its
    ports accept connections.
    """

    name: str
    image: str
    env: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    forwards: tuple[tuple[int, int], ...] = ()
    health: Health | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A recipe: how to make the environment, which command failed, what follows it in the same job.

    `image` is a language key of `sandbox/images` ("python", "debian") or a full image reference.
    `manifests` maps each path that decides the environment (lock and requirement files) to its content hash.
    `trust` is the trust domain (`repository:base`, `repository:fork:number`): domains never share an environment.
    """

    image: str
    setup: tuple[Step, ...]
    check: Step
    after: tuple[Step, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    manifests: Mapping[str, str] = field(default_factory=dict)
    trust: str = "local"
    timeout_s: float = 600
    """How long one command of the plan may take."""
    memory: int = 2 << 30
    """How much memory one command of the plan may use."""
    cpus: float = 2.0
    """How many cores one command of the plan may use."""
    fidelity: Fidelity = Fidelity.APPROXIMATE
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    repository: bool = False
    """The workspace is a git repository of one commit, because a step asks git."""
    guessed: bool = False
    """Nothing says how the job runs: `after` are other checks of the repository, tried while those before are green."""
    network: tuple[str, ...] = ()
    """Hosts (exact or `*.suffix`) that the check may reach through the egress proxy; none by default."""

    @property
    def from_fork(self) -> bool:
        """The trust domain is a fork's: whoever wrote the code may not write to the repository."""
        return ":fork" in self.trust

    def env_key(self, image_id: str, service_ids: tuple[str, ...] = (), installation: str = "") -> str:
        """Content key of the environment: same key, same packages, same data in the services.

        `image_id` is the engine's digest, `service_ids` are those of the images the services run from. Two
        installations on one engine share nothing, so neither can take away what the other uses.
        """
        parts = {
            "schema": SCHEMA,
            "image": image_id,
            "setup": [asdict(step) for step in self.setup],
            "env": dict(self.env),
            "manifests": dict(self.manifests),
            "trust": self.trust,
            "installation": installation,
            "repository": self.repository,
            "services": [[asdict(service), digest] for service, digest in zip(self.services, service_ids, strict=True)],
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Limits:
    """Hard limits of one container."""

    wall_s: float = 600
    memory: int = 2 << 30
    cpus: float = 2.0
    pids: int = 512
    workspace: int = 1 << 30
    tmp: int = 512 << 20
    output_head: int = 256 << 10
    output_tail: int = 768 << 10
    output_kill: int = 256 << 20
    report: int = 8 << 20
    disk: int = 10 << 30
    """What set-up may leave on the engine's disk, packages and system together. A check cannot write there."""
    disk_left: int = 2 << 30
    """Free space that has to remain on the engine's disk while set-up writes there."""


SETUP_LIMITS = Limits(wall_s=1200, memory=4 << 30, pids=1024)


@dataclass(frozen=True)
class Tree:
    """The files of one commit: `sha` names it, `archive` is an uncompressed tar with paths relative to the root."""

    sha: str
    archive: Archive

    @cached_property
    def contents(self) -> Contents:
        """What of the archive is sent into a workspace."""
        return contents(self.archive)


@dataclass(frozen=True)
class TestCase:
    """One reported test. `status` is passed, failed, error or skipped; `id` is the runner's own name for it."""

    __test__ = False  # a value, not a test class

    id: str
    status: str
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True)
class Output:
    """Captured output with the middle cut away; `dropped` counts the bytes that are not shown."""

    text: str
    dropped: int = 0


@dataclass(frozen=True)
class Evidence:
    """What makes a result checkable: ids and hashes, no prose."""

    image: str
    environment: str
    tree: str
    patch: str
    runtime: str
    flags: tuple[str, ...] = ()
    network: tuple[str, ...] = ()
    """Hosts that it could reach: what answers there has a part in the result."""


LOG = "log"
"""How `Result.source` begins where nothing better than the command's own words names its tests."""


@dataclass(frozen=True)
class Result:
    """What one command did. `output` is stdout and stderr as written; `report` the bytes left in $HEAL_REPORT.

    `source` says where the names in `tests` are from: a reporter, JUnit XML, or the log as the last resort. `told` is
    how many tests the runners without a reporter say they ran, skipped ones left out; None when none says so.
    """

    ending: Ending
    exit_code: int | None
    output: Output
    tests: tuple[TestCase, ...]
    report: bytes
    wall_s: float
    peak_memory: int
    evidence: Evidence
    notes: tuple[str, ...] = ()
    cpu_s: float = 0.0
    source: str = ""
    told: int | None = None
    asked: tuple[str, ...] = ()
    """Of NETWORK_DENIED: the hosts it asked for in vain, as far as it named them."""

    @property
    def green(self) -> bool:
        """The command passed. The report alone never makes a run green."""
        return self.ending is Ending.PASSED and self.exit_code == 0

    @property
    def from_log(self) -> bool:
        """The tests' names were read in what the command printed."""
        return self.source.startswith(LOG)

    @property
    def names_all(self) -> bool:
        """Every test that ran has a name here; many runners print the names of those only that fail."""
        return not self.from_log or self.told is None or self.count("passed", "failed", "error") >= self.told

    @property
    def passed(self) -> int:
        """How many tests passed, by the runner's own count where not all of them have names."""
        if self.names_all:
            return self.count("passed")
        return max(0, (self.told or 0) - self.count("failed", "error"))

    def count(self, *statuses: str) -> int:
        """How many reported tests ended in one of the statuses."""
        return sum(test.status in statuses for test in self.tests)


@dataclass(frozen=True)
class Finding:
    """One line of `doctor`: what was looked at, how it stands, and the command that repairs it.

    A `warning` is `ok`, because everything works, and yet something should be done.
    """

    what: str
    ok: bool
    detail: str
    repair: str = ""
    warning: bool = False


class Environment(Protocol):
    """A frozen environment: dependencies installed, read-only from here on, no network. Its key, image and notes never
    change, so whoever wraps one takes them over."""

    @property
    def key(self) -> str: ...

    @property
    def image(self) -> str: ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Where it differs from what the plan asked for, one line each."""

    def run(
        self,
        step: Step,
        tree: Tree,
        patch: bytes | None = None,
        limits: Limits = Limits(),
        inputs: Mapping[str, bytes] | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Run one step on a fresh copy of the tree with the patch applied.

        `inputs` are extra read-only files under /heal/in by name. A report is whatever the command leaves
        in the file named by $HEAL_REPORT. Returns a Result for anything the untrusted side did; raises
        `sandbox.errors.SandboxError` only for what we lack.
        """

    def warm(self, tree: Tree, count: int, limits: Limits = Limits()) -> None:
        """Start containers ahead of need, with this tree in them, for runs under these limits. Returns at once.

        `count` runs are expected: a few containers wait at a time, and one that is taken is replaced while more are
        to come. Only a matter of speed: each is used for one run, and goes when idle for long. Never raises.
        """


@dataclass(frozen=True)
class Did:
    """What one command of a session did.

    `diff` is how the working copy differs from the tree after it, as git writes it (binary files included); None where
    that is not known: the session is of no use then, `note` says why, and another one goes on from the last diff.
    `spent`: it is of no use although the difference is known, for what the command left running takes all the room.
    """

    ending: Ending
    exit_code: int | None
    output: Output
    seconds: float
    diff: bytes | None
    note: str = ""
    spent: bool = False


class Session(Protocol):
    """A working copy that is kept from one command to the next, in a container of its own. Close it."""

    def run(self, script: str, seconds: float) -> Did:
        """Run a script in a shell of its own, for so many seconds at most. Raises `sandbox.errors.Cancelled`, and
        SandboxError only for what we lack."""

    def close(self) -> None: ...


@runtime_checkable
class Sessions(Protocol):
    """An environment in which sessions can be opened."""

    def session(
        self,
        step: Step,
        tree: Tree,
        patch: bytes = b"",
        limits: Limits = Limits(),
        cancel: Event | None = None,
    ) -> Session:
        """A working copy of the tree with the patch applied. `step` says where its commands run, in which shell and
        with which variables; its own script is left out. `limits.wall_s` is how long the session may last.

        Raises `sandbox.errors.NoSession` when this working copy cannot be made, and as `Environment.run`.
        """


class Sandbox(Protocol):
    """Makes environments. Raises `SetupFailed` when the plan's own set-up steps fail."""

    def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> Environment: ...

    def doctor(self) -> list[Finding]: ...
