"""Reads pip: requirements that no version meets, conflicts, hashes, packages that do not build; also `pip check`.

It cannot mend anything itself: another set of versions is a decision, and finding one needs the index.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import words
from workers.tools.phrases import kind, phrase, said, spoken
from workers.tools.plain import MESSAGE, fix_commands, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "pip"
RUNS_TESTS = False
_PHRASES = (
    phrase("hash-mismatch", FailureClass.RESOLUTION, r"ERROR: (?P<text>THESE PACKAGES DO NOT MATCH THE HASHES)"),
    phrase("hash-missing", FailureClass.RESOLUTION,
           r"ERROR: (?P<text>(?:Hashes are required|In --require-hashes mode).+)$"),
    phrase("conflict", FailureClass.RESOLUTION,
           r"ERROR: (?P<text>Cannot install .{1,400} because .{1,400}conflicting dependencies\.)"),
    phrase("conflict", FailureClass.RESOLUTION,
           r"ERROR: (?P<text>ResolutionImpossible|Double requirement given: .{1,400})"),
    phrase("no-version", FailureClass.RESOLUTION,
           r"ERROR: (?P<text>Could not find a version that satisfies the requirement .+)$"),
    phrase("no-version", FailureClass.RESOLUTION, r"ERROR: (?P<text>No matching distribution found for .+)$"),
    phrase("python", FailureClass.RESOLUTION, r"ERROR: (?P<text>Package .{1,400} requires a different Python: .+)$"),
    phrase("python", FailureClass.RESOLUTION,
           r"ERROR: (?P<text>.{1,400} is not a supported wheel on this platform\.)$"),
    phrase("broken", FailureClass.RESOLUTION,
           r"(?P<text>\S{1,200} [\w.{1,400}!-]{1,100} (?:has requirement .{1,400}, but you have .+"
           r"|requires .{1,400}, which is not installed\.)$)"),
    phrase("requirement", FailureClass.WORKFLOW, r"ERROR: (?P<text>Could not open requirements file: .+)$"),
    phrase("requirement", FailureClass.WORKFLOW, r"ERROR: (?P<text>Invalid requirement: .+)$"),
    phrase("requirement", FailureClass.WORKFLOW,
           r"ERROR: (?P<text>(?:Directory|File) .{1,400} (?:is not installable"
           r"|does not appear to be a Python project).*)$"),
    phrase("requirement", FailureClass.WORKFLOW, r"ERROR: (?P<text>.{1,400} is not a valid editable requirement\..*)$"),
    phrase("managed", FailureClass.WORKFLOW, r"(?P<text>error: externally-managed-environment)$"),
    phrase("build", FailureClass.BUILD, r" {0,4}ERROR: (?P<text>Failed building (?:wheel|editable) for .+)$"),
    phrase("build", FailureClass.BUILD,
           r"ERROR: (?P<text>(?:Could not build wheels for|Failed to build installable wheels for"
           r"|Failed to build '?) ?.+)$"),
    phrase("build", FailureClass.BUILD,
           r" {0,8}\u00d7 (?P<text>(?:Getting requirements to build|Preparing|Building|pip subprocess"
           r"|Encountered error|python setup\.py).+)$"),
    phrase("network", FailureClass.NETWORK,
           r"ERROR: (?P<text>Could not install packages due to an (?:OSError|EnvironmentError): .{0,400}"
           r"(?:HTTPSConnectionPool|Max retries|SSLError).*)$"),
    phrase("network", FailureClass.NETWORK, r"ERROR: (?P<text>HTTP error \d{3} while getting .+)$"),
    phrase("install", FailureClass.BUILD, r"ERROR: (?P<text>Could not install packages due to .+)$"),
)  # fmt: skip
_HASHED = re.compile(r"DO NOT MATCH THE HASHES[^\n]{0,400}\n {4}(?P<package>\S[^\n]{0,200}?)(?: from |$)", re.MULTILINE)
_PRINTED = re.compile(r"^ {0,8}╰─> \[\d{1,7} lines? of output\]$", re.MULTILINE)
_CAUSES = re.compile(r"^The conflict is caused by:\n(?P<lines>(?: {4}\S[^\n]{0,500}\n?){1,20})", re.MULTILINE)
_UNREACHED = re.compile(r"^WARNING: Retrying \(Retry\(", re.MULTILINE)


def recognises(command: str, output: str) -> bool:
    return bool(_called(command)) or said(_PHRASES, output)


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - installers report no tests
    """What it says is wrong: a conflict with the requirements at odds, a build with its last words."""
    found = spoken(_PHRASES, output)
    told = {rule: text for rule, text in _more(output) if text}
    if "conflict" in told:
        found = tuple(finding for finding in found if finding.message != "ResolutionImpossible")
    return unique(_with(finding, told.get(finding.rule or "", "")) for finding in found)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:
    """An index that could not be asked looks like one without the package: the retries before it tell them apart."""
    cls = kind(_PHRASES, findings)
    unknown = all(finding.rule == "no-version" for finding in findings)
    return FailureClass.NETWORK if findings and unknown and _UNREACHED.search(output) else cls


def _more(output: str) -> Iterator[tuple[str, str]]:
    """What stands below the sentences of some rules."""
    if causes := _CAUSES.search(output):
        yield "conflict", "; ".join(line.strip() for line in causes["lines"].strip().split("\n"))
    if hashed := _HASHED.search(output):
        yield "hash-mismatch", hashed["package"]
    if printed := _PRINTED.search(output):
        after = output[printed.end() : printed.end() + 20_000].split("\n")
        yield "build", words.last(list(takewhile(lambda line: "[end of output]" not in line, after)))


def _with(finding: Finding, more: str) -> Finding:
    return replace(finding, message=f"{finding.message.rstrip('.:')}: {more}"[:MESSAGE]) if more else finding


def _called(command: str) -> bool:
    return any(invocations(command, name) for name in (NAME, "pip3", "pip-compile", "pip-sync"))
