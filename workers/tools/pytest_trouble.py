"""What makes pytest red without a failed test that has a name: usage, collection, coverage, time, a crash of its own.

Also the failures that are no test failures although a test shows them: a timeout, a snapshot that is out of date.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workers.domain import FailureClass, Finding
from workers.tools.exceptions import kind_of
from workers.tools.phrases import kind, phrase, spoken
from workers.tools.plain import MESSAGE

_PHRASES = (
    phrase("timeout", FailureClass.TIMEOUT, r"\+{5,80} (?P<text>Timeout) \+{5,80}$"),
    phrase("plugin", FailureClass.DEPENDENCY,
           r"(?:ERROR: .{0,300})?pytest: error: (?P<text>unrecognized arguments: .+)$"),
    phrase("plugin", FailureClass.DEPENDENCY, r"(?:ERROR: )?(?P<text>Missing required plugins: .+)$"),
    phrase("plugin", FailureClass.DEPENDENCY, r'(?P<text>ImportError: Error importing plugin ".+)$'),
    phrase("usage", FailureClass.WORKFLOW, r"(?:ERROR: .{0,300})?pytest: error: (?P<text>.+)$"),
    phrase("coverage", FailureClass.TEST,
           r"(?:ERROR: |FAIL )(?P<text>(?:Required test coverage of|Coverage failure: ).+)$"),
    phrase("snapshot", FailureClass.SNAPSHOT, r"(?P<text>\d{1,7} snapshots? unused\..*)$"),
    phrase("usage", FailureClass.WORKFLOW, r"ERROR: (?!usage: |Coverage )(?P<text>.+)$"),
    phrase("no-tests", FailureClass.WORKFLOW, r"(?:={1,80} )?(?P<text>no tests ran|\d{1,9} deselected) in "),
)  # fmt: skip
_SPECIAL = {
    FailureClass.TIMEOUT: re.compile(r"(?:Failed: )?Timeout \(?>"),
    FailureClass.SNAPSHOT: re.compile(
        r"(?:AssertionError: )?(?:assert .{0,1000}(?:\[[+-] received\] == \[[+-] snapshot\]|== snapshot\()"
        r"|value does not match the expected value in snapshot|FILES DIFFER)"
    ),
}
_INTERNAL = re.compile(r"^INTERNALERROR> (?P<text>.+)$", re.MULTILINE)
_INTERNAL_FRAME = re.compile(r'^INTERNALERROR>  +File "(?P<path>[^"\n]{1,400})", line (?P<line>\d{1,7})', re.MULTILINE)
_CRASHED = re.compile(r"^(?P<text>worker '[^'\n]{1,80}' crashed while running '(?P<test>[^\n]{1,900})')$", re.MULTILINE)
_STACK = re.compile(r"^~{5,80} Stack of MainThread ", re.MULTILINE)
_FRAME = re.compile(
    r'^ {2}File "(?P<path>[^"\n]{1,400})", line (?P<line>\d{1,7}), in (?P<function>[^\n]{1,200})$', re.MULTILINE
)


def alone(output: str) -> tuple[Finding, ...]:
    """An internal error or a timeout that ended the process: nothing else is worth telling then."""
    found = _internal(output) or _hung(output)
    return (found,) if found else ()


def said(output: str) -> tuple[Finding, ...]:
    """What was said of usage, plug-ins, coverage and time; that no test ran only where it said nothing else."""
    found = spoken(_PHRASES, output)
    return tuple(finding for finding in found if finding.rule != "no-tests") or found


def classify(found: Sequence[Finding]) -> FailureClass | None:
    """The class, when all of the findings are of one such kind."""
    for cls, pattern in _SPECIAL.items():
        if found and all(pattern.match(finding.message) for finding in found):
            return cls
    unnamed = [finding for finding in found if finding.test is None]
    if len(unnamed) < len(found) or any(kind_of(finding.message) for finding in found):
        return None
    special = kind(_PHRASES, found)
    return None if special is FailureClass.UNKNOWN else special


def crashes(output: str) -> dict[str, str]:
    """What is said of tests during which a worker of xdist died, by their ids."""
    if "crashed while running" not in output:
        return {}
    return {match["test"]: f"CrashError: {match['text']}" for match in _CRASHED.finditer(output)}


def _internal(output: str) -> Finding | None:
    if "INTERNALERROR> " not in output:
        return None
    said = [match["text"] for match in _INTERNAL.finditer(output) if kind_of(match["text"])]
    frames = [match for match in _INTERNAL_FRAME.finditer(output) if "-packages/" not in match["path"]]
    message = said[-1] if said else "pytest ended with an internal error"
    path, line = (frames[-1]["path"], int(frames[-1]["line"])) if frames else (None, None)
    return Finding(message[:MESSAGE], path, line, None, kind_of(message) or "internal-error")


def _hung(output: str) -> Finding | None:
    """pytest-timeout's thread method ends the process with the stacks; the main thread's last line is where it hung."""
    stack = _STACK.search(output)
    if stack is None:
        return None
    frames = [match for match in _FRAME.finditer(output, stack.end()) if "-packages/" not in match["path"]]
    if not frames:
        return Finding("Timeout", rule="timeout")
    last = frames[-1]
    return Finding(f"Timeout in {last['function']}"[:MESSAGE], last["path"], int(last["line"]), None, "timeout")
