"""The whole suite beside a check that is only a part of it: without the patch once per run, and with it.

A job's own command is the suite, whatever folder it names. Only where the check picks test files or single tests out of
it (`--check`, a step for one file, a new test) is there more of the suite to break.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from threading import Event

from sandbox.errors import Cancelled
from sandbox.spec import Ending, Limits, Result, Step
from workers import spared
from workers.domain import Suite
from workers.ports import Files, Workbench
from workers.reruns import limits
from workers.scripts import commands, invocations, only_prepares

_WALL_S = 300.0
"""A suite that takes longer is not run beside a part of it."""
_PICKS = frozenset({"-k", "--maxfail"})
_SETTINGS = frozenset({"pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "conftest.py"})
_OTHERWISE = (b"python_files", b"doctest", b"pytest_collect", b"testpaths", b"addopts")
"""Words of settings by which pytest collects otherwise than by its own names for files."""
_STOPS = frozenset({"-x", "--exitfirst", "--lf", "--last-failed", "--ff", "--failed-first", "--sw", "--stepwise"})
_VALUED = frozenset(
    {
        "-m", "-c", "-p", "-o", "-W", "-n", "-r", "--deselect", "--rootdir", "--override-ini", "--import-mode", "--tb",
        "--confcutdir", "--ignore", "--ignore-glob", "--durations", "--cov", "--junitxml",
    }
)  # fmt: skip
_ASSIGNED = re.compile(r"(?:[A-Za-z_]\w*=[^\s\"']*[ \t]+)*")
_EXPANDED = re.compile(r"[$`]|\A[A-Za-z_]\w*=")
"""What a shell would make something of that quoting it anew would take away."""


def whole(step: Step) -> Step | None:
    """The command without what picks tests out of the suite; None when it picks none, or is more than a pytest call."""
    changed = False
    lines: list[str] = []
    for command in commands(step.script):
        calls = invocations(command, "pytest") or invocations(command, "py.test")
        if not calls:
            if not only_prepares(command):
                return None
            lines.append(command)
            continue
        assigned = _ASSIGNED.match(command)
        before = assigned[0] if assigned else ""
        if _EXPANDED.search(command[len(before) :]):
            return None
        kept = tuple(_kept(calls[0].args))
        changed = changed or len(kept) < len(calls[0].args)
        lines.append(before + calls[0].command(*kept))
    return replace(step, script="\n".join([*lines, ""])) if changed else None


def baseline(bench: Workbench, cancel: Event) -> Suite | None:
    """The suite as it ends without any patch; None where the check is all of it, by its command or by the files that
    there are, or nothing can be compared."""
    if bench.witness is not None:
        return bench.witness.suite
    check = bench.reproduction.plan.check
    step = whole(check)
    if step is None or _all_of_it(check, bench.tree):
        return None
    key = hashlib.sha256(step.script.encode()).hexdigest()[:16]
    before = bench.once(f"suite:{key}", Result, lambda: run(step, None, bench, cancel, bench.reproduction.before))
    known = before.ending in (Ending.PASSED, Ending.FAILED) and before.tests
    return Suite(step, before) if known else None


def _all_of_it(check: Step, files: Files) -> bool:
    """The check picks whole files, and there are no others that pytest would collect by its own names for them."""
    told = commands(check.script)
    calls = invocations(told[0], "pytest") or invocations(told[0], "py.test") if len(told) == 1 else ()
    stops = _PICKS | _STOPS
    if len(calls) != 1 or check.workdir not in (".", ""):
        return False
    if any("::" in arg or arg.partition("=")[0] in stops for arg in calls[0].args):
        return False
    picked = {str(PurePosixPath(arg)) for arg in calls[0].args if arg.endswith(".py")}
    for path in files.paths():
        name = PurePosixPath(path).name
        if name in _SETTINGS and any(word in (files.read(path) or b"") for word in _OTHERWISE):
            return False
        if (name.startswith("test_") or name.endswith("_test.py")) and name.endswith(".py") and path not in picked:
            return False
    return bool(picked) and picked <= set(files.paths())


def run(step: Step, patch: bytes | None, bench: Workbench, cancel: Event, first: Result | None = None) -> Result:
    """One run of it, no longer than it may take. Of what `first`, a run of the check, has shown slow and red, one test
    of each place is enough. Raises `Cancelled`."""
    bounds: Limits = limits(bench.reproduction.plan)
    if bench.witness is None:
        bounds = replace(bounds, wall_s=min(bounds.wall_s, _WALL_S))
    step, beside = spared.repeated(step, first) if first is not None else (step, None)
    result = bench.environment.run(step, bench.tree.tar(), patch, bounds, beside, cancel)
    if cancel.is_set():
        raise Cancelled("the run of the whole suite was cancelled")
    return result


def _kept(args: Sequence[str]) -> Iterator[str]:
    """The options that do not pick tests, and folders."""
    rest = iter(args)
    for arg in rest:
        name, equals, value = arg.partition("=")
        if name in _PICKS:
            value = value if equals else next(rest, "")
            if name == "-k" and value.startswith("not "):  # what a job leaves out is no part of its suite
                yield from (arg,) if equals else (arg, value)
        elif arg in _VALUED:
            yield from (arg, next(rest, ""))
        elif arg not in _STOPS and (arg.startswith("-") or not _names_a_test(arg)):
            yield arg


def _names_a_test(arg: str) -> bool:
    return "::" in arg or arg.endswith(".py")
