"""What is read from a failing command line: whether it calls a tool itself, and what goes from it into the fixing one:
the options, without paths and without what only reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from workers.domain import Finding
from workers.scripts import Invocation, invocations


def called_itself(command: str, tool: str) -> bool:
    """The tool is called for work of its own: `<tool> run x` is a call of another one."""
    return any(call.args[:1] != ("run",) for call in invocations(command, tool))


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


def on_files(
    calls: Iterable[Invocation], files: Sequence[str], with_value: Set[str], dropped: Set[str], *mending: str
) -> tuple[str, ...]:
    """Each call with the options that it has and those for `mending`, on these files alone; none without files."""
    if not files:
        return ()
    return tuple(call.command(*mending, *kept(call.args, with_value, dropped), "--", *files) for call in calls)
