"""Reads mypy's errors, also wrapped by `--pretty` and from its daemon. It cannot mend anything itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.plain import MESSAGE, PATH, fix_commands, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "mypy"
RUNS_TESTS = False
_ENDS = "|".join(rf"(?<=\.{end})" for end in ("py", "pyi", "ipynb", "toml", "cfg", "ini"))
_ERROR = re.compile(rf"^{PATH}(?:{_ENDS}):(?:(?P<line>\d{{1,7}}):)?(?:\d{{1,7}}:){{0,3}} error: (?P<text>.+)$")
_RULE = re.compile(r" {1,2}\[(?P<rule>[a-z][\w-]{1,60})\]$")
_NEXT = re.compile(r"^ {4}|^Found \d|^Success: |: (?:error|note): ")
_USAGE = re.compile(r"^d?mypy: (?:error: )?(?P<text>.+)$")
_PLUGIN = "Error importing plugin "
_DONE = re.compile(r"^Found \d{1,7} errors? in \d{1,7} files? \(", re.MULTILINE)
_MISSING = frozenset({"import-not-found", "import-untyped", "import"})


def recognises(command: str, output: str) -> bool:
    called = invocations(command, NAME) or invocations(command, "dmypy")
    return bool(called) or bool(_DONE.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - type checkers report no tests
    if "error: " not in output and "mypy: " not in output:
        return ()
    return unique(_errors(output.split("\n")))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    rules = {finding.rule for finding in findings}
    if "syntax" in rules:
        return FailureClass.SYNTAX
    if "usage" in rules:
        return FailureClass.WORKFLOW
    if rules and (rules <= _MISSING or all(finding.message.startswith(_PLUGIN) for finding in findings)):
        return FailureClass.DEPENDENCY
    return FailureClass.TYPE if findings else FailureClass.UNKNOWN


def _errors(lines: Sequence[str]) -> Iterator[Finding]:
    for at, line in enumerate(lines):
        if match := _ERROR.match(line):
            text, rule = _whole(match["text"], lines[at + 1 : at + 6])
            yield Finding(text[:MESSAGE], match["path"], int(match["line"]) if match["line"] else None, None, rule)
        elif match := _USAGE.match(line):
            yield Finding(match["text"][:MESSAGE], None, None, None, "usage")


def _whole(text: str, following: Sequence[str]) -> tuple[str, str | None]:
    """The message and its rule: `--pretty` wraps both, and shows the indented source after them."""
    for count in range(len(following) + 1):
        wrapped = [text, *following[:count]]
        if count and _NEXT.search(following[count - 1]):
            break
        joined = " ".join(part.strip() for part in wrapped)
        if match := _RULE.search(joined):
            return joined[: match.start()], match["rule"]
    return text, None
