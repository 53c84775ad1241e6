"""The spectrum of a red Python test run: which lines failing and passing tests execute, traced once for all who ask.

Nothing of the project is run outside the sandbox. Where no trace can be had (no runner, a crash, too slow) there is
none, and nothing else is lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event

from sandbox.spec import Limits, Step
from workers import spared
from workers.domain import Diagnosis, FailureClass
from workers.ports import Workbench
from workers.spectrum import evidence
from workers.spectrum.archive import NAME, archive
from workers.spectrum.command import Call, call
from workers.spectrum.evidence import Trace

_CLASSES = frozenset(
    {FailureClass.TEST, FailureClass.ERROR, FailureClass.IMPORT, FailureClass.DEPENDENCY, FailureClass.TIMEOUT}
)
_TOOLS = frozenset({"pytest", "unittest"})
_SUITE_S = 60.0
_TRACED_S, _SESSION_S, _WALL_S = 20.0, 120.0, 180.0
"""How long tests are traced, how long a session of them may last, and both sessions together."""

_HANG_S = 2.0
"""How long the first test that is not known to pass may take; after one that hung, the next ones get less."""


@dataclass(frozen=True)
class Looked:
    """What looking for a trace came to, as it is kept."""

    trace: Trace | None


def traceable(diagnosis: Diagnosis) -> bool:
    """Python tests that fail or raise."""
    return diagnosis.tool in _TOOLS and diagnosis.cls in _CLASSES


def traced(bench: Workbench, cancel: Event | None = None) -> Trace | None:
    """The trace of the bench's failing command: one run, remembered by `bench.once`. None when there is none."""
    return bench.once("trace", Looked, lambda: Looked(_traced(bench, cancel))).trace


def executed(
    bench: Workbench, patch: bytes, files: Sequence[str], cancel: Event | None = None
) -> Mapping[str, frozenset[int]] | None:
    """The lines of these files that the failing command executes with the patch; None when that was not seen."""
    how = started(bench)
    plan = {"mode": "lines", "args": how.args, "files": list(files), "budget_s": _SESSION_S}
    return evidence.lines(inside(bench, how, plan, _WALL_S, cancel, patch))


def started(bench: Workbench) -> Call:
    """How the bench's failing command starts its tests."""
    step = _step(bench)
    return call(step.script, step.workdir, bench.tree, bench.diagnosis.tool)


def inside(
    bench: Workbench,
    how: Call,
    plan: Mapping[str, object],
    wall_s: float,
    cancel: Event | None = None,
    patch: bytes | None = None,
) -> bytes:
    """One container in which the archive follows a plan, on the tree with the patch; its report, as JSON lines."""
    common = {"options": how.options, "folder": how.folder, "cwd_on_path": how.cwd_on_path}
    common |= {"runner": how.runner, "instead": how.instead}
    inputs = {NAME: archive(), "plan.json": json.dumps({**plan, **common}).encode()}
    script = how.script(f"/heal/in/{NAME} /heal/in/plan.json")
    step = Step(str(plan["mode"]), script, "bash -e {0}", _step(bench).env, ".")
    return bench.environment.run(step, bench.tree.tar(), patch, Limits(wall_s=wall_s), inputs, cancel).report


def _step(bench: Workbench) -> Step:
    """The command whose tests are traced. A new test alone has no passing tests beside it: then it is the whole suite,
    where that is quick and nothing else in it is red."""
    check, witness = bench.reproduction.plan.check, bench.witness
    suite = witness.suite if witness else None
    if witness is None or suite is None or suite.before.wall_s > _SUITE_S:
        return check
    red = [test.id for test in suite.before.tests if test.status in ("failed", "error")]
    return suite.step if red and all(map(witness.owns, red)) else check


def _traced(bench: Workbench, cancel: Event | None) -> Trace | None:
    how = started(bench)
    green = [test.id for test in bench.reproduction.before.tests if test.status == "passed"]
    plan = {"mode": "trace", "args": how.args, "trace_s": _TRACED_S, "budget_s": _SESSION_S}
    slow = [test.id for test in spared.slow(bench.reproduction.before)]
    plan |= {"hang_s": _HANG_S, "passed": green, "slow": slow}
    found = evidence.trace(inside(bench, how, plan, _WALL_S, cancel))
    if found is None or (found.runner != how.runner and _others(bench, found)):
        return None
    return found


def _others(bench: Workbench, found: Trace) -> bool:
    """The tests that were found, because the command could not be read, are none of those that the command runs; where
    a class cannot be set up, that says its own name for them."""
    red = [test.id for test in bench.reproduction.before.tests if test.status in ("failed", "error")]
    return not any(f"{name}.".startswith(f"{one}.") for name in found.failed for one in red)
