"""Reads the Java compiler, by itself, under Gradle and Ant, and as Maven prints it. It cannot mend anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed
from workers.tools.javascript import CONFIGURATION

NAME = "javac"
RUNS_TESTS = False
_PLAIN = re.compile(
    r"^(?:\[ant:javac\] |\s{0,8}\[javac\] )?(?P<path>\S[^\n]{0,500}?\.java):(?P<line>\d{1,7}): (?P<level>error"
    r"|warning): (?P<text>[^\n]+)$"
)
_MAVEN = re.compile(
    r"^\[(?P<level>ERROR|WARNING)\] (?P<path>\S[^\n]{0,500}?\.java):\[(?P<line>\d{1,7}),\d{1,7}\] (?P<text>[^\n]+)$"
)
_LINT = re.compile(r"^\[(?P<rule>[a-z][\w-]{2,40})\] (?P<text>[^\n]+)$")
_WERROR = re.compile(r"warnings found and -Werror specified")
_CALLED = re.compile(
    r"^(?:\[ERROR\] (?:Fatal error compiling: )?)?error: (?P<text>(?:release version|invalid (?:source|target|flag)"
    r"|file not found|option |no source files|unknown)[^\n]+)$"
)
_DETAIL = re.compile(r"^(?:\[ERROR\])?\s{2,12}symbol: {1,8}(?P<symbol>[^\n]+)$")
_SYNTAX = re.compile(
    r"expected$|^illegal (?:start|character)|reached end of file while parsing|^unclosed |^not a statement|orphaned"
    r"|^class, interface, |without '(?:try|if|catch)'|^'.{1,20}' (?:expected|without)|^invalid method declaration"
    r"|<identifier> expected"
)
_ABSENT = re.compile(r"^package [\w.]{1,300} does not exist$|cannot access|^module not found")


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_found(printed.lines(output)))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - compilers report no tests
    """Errors; the warnings where they are refused; else what the compiler says of its options."""
    lines = printed.lines(output)
    found = _found(lines)
    errors = [finding for level, finding in found if level == "error"]
    if not errors and _WERROR.search(output):
        errors = [finding for _, finding in found]
    if errors:
        return tuple(dict.fromkeys(errors))
    called = next((match for line in lines if (match := _CALLED.match(line))), None)
    return (Finding(called["text"][: printed.MESSAGE], None, None, None, CONFIGURATION),) if called else ()


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if not findings:
        return FailureClass.UNKNOWN
    if any(finding.rule == CONFIGURATION for finding in findings):
        return FailureClass.WORKFLOW
    said = [finding.message for finding in findings]
    if any(map(_SYNTAX.search, said)):
        return FailureClass.SYNTAX
    if any(map(_ABSENT.search, said)) and all(
        _ABSENT.search(text) or text.startswith("cannot find symbol") for text in said
    ):
        return FailureClass.DEPENDENCY
    return FailureClass.LINT if all(finding.rule for finding in findings) else FailureClass.BUILD


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()


def _found(lines: Sequence[str]) -> list[tuple[str, Finding]]:
    return list(_each(lines))


def _each(lines: Sequence[str]) -> Iterator[tuple[str, Finding]]:
    """Every complaint with its level; of a symbol that is not found the name stands below."""
    for at, line in enumerate(lines):
        match = _PLAIN.match(line) or _MAVEN.match(line)
        if match is None:
            continue
        lint = _LINT.match(match["text"])
        text = lint["text"] if lint else match["text"]
        if text == "cannot find symbol":
            detail = next((one for below in lines[at + 1 : at + 6] if (one := _DETAIL.match(below))), None)
            text = f"{text}: {' '.join(detail['symbol'].split())}" if detail else text
        rule = lint["rule"] if lint else None
        yield match["level"].lower(), Finding(text[: printed.MESSAGE], match["path"], int(match["line"]), None, rule)
