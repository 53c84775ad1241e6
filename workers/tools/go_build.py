"""Reads Go's compiler and `go vet`, by package, and what the go command says of modules. It cannot mend anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed

NAME = "go"
RUNS_TESTS = False
_HEAD = re.compile(r"^# (?P<vet>\[)?[^\s\[\]]{1,300}\]?(?: \[[^\s\[\]]{1,300}\])?$")
_SPEAKS = re.compile(
    r"^# [\w.~-]{1,100}\.\w{1,30}/[^\s]{1,300}(?: \[[^\s\]]{1,300}\])?$|^# command-line-arguments|^go: "
    r"|\[build failed\]$|\[setup failed\]$",
    re.MULTILINE,
)
_LINE = re.compile(
    r"^(?P<vet>vet: )?(?P<path>[^\s:][^:\n]{0,400}\.(?:go|s|c|h)):(?P<line>\d{1,7}):(?:\d{1,7}:)? (?P<text>\S[^\n]*)$"
)
_PACKAGES = re.compile(
    r"(?:no required module provides package|missing go\.sum entry for|is not in (?:std|GOROOT)"
    r"|cannot find package|cannot find module providing package|import cycle not allowed|use of internal package"
    r"|is a program, not an importable package|local import|build constraints exclude all Go files"
    r"|found packages \S+ \(|expected '?package'?, found|pattern \S+: no matching files found)"
)
"""What the go command itself says of a file's line, without a package's heading above."""
_MODULES = re.compile(
    r"^go: (?P<text>(?:updates to go\.(?:mod|work) needed|inconsistent vendoring|cannot find main module"
    r"|(?:\S{1,200} )?go\.(?:mod|work) (?:file )?requires |go\.mod file not found|\S{1,200}@\S{1,100}: "
    r"|\S{1,300}: module |module \S{1,200} |verifying|checksum|cannot load module|conflicting replacements"
    r"|\S{1,300} imports$|no module providing|error loading|toolchain not available)[^\n]*)$"
)
_GO_MOD = re.compile(r"^(?P<path>(?:[^\s:][^:\n]{0,300}/)?go\.(?:mod|work|sum)):(?P<line>\d{1,7}): (?P<text>[^\n]+)$")
_ALONE = re.compile(
    r"^(?:package \S{1,300}: |\timports \S{1,300}: )?(?P<text>(?:build constraints exclude all Go files in "
    r"|no Go files in |verifying \S{1,300}: |flag provided but not defined: |SECURITY ERROR"
    r"|stat \S{1,300}: directory not found|pattern \S{1,300}: |import cycle not allowed)[^\n]*)$"
)
_VET = re.compile(
    r"format %|call has (?:possible|arguments)|arg list ends with redundant newline|non-constant format string"
    r"|unreachable code|struct field tag|copies lock|passes lock by value|self-assignment"
    r"|composite literal uses unkeyed"
    r"|loop variable .{1,80} captured|the cancel function|should have signature|result of .{1,80} call not used"
    r"|before checking for errors|possible misuse of|declaration of .{1,80} shadows|impossible (?:type assertion"
    r"|interface)|redundant (?:or|and)|suspect (?:or|and)|unusedresult|has malformed (?:name|example)|refers to unknown"
)
_COMPILE, _VETTED, _MODULE, _PACKAGE = "compile", "vet", "module", "package"
_RESOLUTION = re.compile(
    r"missing go\.sum entry|updates to go\.|inconsistent vendoring|checksum|verifying|requires go |requires \S+@"
    r"|conflicting"
    r"|module lookup disabled|toolchain|unknown revision|invalid version|SECURITY ERROR|but does not contain package"
)
_ABSENT = re.compile(
    r"no required module provides|cannot find (?:package|module)|no module providing|is not in (?:std|GOROOT)"
)
_CALLS = re.compile(
    r"main module|go\.mod file not found|no Go files|flag provided|build constraints|no matching files"
    r"|directory not found|^pattern | pattern "
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - compilers report no tests
    return tuple(dict.fromkeys(_found(printed.lines(_plain(output)))))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    """By the first thing that stopped it: an error of syntax, then modules and packages, then types; vet comes last."""
    if not findings:
        return FailureClass.UNKNOWN
    rules = {finding.rule for finding in findings}
    said = " ".join(finding.message for finding in findings if finding.rule != _VETTED)
    if re.search(r"syntax error: |expected '?package|errors parsing go\.mod|unknown directive", said):
        return FailureClass.SYNTAX
    if _PACKAGE in rules or (_MODULE in rules and _COMPILE not in rules):  # compiled: the modules were there
        for pattern, cls in (
            (_RESOLUTION, FailureClass.RESOLUTION),
            (_ABSENT, FailureClass.DEPENDENCY),
            (_CALLS, FailureClass.WORKFLOW),
        ):
            if pattern.search(said):
                return cls
        return FailureClass.RESOLUTION if _MODULE in rules else FailureClass.BUILD
    return FailureClass.LINT if rules == {_VETTED} else FailureClass.BUILD


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    """None: `go mod tidy` needs the network, and nothing else is safe."""
    return ()


def _found(lines: Sequence[str]) -> Iterator[Finding]:
    """Under a package's heading every line with a place counts; elsewhere only what no other tool says."""
    heading, vetted = False, False
    for line in lines:
        if head := _HEAD.match(line):
            heading, vetted = True, bool(head["vet"])
        elif match := _LINE.match(line):
            if heading or match["vet"] or _PACKAGES.search(match["text"]) or _VET.search(match["text"]):
                yield _placed(match, vetted)
        elif match := _GO_MOD.match(line):
            yield Finding(match["text"][: printed.MESSAGE], match["path"], int(match["line"]), None, _MODULE)
        elif match := _MODULES.match(line):
            yield Finding(_told(match["text"]), "go.mod", None, None, _MODULE)
        elif alone := _ALONE.match(line):
            yield Finding(alone["text"][: printed.MESSAGE], None, None, None, _PACKAGE)
        elif not line.startswith(("\t", " ")):
            heading = False


def _placed(match: re.Match[str], vetted: bool) -> Finding:
    text = match["text"]
    if _PACKAGES.search(text):
        rule = _PACKAGE
    else:
        rule = _VETTED if (vetted and not match["vet"]) or _VET.search(text) else _COMPILE
    return Finding(_told(text), match["path"].removeprefix("./"), int(match["line"]), None, rule)


def _told(text: str) -> str:
    """Without the advice that goes on in the next line."""
    return re.sub(r"; to (?:add|update)(?: it)?:$", "", text[: printed.MESSAGE])


def _plain(output: str) -> str:
    """`-json` puts what the compiler prints into events; as lines again, between whatever else was printed."""
    if '"Action":' not in output:
        return output
    return "\n".join(_event(line) if line.startswith("{") else line for line in output.split("\n"))


def _event(line: str) -> str:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return line
    text = event.get("Output") if isinstance(event, dict) else None
    return text.rstrip("\n") if isinstance(text, str) else ""
