"""Reads `cargo fmt --check` and rustfmt: the places that it would write otherwise, and files that it cannot parse."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import Invocation, invocations
from workers.tools import printed
from workers.tools.options import files_of

NAME = "rustfmt"
RUNS_TESTS = False
_DIFF = re.compile(r"^Diff in (?P<path>[^\n]{1,500}?\.rs)(?: at line |:)(?P<line>\d{1,7}):$")
_LISTED = re.compile(r"^(?P<path>[^\s:][^:\n]{0,400}\.rs)$")
_SPEAKS = re.compile(r"^Diff in [^\n]{1,500}\.rs(?: at line |:)\d{1,7}:$", re.MULTILINE)
_UNFORMATTED = "unformatted"
_KEPT = frozenset({"--all", "-p", "--package", "--manifest-path"})


def recognises(command: str, output: str) -> bool:
    return bool(_calls(command)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - formatters report no tests
    """One per file, at its first difference. Errors of syntax are printed as rustc prints them."""
    found: dict[str, Finding] = {}
    for line in printed.lines(output):
        if match := _DIFF.match(line):
            found.setdefault(
                match["path"], Finding("is not formatted", match["path"], int(match["line"]), None, _UNFORMATTED)
            )
        elif match := _LISTED.match(line):
            found.setdefault(match["path"], Finding("is not formatted", match["path"], None, None, _UNFORMATTED))
    return tuple(found.values())


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return FailureClass.FORMAT if findings else FailureClass.UNKNOWN


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """`cargo fmt`, which knows each package's edition; it takes packages, so no file is named."""
    if not files_of(findings):
        return ()
    return tuple(_fix(call) for call in _calls(command)) or ("cargo fmt --all",)


def _calls(command: str) -> list[Invocation]:
    return [call for call in invocations(command, "cargo") if "fmt" in call.args[:2]] + list(invocations(command, NAME))


def _fix(call: Invocation) -> str:
    if call.tool.rsplit("/", 1)[-1] == NAME:
        return call.command(*(arg for arg in call.args if arg not in ("--check", "-l", "--files-with-diff", "-q")))
    args = call.args[: call.args.index("--")] if "--" in call.args else call.args
    kept = [
        arg for at, arg in enumerate(args) if arg.split("=")[0] in _KEPT or (at and args[at - 1] in _KEPT - {"--all"})
    ]
    toolchain = [arg for arg in call.args[:1] if arg.startswith("+")]
    return call.command(*toolchain, "fmt", *kept)
