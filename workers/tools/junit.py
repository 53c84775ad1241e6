"""Reads what JUnit's runners print: Maven's surefire and failsafe, Gradle, the console launcher and JUnit 4's own.

A class is a file by convention: its package below src/main or src/test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.tools import printed

NAME = "junit"
RUNS_TESTS = True
_SUREFIRE = re.compile(
    r"^(?:\[ERROR\] )?(?:(?P<owner>[\w.$]{1,300})\.(?P<test>[\w$]{1,200}(?:[\[({].{0,200})?)|"
    r"(?P<old>[^\s(][^\n(]{0,200})\((?P<of>[\w.$]{1,300})\))"
    r" {1,3}(?:-- )?Time elapsed: [\d.,]{1,12} s(?:ec)? {1,3}<<< (?P<level>FAILURE|ERROR)!$"
)
_GRADLE = re.compile(
    r"^(?P<owner>[\w.$]{1,300})(?P<inner>(?: > [^\n>]{1,200}){0,4}?) > (?P<test>[^\n>]{1,300}) FAILED$"
)
_CONSOLE = re.compile(r"^ {2}JUnit (?:Jupiter|Vintage|Platform Suite):(?P<test>[^\n]{1,400})$")
_SOURCE = re.compile(
    r"^ {4}MethodSource \[className = '(?P<owner>[\w.$]{1,300})', methodName = '(?P<test>[^']{1,200})'"
)
_OLD = re.compile(r"^\d{1,5}\) (?P<test>[\w$\[\]]{1,200})\((?P<owner>[\w.$]{1,300})\)$")
_FRAME = re.compile(
    r"^\s{0,12}(?:at )?(?:[\w.@-]{1,60}//?)?(?P<class>[\w.$]{1,300})\.[\w$<>]{1,200}\((?P<file>[\w$]{1,100}\.(?:java"
    r"|kt|groovy|scala)):(?P<line>\d{1,7})\)$"
)
_THROWN = re.compile(
    r"^\s{0,8}(?:=> )?(?P<text>(?:[\w$]{1,60}\.){0,12}[A-Z][\w$]{0,80}(?:Error|Exception|Failure|Violation|Failed"
    r"|Throwable)\b[^\n]*)$"
)
_AT_FILE = re.compile(r" at (?P<file>[\w$]{1,100}\.(?:java|kt|groovy|scala)):(?P<line>\d{1,7})$")
_SHORT = re.compile(
    r"^\[ERROR\] {2,4}(?:Run \d{1,3}: )?(?P<owner>[\w$]{1,200})(?:>[\w$.]{1,200})?\.(?P<test>[\w$]{1,200}):\d{1,7}"
    r"(?:->[\w$.:<>]{1,200})? (?P<text>[^\n]+)$"
)
_SPEAKS = re.compile(
    r"<<< (?:FAILURE|ERROR)!|^\[ERROR\] Tests run: \d|^[\w.$]{1,300} > [^\n]{1,300} FAILED$"
    r"|^\d{1,7} tests? completed, \d{1,7} failed"
    r"|^\[ {9}\d{1,7} tests failed {3,9}\]|^FAILURES!!!$|^Failures \(\d{1,6}\):$",
    re.MULTILINE,
)
_NOT_THEIRS = re.compile(
    r"^(?:java|javax|jdk|sun|com\.sun|kotlin|scala|groovy|org\.(?:junit|opentest4j|hamcrest|assertj|mockito"
    r"|apache\.maven|gradle|testng|spockframework|codehaus|springframework)|junit|reactor|worker)\."
)
_ASSERTS = re.compile(
    r"^(?:[\w$]{1,60}\.){0,12}(?:\w{0,40}Assertion\w{0,40}|ComparisonFailure|MultipleFailuresError"
    r"|ConditionNotSatisfied\w{0,20}|WantedButNotInvoked|TooManyActualInvocations|ArgumentsAreDifferent"
    r"|SpockComparisonFailure|TooFewInvocationsError)\b|^expected|^Wanted "
)
_TIMEOUT = re.compile(r"timed? ?out after|TestTimedOutException|execution timed out")
_LINKS = re.compile(r"NoClassDefFoundError|ClassNotFoundException|NoSuchMethodError|UnsupportedClassVersionError")
_KIND = re.compile(
    r"^(?:[\w$]{1,60}\.){0,12}(?P<kind>[A-Z][\w$]{0,80}(?:Error|Exception|Failure|Violation|Failed|Throwable))\b"
)
_TEST_CLASS = re.compile(r"(?:^|\.)(?:Test\w*|\w*(?:Tests?|IT|TestCase|Spec|Should))(?:\$|$)")
_FOLDERS = {"java": "java", "kt": "kotlin", "groovy": "groovy", "scala": "scala"}
_WINDOW = 80
"""So many lines under a failure's head its stack is looked for."""


def recognises(command: str, output: str) -> bool:  # noqa: ARG001 - it is called by build tools
    return bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    """One per failed test, from the report where there is one, else from the sections with stacks, else the summary."""
    if reports := [test for test in tests if test.status in ("failed", "error")]:
        return tuple(_of(test.id, test.message.split("\n")) for test in reports)
    if not _SPEAKS.search(output):
        return ()
    lines = printed.lines(output)
    sections = {finding.test: finding for finding in _sections(lines)}
    return tuple(sections.values()) or tuple(dict.fromkeys(_summary(lines)))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    said = [finding.message for finding in findings]
    if not said:
        return FailureClass.UNKNOWN
    if all(map(_TIMEOUT.search, said)):
        return FailureClass.TIMEOUT
    if all(map(_LINKS.search, said)):
        return FailureClass.DEPENDENCY
    threw = [finding for finding in findings if finding.rule and not _ASSERTS.search(finding.message)]
    return FailureClass.ERROR if threw else FailureClass.TEST


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()


def _sections(lines: Sequence[str]) -> Iterator[Finding]:
    for at, line in enumerate(lines):
        if test := _head(lines, at, line):
            yield _of(test, _until_next(lines, at + 1))


def _head(lines: Sequence[str], at: int, line: str) -> str | None:
    """The id of the test whose failure begins here: `class::test`, as JUnit's XML names it."""
    if match := _SUREFIRE.match(line):
        return f"{match['owner'] or match['of']}::{match['test'] or match['old']}"
    if match := _GRADLE.match(line):
        return f"{match['owner']}{match['inner'].replace(' > ', '$')}::{match['test']}"
    if match := _OLD.match(line):
        return f"{match['owner']}::{match['test']}"
    if match := _CONSOLE.match(line):
        source = _SOURCE.match(lines[at + 1]) if at + 1 < len(lines) else None
        return f"{source['owner']}::{source['test']}()" if source else match["test"].replace(":", "::", 1)
    return None


def _until_next(lines: Sequence[str], start: int) -> Sequence[str]:
    end = next(
        (at for at in range(start, min(start + _WINDOW, len(lines))) if _head(lines, at, lines[at])), start + _WINDOW
    )
    return lines[start:end]


def _of(test: str, section: Sequence[str]) -> Finding:
    """The error's first line, at the first frame of the repository's own code."""
    thrown = next((match for line in section if (match := _THROWN.match(line))), None)
    text = thrown["text"] if thrown else next((line.strip() for line in section if line.strip()), "failed")
    short = _AT_FILE.search(text)
    frames = [match for line in section if (match := _FRAME.match(line)) and not _NOT_THEIRS.match(match["class"])]
    if frames:
        path, line = _file(frames[0]["class"], frames[0]["file"]), int(frames[0]["line"])
    elif short:
        path, line = _file(test.partition("::")[0], short["file"]), int(short["line"])
    else:
        path, line = None, None
    kind = _KIND.match(text)
    message = text[: short.start()] if short else text
    return Finding(message[: printed.MESSAGE], path, line, test, kind["kind"] if kind else None)


def _file(owner: str, file: str) -> str:
    package = owner.rpartition(".")[0].replace(".", "/")
    tree = "test" if _TEST_CLASS.search(owner) else "main"
    folder = f"src/{tree}/{_FOLDERS[file.rpartition('.')[2]]}"
    return "/".join(part for part in (folder, package, file) if part)


def _summary(lines: Sequence[str]) -> Iterator[Finding]:
    """Surefire's closing list, which names classes without their packages."""
    for line in lines:
        if match := _SHORT.match(line):
            text = match["text"].removeprefix("\u00bb ").strip()
            threw = match["text"].startswith("\u00bb ")
            yield Finding(
                text[: printed.MESSAGE],
                None,
                None,
                f"{match['owner']}::{match['test']}",
                text.split(" ")[0] if threw else None,
            )
