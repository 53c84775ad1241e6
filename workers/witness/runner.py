"""How one new test file is run with the repository's own runner, and which of its commands is the whole suite.

Python's pytest and unittest so far. For other languages there is none: a test that nobody can run alone would be shown
red for any reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import takewhile
from pathlib import PurePosixPath
from posixpath import relpath

from sandbox.spec import Plan, Step
from workers import scripts, tools
from workers.detect import detect
from workers.ports import SourceTree
from workers.scripts import Invocation

_OPTIONS = frozenset({"-c", "-p", "-o", "--rootdir", "--import-mode", "--config-file", "--confcutdir", "--ds"})
"""pytest's options that decide how a test is found and run, and not which; they take a value."""
_PLACES = frozenset({"-s", "--start-directory", "-t", "--top-level-directory"})


class Runner(StrEnum):
    """Who runs the tests."""

    PYTEST = "pytest"
    UNITTEST = "unittest"


@dataclass(frozen=True)
class Bed:
    """Where a new test is tried: the plan of the whole suite, and the call in its check that runs the tests."""

    runner: Runner
    suite: Plan
    call: Invocation

    def alone(self, path: str) -> Plan:
        """The plan whose check runs this test file and nothing else."""
        step = self.suite.check
        before = scripts.preparing(step.script)
        script = "\n".join([*before, f"{_assigned(step.script, self.call)}{self._command(path, step, before)}"])
        return replace(self.suite, check=replace(step, name=f"The new test {path}", script=script))

    def _command(self, path: str, step: Step, before: tuple[str, ...]) -> str:
        if self.runner is Runner.PYTEST:
            return self.call.command(*_valued(self.call.args, _OPTIONS), relpath(path, _folder(step, before)))
        name = PurePosixPath(path).name
        return self.call.command("discover", *_valued(self.call.args, _PLACES), "-p", name)


def bed(plan: Plan, tree: SourceTree, planned: Callable[[str], Plan]) -> Bed | None:
    """Where tests of this repository are tried; None where it has none that Python's runners run.

    It is the first step of the plan that runs tests, with what the steps before it built. Where a wrapper hides that
    step, it is the command that the repository's files suggest; `planned` gives the plan of a command.
    """
    steps = (plan.check, *plan.after)
    for at, step in enumerate(steps):
        found = _call(step)
        if found is not None:
            built = [one for one in steps[:at] if not tools.only_look(one.script)]
            return Bed(found[0], replace(plan, setup=(*plan.setup, *built), check=step, after=()), found[1])
    guess = detect(tree, "python")
    found = _call(Step("", guess.check)) if guess else None
    if guess is None or found is None:
        return None
    return Bed(found[0], replace(planned(guess.check), after=()), found[1])


def _call(step: Step) -> tuple[Runner, Invocation] | None:
    for runner, names in ((Runner.PYTEST, ("pytest", "py.test")), (Runner.UNITTEST, ("unittest",))):
        for name in names:
            if found := scripts.invocations(step.script, name):
                return runner, found[0]
    return None


def _valued(args: tuple[str, ...], wanted: frozenset[str]) -> list[str]:
    """The options among the arguments that are wanted, each with its value."""
    found, rest = list[str](), iter(args)
    for arg in rest:
        name, equals, _ = arg.partition("=")
        if name in wanted and equals:
            found.append(arg)
        elif arg in wanted:
            found += [arg, next(rest, "")]
    return found


def _folder(step: Step, before: tuple[str, ...]) -> str:
    """The folder in which the call runs."""
    folder = PurePosixPath(step.workdir)
    for command in before:
        parts = scripts.words(command)
        if parts[:1] == ("cd",) and len(parts) == 2:
            folder = folder / parts[1]
    return str(folder)


def _assigned(script: str, call: Invocation) -> str:
    """The variables that stand before the call on its own line."""
    for command in scripts.commands(script):
        if call in scripts.invocations(command, call.tool.rsplit("/", 1)[-1]):
            given = takewhile(lambda word: word.partition("=")[0].isidentifier() and "=" in word, command.split())
            return "".join(f"{word} " for word in given)
    return ""
