"""What was raised, and where in the repository: from the trace of the tests where there is one, else from what was
printed. All of it is untrusted text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from workers import logs, spectrum
from workers.diagnosis import places
from workers.domain import Diagnosis, Finding
from workers.ports import Workbench
from workers.spectrum.evidence import Failure
from workers.tools.exceptions import kind_of

_MOST = 20
_OUTPUT = 100_000
_PRINTED = re.compile(
    r"^(?:E {1,10})?(?:\w{1,80}\.){0,6}(?P<kind>[A-Z]\w{0,80}(?:Error|Warning|DeprecatedSince\d{1,3})): "
    r"(?P<said>[^\n]{1,500})",
    re.MULTILINE,
)
_NEVER = re.compile(r"coroutine '[\w.<>]{1,200}' was never awaited")
"""Often the only sign: the test fails over what was not done, and this is among the warnings below it."""
_HEAD = re.compile(r"^(?:\w{1,80}\.){0,12}\w{1,80}: ")


def kinds(diagnosis: Diagnosis) -> frozenset[str]:
    """The exceptions that a diagnosis names; those of the excerpt where the findings name none."""
    named = {finding.rule or kind_of(finding.message) for finding in diagnosis.findings}
    waiting = {"RuntimeWarning"} if _NEVER.search(diagnosis.excerpt) else set()
    printed = {match["kind"] for match in _PRINTED.finditer(diagnosis.excerpt)}
    return frozenset((named - {""} or printed) | waiting)


def raised(bench: Workbench) -> tuple[Failure, ...]:
    """One failure for each thing that went wrong, each with the repository's frames, outermost first."""
    output = logs.clean(logs.ending(bench.reproduction.before.output.text, _OUTPUT))
    warned = [Failure(type="RuntimeWarning", message=said) for said in dict.fromkeys(_NEVER.findall(output))]
    trace = spectrum.traced(bench) if spectrum.traceable(bench.diagnosis) else None
    if trace is not None and trace.exceptions:
        return _distinct([*trace.exceptions.values(), *warned])
    paths = frozenset(bench.tree.paths())
    frames = tuple((frame.path, frame.line, frame.function) for frame in places.frames(output, paths))
    found = list(_named(bench.diagnosis.findings, frames, paths))
    return _distinct([*(found or _printed(output, frames)), *warned])


def _named(
    findings: Sequence[Finding], frames: tuple[tuple[str, int, str], ...], paths: frozenset[str]
) -> Iterator[Failure]:
    """Of the findings, each with its own place. What is raised outside of the repository was called from within: whose
    frames were printed is known where there is one finding."""
    alone = len(findings) == 1
    for finding in findings:
        kind = finding.rule or kind_of(finding.message)
        placed = finding.path and finding.line and not (alone and frames and finding.path not in paths)
        if kind:
            own = ((finding.path or "", finding.line or 0, ""),) if placed else frames
            yield Failure(type=kind, message=_HEAD.sub("", finding.message, count=1), frames=own)


def _printed(output: str, frames: tuple[tuple[str, int, str], ...]) -> Iterator[Failure]:
    """The last traceback of a program that is no test."""
    last = next(reversed(list(_PRINTED.finditer(output))), None)
    if last is not None:
        yield Failure(type=last["kind"], message=last["said"], frames=frames[-30:])


def _distinct(failures: Iterable[Failure]) -> tuple[Failure, ...]:
    """Each thing once, with all that is known of it: the same message at the same place is the same thing."""
    return tuple({(f.type, f.message, f.frames[-1:]): f for f in failures}.values())[:_MOST]
