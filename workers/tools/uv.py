"""Reads uv: resolutions that have no solution, a lock file that is not its manifest's, builds that fail.

It cannot mend anything itself: a new lock needs the index, and whether to move versions is a decision.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.tools import words
from workers.tools.options import called_itself
from workers.tools.phrases import kind, phrase, said
from workers.tools.plain import MESSAGE, fix_commands, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "uv"
RUNS_TESTS = False
_MARK = r"(?:error: | {0,6}\u00d7 )"
_PHRASES = (
    phrase("lock-drift", FailureClass.RESOLUTION,
           rf"{_MARK}?(?P<text>The lockfile at .{{1,300}} needs to be updated.*)$"),
    phrase("lock-drift", FailureClass.RESOLUTION, rf"{_MARK}(?P<text>Unable to find lockfile at .+)$"),
    phrase("lock-broken", FailureClass.RESOLUTION, rf"{_MARK}(?P<text>Failed to parse `?uv\.lock`?.*)$"),
    phrase("conflict", FailureClass.RESOLUTION, rf"{_MARK}(?P<text>No solution found when resolving.*)$"),
    phrase("hash-mismatch", FailureClass.RESOLUTION, rf"{_MARK}(?P<text>Hash mismatch for .+)$"),
    phrase("hash-missing", FailureClass.RESOLUTION, rf"{_MARK}(?P<text>In `--require-hashes` mode, .+)$"),
    phrase("python", FailureClass.RESOLUTION,
           rf"{_MARK}(?P<text>(?:The requested interpreter|No interpreter found|The Python request"
           rf"|Distribution `).+)$"),
    phrase("build", FailureClass.BUILD,
           rf"{_MARK}(?P<text>(?:Failed to (?:build|download and build|prepare dist)|The build backend returned).*)$"),
    phrase("network", FailureClass.NETWORK,
           rf"{_MARK}(?P<text>(?:Failed to fetch: |Failed to download |Request failed).*)$"),
    phrase("manifest", FailureClass.WORKFLOW, rf"{_MARK}(?P<text>Failed to parse: `?(?P<path>pyproject\.toml).*)$"),
    phrase("manifest", FailureClass.WORKFLOW, rf"{_MARK}(?P<text>No `pyproject\.toml` found .+)$"),
    phrase("manifest", FailureClass.WORKFLOW,
           rf"{_MARK}(?P<text>(?:Extra|Group|Dependency group|Default group) `.{{1,400}}` (?:is not|are not|not) .+)$"),
    phrase("command", FailureClass.WORKFLOW, rf"{_MARK}(?P<text>Failed to spawn: .+)$"),
)  # fmt: skip
_MORE = re.compile(r"^ {2,12}(?:[╰├]─▶ |│ {0,4}| {2,8})?(?:cause: |Caused by: )?(?P<text>\S.*)$")
_HINT = re.compile(r"^ {2,12}(?:hint: |help: )|^hint: ")
_LINES = 8
_CAUSES = (("Hash mismatch for ", "hash-mismatch"), ("error sending request ", "network"))
"""What stands below an error and says more than the error itself."""
_MANIFEST = {"lock-drift": "uv.lock", "lock-broken": "uv.lock", "manifest": "pyproject.toml"}


def recognises(command: str, output: str) -> bool:
    """What `uv run x` ran is another tool, unless uv's own words say that it is uv that failed."""
    return called_itself(command, NAME) or said(_PHRASES, output)


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - installers report no tests
    """Each error with what its indented lines give as the reason."""
    lines = output.split("\n")
    found = []
    for at, line in enumerate(lines):
        for one in _PHRASES:
            if match := one.pattern.match(line):
                reason = _words(lines[at + 1 :]) if one.rule == "build" else _reason(lines[at + 1 : at + 1 + _LINES])
                text = ": ".join(filter(None, [match["text"].strip().rstrip(":"), " ".join(reason)]))
                rule = next((rule for mark, rule in _CAUSES if mark in text), one.rule)
                found.append(Finding(text[:MESSAGE], _MANIFEST.get(rule), None, None, rule))
                break
    return unique(found)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return kind(_PHRASES, findings)


def _reason(lines: Sequence[str]) -> list[str]:
    reason: list[str] = []
    for line in lines:
        more = _MORE.match(line)
        if more is None or _HINT.match(line):
            break
        reason.append(more["text"].strip())
    return reason


def _words(lines: Sequence[str]) -> list[str]:
    """The last words of what the build printed: all of it is indented."""
    printed = list(takewhile(lambda line: not line or line.startswith("  "), lines[:200]))
    return [last] if (last := words.last(printed)) else []
