"""Repairs that a tool leaves to somebody: flake8's to autoflake or autopep8, where the repository has them, and those
that ruff makes only when it is told to, for rules where its caution is about rare code. None of them is sure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workers.domain import Finding
from workers.ports import Files
from workers.scripts import Invocation, invocations
from workers.tools.options import files_of

_MANIFESTS = re.compile(
    r"(?:^|/)(?:pyproject\.toml|setup\.cfg|tox\.ini|[^/]*requirements[^/]*\.(?:txt|in)|\.pre-commit-config\.yaml)$"
)
_UNSAFE = re.compile(r"(?:F841|E71[12]|C4\d\d|SIM[123]\d\d|RET50\d|RUF0(?:05|15)|UP\d{3}|PLR5501|PT0\d\d|D[24]\d\d)$")
"""Rules of ruff whose fixes change what the code says, or could drop a comment, but hardly ever what it does."""


@dataclass(frozen=True)
class Companion:
    """A tool that mends some rules of another one. `{rules}` in its options are those that were found; `says` is what
    the output has to say for it to be asked."""

    of: str
    name: str
    rules: re.Pattern[str]
    options: tuple[str, ...]
    says: re.Pattern[str] = re.compile("")


COMPANIONS = (
    Companion("flake8", "autoflake", re.compile(r"F401$"), ("--in-place", "--remove-all-unused-imports")),
    Companion("flake8", "autoflake", re.compile(r"F841$"), ("--in-place", "--remove-unused-variables")),
    Companion("flake8", "autopep8", re.compile(r"(?:E[1237]|W[1-6])\d{1,2}$"), ("--in-place",)),
    Companion(
        "ruff",
        "ruff",
        _UNSAFE,
        ("check", "--fix", "--unsafe-fixes", "--select", "{rules}"),
        re.compile(r"hidden fix|unsafe fix(?:es)? available"),
    ),
    Companion("pycodestyle", "autopep8", re.compile(r"(?:E[1237]|W[1-6])\d{1,2}$"), ("--in-place",)),
)


def commands(tool: str, script: str, findings: Sequence[Finding], files: Files, output: str) -> tuple[str, ...]:
    """What mends the findings of the tool, called as the tool is called; none without a companion in the repository."""
    found: list[str] = []
    for one in COMPANIONS:
        asked = [finding for finding in findings if finding.path and one.rules.match(finding.rule or "")]
        if tool == one.of and asked and one.says.search(output) and (one.name == tool or _has(files, one.name)):
            rules = ",".join(sorted({finding.rule or "" for finding in asked}))
            options = [option.replace("{rules}", rules) for option in one.options]
            calls = (Invocation(call.prefix, one.name, ()) for call in invocations(script, tool))
            found += [call.command(*options, "--", *files_of(asked)) for call in calls]
    return tuple(found)


def _has(files: Files, name: str) -> bool:
    """A manifest or a configuration of the repository names the tool."""
    word = re.compile(rf"\b{name}\b")
    texts = (files.read(path) or b"" for path in files.paths() if _MANIFESTS.search(path))
    return any(word.search(text.decode("utf-8", "replace")) for text in texts)
