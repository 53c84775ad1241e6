"""Reads gcc, clang and the linkers behind them: errors, warnings that are errors, headers, symbols and libraries.

None of them can mend anything itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.phrases import kind, phrase, spoken
from workers.tools.plain import MESSAGE, PATH, finding, fix_commands, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "gcc"
RUNS_TESTS = False
_COMPILERS = ("gcc", "g++", "cc", "c++", "clang", "clang++")
_SOURCE = re.compile(r"\.(?:c|cc|cpp|cxx|c\+\+|C|h|hh|hpp|hxx|H|inl|ipp|tpp|m|mm|cu|cuh|S|s|f|f90|F90|ino|pyx)$")
_ERROR = re.compile(rf"^ {{0,12}}{PATH}:(?P<line>\d{{1,7}}):(?:\d{{1,7}}:)? (?:fatal )?error: (?P<text>.+)$")
_MICROSOFT = re.compile(
    r"^ {0,12}(?P<path>(?:[A-Za-z]:)?[^\s:(][^:\n(]{0,400})\((?P<line>\d{1,7})(?:,\d{1,7})?\) ?: (?:fatal )?error "
    r"(?P<rule>[A-Z]{1,4}\d{4}): (?P<text>.+)$"
)
_FLAG = re.compile(r" \[-W(?:error[,=])?(?:-W)?(?P<flag>[a-z][\w+=-]{1,60})\]$")
_INCLUDE = re.compile(r'^(?:[ \d]{0,12}\|)? {0,40}#\s{0,4}(?:include|import)(?:_next)?\s{0,4}(?P<quote>[<"])')
_NO_HEADER = re.compile(r"^(?:'?[^'\n]{1,300}'? file not found|[^:\n]{1,300}: No such file or directory)$")
_LD = r"(?:\S{0,200}ld(?:\.\w{1,10})?: )"
_PHRASES = (
    phrase("killed", FailureClass.OOM,
           r"(?P<text>\S{0,200}(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+): (?:fatal error: Killed signal"
           r"|internal compiler error: Killed).*)$"),
    phrase("memory", FailureClass.OOM, r"(?P<text>(?:virtual memory exhausted: |LLVM ERROR: out of memory).*)$"),
    phrase("undefined", FailureClass.BUILD,
           rf"{_LD}?(?P<path>[^\s:(][^:\n]{{0,300}}):(?:(?P<line>\d{{1,7}})|\([^)\n]{{1,200}}\)): "
           rf"(?P<text>undefined reference to .+)$"),
    phrase("undefined", FailureClass.BUILD, rf"{_LD}(?:error: )?(?P<text>undefined (?:reference to|symbol): .+)$"),
    phrase("undefined", FailureClass.BUILD, r' {2,4}(?P<text>"[^"\n]{1,400}", referenced from):$'),
    phrase("duplicate", FailureClass.BUILD,
           rf"{_LD}?(?P<path>[^\s:(][^:\n]{{0,300}}):(?:(?P<line>\d{{1,7}})|\([^)\n]{{1,200}}\)): "
           rf"(?P<text>multiple definition of .+)$"),
    phrase("duplicate", FailureClass.BUILD, rf"{_LD}(?:error: )?(?P<text>duplicate symbol.+)$"),
    phrase("library", FailureClass.DEPENDENCY, rf"{_LD}(?P<text>cannot find -l.+?)(?:: No such file or directory)?$"),
    phrase("library", FailureClass.DEPENDENCY,
           rf"{_LD}(?:error: )?(?P<text>(?:unable to find library|library not found for|library ').+)$"),
    phrase("input", FailureClass.BUILD, rf"{_LD}(?P<text>cannot find .+?)(?:: No such file or directory)?$"),
    phrase("input", FailureClass.BUILD,
           r"(?:cc1(?:plus)?|gcc|g\+\+|cc|c\+\+|clang|clang\+\+): (?:fatal )?error: (?P<text>"
           r"(?!linker command failed|ld returned).+)$"),
    phrase("link", FailureClass.BUILD, r"(?:LINK|\S{1,200}\.obj) : (?:fatal )?error (?P<text>LNK\d{4}: .+)$"),
)  # fmt: skip
_MARKS = ("error", "undefined ", "multiple definition", "duplicate symbol", "referenced from", "ld: ", "ld.", "memory")
"""Without one of these words nothing of theirs is in an output, which is quick to see."""
_LINKED = ("collect2: error: ", "linker command failed")


def recognises(command: str, output: str) -> bool:
    called = any(invocations(command, name) for name in _COMPILERS)
    return called or any(mark in output for mark in _LINKED) or ("error" in output and bool(findings(output, ())))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - compilers report no tests
    """The compiler's errors, then the linker's. The rule is the warning's flag, or what is missing."""
    if not any(mark in output for mark in _MARKS):
        return ()
    lines = output.split("\n")
    return unique([*_errors(lines), *spoken(_PHRASES, output)])


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    """A header in angle brackets and a library come with a package; one in quotes is the repository's own."""
    rules = {finding.rule for finding in findings}
    if (linker := kind(_PHRASES, findings)) is FailureClass.OOM:
        return linker
    if rules and rules <= {"system-header", "library"}:
        return FailureClass.DEPENDENCY
    return FailureClass.BUILD if findings else FailureClass.UNKNOWN


def _errors(lines: Sequence[str]) -> Iterator[Finding]:
    for at, line in enumerate(lines):
        if "error" not in line:
            continue
        match = _ERROR.match(line) or _MICROSOFT.match(line)
        if match and _SOURCE.search(match["path"]):
            yield _named(finding(match), lines[at + 1 : at + 3])


def _named(found: Finding, following: Sequence[str]) -> Finding:
    """With the flag of a warning, or the kind of a missing header, as its rule."""
    if flag := _FLAG.search(found.message):
        return replace(found, message=found.message[: flag.start()], rule=f"-W{flag['flag']}")
    if _NO_HEADER.match(found.message):
        quotes = [include["quote"] for line in following if (include := _INCLUDE.match(line))]
        return replace(found, rule="system-header" if "<" in quotes else "header")
    return replace(found, message=found.message[:MESSAGE])
