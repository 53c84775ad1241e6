"""What JavaScript's tools share: how a failing test's message tells its class, and how an installed tool is called."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workers.domain import FailureClass, Finding
from workers.scripts import Invocation, invocations

_SNAPSHOT = re.compile(
    r"Snapshot `|[sS]napshot(?:s)? .{0,200}?mismatch|toMatch\w{0,40}Snapshot|ErrorMatching\w{0,20}Snapshot"
    r"|New snapshot was not written|^snapshot "
)
_SYNTAX = re.compile(r"SyntaxError|unexpected token|Transform failed with|PARSE_ERROR", re.IGNORECASE)
_MISSING = re.compile(
    r"(?:Cannot find (?:module|package)|Failed to resolve import|Can't resolve|Could not resolve|Failed to load url)"
    r" ?['\"]?(?P<name>[^'\"\s]{1,300})"
)
_UNBOUND = re.compile(r"ReferenceError|does not provide an export named|is not exported (?:from|by)")
_TIMEOUT = re.compile(
    r"Exceeded timeout of|Test timed out in|Timeout of \d{1,9}\s?ms exceeded|Hook timed out in|test timed out after"
)
_TYPES = re.compile(r"error TS\d{4,6}|TSError")
_KIND = re.compile(r"^(?:Uncaught )?(?P<kind>\w{0,60}(?:Error|Exception))\b")
_ASSERTIONS = ("AssertionError", "JestAssertionError")
_MATCHER = re.compile(r"^(?:Error: )?expect\(|^expect|\bexpected\b.{0,300}\b(?:to|received|but|got)\b", re.IGNORECASE)
CONFIGURATION = "configuration"
"""The rule of a finding about how the tool is set up or called."""


def missing(text: str) -> FailureClass | None:
    """What it means that a module is not there: a file of the repository, or a package."""
    name = _MISSING.search(text)
    if name is None:
        return None
    return FailureClass.IMPORT if name["name"].startswith((".", "/", "@/", "~", "src/")) else FailureClass.DEPENDENCY


def of_tests(findings: Sequence[Finding]) -> FailureClass:
    """By what the failing tests say: what keeps a file from loading goes first, a test that only compares last."""
    said = [finding.message for finding in findings]
    if not said:
        return FailureClass.UNKNOWN
    if any(finding.rule == CONFIGURATION for finding in findings):
        return FailureClass.WORKFLOW
    if any(_SYNTAX.search(text) and not _UNBOUND.search(text) for text in said):
        return FailureClass.SYNTAX  # an export that is not there is a SyntaxError by name alone
    if any(map(_TYPES.search, said)):
        return FailureClass.TYPE
    if absent := [cls for text in said if (cls := missing(text))]:
        return absent[0]
    for pattern, cls in ((_SNAPSHOT, FailureClass.SNAPSHOT), (_TIMEOUT, FailureClass.TIMEOUT)):
        if all(map(pattern.search, said)):
            return cls
    if any(map(_UNBOUND.search, said)):
        return FailureClass.IMPORT
    return FailureClass.TEST if all(map(_compares, said)) else FailureClass.ERROR


def calls(command: str, tool: str) -> tuple[Invocation, ...]:
    """How the command calls the tool; behind a script's name (`npm run lint`) the installed one, from the root."""
    found = [
        call if call.prefix[:1] != ("npm",) else Invocation(("npx", "--no-install"), call.tool, call.args)
        for call in invocations(command, tool)
    ]
    return tuple(found) or (Invocation(("npx", "--no-install"), tool, ()),)


def _compares(message: str) -> bool:
    """It says that two values differ. A plain `Error` is an assertion's where its words are."""
    kind = _KIND.match(message)
    if kind is None or kind["kind"] in _ASSERTIONS:
        return True
    return kind["kind"] == "Error" and bool(_MATCHER.search(message) or _SNAPSHOT.search(message))
