"""A workbench for tests: a tree in memory, a real environment on the engine, and a memory for `once`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sandbox.spec import Environment, Plan, Result, Step
from tests.workers.fixers.trees import MemoryTree
from workers.domain import Diagnosis, FailureClass, Finding, Reproduction
from workers.ports import Workbench
from workers.repo_config import RepoConfig

T = TypeVar("T")


class Memory:
    """`Once` in memory; `computed` counts what was really done."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.computed: list[str] = []

    def __call__(self, key: str, kind: type[T], compute: Callable[[], T]) -> T:
        if key not in self.values:
            self.values[key] = compute()
            self.computed.append(key)
        value = self.values[key]
        assert isinstance(value, kind)
        return value


def bench(
    files: Mapping[str, str],
    environment: Environment,
    check: str,
    before: Result,
    findings: tuple[Finding, ...] = (),
    cls: FailureClass = FailureClass.TEST,
    tool: str = "pytest",
    once: Memory | None = None,
    excerpt: str = "",
    config: RepoConfig | None = None,
) -> Workbench:
    """A bench for a failing command."""
    plan = Plan(image="python", setup=(), check=Step("check", check))
    return Workbench(
        tree=MemoryTree(files),
        diagnosis=Diagnosis(cls, tool, "f" * 16, findings, "it fails", excerpt or before.output.text[-2000:]),
        reproduction=Reproduction(plan, before, 1, 1),
        environment=environment,
        config=config or RepoConfig(),
        once=once or Memory(),
    )
