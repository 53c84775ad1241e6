"""Reads pnpm itself: its ERR_PNPM codes. A script's own failure is another tool's."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed

NAME = "pnpm"
RUNS_TESTS = False
_CODE = re.compile(r"^[\s\u2009]{0,4}\[?ERR_PNPM_(?P<code>[A-Z0-9_]{2,60})\]?[\s\u2009]{1,4}(?P<text>[^\n]+)$")
_JSON = re.compile(r"^[\s\u2009]{0,4}ERROR[\s\u2009]{1,4}(?P<text>[^\n]{1,300} in JSON at [^\n]{1,500}package\.json)$")
_SPEAKS = re.compile(r"ERR_PNPM_[A-Z]|^[\s\u2009]{0,4}ELIFECYCLE[\s\u2009]{1,4}", re.MULTILINE)
_WRAPS = frozenset({"RECURSIVE_RUN_FIRST_FAIL", "RECURSIVE_FAIL", "CMD_SHIM_FAIL", "LIFECYCLE"})
"""What only says that something below failed."""
_LOCK = frozenset(
    {
        "OUTDATED_LOCKFILE",
        "NO_LOCKFILE",
        "LOCKFILE_BREAKING_CHANGE",
        "BROKEN_LOCKFILE",
        "TARBALL_INTEGRITY",
        "LOCKFILE_CONFIG_MISMATCH",
        "LOCKFILE_MISSING_DEPENDENCY",
        "FROZEN_LOCKFILE_WITH_OUTDATED_LOCKFILE",
    }
)
_CALLED = re.compile(
    r"NO_SCRIPT|RECURSIVE_EXEC_FIRST_FAIL|UNKNOWN_(?:COMMAND|OPTION)|NO_IMPORTER_MANIFEST|BAD_PM_VERSION"
    r"|NO_PACKAGE_IN_DEPENDENCIES|INVALID_|CONFIG"
)
_NETWORK = re.compile(r"META_FETCH_FAIL|FETCH_(?:429|5\d\d)|ECONN|EAI_AGAIN|ETIMEDOUT|ENOTFOUND")


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - installers report no tests
    found: list[Finding] = []
    for line in printed.lines(output):
        if (match := _CODE.match(line)) and match["code"] not in _WRAPS:
            found.append(
                Finding(match["text"].strip()[: printed.MESSAGE], _path(match["code"]), None, None, match["code"])
            )
        elif match := _JSON.match(line):
            found.append(Finding(match["text"][: printed.MESSAGE], "package.json", None, None, "JSON_PARSE"))
    return tuple(dict.fromkeys(found))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if not findings:
        return FailureClass.UNKNOWN
    code, said = findings[0].rule or "", findings[0].message
    if code == "JSON_PARSE":
        return FailureClass.SYNTAX
    if _CALLED.search(code):
        return FailureClass.WORKFLOW
    if re.search(r"FETCH_40[13]", code):
        return FailureClass.PERMISSION
    return FailureClass.NETWORK if _NETWORK.search(f"{code} {said}") else FailureClass.RESOLUTION


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    """None: bringing a lock file up to date needs the registry."""
    return ()


def _path(code: str) -> str | None:
    if code in _LOCK:
        return "pnpm-lock.yaml"
    return None if _CALLED.search(code) and code != "NO_SCRIPT" else "package.json"
