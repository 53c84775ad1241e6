"""Reads rustc, clippy and cargo itself: errors of the code, lints that are denied, and packages that do not fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import Invocation, invocations
from workers.tools import printed
from workers.tools.options import files_of

NAME = "cargo"
RUNS_TESTS = False
_HEAD = re.compile(r"^error(?:\[(?P<rule>E\d{4}|[a-z][\w:]{2,60})\])?: (?P<text>\S[^\n]*)$")
_ARROW = re.compile(r"^ {1,12}--> (?P<path>[^\n]{1,500}?(?:\.rs|\.toml)):(?P<line>\d{1,7}):\d{1,7}$")
_SHORT = re.compile(
    r"^(?P<path>[^\s:][^:\n]{0,400}\.rs):(?P<line>\d{1,7}):\d{1,7}: error(?:\[(?P<rule>[\w:]{2,60})\])?: "
    r"(?P<text>[^\n]+)$"
)
_IMPLIED = re.compile(r"^ {1,12}= note: `(?:-[DF] |#!?\[(?:deny|forbid)\()(?P<rule>[\w:-]{2,80})\)?\]?`")
_PAGE = re.compile(r"^ {1,12}= help: for further information visit \S{1,200}#(?P<rule>[\w-]{2,80})$")
_TESTS = re.compile(r"^running \d{1,7} tests?$")
_DONE = re.compile(r"^test result: |^error: ")
_SPEAKS = re.compile(
    r"^error(?:\[E\d{4}\])?: [^\n]+\n(?: {1,12}--> |$)|^error: could not compile `|^error: (?:the lock file"
    r"|cannot update the lock file)",
    re.MULTILINE,
)
_REMARKS = re.compile(
    r"^(?:could not compile |aborting due to |test failed, to rerun|doctest failed|\d{1,6} targets? failed|build failed"
    r"|process didn't exit|recipe for|Recipe `|command failed|.{0,40}previous errors?)"
)
"""What cargo says after the errors themselves."""
_OWN = (
    (
        FailureClass.RESOLUTION,
        re.compile(
            r"lock file .{0,400}(?:needs to be updated|--locked)|cannot update the lock file|failed to select a version"
            r"|no matching package"
            r"|requires rustc|is not supported by the following packages|failed to get `|failed to download"
            r"|failed to parse lock file|no matching version|checksum|failed to load source|cyclic package dependency"
            r"|the package `.{1,100}` depends on"
        ),
    ),
    (
        FailureClass.SYNTAX,
        re.compile(
            r"failed to parse manifest|could not parse input as TOML|TOML parse error|must be quoted|invalid (?:key"
            r"|table|string)|duplicate key"
        ),
    ),
    (
        FailureClass.WORKFLOW,
        re.compile(
            r"no such (?:sub)?command|is not installed for the toolchain|could not find `Cargo\.toml`"
            r"|unexpected argument"
            r"|no (?:bin|test|example|bench|library) targets?|package ID specification|none of the selected packages"
            r"|unknown `?-Z|can't find crate for `std`"
            r"|toolchain .{1,100} is not installed|linker `.{1,60}` not found|the option `Z`|unknown (?:flag|option)"
        ),
    ),
    (
        FailureClass.BUILD,
        re.compile(
            r"linking with|failed to run custom build command|could not execute process|failed to build|couldn't read"
        ),
    ),
)
"""cargo's own complaints, which have no place in a source file."""
_NETWORK = re.compile(
    r"Could(?:n't| not) resolve host|curl failed|spurious network error|Connection (?:refused|reset|timed out)"
    r"|HTTP response code 5\d\d"
)
_SYNTAX = re.compile(
    r"^(?:expected |unexpected |unknown start of token|mismatched closing|this file contains an un|unterminated"
    r"|missing |prefix `|incorrect |invalid |cannot parse|found `|`[^`]{1,30}` (?:is not|must))"
)
_ABSENT = frozenset({"E0432", "E0433", "E0463"})
_OWN_PATH = re.compile(r"`(?:crate|self|super)(?:::|`)")
"""A name that is looked for in this crate: no package brings it."""
_OPTIONS = frozenset(
    {
        "--all-targets",
        "--all-features",
        "--no-default-features",
        "--workspace",
        "--all",
        "--lib",
        "--bins",
        "--tests",
        "--benches",
        "--examples",
        "--release",
        "-r",
        "--locked",
        "--offline",
        "--frozen",
    }
)
_VALUES = frozenset(
    {"-p", "--package", "--features", "-F", "--target", "--manifest-path", "--exclude", "--bin", "--test", "--profile"}
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - compilers report no tests
    """Errors with a place; without one, what cargo itself could not do."""
    lines = printed.lines(output)
    return tuple(dict.fromkeys(_placed(lines))) or tuple(dict.fromkeys(_own(lines)))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:
    if not findings:
        return FailureClass.UNKNOWN
    placed = [finding for finding in findings if finding.path and finding.path.endswith(".rs")]
    if not placed:
        said = " ".join(finding.message for finding in findings)
        if said.startswith("failed to ") and _NETWORK.search(output):
            return FailureClass.NETWORK
        return next((cls for cls, pattern in _OWN if pattern.search(said)), FailureClass.BUILD)
    if any(finding.rule is None and _SYNTAX.match(finding.message) for finding in placed):
        return FailureClass.SYNTAX
    errors = {finding.rule for finding in placed if finding.rule is None or _code(finding.rule)}
    if not errors:
        return FailureClass.LINT
    if not errors <= _ABSENT:
        return FailureClass.BUILD
    return FailureClass.IMPORT if all(_OWN_PATH.search(one.message) for one in placed) else FailureClass.DEPENDENCY


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """`cargo clippy --fix`, which changes only what each lint marks as safe for a machine; for clippy's calls."""
    linted = [finding for finding in findings if finding.rule and not _code(finding.rule)]
    calls = [call for call in invocations(command, NAME) if "clippy" in call.args]
    return tuple(_fix(call) for call in calls) if files_of(linted) else ()


def _fix(call: Invocation) -> str:
    own, _, lints = " ".join(("", *call.args, "")).partition(" -- ")
    args = own.split()
    chosen = [
        word
        for at, word in enumerate(args)
        if word.split("=")[0] in _OPTIONS | _VALUES or (at and args[at - 1] in _VALUES)
    ]
    toolchain = [arg for arg in call.args[:1] if arg.startswith("+")]
    rest = ["--", *lints.split()] if lints.split() else []
    return call.command(*toolchain, "clippy", "--fix", "--allow-dirty", "--allow-staged", *chosen, *rest)


def _code(rule: str) -> bool:
    return bool(re.match(r"^E\d{4}$", rule))


def _placed(lines: Sequence[str]) -> Iterator[Finding]:
    """Each error's head, the first arrow under it, and the lint that a later note names."""
    testing = False
    for at, line in enumerate(lines):
        if _TESTS.match(line):
            testing = True  # what documentation tests print is of another compilation
        elif testing:
            testing = not _DONE.match(line)
        elif short := _SHORT.match(line):
            yield _finding(short["text"], short["path"], short["line"], short["rule"])
        elif (head := _HEAD.match(line)) and not _REMARKS.match(head["text"]):
            block = _block(lines, at)
            if arrow := next((match for one in block if (match := _ARROW.match(one))), None):
                yield _finding(head["text"], arrow["path"], arrow["line"], head["rule"] or _lint(block))


def _block(lines: Sequence[str], at: int) -> Sequence[str]:
    """The lines under an error's head, up to the next empty one."""
    end = next((end for end in range(at + 1, min(at + 80, len(lines))) if not lines[end].strip()), at + 80)
    return lines[at + 1 : end]


def _lint(block: Sequence[str]) -> str | None:
    for line in block:
        if page := _PAGE.match(line):
            return f"clippy::{page['rule']}"
        if implied := _IMPLIED.match(line):
            return implied["rule"].replace("-", "_")
    return None


def _own(lines: Sequence[str]) -> Iterator[Finding]:
    for at, line in enumerate(lines):
        head = _HEAD.match(line)
        if head and any(pattern.search(head["text"]) for _, pattern in _OWN):
            below = [one.strip() for one in lines[at + 1 : at + 8] if one.strip()]
            cause = next((after for one, after in pairwise(below) if one == "Caused by:"), "")
            lock = "lock file" in head["text"]
            text = head["text"] if not cause or lock else f"{head['text']}: {cause}"
            yield Finding(text[: printed.MESSAGE], "Cargo.lock" if lock else None)


def _finding(text: str, path: str, line: str, rule: str | None) -> Finding:
    return Finding(text[: printed.MESSAGE], path, int(line), None, rule)
