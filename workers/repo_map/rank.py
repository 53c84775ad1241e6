"""Which definitions matter for a failure: PageRank over the files, each leading to the files that define what it uses.

A walk starts at the files that are suspected, and follows a name the more the oftener it is used, the fewer files
define it, and if the failure speaks of it (Page et al., 1999; personalised as by Haveliwala, 2002).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from workers.repo_map.symbols import Symbols

_DAMPING = 0.85
_ROUNDS = 40
_STEADY = 1e-7
_MENTIONED = 10.0
"""How much more a name weighs that the failure speaks of."""
_PRIVATE = 0.1
_STRANGE = 0.01
"""How much of a name's weight is left where the file does not import the other one, as far as can be seen."""
_COMMON = 12
"""A name that so many files define leads nowhere; it also bounds how many edges a use can make."""


_FOLDERS = frozenset({"__init__", "index", "mod", "lib"})
_PACKAGED = (".go", ".java")


@dataclass(frozen=True)
class Link:
    """A file uses a name that another one defines."""

    source: str
    target: str
    name: str
    weight: float


def links(index: Mapping[str, Symbols], mentioned: Collection[str]) -> list[Link]:
    """All of them, in order of the files. A name that a file defines itself is its own, whoever else defines it."""
    homes: dict[str, list[str]] = defaultdict(list)
    for path in sorted(index):
        for name in sorted({one.name for one in index[path].definitions}):
            homes[name].append(path)
    called = {path: _called(path) for path in index}
    found = []
    for path in sorted(index):
        for name, count in index[path].uses.items():
            targets = homes.get(name, [])
            if path in targets or not 0 < len(targets) < _COMMON:
                continue
            weight = math.sqrt(count) / len(targets) * (_PRIVATE if name.startswith("_") else 1.0)
            for target in targets:
                known = called[target] in index[path].imports or _together(path, target)
                factor = (_MENTIONED if name in mentioned else 1.0) if known else _STRANGE
                found.append(Link(path, target, name, weight * factor))
    return found


def knows(path: str, imports: Collection[str], other: str) -> bool:
    """A file may use what another one defines: its imports name it, or it needs none."""
    return _called(other) in imports or _together(path, other)


def _called(path: str) -> str:
    """What an import calls a file: its name, or its folder's where the file stands for the folder or is part of it."""
    file = PurePosixPath(path)
    stem = file.name.split(".", 1)[0]
    return file.parent.name if stem in _FOLDERS or file.suffix == ".go" else stem


def _together(path: str, other: str) -> bool:
    """The files are of one package by standing in one folder, and need no import."""
    return path.endswith(_PACKAGED) and path.rpartition("/")[0] == other.rpartition("/")[0]


def pagerank(paths: Collection[str], edges: Collection[Link], start: Mapping[str, float]) -> dict[str, float]:
    """How likely a walk is at each file; together 1. `start` weighs where walks begin, anywhere when it is empty."""
    order = sorted(paths)
    if not order:
        return {}
    begin = {path: max(0.0, start.get(path, 0.0)) for path in order}
    total = sum(begin.values())
    begin = {path: value / total if total else 1 / len(order) for path, value in begin.items()}
    out: dict[str, float] = defaultdict(float)
    for edge in edges:
        out[edge.source] += edge.weight
    rank = dict(begin)
    for _ in range(_ROUNDS):
        stuck = sum(rank[path] for path in order if path not in out)  # those walks begin again
        after = {path: (1 - _DAMPING + _DAMPING * stuck) * begin[path] for path in order}
        for edge in edges:
            after[edge.target] += _DAMPING * rank[edge.source] * edge.weight / out[edge.source]
        moved = sum(abs(after[path] - rank[path]) for path in order)
        rank = after
        if moved < _STEADY:
            break
    return rank


def weights(edges: Collection[Link], rank: Mapping[str, float]) -> dict[tuple[str, str], float]:
    """By file and name, how much of the walks comes to a definition."""
    out: dict[str, float] = defaultdict(float)
    for edge in edges:
        out[edge.source] += edge.weight
    found: dict[tuple[str, str], float] = defaultdict(float)
    for edge in edges:
        found[edge.target, edge.name] += rank[edge.source] * edge.weight / out[edge.source]
    return dict(found)
