"""Joins the steps of a log with the job API's: which belongs to which, which is inside a composite action, which broke.

The log alone cannot tell: a composite action's own steps look like the job's, a step that may fail prints the same
last words as one that may not, and a program can print a header. Where the two do not fit together nothing is said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from workers.logs.model import JobLog, LogStep

_BEFORE = re.compile(r"Set up job|Set up runner|Initialize containers|(?:Build|Pull) \S+[/:@]\S+|Pre .+")
_AFTER = re.compile(r"Complete job|Stop containers|Complete runner|Post .+")


def with_reported(log: JobLog, reported: Sequence[tuple[str, str]]) -> JobLog:
    """The log with what the job API says of its steps: (name, conclusion), in order."""
    own = _own(reported)
    numbers = _aligned(log.steps, [reported[at][0] for at in own])
    steps = tuple(
        step if number is None else replace(step, number=own[number], nested=number in numbers[:at])
        for at, (step, number) in enumerate(zip(log.steps, numbers, strict=True))
    )
    return replace(log, steps=steps, blamed=_blamed(steps, reported))


def _own(reported: Sequence[tuple[str, str]]) -> list[int]:
    """The steps of the job itself that ran: the runner's own stand before and after them."""
    first, last = 0, len(reported)
    while first < last and _BEFORE.fullmatch(reported[first][0]):
        first += 1
    while last > first and _AFTER.fullmatch(reported[last - 1][0]):
        last -= 1
    return [at for at in range(first, last) if reported[at][1] not in ("skipped", "")]


def _aligned(steps: Sequence[LogStep], names: Sequence[str]) -> list[int | None]:
    """For each step of the log the place of its name, or None. Steps without a name of their own are told by it: the
    API calls them "Run" and what the log's header says."""
    numbers: list[int | None] = [None] * len(steps)
    edges = [(-1, -1), *_anchors(steps, names), (len(steps), len(names))]
    for (start, first), (stop, last) in pairwise(edges):
        if start >= 0:
            numbers[start] = first
        surplus = (stop - start) - (last - first)
        holders = [at for at in range(max(start, 0), stop) if surplus > 0 and _may_hold(steps, at)]
        if surplus == 0:
            numbers[start + 1 : stop] = range(first + 1, last)
        elif len(holders) == 1 and holders[0] + surplus < stop:
            holder = holders[0]
            place = first + holder - start
            numbers[start + 1 : holder + 1] = range(first + 1, place + 1)
            numbers[holder + 1 : holder + 1 + surplus] = [place] * surplus
            numbers[holder + 1 + surplus : stop] = range(place + 1, last)
    return numbers


def _anchors(steps: Sequence[LogStep], names: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs that belong together beyond doubt, both growing."""
    titles = [f"Run {step.title}" for step in steps]
    once, told = Counter(titles), Counter(names)
    pairs = [(at, names.index(title)) for at, title in enumerate(titles) if once[title] == told[title] == 1]
    growing: list[tuple[int, int]] = []
    for pair in pairs:
        if not growing or pair[1] > growing[-1][1]:
            growing.append(pair)
    return growing


def _may_hold(steps: Sequence[LogStep], at: int) -> bool:
    """A composite action prints nothing between its own header and its first step's."""
    step = steps[at]
    return step.uses is not None and not step.output and not step.red and at + 1 < len(steps)


def _blamed(steps: Sequence[LogStep], reported: Sequence[tuple[str, str]]) -> int | None:
    """The step that made the first failed one of the job API fail; None when the log says otherwise or nothing."""
    red = ("failure", "timed_out", "cancelled")  # in this order: the steps after a failure may be cancelled
    wanted = next((at for each in red for at, (_, conclusion) in enumerate(reported) if conclusion == each), None)
    if wanted is None:
        return None
    mine = [at for at, step in enumerate(steps) if step.number == wanted]
    with_code = [at for at in mine if steps[at].exit_code not in (None, 0)]
    with_error = [at for at in mine if steps[at].errors]
    return next(iter((*with_code, *with_error)), None)
