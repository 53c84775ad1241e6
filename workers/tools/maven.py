"""Reads Maven itself: what of dependencies, the project's file and the command line kept it from building.

A goal that failed is last: the compiler or the tests inside it have said why before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed

NAME = "maven"
RUNS_TESTS = False
_SPEAKS = re.compile(
    r"^\[INFO\] BUILD FAILURE$|^\[ERROR\] Failed to execute goal |^\[ERROR\] The build could not read ", re.MULTILINE
)
_PLACE = re.compile(
    r"(?:@ | in |POM )(?P<path>[^\s,@][^\n,@]{0,300}?pom\.xml)|, line (?P<line>\d{1,7}), column| line "
    r"(?P<at>\d{1,7}), column|position: .{0,200}@(?P<pos>\d{1,7}):"
)
_RULES = (
    (
        "network",
        FailureClass.NETWORK,
        re.compile(
            r"Connection (?:refused|reset|timed out)|Connect timed out|Read timed out|Unknown host|status code: 50\d"
            r"|Temporary failure in name|50[234] (?:Bad|Service|Gateway)"
        ),
    ),
    (
        "permission",
        FailureClass.PERMISSION,
        re.compile(r"status code: 40[13]|[Nn]ot authorized|Unauthorized|authentication failed", re.IGNORECASE),
    ),
    ("malformed-pom", FailureClass.SYNTAX, re.compile(r"Malformed POM|Non-parseable (?:POM|settings)")),
    (
        "resolution",
        FailureClass.RESOLUTION,
        re.compile(
            r"Could not (?:resolve|find|transfer) (?:dependenc|artifact|the)|Non-resolvable |could not be resolved"
            r"|DependencyConvergence|is missing\. @|was not found in"
            r"|Failed to collect dependencies|No versions available|Cannot access \S{1,200} in offline mode"
            r"|offline mode and the artifact"
        ),
    ),
    (
        "lifecycle",
        FailureClass.WORKFLOW,
        re.compile(
            r"Unknown lifecycle phase|No plugin found for prefix|Could not find the selected project"
            r"|requires a project to execute|Could not find goal|release version \d{1,3} not supported"
            r"|invalid target release|Unrecognized option|The requested profile|The goal you specified"
            r"|Source option \d{1,3} is no longer|JAVA_HOME"
        ),
    ),
    ("pom", FailureClass.BUILD, re.compile(r"The project \S{1,300} \(|must be unique|is not a valid|cannot be empty")),
    (
        "enforcer",
        FailureClass.LINT,
        re.compile(r"maven-enforcer-plugin|Some Enforcer rules have failed|Rule \d{1,3}: "),
    ),
    ("goal", FailureClass.BUILD, re.compile(r"Failed to execute goal")),
)
"""Asked in this order of all error lines, so that a cause goes before the goal that it stopped."""
_CLASSES = {rule: cls for rule, cls, _ in _RULES}
_TAIL = re.compile(r" -> \[Help \d\]$")


def recognises(command: str, output: str) -> bool:
    return any(invocations(command, name) for name in ("mvn", "mvnw", "mvnd")) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - junit reads the tests
    """The error lines of the first rule that any of them fits."""
    if not _SPEAKS.search(output):
        return ()
    said = [
        _TAIL.sub("", line.removeprefix("[ERROR] ")) for line in printed.lines(output) if line.startswith("[ERROR] ")
    ]
    for rule, _, pattern in _RULES:
        if fitting := [text for text in said if pattern.search(text)]:
            return tuple(dict.fromkeys(_finding(text, rule) for text in fitting[:20]))
    return ()


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    """A goal of tests or of a linter, with nothing said before it, is known by its plug-in."""
    if not findings:
        return FailureClass.UNKNOWN
    if findings[0].rule == "goal":
        said = findings[0].message
        if re.search(r"maven-(?:surefire|failsafe)-plugin", said):
            return FailureClass.TEST
        if re.search(
            r"(?:checkstyle|pmd|spotbugs|license|rat)-(?:maven-)?plugin|maven-(?:checkstyle|pmd)-plugin", said
        ):
            return FailureClass.LINT
        if re.search(r"spotless|formatter-maven|fmt-maven", said):
            return FailureClass.FORMAT
    return _CLASSES.get(findings[0].rule or "", FailureClass.BUILD)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()


def _finding(text: str, rule: str) -> Finding:
    path, line = None, None
    for place in _PLACE.finditer(text):
        path = path or place["path"]
        line = line or next((int(place[name]) for name in ("line", "at", "pos") if place[name]), None)
    if path is None and rule in ("resolution", "malformed-pom", "pom"):
        path = "pom.xml"
    return Finding(text.strip()[: printed.MESSAGE], path, line if path else None, None, rule)
