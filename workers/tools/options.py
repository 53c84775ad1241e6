"""What of a failing command line goes into the fixing one: the options, without paths and without what only reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from workers.domain import Finding


def kept(args: Sequence[str], with_value: Set[str], dropped: Set[str]) -> list[str]:
    """The options of a command line in order. `with_value` take the next word, `dropped` are left out with theirs."""
    found: list[str] = []
    at = 0
    while at < len(args) and args[at] != "--":
        arg = args[at]
        name = arg.split("=", 1)[0]
        size = 2 if name in with_value and "=" not in arg else 1
        if arg.startswith("-") and name not in dropped:
            found += args[at : at + size]
        at += size
    return found


def files_of(findings: Iterable[Finding]) -> list[str]:
    """The files that are named, once each, in order."""
    return list(dict.fromkeys(finding.path for finding in findings if finding.path))
