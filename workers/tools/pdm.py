"""Reads pdm: resolutions that have no solution and a lock file that is not its manifest's. It mends neither itself."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.tools.options import called_itself
from workers.tools.phrases import kind, phrase, said, spoken
from workers.tools.plain import fix_commands

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "pdm"
RUNS_TESTS = False
_ERROR = (
    r"(?:\S {1,2})?(?:\[PdmException\]: |\[ProjectError\]: |\[PdmUsageError\]: |\[ResolutionImpossible\]: "
    r"|ERROR: |WARNING: )?"
)
_PHRASES = (
    phrase("lock-drift", FailureClass.RESOLUTION,
           rf"{_ERROR}(?P<text>Lock ?file (?:hash doesn't match pyproject\.toml|is (?:out of date|not compatible)"
           rf"|does not exist).*)$"),
    phrase("lock-drift", FailureClass.RESOLUTION, rf"{_ERROR}(?P<text>Lock file hash doesn't match .+)$"),
    phrase("lock-drift", FailureClass.RESOLUTION,
           rf"{_ERROR}(?P<text>The lock ?file .{{1,400}} (?:out of date|outdated).*)$"),
    phrase("hash-mismatch", FailureClass.RESOLUTION, r"\[?HashMismatchError\]?: (?P<text>.+)$"),
    phrase("conflict", FailureClass.RESOLUTION, r"\[?ResolutionImpossible\]?: (?P<text>.+)$"),
    phrase("conflict", FailureClass.RESOLUTION, r"(?:🔒 Lock failed\. ?)?(?P<text>Unable to find a resolution .*)$"),
    phrase("no-version", FailureClass.RESOLUTION, r"\[?(?:CandidateNotFound|CandidateInfoNotFound)\]?: (?P<text>.+)$"),
    phrase("build", FailureClass.BUILD, r"\[?BuildError\]?: (?P<text>.+)$"),
    phrase("manifest", FailureClass.WORKFLOW, r"\[?(?:ProjectError|PdmUsageError)\]?: (?P<text>.+)$"),
)  # fmt: skip


def recognises(command: str, output: str) -> bool:
    """What `pdm run x` ran is another tool, unless pdm's own words say that it is pdm that failed."""
    return called_itself(command, NAME) or said(_PHRASES, output)


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - installers report no tests
    return spoken(_PHRASES, output)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return kind(_PHRASES, findings)
