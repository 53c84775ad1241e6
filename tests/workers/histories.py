"""Branches with a past, in memory: commits whose check is green or red as a test says, and who asked CI about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock

import sandbox.spec
from sandbox.errors import SetupFailed
from sandbox.spec import Limits, Plan, Result, Step, Tree
from tests.workers.made import GREEN, RED, MemoryTree, result
from workers.domain import Case, Commit, JobReport, Sha
from workers.ports import Base, Origin, Reply, SourceTree

Answer = Callable[[str, int], Result | None]
"""What the check shows on a commit, by its sha and how often it was asked before; None when its set-up fails."""
MANIFEST = "requirements.txt"


def sha(number: int) -> Sha:
    """The sha of the commit with this number."""
    return Sha(f"{number:040x}")


def number(of: str) -> int:
    """The number of the commit with this sha."""
    return int(of, 16)


def broken_at(first_red: int) -> Answer:
    """Green before one commit, red from it on."""
    return lambda one, _: RED if number(one) >= first_red else GREEN


OTHER = result(1, passed=0, failed=0, output="make: *** [build] Error 2\nfatal: no such compiler")


class CommitTree(MemoryTree):
    """The files of one commit."""

    def __init__(self, one: Sha, files: Mapping[str, bytes] | None = None) -> None:
        super().__init__(files)
        self.sha = one

    def tar(self) -> Tree:
        return Tree(self.sha, b"")


@dataclass
class Line:
    """`workers.ports.Lineage`: commits from number `first` to number `last`."""

    first: int
    last: int
    files: Callable[[int], Mapping[str, bytes] | None] = lambda _: None

    @property
    def commits(self) -> Sequence[Commit]:
        return [Commit(sha(n), (sha(n - 1),), f"Author {n}", "2026-11-21T05:00:00+01:00", f"Change {n}")
                for n in range(self.first, self.last + 1)]  # fmt: skip

    def tree(self, at: int) -> SourceTree:
        return CommitTree(sha(self.first + at), self.files(self.first + at))

    def diff(self, before: int, after: int) -> str:
        return f"diff from {self.first + before} to {self.first + after}"


@dataclass
class Machine:
    """A sandbox that answers by commit, and remembers what it was asked and which environments it made."""

    answer: Answer
    asked: list[int] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    ended: Event | None = None
    """Set while the first run is under way, as by somebody who stops the run."""
    lock: Lock = field(default_factory=Lock)

    def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> Room:
        if self.answer(tree.sha, 0) is None:
            raise SetupFailed("install", 1, "no such package")
        with self.lock:
            self.made.add(plan.env_key("image"))
        return Room(self)

    def doctor(self) -> list[sandbox.spec.Finding]:
        return []


@dataclass
class Room:
    """An environment of the machine."""

    machine: Machine
    key: str = "env1"
    image: str = "sha256:1"
    notes: tuple[str, ...] = ()

    def run(
        self,
        step: Step,
        tree: Tree,
        patch: bytes | None = None,
        limits: Limits = Limits(),
        inputs: Mapping[str, bytes] | None = None,
        cancel: Event | None = None,
    ) -> Result:
        del step, patch, limits, inputs
        with self.machine.lock:
            before = self.machine.asked.count(number(tree.sha))
            self.machine.asked.append(number(tree.sha))
        if self.machine.ended is not None:
            self.machine.ended.set()
            assert cancel is not None
            cancel.wait(10)
        found = self.machine.answer(tree.sha, before)
        assert found is not None
        return found

    def warm(self, tree: Tree, count: int, limits: Limits = Limits()) -> None:
        """Nothing to keep warm."""


@dataclass
class Past:
    """What a forge knows of the past: a mix-in for forges in memory."""

    line: Line | None = None
    green: Sha | None = None
    below: Base | None = None
    brought: Origin = field(default_factory=Origin)
    before: JobReport | None = None
    said: list[Reply] = field(default_factory=list)

    def base(self, case: Case) -> Base | None:
        return self.below

    def last_green(self, case: Case) -> Sha | None:
        return self.green

    def green_job(self, case: Case) -> JobReport | None:
        return self.before

    def lineage(self, case: Case, good: Sha) -> Line | None:
        return self.line

    def origin(self, case: Case, one: Sha) -> Origin:
        return self.brought

    def reply(self, case: Case, replies: Sequence[Reply]) -> None:
        self.said += replies
