"""One short name for a failure that is the same on another day, another machine and in another order of findings.

Made of the tool, the rules, tests, error types, places and messages; numbers, addresses, times, temporary names and the
folders above the repository are masked. Another test or another rule is another failure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from workers import logs
from workers.domain import Finding

_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"(?:[A-Za-z]:\\|\\\\)(?:[^\\\s:\"']{1,100}\\){0,20}([^\\\s:\"']{1,100})"), r"<root>/\1"),
    (re.compile(r"/(?:private/)?(?:tmp|var/folders|var/tmp)(?:/[\w.+@-]{1,200}){1,20}"), "<temporary>"),
    (re.compile(r"(?<![\w/.>])(?:/[\w.+@-]{1,200}){0,30}/([\w.+@-]{1,200})"), r"<root>/\1"),
    (re.compile(r"\b(?:localhost|\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}\b"), "<address>"),
    (re.compile(r"\btmp\w{4,40}\b"), "<temporary>"),
    (re.compile(r"\b\d{1,12}(?:\.\d{1,12})? ?(?:ns|us|µs|ms|s|sec|secs|seconds?|min|minutes?|m)\b"), "<duration>"),
)
_NAMED = re.compile(r"(['\"`\u2018])([A-Za-z_][A-Za-z_.]{0,80})(['\"`\u2019])")
"""A quoted name without digits: which module, which variable. Values of assertions are masked instead."""
_ASSERTIONS = frozenset({"AssertionError", "AssertionFailedError", "ComparisonFailure", "Failed"})


def of(tool: str, findings: Sequence[Finding], at: str = "") -> str:
    """The name, 64 hexadecimal digits. `at` is the place of the repository where it went wrong, `path:function`."""
    parts = [tool, at, *sorted({_part(finding) for finding in findings})]
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()


def masked(message: str, kind: str | None = None) -> str:
    """The message without what differs between two days or two machines; quoted names stay, an assertion's do not."""
    for pattern, mask in _MASKS:
        message = pattern.sub(mask, message)
    if kind not in _ASSERTIONS:
        message = _NAMED.sub(r" \2 ", message)
    return logs.normalise(message)


def bare(test: str) -> str:
    """A test's id without its parameters."""
    return test.split("[")[0]


def _part(finding: Finding) -> str:
    rule = finding.rule or ""
    return "|".join((rule, masked(finding.message, finding.rule), finding.path or "", bare(finding.test or "")))
