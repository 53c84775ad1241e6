"""Reads yarn itself, classic and berry: why an install stopped, and scripts that are not there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed

NAME = "yarn"
RUNS_TESTS = False
_SPEAKS = re.compile(
    r"^yarn (?:run|install|workspaces|add) v\d|^(?:::error ::)?\u27a4 YN0000: |^Internal Error: .{1,200}yarn"
    r"|yarnpkg\.com/en/docs/cli/",
    re.MULTILINE,
)
_CLASSIC = re.compile(r"^error (?P<text>\S[^\n]+)$")
_BERRY = re.compile(
    r"^(?:::error ::)?\u27a4 (?P<rule>YN(?!0000|0013|0085)\d{4}): (?:[\u2502\u250c\u2514\u00b7] ?){0,4}"
    r"(?P<text>[^\n]+)$"
)
_USAGE = re.compile(r"^(?:::error ::)?(?:Usage|Internal) Error: (?P<text>[^\n]+)$")
_ASIDE = re.compile(
    r"^[+-]|^Response Code|^Command failed|^Command \"[^\"]{1,100}\" exited|^Error: Command failed|^Failed with errors"
)
_RULES = (
    (
        "lock-drift",
        FailureClass.RESOLUTION,
        re.compile(
            r"lockfile (?:needs to be updated|would have been (?:modified|created))|no lockfile in this directory",
            re.IGNORECASE,
        ),
    ),
    (
        "missing-script",
        FailureClass.WORKFLOW,
        re.compile(
            r"^Command \".{1,200}\" not found|^Couldn't find a script (?:named|name)|command not found"
            r"|^Unknown Syntax Error"
        ),
    ),
    ("json", FailureClass.SYNTAX, re.compile(r"SyntaxError: .{1,300}JSON|in JSON at")),
    (
        "network",
        FailureClass.NETWORK,
        re.compile(
            r"ECONN|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|ESOCKETTIMEDOUT|network connection|Request failed \"5\d\d"
            r"|RequestError"
        ),
    ),
    (
        "permission",
        FailureClass.PERMISSION,
        re.compile(r"40[13] (?:Unauthorized|Forbidden)|Request failed \"40[13]|Invalid authentication|authentication"),
    ),
    (
        "resolution",
        FailureClass.RESOLUTION,
        re.compile(
            r"Couldn't find (?:any versions|package)|No candidates found|Package not found"
            r"|is incompatible with this module|Found incompatible"
            r"|Integrity check failed|checksum|Not found|doesn't provide|isn't supported",
            re.IGNORECASE,
        ),
    ),
    ("install-script", FailureClass.BUILD, re.compile(r"couldn't be built successfully|: Command failed\.$")),
)
_PATHS = {
    "lock-drift": "yarn.lock",
    "missing-script": "package.json",
    "json": "package.json",
    "resolution": "package.json",
}
_CLASSES = {rule: cls for rule, cls, _ in _RULES}


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - installers report no tests
    if not _SPEAKS.search(output) and "Usage Error: " not in output:
        return ()
    return tuple(dict.fromkeys(_found(printed.lines(output))))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return next((_CLASSES[one.rule] for one in findings if one.rule in _CLASSES), FailureClass.UNKNOWN)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    """None: bringing a lock file up to date needs the registry."""
    return ()


def _found(lines: Sequence[str]) -> Iterator[Finding]:
    """What is known to stop an install; lines that only say that something below failed are passed over."""
    for line in lines:
        match = _CLASSIC.match(line) or _BERRY.match(line) or _USAGE.match(line)
        if match is None or _ASIDE.match(match["text"].strip()):
            continue
        rule = next((rule for rule, _, pattern in _RULES if pattern.search(match["text"])), None)
        if rule:
            yield Finding(match["text"].strip()[: printed.MESSAGE], _PATHS.get(rule), None, None, rule)
