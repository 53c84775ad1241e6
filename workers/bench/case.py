"""What a suite is made of: red repositories, and for each a judge that says whether a patch is the right one.

Values and two protocols. Nothing here runs anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Protocol, runtime_checkable

from sandbox.spec import Environment
from workers.bench.row import Row
from workers.ports import SourceTree

PYTEST = ("python -m pip install pytest==8.4.2 pytest-timeout==2.4.0",)
"""The set-up of a case that needs nothing but its tests' runner, which ends tests that loop for ever."""
LIMIT_FILE = "bench_limit_test.py"
"""The plug-in that counts a test's processor time, in a case: by its name it is a test, so that nobody mends it."""


def limit_file() -> Mapping[str, bytes]:
    """The plug-in, as a file of the case."""
    return {LIMIT_FILE: (Path(__file__).with_name("inside") / "bench_limit.py").read_bytes()}


def limited(seconds: int, tests: str) -> str:
    """The check of programs that may loop for ever: so many seconds of processor time for each test."""
    return f"python -m pytest -q -p {LIMIT_FILE.removesuffix('.py')} --cpu-limit={seconds} {tests}"


@dataclass(frozen=True)
class Fixed:
    """A verified patch with what a judge needs to look at it: the files it is for, and an environment to run them in.

    `prepare` makes, or finds again, the one the check ran in; the judge runs whatever it runs there, never on the host.
    It is asked only when something is run: where it is the set-up that is red, there is none without the patch.
    """

    tree: SourceTree
    patch: str
    prepare: Callable[[], Environment]
    cancel: Event = field(default_factory=Event)

    @property
    def environment(self) -> Environment:
        """Where a judge runs what it runs."""
        return self.prepare()


@dataclass(frozen=True)
class Ruling:
    """Whether the patch is right; None where that cannot be said. `why` is one sentence."""

    correct: bool | None
    why: str = ""


class Judge(Protocol):
    """Says whether a verified patch is right."""

    def __call__(self, fixed: Fixed) -> Ruling: ...


@dataclass(frozen=True)
class BenchCase:
    """One red repository. `check` is the red command; None leaves it to the workflow among the files.

    `image`, `setup` and `env` stand for what its `.github/heal.yml` would say about the environment; None and nothing
    leave that to the files. `log` is the raw log of the red job, `workflow` the path of the file that the job is of,
    where both are to be handed on as GitHub would. `base` are the files of the red commit that the pull request is
    based on, `green` those of a green commit before; empty where there is none. `gold` is the patch of its developers,
    `expect` what should come of the run, in words that only its suite reads; both are kept for the report and shown to
    no fixer.
    """

    id: str
    files: Mapping[str, bytes]
    check: str | None = None
    image: str | None = None
    setup: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_s: int = 600
    job: str = ""
    log: bytes = b""
    workflow: str = ""
    base: Mapping[str, bytes] = field(default_factory=dict)
    green: Mapping[str, bytes] = field(default_factory=dict)
    green_log: bytes = b""
    """The raw log of the same job when it was last green."""
    plain: tuple[str, ...] = ()
    """Scripts that are not executable; all other files that begin with `#!` are."""
    group: str = ""
    """What the report also adds up by, such as a project."""
    gold: str = ""
    expect: Mapping[str, str] = field(default_factory=dict)
    judge: Judge | None = None


class Suite(Protocol):
    """A set of cases. Raises `workers.errors.UsageError` from `cases` when its data is not there."""

    @property
    def name(self) -> str: ...

    @property
    def in_sample(self) -> bool:
        """Whether the fixers were written knowing these very cases: such a figure shows no more than that nothing
        broke."""

    @property
    def options(self) -> Mapping[str, str]:
        """What decides which cases there are: two benches with the same options have the same cases."""

    def cases(self) -> Iterator[BenchCase]:
        """The cases, made one by one, always in the same order."""


@runtime_checkable
class Figured(Protocol):
    """A suite with figures of its own, beside those that every suite has."""

    def figures(self, rows: Sequence[Row]) -> Sequence[tuple[str, str]]:
        """Pairs of a label and what is said, such as ("pass@1", "41.2 %, 34 % to 49 %")."""
