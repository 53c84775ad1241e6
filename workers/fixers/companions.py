"""Tools that mend what another one only finds: autoflake and autopep8 for flake8, where the repository has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workers.domain import Finding
from workers.ports import Files
from workers.scripts import Invocation, invocations

_MANIFESTS = re.compile(
    r"(?:^|/)(?:pyproject\.toml|setup\.cfg|tox\.ini|[^/]*requirements[^/]*\.(?:txt|in)|\.pre-commit-config\.yaml)$"
)


@dataclass(frozen=True)
class Companion:
    """A tool that mends some rules of another one."""

    of: str
    name: str
    rules: re.Pattern[str]
    options: tuple[str, ...]


COMPANIONS = (
    Companion("flake8", "autoflake", re.compile(r"F401$"), ("--in-place", "--remove-all-unused-imports")),
    Companion("flake8", "autoflake", re.compile(r"F841$"), ("--in-place", "--remove-unused-variables")),
    Companion("flake8", "autopep8", re.compile(r"(?:E[1237]|W[1-6])\d{1,2}$"), ("--in-place",)),
    Companion("pycodestyle", "autopep8", re.compile(r"(?:E[1237]|W[1-6])\d{1,2}$"), ("--in-place",)),
)


def commands(tool: str, script: str, findings: Sequence[Finding], files: Files) -> tuple[str, ...]:
    """What mends the findings of the tool, called as the tool is called; none without a companion in the repository."""
    found: list[str] = []
    for one in COMPANIONS:
        named = [finding.path for finding in findings if finding.path and one.rules.match(finding.rule or "")]
        if tool == one.of and named and _has(files, one.name):
            calls = (Invocation(call.prefix, one.name, ()) for call in invocations(script, tool))
            found += [call.command(*one.options, "--", *dict.fromkeys(named)) for call in calls]
    return tuple(found)


def _has(files: Files, name: str) -> bool:
    """A manifest or a configuration of the repository names the tool."""
    word = re.compile(rf"\b{name}\b")
    texts = (files.read(path) or b"" for path in files.paths() if _MANIFESTS.search(path))
    return any(word.search(text.decode("utf-8", "replace")) for text in texts)
