"""Which distribution a failing import asks for, and what says so: a table beside this file, or the repository's lock.

A name that neither knows is never guessed: packages with names that are only likely are laid out as traps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from workers import lockfiles
from workers.domain import Finding
from workers.ports import Files

__all__ = ["Missing", "distribution", "known", "missing", "normal", "wanted"]

_NAME = r"[A-Za-z_][\w.]{0,200}"
_IMPORT = re.compile(
    rf"(?:No module named|Unable to import|[Mm]odule named|Import) ['\"`](?P<name>{_NAME})['\"`]"
)  # Python; pylint; mypy; pyright
_STUBS = re.compile(rf"(?:Library s|S)tubs not installed for ['\"](?P<name>{_NAME})['\"]")
_LOCKED = ("uv.lock", "poetry.lock", "pdm.lock")
_MOST = 5
"""Modules of one failure. A repository that lacks more has another trouble than a forgotten line."""


@dataclass(frozen=True)
class Missing:
    """A module that an import does not find, or (`stubs`) whose types a checker does not find."""

    module: str
    stubs: bool = False


def missing(findings: Iterable[Finding]) -> tuple[Missing, ...]:
    """The modules that the findings name, once each, in order; none when they are too many."""
    found: dict[Missing, None] = {}
    for text in (finding.message for finding in findings):
        if match := _STUBS.search(text):
            found[Missing(match["name"], stubs=True)] = None
        elif match := _IMPORT.search(text):
            found[Missing(match["name"])] = None
    return tuple(found) if len(found) <= _MOST else ()


def distribution(one: Missing, files: Files) -> str | None:
    """What brings it, by the table or by a lock file that names a package as the module is named; None if unknown."""
    table = _table("stubs" if one.stubs else "distributions")
    parts = one.module.split(".")
    dotted = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
    if known := next((table[name] for name in dotted if name in table), None):
        return known
    return None if one.stubs else _locked(files).get(normal(parts[0]))


def wanted(findings: Iterable[Finding], files: Files) -> frozenset[str]:
    """The normal names of all packages that the findings ask for."""
    return frozenset(normal(name) for one in missing(findings) if (name := distribution(one, files)))


def known(name: str, files: Files) -> bool:
    """A distribution that the table or a lock file names: a log, where anybody may print, is no reason to list one."""
    listed = {normal(one) for one in _table("distributions").values()} | _locked(files).keys()
    return normal(name) in listed


def normal(name: str) -> str:
    """A distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@lru_cache(maxsize=2)
def _table(name: str) -> dict[str, str]:
    rows = (Path(__file__).parent / f"{name}.txt").read_text("utf-8").splitlines()
    return {words[0]: words[-1] for words in map(str.split, _said(rows))}


def _said(rows: Iterable[str]) -> list[str]:
    return [row for row in rows if row.strip() and not row.startswith("#")]


def _locked(files: Files) -> dict[str, str]:
    paths = [path for path in files.paths() if PurePosixPath(path).name in _LOCKED]
    texts = ((path, (files.read(path) or b"").decode("utf-8", "replace")) for path in paths)
    return {normal(name): name for path, text in texts for name in lockfiles.versions(path, text)}
