"""Identical runs, repeated: what flakiness is measured with.

Reruns differ from the first run in one thing only, the hash seed, so that a failure that hangs on the order of a set
or a dictionary shows itself within a few runs instead of by luck.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

from sandbox.spec import Environment, Limits, Plan, Result, Step, Tree

PARALLEL = 2
"""Runs at once: throughput on two cores hardly rises beyond two, latency does."""


def limits(plan: Plan) -> Limits:
    """What one command of the plan may use."""
    return Limits(wall_s=plan.timeout_s)


def rerun(
    environment: Environment, plan: Plan, tree: Tree, patch: bytes | None, times: int, cancel: Event
) -> list[Result]:
    """The plan's check `times` over, each in a fresh container with a hash seed of its own (1, 2, ...)."""
    step, bounds = plan.check, limits(plan)
    seeded = [replace(step, env={**step.env, "PYTHONHASHSEED": str(seed)}) for seed in range(1, times + 1)]
    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(lambda one: environment.run(one, tree, patch, bounds, cancel=cancel), seeded))


def unsteady(results: Iterable[Result]) -> tuple[str, ...]:
    """Ids of the tests that passed in one run and failed in another."""
    tests = [test for result in results for test in result.tests]
    passed = {test.id for test in tests if test.status == "passed"}
    return tuple(sorted(passed & {test.id for test in tests if test.status in ("failed", "error")}))


def command(step: Step) -> str:
    """The command as people would type it: the script, or its first line when it has several."""
    lines = step.script.strip().splitlines()
    return lines[0] if lines else step.name
