"""Reads Gradle itself: the reason under "What went wrong", and where in a build file it is.

A task that failed is last: the compiler or the tests inside it have said why before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed

NAME = "gradle"
RUNS_TESTS = False
_SPEAKS = re.compile(
    r"^FAILURE: Build (?:failed with an exception|completed with \d{1,4} failures)\.$|^\* What went wrong:$"
    r"|^BUILD FAILED in ",
    re.MULTILINE,
)
_WHERE = re.compile(
    r"^(?:Build|Settings|Script|Initialization script|Precompiled script plugin) (?:file )?'"
    r"(?P<path>[^'\n]{1,400})' line: (?P<line>\d{1,7})$"
)
_KOTLIN = re.compile(r"^ {2}Line (?P<line>\d{1,7}): {1,8}\S")
_RULES = (
    (
        "network",
        FailureClass.NETWORK,
        re.compile(
            r"Connection (?:refused|reset|timed out)|Connect(?:ion)? timed out|Read timed out|UnknownHostException"
            r"|Received status code 50\d|Could not GET|No such host"
        ),
    ),
    ("permission", FailureClass.PERMISSION, re.compile(r"Received status code 40[13]|Username must not be null")),
    ("lock", FailureClass.RESOLUTION, re.compile(r"lock state|Dependency verification failed|Locking strict mode")),
    (
        "resolution",
        FailureClass.RESOLUTION,
        re.compile(
            r"Could not resolve\b|Could not find [\w.-]{1,200}:[\w.-]{1,200}:|Cannot find a version of"
            r"|Conflict found for|was not found in any of the following|No matching variant|No cached version"
            r"|Could not determine the dependencies"
        ),
    ),
    (
        "java",
        FailureClass.WORKFLOW,
        re.compile(
            r"Unsupported class file major version|requires (?:at least )?(?:JVM|Java)|Cannot find a Java installation"
            r"|No (?:matching|locally installed) toolchains|invalid (?:source|target) release|JAVA_HOME"
            r"|release version \d{1,3} not supported|Minimum supported Gradle version"
        ),
    ),
    (
        "call",
        FailureClass.WORKFLOW,
        re.compile(
            r"^Task '.{1,200}' (?:not found|is ambiguous)|Cannot locate tasks that match|Project '.{1,200}' not found"
            r"|Unknown command-line option|does not contain a Gradle build|Problem configuring task"
        ),
    ),
    (
        "script",
        FailureClass.BUILD,
        re.compile(
            r"A problem occurred (?:evaluating|configuring)|Script compilation error.{0,2000}Unresolved reference"
        ),
    ),
    (
        "script-syntax",
        FailureClass.SYNTAX,
        re.compile(r"Could not compile (?:build|settings|script)|startup failed|Script compilation error"),
    ),
    ("task", FailureClass.BUILD, re.compile(r"Execution failed for task '(?P<task>[^'\n]{1,300})'")),
)
_CLASSES = {rule: cls for rule, cls, _ in _RULES}
_TASKS = (
    (re.compile(r"^:?(?:.{0,200}:)?(?:\w{0,80}[tT]est\w{0,80}|connected\w{0,60}AndroidTest)$"), FailureClass.TEST),
    (re.compile(r"spotless\w{0,60}Check|ktlint|ktfmt|googleJavaFormat|verifyGoogleJavaFormat"), FailureClass.FORMAT),
    (re.compile(r"checkstyle|pmd|spotbugs|detekt|lint", re.IGNORECASE), FailureClass.LINT),
    (re.compile(r"apiCheck|japicmp|checkLegacyAbi", re.IGNORECASE), FailureClass.SNAPSHOT),
)
_ENDS = ("* Try:", "* Get more help", "BUILD FAILED", "* Exception is:")


def recognises(command: str, output: str) -> bool:
    return any(invocations(command, name) for name in ("gradle", "gradlew")) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - junit reads the tests
    """One for each "What went wrong"."""
    lines = printed.lines(output)
    starts = [at for at, line in enumerate(lines) if line == "* What went wrong:"]
    found = (_finding(lines, at) for at in starts[:50])
    return tuple(dict.fromkeys(one for one in found if one))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if not findings:
        return FailureClass.UNKNOWN
    first = findings[0]
    if first.rule == "task":
        task = re.search(r"task '([^'\n]{1,300})'", first.message)
        return next((cls for pattern, cls in _TASKS if task and pattern.search(task[1])), FailureClass.BUILD)
    return _CLASSES.get(first.rule or "", FailureClass.BUILD)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()


def _finding(lines: Sequence[str], start: int) -> Finding | None:
    """The reason with what it was caused by, at the build file's line that stands above or in it."""
    said: list[str] = []
    for line in lines[start + 1 : start + 30]:
        if line.startswith(_ENDS):
            break
        said.append(line)
    text = " ".join(line.strip() for line in said if line.strip())
    if not text:
        return None
    where = next((match for line in lines[max(0, start - 4) : start] if (match := _WHERE.match(line))), None)
    named = re.search(r"(?:build|settings) file '(?P<path>[^'\n]{1,400})'", text)
    number = next((match for line in said if (match := _KOTLIN.match(line))), None)
    path = where["path"] if where else named["path"] if named else None
    line_number = int(where["line"]) if where else int(number["line"]) if number and path else None
    rule = next((rule for rule, _, pattern in _RULES if pattern.search(text)), None)
    return Finding(text[: printed.MESSAGE], path, line_number, None, rule)
