"""Whether a red run of a new test shows what a report says: by an assertion of its own, or by an exception that was
raised in the repository's code. Everything else is a fault of the test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sandbox.spec import Ending, Plan, Result, TestCase
from workers import diagnosis, logs
from workers.diagnosis import places
from workers.domain import JobReport
from workers.policy import is_test
from workers.ports import SourceTree
from workers.witness.mechanical import Draft
from workers.witness.stated import Stated

EXCERPT = 3_000
"""Characters of the output that go back to who wrote the test."""
_RED = ("failed", "error")
_ASSERTED = frozenset({"AssertionError", "Failed", ""})


class Shows(StrEnum):
    """What a run says of a test."""

    YES = "yes"
    GREEN = "green"  # the code does what the test asks: the report's fault is not seen here
    NO = "no"  # red for a reason of the test's own


@dataclass(frozen=True)
class Seen:
    """The answer, why in one sentence, and `how` it failed: equal for runs that failed in the same way."""

    shows: Shows
    why: str = ""
    how: str = ""
    output: str = ""


def judged(result: Result, plan: Plan, tree: SourceTree, path: str, draft: Draft, says: Stated) -> Seen:
    """What one run of the test file alone says. `tree` holds the file at `path`."""
    output = logs.excerpt(logs.clean(result.output.text).strip(), EXCERPT)
    if result.green:
        if not result.count("passed"):
            return Seen(Shows.NO, "no test of the file was run", output=output)
        return Seen(Shows.GREEN, "the test passes on the unchanged code", output=output)
    if result.ending is not Ending.FAILED:
        ended = result.ending.value.replace("_", " ")
        return Seen(Shows.NO, f"the run of the test ended with: {ended}", output=output)
    red = [test for test in result.tests if test.status in _RED]
    if not red:
        return Seen(Shows.NO, "the runner reports no failing test of the file", output=output)
    kinds = _kinds(result, plan, tree, red)
    for test in red:
        why = _fault(test, kinds.get(test.id, ""), result, tree, path, draft, says)
        if why:
            return Seen(Shows.NO, why, output=output)
    how = ", ".join(f"{test.id.split('[')[0]}: {kinds.get(test.id, '') or 'AssertionError'}" for test in red)
    return Seen(Shows.YES, how=how, output=output)


def _kinds(result: Result, plan: Plan, tree: SourceTree, red: Sequence[TestCase]) -> dict[str, str]:
    """The exception of each failing test, by the names that the reporter gives them."""
    found = diagnosis.read(plan, result, JobReport(""), tree).findings
    named = {finding.test: finding.rule or "" for finding in found if finding.test}
    return {
        test.id: named.get(test.id) or next((kind for name, kind in named.items() if _same(name, test.id)), "")
        for test in red
    }


def _same(name: str, test: str) -> bool:
    return name.replace("::", ".").endswith(test.replace("::", ".").rpartition(".")[2])


def _fault(test: TestCase, kind: str, result: Result, tree: SourceTree, path: str, draft: Draft, says: Stated) -> str:
    """Why this failure is not what the report speaks of; empty when it is."""
    if _stopped_before(test, result):
        return f"the test could not even begin: {logs.excerpt(test.message, 300)}"
    said = f"{test.message}\n{result.output.text}"
    if draft.words and not any(words in said for words in draft.words):
        return "the value that was seen is not the one that the report tells of"
    if kind in _ASSERTED:
        return ""
    if not _raised_in_code(test, result, tree, path):
        return f"{kind} is raised by the test itself, not by the code it tests"
    expected = draft.raises or says.exceptions
    if expected and kind not in expected:
        return f"{kind} is raised, and the report speaks of {', '.join(sorted(expected))}"
    return "" if expected or says.breaks else f"{kind} is raised, and the report speaks of no exception"


def _stopped_before(test: TestCase, result: Result) -> bool:
    """pytest calls "error" what happened outside of the test: in its import or its fixtures. unittest means any
    exception by it, and has names of its own for a file that cannot be imported."""
    if result.source.startswith("pytest"):
        return test.status == "error"
    return "_FailedTest" in test.id or "setUpClass" in test.id or "setUpModule" in test.id


def _raised_in_code(test: TestCase, result: Result, tree: SourceTree, path: str) -> bool:
    """The last place of the repository that the traceback names is neither this test nor another one's."""
    paths = frozenset(tree.paths())
    frames = places.frames(test.message, paths) or places.frames(logs.clean(result.output.text), paths)
    return bool(frames) and frames[-1].path != path and not is_test(frames[-1].path)
