"""Whether what a check shows on another commit is the failure that is looked for. Pure.

A failure is the set of what its tool complained about: tests with what they raised, or rules with their places. Only
`workers.diagnosis` reads output; here its findings are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from sandbox.spec import Ending, Evidence, Output, Plan, Result
from workers import diagnosis, logs
from workers.domain import Finding, JobReport
from workers.ports import SourceTree

Complaints = Mapping[tuple[str, str, str], frozenset[str]]
"""What was complained about, with the exceptions that a test raised; none where its tool does not say them."""

_RUNNERS_WORD = "##[error]Process completed with exit code"
"""What the runner adds to the output of a step that failed."""


class Likeness(StrEnum):
    """How the other commit stands to the failure."""

    ABSENT = "absent"  # green, or every test of the failure passed
    SAME = "same"  # all of it is there
    PARTLY = "partly"  # some of it is
    OTHER = "other"  # red with something else


@dataclass(frozen=True)
class Failure:
    """A failure to look for elsewhere. `by_words` says that only what a command printed may be compared with it."""

    ending: Ending
    exit_code: int | None
    complaints: Complaints
    by_words: bool = False


def of_run(plan: Plan, before: Result, tree: SourceTree) -> Failure:
    """The failure of a red run in the sandbox."""
    return Failure(before.ending, before.exit_code, _complaints(plan, before, tree))


def of_log(plan: Plan, job: JobReport, tree: SourceTree) -> Failure | None:
    """The failure that CI's log tells of; None when the log names no failed step, or nothing it complained about."""
    failed = job.log.failed
    if failed is None:
        return None
    text = "\n".join(line for line in failed.output.split("\n") if not line.startswith(_RUNNERS_WORD))
    code, evidence = failed.exit_code or 1, Evidence("", "", tree.sha, "", "")
    as_run = Result(Ending.FAILED, code, Output(text), (), b"", 0.0, 0, evidence)
    complaints = _complaints(plan, as_run, tree)
    return Failure(Ending.FAILED, code, complaints, by_words=True) if complaints else None


def compared(failure: Failure, plan: Plan, seen: Result, tree: SourceTree) -> Likeness:
    """What a run of the same check on another commit's tree says about the failure."""
    if seen.green:
        return Likeness.ABSENT
    if seen.ending is not failure.ending:
        return Likeness.OTHER
    if seen.ending is not Ending.FAILED:
        return Likeness.SAME  # both timed out, or were killed alike: there is nothing finer to compare
    if _all_passed(failure, seen):
        return Likeness.ABSENT
    if failure.by_words:
        seen = replace(seen, tests=(), source="", told=None)
    there = _complaints(plan, seen, tree)
    if not failure.complaints and not there:  # a check that says nothing speaks by its exit code
        return Likeness.SAME if seen.exit_code == failure.exit_code else Likeness.OTHER
    met = sum(_met(key, raised, there) for key, raised in failure.complaints.items())
    if not met:
        return Likeness.OTHER
    return Likeness.SAME if met == len(failure.complaints) else Likeness.PARTLY


def _complaints(plan: Plan, result: Result, tree: SourceTree) -> Complaints:
    """What this run alone says: no word of CI's may stand in for what it does not say."""
    found: dict[tuple[str, str, str], frozenset[str]] = {}
    for finding in diagnosis.read(plan, result, JobReport(""), tree).findings:
        key, raised = _key(finding)
        found[key] = found.get(key, frozenset()) | raised
    return found


def _key(finding: Finding) -> tuple[tuple[str, str, str], frozenset[str]]:
    """A test by its name without parameters, whatever its message says; anything else by rule, place and message."""
    if finding.test:
        return ("test", finding.test.split("[")[0], ""), frozenset({finding.rule} if finding.rule else ())
    return (finding.rule or "", finding.path or "", logs.normalise(finding.message)), frozenset()


def _met(key: tuple[str, str, str], raised: frozenset[str], there: Complaints) -> bool:
    other = there.get(key)
    return other is not None and (not raised or not other or bool(raised & other))


def _all_passed(failure: Failure, seen: Result) -> bool:
    """Every test that the failure names ran there, and passed: what else fails is another failure."""
    passed = {test.id.split("[")[0] for test in seen.tests if test.status == "passed"}
    failed = {test.id.split("[")[0] for test in seen.tests if test.status in ("failed", "error")}
    names = {name for kind, name, _ in failure.complaints if kind == "test"}
    return len(names) == len(failure.complaints) and bool(names) and names <= passed - failed
