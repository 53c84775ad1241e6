"""Identical runs, repeated: what flakiness is measured with, and how many of them are enough.

Reruns differ from the first run in the hash seed, so that a failure that hangs on the order of a set or a dictionary
shows itself within a few runs instead of by luck, and in their neighbour. The first run is always alone; the reruns are
two at a time where there are two cores, and what they prove is then said under load. A test that hangs on timing is
rather red under load: a failure may count as stable that would be flaky alone, but no patch counts as a fix for it,
because a candidate's own reruns have to be green under the same load, and the reverse run, alone again, red. Two that
start together also read the same clock: where the failure shows that code asks for the time, the second starts later,
else both would be red, or green, by one and the same chance.

One red and one green run prove that a check is flaky. No number of red runs proves that it is not, so they are added
until the odds are small (Wald's sequential test): every red run multiplies the odds of "flaky" by the rate at which
the flaky check would have been red.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from threading import Event

from sandbox.race import CORES, race
from sandbox.spec import Environment, Limits, Plan, Result, Step, Tree
from workers import logs, spared
from workers.domain import Past, Sighting
from workers.plugged import has, plugged
from workers.tools import TOOLS

PARALLEL = min(2, CORES)
"""Runs at once: throughput on two cores hardly rises beyond two, latency does."""
NEXT = 2
"""Runs that follow a reproduction in any case: a fixer's look at the failure, and its candidate."""
RED = ("failed", "error")

_ODDS_TESTS = 0.25
"""Of a red job's tests about one in five is red by chance (of reruns on GitHub two thirds are of flaky jobs, but
few builds are run again at all), so one to four."""
_ODDS_CHECKERS = 0.01
"""What a formatter, linter or compiler says of a file hardly depends on chance."""
_ODDS_KNOWN = 1.0
_BOUND = 0.02
_RATE = 0.5
_HIGHEST_RATE = 0.9
_AFTER = 3
"""So many reruns come before the one in reverse order: as many as are enough when nothing is known of the tests."""
_KNOWN_TIMES = 2
"""A test that was unsteady before gets up to so many times as many reruns."""

_APART_S = 0.7
"""No even part of a second or of two, which are the steps that code most often counts in."""
_CLOCK = re.compile(
    r"\b(?:time\.(?:time|time_ns|monotonic|perf_counter|sleep|localtime|gmtime|strftime|Now|Since|Sleep)|datetime|strftime"
    r"|(?:date|timezone)\.(?:today|now)|(?:Date|Instant|LocalDate|LocalTime|LocalDateTime|ZonedDateTime|performance)\.now"
    r"|new Date|setTimeout|currentTimeMillis|nanoTime|(?:SystemTime|Instant)::now)\b"
)
"""How code asks for the time or waits, in a failure that shows its source or its values."""

_REVERSED = b'''"""Turns the order of the tests round, after every other plugin has had its say."""
import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.reverse()
'''
_PLUGIN = "heal_reversed"


@dataclass(frozen=True)
class Repeated:
    """The reruns of a check: `same` in its own order of tests, `turned` the one in reverse order, where the runner
    of its tests can do that."""

    same: tuple[Result, ...] = ()
    turned: Result | None = None


def limits(plan: Plan) -> Limits:
    """What one command of the plan may use."""
    return Limits(wall_s=plan.timeout_s, memory=plan.memory, cpus=plan.cpus)


def apart(*texts: str) -> float:
    """How many seconds two reruns are held apart that would start together, by what is said of the failure."""
    return _APART_S if any(_CLOCK.search(logs.clean(text)) for text in texts) else 0.0


def rerun(
    environment: Environment,
    plan: Plan,
    tree: Tree,
    patch: bytes | None,
    times: int,
    cancel: Event,
    apart_s: float = 0.0,
) -> list[Result]:
    """The plan's check `times` over, each in a fresh container with a hash seed of its own (1, 2, ...)."""
    environment.warm(tree, times, limits(plan))
    steps = [_seeded(plan.check, seed) for seed in range(1, times + 1)]
    return _race(environment, plan, tree, patch, steps, cancel, apart_s)


def repeat(
    environment: Environment,
    plan: Plan,
    tree: Tree,
    first: Result,
    most: int,
    past: Sequence[Past],
    cancel: Event,
    apart_s: float = 0.0,
) -> Repeated:
    """The check again, until it is known to be flaky, the odds that it is are small, or `most` reruns are made.

    `most` counts the reruns in the check's own order; of a check whose tests were unsteady before, twice as many may
    be made. One more is in reverse order, where there are two tests and pytest runs them. `apart_s` is how much later
    the second of two starts.
    """
    odds, rate, most = _known(past, most) if past else (_prior(plan.check, first), _RATE, most)
    check = spared.again(plan.check, first)
    steps = [_seeded(check, seed) for seed in range(1, most + 1)]
    turned = plugged(check, _PLUGIN) if most and _turnable(first) else None
    if turned:
        steps.insert(_AFTER, turned)
    environment.warm(tree, min(len(steps), _AFTER + 1), limits(plan))
    kept = Repeated()
    for at in range(0, len(steps), PARALLEL):
        batch = steps[at : at + PARALLEL]
        results = [*zip(batch, _race(environment, plan, tree, None, batch, cancel, apart_s, first), strict=True)]
        same = tuple(result for step, result in results if step is not turned)
        kept = Repeated((*kept.same, *same), next((one for step, one in results if step is turned), kept.turned))
        if _decided((first, *kept.same), odds, rate) and (turned is None or at + PARALLEL > _AFTER):
            break
    return kept


def sightings(results: Sequence[Result]) -> tuple[Sighting, ...]:
    """How the tests fared that were red in any of these runs, as far as they have names."""
    ran = [test for result in results for test in result.tests if test.status != "skipped"]
    red = dict.fromkeys(test.id for test in ran if test.status in RED)
    return tuple(
        Sighting(
            name,
            executions=sum(test.id == name for test in ran),
            red=sum(test.id == name and test.status in RED for test in ran),
        )
        for name in red
    )


def unsteady(results: Iterable[Result]) -> tuple[str, ...]:
    """Ids of the tests that passed in one run and failed in another."""
    tests = [test for result in results for test in result.tests]
    passed = {test.id for test in tests if test.status == "passed"}
    return tuple(sorted(passed & {test.id for test in tests if test.status in RED}))


def green_when_turned(kept: Repeated, steady: Iterable[str]) -> tuple[str, ...]:
    """Those of the steadily red tests that pass in reverse order: something runs before them that leaves a trace."""
    if kept.turned is None:
        return ()
    passed = {test.id for test in kept.turned.tests if test.status == "passed"}
    return tuple(sorted(passed & set(steady)))


def command(step: Step) -> str:
    """The command as people would type it: the script, or its first line when it has several."""
    lines = step.script.strip().splitlines()
    return lines[0] if lines else step.name


def _race(
    environment: Environment,
    plan: Plan,
    tree: Tree,
    patch: bytes | None,
    steps: Sequence[Step],
    cancel: Event,
    apart_s: float,
    first: Result | None = None,
) -> list[Result]:
    bounds, beside = limits(plan), steps[1:PARALLEL]

    def run(step: Step, ended: Event) -> Result:
        if apart_s and step in beside:
            ended.wait(apart_s)
        inputs = {f"{_PLUGIN}.py": _REVERSED} if has(step, _PLUGIN) else {}
        inputs |= spared.inputs(step, first) if first is not None else {}
        return environment.run(step, tree, patch, bounds, inputs or None, cancel=ended)

    results = race(steps, run, cancel=cancel, at_once=PARALLEL)
    return [result for result in results if result is not None]


def _seeded(step: Step, seed: int) -> Step:
    return replace(step, env={**step.env, "PYTHONHASHSEED": str(seed)})


def _turnable(first: Result) -> bool:
    return first.source.startswith("pytest") and len(first.tests) > 1


def _prior(check: Step, first: Result) -> float:
    output = logs.clean(first.output.text)
    speaking = [tool for tool in TOOLS if tool.recognises(check.script, output)]
    checked = any(finding.path for tool in speaking for finding in tool.findings(output, ()))
    return (
        _ODDS_CHECKERS if checked and not first.tests and not any(tool.RUNS_TESTS for tool in speaking) else _ODDS_TESTS
    )


def _known(past: Sequence[Past], most: int) -> tuple[float, float, int]:
    """Odds, rate and most reruns for a check of which these tests were unsteady before."""
    executions, red = sum(one.executions for one in past), sum(one.red for one in past)
    return _ODDS_KNOWN, min(_HIGHEST_RATE, (red + 1) / (executions + 2)), most * _KNOWN_TIMES


def _decided(results: Sequence[Result], odds: float, rate: float) -> bool:
    """Red and green were both seen, or so many red ones that chance would hardly have been so steady.

    Green runs alone are never enough: CI saw a red one.
    """
    red = sum(not result.green for result in results)
    if red < len(results):
        return red > 0
    return odds * rate**red <= _BOUND
