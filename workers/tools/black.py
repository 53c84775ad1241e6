"""Reads `black --check` and `--diff`: which files it would reformat and which it cannot parse."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import diffs
from workers.tools.options import files_of, on_files
from workers.tools.plain import MESSAGE, unique

NAME = "black"
RUNS_TESTS = False
_WOULD = re.compile(r"^would reformat (?P<path>.+)$", re.MULTILINE)
_CANNOT = re.compile(r"^error: cannot format (?P<path>[^\n]{1,400}?): (?P<text>.+)$", re.MULTILINE)
_UNPARSED = re.compile(r"^error: cannot parse: (?P<path>[^\n]{1,400}?):(?P<line>\d{1,7}):\d{1,7}$", re.MULTILINE)
_AT = re.compile(r"Cannot parse(?: for target version [^:\n]{1,80})?: (?P<line>\d{1,7}):\d{1,7}: ")
_REASON = re.compile(r"^(?:ParseError|\w{1,40}Error): (?P<text>.+)$")
_VALUES = frozenset(
    {
        "-l",
        "--line-length",
        "-t",
        "--target-version",
        "--config",
        "--exclude",
        "--extend-exclude",
        "--include",
        "--force-exclude",
        "-W",
        "--workers",
        "--required-version",
        "--stdin-filename",
        "-c",
        "--code",
        "--line-ranges",
    }
)
_DROPPED = frozenset(
    {
        "--check",
        "--diff",
        "--color",
        "--no-color",
        "-q",
        "--quiet",
        "-v",
        "--verbose",
        "-c",
        "--code",
        "--line-ranges",
    }
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_WOULD.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - formatters report no tests
    """What it cannot parse, then what it would reformat; `--quiet --diff` names files in its diff alone."""
    would = [match["path"] for match in _WOULD.finditer(output)] or list(diffs.changed(output))
    unformatted = (Finding("would be reformatted", path, None, None, "unformatted") for path in would)
    return unique([*_cannot(output), *unformatted])


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if any(finding.rule == "unparsable" for finding in findings):
        return FailureClass.SYNTAX
    return FailureClass.FORMAT if findings else FailureClass.UNKNOWN


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """black on the named files, as the failing command calls it."""
    files = files_of(finding for finding in findings if finding.rule == "unformatted")
    return on_files(invocations(command, NAME), files, _VALUES, _DROPPED)


def _cannot(output: str) -> Iterator[Finding]:
    for match in _CANNOT.finditer(output):
        at = _AT.search(match["text"])
        yield Finding(match["text"][:MESSAGE], match["path"], int(at["line"]) if at else None, None, "unparsable")
    for match in _UNPARSED.finditer(output):
        following = output[match.end() : match.end() + 2_000].split("\n")[1:8]
        reasons = (_REASON.match(line) for line in following)
        text = next((reason["text"] for reason in reasons if reason), "cannot be parsed")
        yield Finding(text[:MESSAGE], match["path"], int(match["line"]), None, "unparsable")
