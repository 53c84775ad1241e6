"""What most linters have in common: a line for each problem, with file, line and rule, and no repair of their own.

A pattern's groups `path`, `line`, `text` and `rule` become a finding; each may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set

from workers.domain import FailureClass, Finding

PATH = r"(?P<path>(?:[A-Za-z]:[\\/])?[^\s:][^:\n]{0,400})"
"""A file's name at the start of a line, also one with spaces or a Windows drive."""
MESSAGE = 500


def located(pattern: re.Pattern[str], output: str) -> tuple[Finding, ...]:
    """A finding for each match, in order, without repeats."""
    return unique(finding(match) for match in pattern.finditer(output))


def finding(match: re.Match[str]) -> Finding:
    """The finding of one match."""
    groups = match.groupdict()
    line = groups.get("line")
    text = (groups.get("text") or match[0]).strip()
    return Finding(text[:MESSAGE], groups.get("path"), int(line) if line else None, None, groups.get("rule"))


def unique(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """In order, without repeats."""
    return tuple(dict.fromkeys(found))


def lint(found: Sequence[Finding], syntax: Set[str] = frozenset(), missing: Set[str] = frozenset()) -> FailureClass:
    """SYNTAX with one of those rules, DEPENDENCY when every rule is one of a package that is missing, else LINT."""
    rules = {finding.rule for finding in found}
    if rules & syntax:
        return FailureClass.SYNTAX
    if rules and rules <= missing:
        return FailureClass.DEPENDENCY
    return FailureClass.LINT if found else FailureClass.UNKNOWN


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    """For a tool that mends nothing itself."""
    return ()
