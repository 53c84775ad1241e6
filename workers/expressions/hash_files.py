"""`hashFiles()`: SHA-256 over the SHA-256 digests of the files that glob patterns name, in the order GitHub walks them.

Source: the glob package of GitHub's action toolkit, whose order is by path, folder by folder, per pattern's own start.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from workers.expressions.values import Unresolved

_MAX_FILES = 2_000
_MAX_BYTES = 64 << 20
_MAX_PATTERNS, _MAX_LINE = 100, 1_000
_MAGIC = re.compile(r"[*?\[]")


class Files(Protocol):
    """The files that can be hashed; `workers.ports.SourceTree` is one."""

    def paths(self) -> Sequence[str]: ...

    def read(self, path: str) -> bytes | None: ...


@dataclass(frozen=True)
class Pattern:
    """One line of the patterns: the parts between slashes, and whether it takes away instead of adding."""

    parts: tuple[str, ...]
    excludes: bool = False

    @property
    def start(self) -> tuple[str, ...]:
        """The folders before the first wildcard: where GitHub begins to look."""
        at = next((at for at, part in enumerate(self.parts) if _MAGIC.search(part)), len(self.parts))
        return self.parts[:at]

    def matches(self, path: Sequence[str]) -> bool:
        """The path, or a folder that it lies in, fits."""
        states = _closed({0}, self.parts)
        for part in path:
            if len(self.parts) in states:
                return True
            states = _closed(set(_steps(states, self.parts, part)), self.parts)
        return len(self.parts) in states


def hash_files(patterns: Iterable[str], files: Files) -> str:
    """The hash, empty when no file matches. Raises `Unresolved` where it would take too long."""
    wanted = _read(patterns)
    found = _matching(wanted, files.paths())
    if len(found) > _MAX_FILES:
        raise Unresolved(f"hashFiles() of {len(found)} files")
    total, left = hashlib.sha256(), _MAX_BYTES
    for path in found:
        content = files.read(path) or b""
        left -= len(content)
        if left < 0:
            raise Unresolved(f"hashFiles() of more than {_MAX_BYTES >> 20} MiB")
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest() if found else ""


def _read(patterns: Iterable[str]) -> list[Pattern]:
    lines = [line.strip() for text in patterns for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("#", "--"))]
    if len(lines) > _MAX_PATTERNS or max(map(len, lines), default=0) > _MAX_LINE:
        raise Unresolved("hashFiles() of so many patterns")
    return [_pattern(line) for line in lines]


def _pattern(line: str) -> Pattern:
    bare = line.lstrip("!")
    parts = tuple(part for part in bare.strip().split("/") if part not in ("", "."))
    return Pattern(parts, (len(line) - len(bare)) % 2 == 1)


def _matching(patterns: Sequence[Pattern], paths: Iterable[str]) -> list[str]:
    split = sorted(tuple(path.split("/")) for path in paths)
    chosen = [path for path in split if _chosen(path, patterns)]
    starts = [pattern.start for pattern in patterns if not pattern.excludes]
    found: dict[str, None] = {}
    for start in starts:
        found.update(("/".join(path), None) for path in chosen if path[: len(start)] == start)
    return list(found)


def _chosen(path: Sequence[str], patterns: Sequence[Pattern]) -> bool:
    chosen = False
    for pattern in patterns:
        if chosen == pattern.excludes and pattern.matches(path):
            chosen = not pattern.excludes
    return chosen


def _closed(states: set[int], parts: Sequence[str]) -> set[int]:
    """The states with those after a `**`, which may stand for no folder at all."""
    for state in sorted(states):
        at = state
        while at < len(parts) and parts[at] == "**":
            at += 1
            states.add(at)
    return states


def _steps(states: Iterable[int], parts: Sequence[str], name: str) -> Iterable[int]:
    for state in states:
        if state < len(parts):
            if parts[state] == "**":
                yield state
            elif _fits(name, parts[state]):
                yield state + 1


def _fits(name: str, glob: str) -> bool:
    """One name against one part of a pattern, without the backtracking of a regular expression."""
    tokens = _glob_tokens(glob)
    at, token, star, resume = 0, 0, -1, 0
    while at < len(name):
        if token < len(tokens) and tokens[token] == "*":
            star, resume, token = token, at, token + 1
        elif token < len(tokens) and _one(name[at], tokens[token]):
            at, token = at + 1, token + 1
        elif star >= 0:
            resume += 1
            at, token = resume, star + 1
        else:
            return False
    return all(rest == "*" for rest in tokens[token:])


@lru_cache(maxsize=256)
def _glob_tokens(glob: str) -> list[str]:
    return re.findall(r"\*|\?|\[!?\^?\]?[^\]]*\]|.", glob, re.DOTALL)


def _one(char: str, token: str) -> bool:
    if token == "?":  # noqa: S105 - a wildcard
        return True
    if len(token) == 1:
        return char == token
    inside = token[1:-1]
    refuses = inside[:1] in ("!", "^")
    inside = inside[1:] if refuses else inside
    hit, at = False, 0
    while at < len(inside):
        upto = inside[at + 2] if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside) else inside[at]
        hit = hit or inside[at] <= char <= upto
        at += 3 if upto is not inside[at] else 1
    return hit != refuses
