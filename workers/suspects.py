"""Where the cause of a failure may be: the reasons to suspect a place, what each weighs, and their order.

Evidence adds up, each kind between 0 and 1. A frame weighs one over its distance from the place of the error and an
import a tenth (Wong et al., ICSME 2014: segmentation and stack traces); executed lines weigh their Ochiai coefficient
(Abreu et al., 2007); a changed line weighs one over the number of commits that may have brought the failure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from workers.domain import Diagnosis, Finding, Suspect
from workers.ports import SourceTree
from workers.spectrum.evidence import Trace

MOST = 20
"""Suspects that are kept, and of one file at most `_OF_ONE`: a reader goes on to the next file by then."""
_OF_ONE = 3
_IMPORTED = 0.1
_HEADS = (b"def ", b"async def ", b"class ", b"@")
_TEST_PATH = re.compile(
    r"(^|/)(tests?|testing|__tests__|spec)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$|\.(test|spec)\.[cm]?[jt]sx?$"
    r"|_test\.go$|Tests?\.(java|kt)$|_spec\.rb$"
)

Place = tuple[str, int | None]


def is_test(path: str) -> bool:
    """The file looks like a test's: it shows a failure more often than it causes one, so it comes last."""
    return _TEST_PATH.search(path) is not None


def ranked(reasons: Iterable[Suspect]) -> tuple[Suspect, ...]:
    """One suspect for each place with all its reasons, likeliest first, tests last; equal ones stay as they came.

    A file as a whole is left out where one of its lines weighs more.
    """
    places: dict[Place, Suspect] = {}
    for one in reasons:
        have = places.get((one.path, one.line), Suspect(one.path, one.line))
        why = tuple(dict.fromkeys([*have.reasons, *one.reasons]))
        places[one.path, one.line] = Suspect(one.path, one.line, why, have.score + one.score)
    order = sorted(places.values(), key=lambda one: (is_test(one.path), -round(one.score, 6)))
    before: Counter[str] = Counter()
    kept: list[Suspect] = []
    for one in order:
        if before[one.path] < (_OF_ONE if one.line else 1):
            before[one.path] += 1
            kept.append(one)
    return tuple(kept[:MOST])


def telling(diagnosis: Diagnosis) -> tuple[Suspect, ...]:
    """Those that say more than that a finding names them, for where the findings are shown as well."""
    known = {(finding.path, finding.line) for finding in diagnosis.findings}
    return tuple(one for one in diagnosis.suspects if one.reasons[1:] or (one.path, one.line) not in known)


def raised(traces: Sequence[Sequence[Place]]) -> Iterator[Suspect]:
    """The frames of each failure's traceback, outermost first, so that the last is where it was raised."""
    weights: dict[Place, tuple[float, int]] = {}
    for trace in traces:
        for away, place in enumerate(dict.fromkeys(reversed(trace)), 1):
            weight, count = weights.get(place, (0.0, 0))
            weights[place] = max(weight, 1 / away), count + 1
    for (path, line), (weight, count) in weights.items():
        on = "on the trace of the failure" if len(traces) == 1 else f"on the trace of {_failures(count)}"
        yield Suspect(path, line, ("raised here" if weight == 1 else on,), weight)


def named(findings: Iterable[Finding], tool: str) -> Iterator[Suspect]:
    """What the tool points at."""
    for path, line in dict.fromkeys((one.path, one.line) for one in findings):
        if path:
            yield Suspect(path, line, (f"named by {tool}",), 1.0)


def imported(paths: Iterable[str]) -> Iterator[Suspect]:
    """What the failing tests import."""
    for path in dict.fromkeys(paths):
        yield Suspect(path, None, ("imported by the failing test",), _IMPORTED)


def holding(tests: Iterable[str]) -> Iterator[Suspect]:
    """The files of the failing tests themselves."""
    for path in dict.fromkeys(tests):
        yield Suspect(path, None, ("holds the failing test",), 0.0)


def executed(trace: Trace, tree: SourceTree) -> Iterator[Suspect]:
    """The repository's lines that failing tests execute, by who else executes them; not the heads of functions, which
    a trace counts with the first line of their bodies."""
    for path in sorted(path for path, counts in trace.counts.items() if counts):
        texts = (tree.read(path) or b"").splitlines()
        for line in sorted(trace.counts[path]):
            weight = trace.ochiai(path, line)
            if weight and 0 < line <= len(texts) and not texts[line - 1].lstrip().startswith(_HEADS):
                yield Suspect(path, line, (_executed(trace, *trace.counts[path][line]),), weight)


def changed(lines: Mapping[str, Iterable[int]], commits: int) -> Iterator[Suspect]:
    """The lines that `commits` commits wrote, or took lines away beside, since the failure was not there."""
    for path in sorted(lines):
        for line in sorted(lines[path]):
            yield Suspect(path, line, ("at a change since the last green commit",), 1 / max(1, commits))


def _executed(trace: Trace, failing: int, passing: int) -> str:
    every, others = trace.failing_tests, len(trace.passed)
    if every <= 1:
        by = "the failing test"
    else:
        by = "every failing test" if failing >= every else f"{failing} of {every} failing tests"
    if not others:
        return f"executed by {by}"
    return f"executed by {by} and by {f'{passing} of {others} passing ones' if passing else 'no passing one'}"


def _failures(count: int) -> str:
    return "1 failing test" if count == 1 else f"{count} failing tests"
