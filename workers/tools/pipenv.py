"""Reads pipenv: resolutions without a solution and a lock file that is not its Pipfile's. It mends neither itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.tools.options import called_itself
from workers.tools.phrases import kind, phrase, spoken
from workers.tools.plain import MESSAGE, fix_commands

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "pipenv"
RUNS_TESTS = False
_PHRASES = (
    phrase("lock-drift", FailureClass.RESOLUTION,
           r"(?P<text>(?P<path>Pipfile\.lock) (?:not found|is corrupted|is out-of-date).*)$"),
    phrase("conflict", FailureClass.RESOLUTION, r"(?:✘ )?(?P<text>Locking Failed!.*)$"),
    phrase("python", FailureClass.RESOLUTION, r"(?:Warning: |ERROR:: )(?P<text>Your Pipfile requires .+)$"),
    phrase("manifest", FailureClass.WORKFLOW, r"(?:ERROR:: )?(?P<text>(?:No Pipfile present|Pipfile not found).*)$"),
)  # fmt: skip
_OUTDATED = re.compile(
    r"^Your Pipfile\.lock\s{1,3}\([^)\n]{1,80}\)\s{1,3}is\s{1,3}out\s{1,3}of\s{1,3}date\.", re.MULTILINE
)
"""Wrapped at the width of a terminal, wherever it falls."""
_CAUSES = re.compile(r"^The conflict is caused by:\n(?P<lines>(?: {4}\S[^\n]{0,500}\n?){1,20})", re.MULTILINE)


def recognises(command: str, output: str) -> bool:
    """What `pipenv run x` ran is another tool, unless pipenv's own words say that it is pipenv that failed."""
    return called_itself(command, NAME) or bool(_spoken(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - installers report no tests
    return _spoken(output)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return kind(_PHRASES, findings)


def _spoken(output: str) -> tuple[Finding, ...]:
    found = [Finding("Your Pipfile.lock is out of date.", "Pipfile.lock", None, None, "lock-drift")]
    found = [*(found if _OUTDATED.search(output) else []), *spoken(_PHRASES, output)]
    causes = _CAUSES.search(output)
    if causes is None:
        return tuple(found)
    listed = "; ".join(line.strip() for line in causes["lines"].strip().split("\n"))
    return tuple(
        replace(finding, message=f"{finding.message} {listed}"[:MESSAGE]) if finding.rule == "conflict" else finding
        for finding in found
    )
