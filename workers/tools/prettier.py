"""Reads `prettier --check` and `--list-different`: which files it would write anew, and which it cannot parse."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed
from workers.tools.javascript import CONFIGURATION, calls, missing
from workers.tools.options import files_of, on_files

NAME = "prettier"
RUNS_TESTS = False
_SPEAKS = re.compile(
    r"^\[warn\] Code style issues (?:found )?in |Run Prettier (?:with --write )?to fix|Forgot to run Prettier\?"
    r"|^Error occurred when checking code style in ",
    re.MULTILINE,
)
_WARN = re.compile(r"^\[warn\] (?P<path>[^\n]+\.\w{1,10})$")
_ERROR = re.compile(r"^\[error\] (?P<path>[^\n:]{1,500}): (?P<text>\w{0,60}Error: [^\n]+)$")
_PLACE = re.compile(r" \((?P<line>\d{1,7}):\d{1,7}\)$")
_BROKEN = re.compile(
    r"^\[error\] (?P<text>(?:No files matching|Invalid configuration|Cannot find|Couldn't |No parser |Unknown )[^\n]+)$"
)
_LISTED = re.compile(
    r"^(?!>)[^\s:][^:\n]{0,300}\.(?:[cm]?[jt]sx?|json5?|css|s[ac]ss|less|html?|vue|md|mdx|ya?ml|graphql|hbs|svelte"
    r"|astro)$"
)
_ASIDE = re.compile(
    r"^\s*$|^> |^\$ |^\[error\] |^yarn run |^error Command failed|^info Visit |^npm |^ELIFECYCLE|^\u2009?.?ELIFECYCLE"
    r"|^Process completed"
)
_UNFORMATTED = "unformatted"
_VALUES = frozenset(
    {
        "--config",
        "--ignore-path",
        "--plugin",
        "--plugin-search-dir",
        "--parser",
        "--log-level",
        "--loglevel",
        "--config-precedence",
        "--print-width",
        "--tab-width",
        "--trailing-comma",
        "--quote-props",
        "--arrow-parens",
        "--prose-wrap",
        "--end-of-line",
        "--html-whitespace-sensitivity",
        "--embedded-language-formatting",
        "--object-wrap",
        "--experimental-operator-position",
        "--cache-location",
        "--cache-strategy",
        "--stdin-filepath",
        "--cursor-offset",
        "--range-start",
        "--range-end",
        "--file-info",
        "--find-config-path",
        "--support-info",
    }
)
_DROPPED = frozenset(
    {
        "--check",
        "-c",
        "--list-different",
        "-l",
        "--write",
        "-w",
        "--log-level",
        "--loglevel",
        "--color",
        "--no-color",
        "--cache",
        "--cache-location",
        "--cache-strategy",
        "-u",
        "--ignore-unknown",
        "--no-error-on-unmatched-pattern",
        "--stdin-filepath",
        "--cursor-offset",
        "--range-start",
        "--range-end",
        "--file-info",
        "--find-config-path",
        "--support-info",
    }
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - formatters report no tests
    lines = printed.lines(output)
    found: list[Finding] = []
    for line in lines:
        if match := _ERROR.match(line):
            place = _PLACE.search(match["text"])
            found.append(
                Finding(
                    match["text"][: printed.MESSAGE],
                    match["path"],
                    int(place["line"]) if place else None,
                    None,
                    "unparsable",
                )
            )
        elif match := _BROKEN.match(line):
            found.append(Finding(match["text"][: printed.MESSAGE], None, None, None, CONFIGURATION))
    would = [match["path"] for line in lines if (match := _WARN.match(line))] or _listed(lines)
    found += [Finding("would be reformatted", path, None, None, _UNFORMATTED) for path in would]
    return tuple(dict.fromkeys(found))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if any(finding.rule == "unparsable" for finding in findings):
        return FailureClass.SYNTAX
    if any(finding.rule == _UNFORMATTED for finding in findings):
        return FailureClass.FORMAT
    if not findings:
        return FailureClass.UNKNOWN
    return missing(findings[0].message) or FailureClass.WORKFLOW


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """`prettier --write` on the named files, with the options of the failing command where it can be seen."""
    files = files_of(finding for finding in findings if finding.rule == _UNFORMATTED)
    return on_files(calls(command, NAME), files, _VALUES, _DROPPED, "--write")


def _listed(lines: Sequence[str]) -> list[str]:
    """The bare names that --list-different prints: only where the whole output is nothing else."""
    own = [line for line in lines if not _ASIDE.match(line)]
    return own if own and all(_LISTED.match(line) for line in own) else []
