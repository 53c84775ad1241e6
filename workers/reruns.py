"""Identical runs, repeated: what flakiness is measured with.

Reruns differ from the first run in the hash seed, so that a failure that hangs on the order of a set or a dictionary
shows itself within a few runs instead of by luck, and in their neighbour. The first run is always alone; the reruns are
two at a time where there are two cores, and what they prove is then said under load. A test that hangs on timing is
rather red under load: a failure may count as stable that would be flaky alone, but no patch counts as a fix for it,
because a candidate's own reruns have to be green under the same load, and the reverse run, alone again, red.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from threading import Event

from sandbox.race import CORES, race
from sandbox.spec import Environment, Limits, Plan, Result, Step, Tree

PARALLEL = min(2, CORES)
"""Runs at once: throughput on two cores hardly rises beyond two, latency does."""
NEXT = 2
"""Runs that follow a reproduction in any case: a fixer's look at the failure, and its candidate."""


def limits(plan: Plan) -> Limits:
    """What one command of the plan may use."""
    return Limits(wall_s=plan.timeout_s, memory=plan.memory)


def rerun(
    environment: Environment, plan: Plan, tree: Tree, patch: bytes | None, times: int, cancel: Event
) -> list[Result]:
    """The plan's check `times` over, each in a fresh container with a hash seed of its own (1, 2, ...)."""
    step, bounds = plan.check, limits(plan)
    seeded = [replace(step, env={**step.env, "PYTHONHASHSEED": str(seed)}) for seed in range(1, times + 1)]
    environment.warm(tree, times, bounds)

    def run(one: Step, ended: Event) -> Result:
        return environment.run(one, tree, patch, bounds, cancel=ended)

    results = race(seeded, run, cancel=cancel, at_once=PARALLEL)
    return [result for result in results if result is not None]


def unsteady(results: Iterable[Result]) -> tuple[str, ...]:
    """Ids of the tests that passed in one run and failed in another."""
    tests = [test for result in results for test in result.tests]
    passed = {test.id for test in tests if test.status == "passed"}
    return tuple(sorted(passed & {test.id for test in tests if test.status in ("failed", "error")}))


def command(step: Step) -> str:
    """The command as people would type it: the script, or its first line when it has several."""
    lines = step.script.strip().splitlines()
    return lines[0] if lines else step.name
