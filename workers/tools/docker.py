"""Reads `docker build` of the old builder and of BuildKit: the step that failed, its line, and its last words.

It stands behind the tools that a step calls: what they say of themselves goes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import words
from workers.tools.phrases import kind, phrase, said, spoken
from workers.tools.plain import MESSAGE, fix_commands

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "docker"
RUNS_TESTS = False
_SOLVE = (
    r"(?:(?:ERROR: )?(?:failed to build: )?failed to solve(?: with frontend dockerfile\.v0)?: "
    r"|Error response from daemon: |ERROR: )"
)
_PHRASES = (
    phrase("daemon", FailureClass.INFRASTRUCTURE, r".{0,400}?(?P<text>Cannot connect to the Docker daemon.*)$"),
    phrase("limit", FailureClass.INFRASTRUCTURE,
           rf"{_SOLVE}(?P<text>.{{0,400}}(?:toomanyrequests|429 Too Many Requests|no space left on device).*)$"),
    phrase("network", FailureClass.NETWORK,
           rf"{_SOLVE}(?P<text>.{{0,400}}(?:i/o timeout|TLS handshake timeout|connection reset|connection refused"
           rf"|no such host|unexpected EOF).*)$"),
    phrase("network", FailureClass.NETWORK,
           r'(?P<text>Get "https?://[^"\n]{1,400}": .{0,400}(?:no such host|timeout|reset by peer|refused).*)$'),
    phrase("access", FailureClass.PERMISSION,
           rf"{_SOLVE}(?P<text>.{{0,400}}(?:pull access denied|authorization failed|403 Forbidden|401 Unauthorized"
           rf"|denied: ).*)$"),
    phrase("syntax", FailureClass.SYNTAX,
           rf"{_SOLVE}(?P<text>(?:dockerfile parse error|Dockerfile parse error|failed to parse dockerfile"
           rf"|failed to process).*)$"),
    phrase("dockerfile", FailureClass.WORKFLOW,
           r"(?:ERROR: |error: )?(?:failed to build: )?(?:failed to solve: )?(?P<text>"
           r"(?:unable to prepare context|failed to read dockerfile|unable to evaluate symlinks).*)$"),
    phrase("target", FailureClass.WORKFLOW, rf"{_SOLVE}(?P<text>target stage .{{1,400}} could not be found)$"),
    phrase("image", FailureClass.RESOLUTION,
           rf"{_SOLVE}(?P<text>.{{0,400}}(?:failed to resolve source metadata|manifest (?:for .{{1,400}} not found"
           rf"|unknown)"
           rf"|no match for platform).*)$"),
    phrase("image", FailureClass.RESOLUTION, r"(?P<text>manifest for .{1,400} not found.*)$"),
    phrase("copy", FailureClass.BUILD,
           rf"{_SOLVE}(?P<text>failed to (?:compute cache key|calculate checksum|walk).*)$"),
    phrase("copy", FailureClass.BUILD, r"(?P<text>(?:COPY|ADD) failed: .*)$"),
)  # fmt: skip
_RUN = re.compile(
    r"^(?:ERROR: )?(?:failed to build: )?failed to solve(?: with frontend dockerfile\.v0)?: .{0,40}?"
    r"(?:process|executor failed running) [\"\[](?P<command>.{1,3000}?)[\"\]](?: did not complete successfully)?: "
    r"(?:exit code: (?P<code>\d{1,3})|(?P<why>.{1,300}))$"
)
_OLD_RUN = re.compile(r"^The command '(?P<command>.{1,3000})' returned a non-zero code: (?P<code>\d{1,3})$")
_OLD_STEP = re.compile(r"^Step \d{1,4}/\d{1,4} : (?P<step>\S.*)$")
_SHELL = re.compile(r"^/bin/(?:ba)?sh (?:-\w{1,8} )?-\w{0,8}c ")
_FILE = re.compile(r"^(?P<path>[^\s:][^:\n]{0,300}):(?P<line>\d{1,6})$")
_POINTED = re.compile(r"^ {0,6}(?P<line>\d{1,6}) \| >>> ")
_PARSE_LINE = re.compile(r"parse error (?:on )?line (?P<line>\d{1,6})|Dockerfile:(?P<at>\d{1,6})")
_STEP_MARK = re.compile(r"^ > \[[^\]\n]{1,200}\] ")
_STAMP = re.compile(r"^\d{1,6}\.\d{1,3} ")
_KILLED = "137"
_MARKS = ("failed", "daemon", "non-zero code", "Get ", "unable to", "manifest for ", "ERROR: ")
"""Without one of these words nothing of docker's is in an output, which is quick to see."""


def recognises(command: str, output: str) -> bool:
    return (
        any(call.args[:1] in (("build",), ("buildx",), ("compose",)) for call in invocations(command, NAME))
        or said(_PHRASES, output)
        or any(_RUN.match(line) or _OLD_RUN.match(line) for line in output.split("\n"))
    )


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - builds report no tests
    """The step that failed with its command's last words, at its line of the Dockerfile where BuildKit shows it."""
    if not any(mark in output for mark in _MARKS):
        return ()
    lines = output.split("\n")
    path, number = _place(lines)
    for at, line in enumerate(lines):
        if match := _RUN.match(line):
            return (Finding(_step(match, _block(lines)), path, number, None, _rule(match)),)
        if match := _OLD_RUN.match(line):
            return (Finding(_step(match, _old_block(lines[:at])), None, None, None, _rule(match)),)
    return tuple(_at_line(finding, path, number) for finding in spoken(_PHRASES, output))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    rules = [finding.rule or "" for finding in findings]
    if f"exit {_KILLED}" in rules:
        return FailureClass.OOM
    if any(rule.startswith("exit ") for rule in rules):
        return FailureClass.BUILD
    return kind(_PHRASES, findings)


def _step(match: re.Match[str], printed: Sequence[str]) -> str:
    command = _SHELL.sub("", match["command"])
    words_ = words.last([_STAMP.sub("", line) for line in printed])
    return f"RUN {command[:200]} failed{f': {words_}' if words_ else ''}"[:MESSAGE]


def _rule(match: re.Match[str]) -> str:
    return f"exit {match['code']}" if match["code"] else "failed"


def _block(lines: Sequence[str]) -> list[str]:
    """What BuildKit repeats of the failed step, between two rules."""
    start = next((at for at, line in enumerate(lines) if _STEP_MARK.match(line)), None)
    if start is None:
        return []
    said = list(lines[start + 1 : start + 60])
    end = next((at for at, line in enumerate(said) if line == "------"), len(said))
    return said[:end]


def _old_block(lines: Sequence[str]) -> list[str]:
    """What the old builder printed since the step began."""
    start = max((at for at, line in enumerate(lines) if _OLD_STEP.match(line)), default=len(lines))
    return [line for line in lines[start + 1 :] if not line.startswith(" ---> ")]


def _place(lines: Sequence[str]) -> tuple[str | None, int | None]:
    """`Dockerfile:7`, a rule, and the lines around; `>>>` points at the one where the instruction begins."""
    for at, line in enumerate(lines[:-1]):
        file = _FILE.match(line)
        if file and lines[at + 1].startswith("-----"):
            pointed = (_POINTED.match(one) for one in lines[at + 2 : at + 20])
            first = next(filter(None, pointed), None)
            return file["path"], int(first["line"] if first else file["line"])
    return None, None


def _at_line(found: Finding, path: str | None, number: int | None) -> Finding:
    told = _PARSE_LINE.search(found.message) if found.rule == "syntax" else None
    if path is None and told:
        path, number = "Dockerfile", int(told["line"] or told["at"])
    return Finding(found.message, path, number, None, found.rule)
