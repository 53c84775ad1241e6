"""A map of a repository for a reader who has no time: what its files define, as far as it matters for a failure.

outline     the most telling definitions as an indented list, within a budget of characters
callers     where names are used, as the definitions that use them
linked      the files that define what others use
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workers.grammars import LIMIT, grammar
from workers.ports import Files
from workers.repo_map.rank import knows, links, pagerank, weights
from workers.repo_map.symbols import Definition, Symbols, symbols
from workers.suspects import is_test

__all__ = ["Definition", "Place", "Symbols", "callers", "linked", "outline", "symbols"]

MOST_FILES, MOST_BYTES = 1_500, 4_000_000
"""What is read of a repository, nearest to the suspects first: about two seconds of one core."""
_LEAST = 0.2
"""The part of the strongest link's weight that another one must have to be told beside it."""
_BROKEN = 20
"""How many times a file counts that its grammar stumbles over, for that is slow."""
_LINE = 1_000
"""Characters of a line that are looked at: a longer one may hold any number of definitions."""
_ELSEWHERE = frozenset({"node_modules", "vendor", "third_party", "dist", "build", "target", "site-packages", ".venv"})
"""Folders of what others wrote or a tool made."""


@dataclass(frozen=True)
class Place:
    """A definition in a file."""

    path: str
    definition: Definition


def outline(
    files: Files,
    paths: Sequence[str],
    seeds: Sequence[str],
    words: Collection[str],
    limit: int,
    known: Collection[str] = (),
) -> tuple[str, ...]:
    """Lines of at most `limit` characters together: a file, then what it defines, with line numbers; best files first.

    `paths` are the files that may be shown. `seeds` are those that are suspected, likeliest first, and `words` the
    names that the failure speaks of. Tests, and files whose text is `known`, lead to others and are not shown. The
    same repository gives the same lines.
    """
    index = _index(files, paths, seeds)
    edges = links(index, words)
    rank = pagerank(index, edges, {path: 1 / place for place, path in enumerate(dict.fromkeys(seeds), 1)})
    worth = weights(edges, rank)
    shown = [path for path in index if path not in known and not is_test(path)]
    places = [Place(path, one) for path in shown for one in index[path].definitions]
    told = [place for place in places if worth.get((place.path, place.definition.name))]
    told.sort(key=lambda one: (-round(worth[one.path, one.definition.name], 9), one.path, one.definition.start))
    rest = [place for place in places if place.definition.depth == 0]
    rest.sort(key=lambda one: (-round(rank[one.path], 9), one.path, one.definition.start))
    chosen = _within([*told, *rest], index, limit)
    order = sorted(chosen, key=lambda path: (-round(rank[path], 9), path))
    return tuple(line for path in order for line in (path, *map(_line, sorted(chosen[path], key=_place))))


def callers(
    files: Files, paths: Sequence[str], seeds: Sequence[str], names: Collection[str], most: int
) -> tuple[Place, ...]:
    """At most `most` definitions outside of tests and of the seeds, where the names are from, that use one of the
    names: innermost ones, those that use most of them first."""
    index = _index(files, paths, seeds)
    found: list[tuple[int, Place]] = []
    for path in sorted(index):
        used = sorted(set(names) & index[path].uses.keys())
        near = any(knows(path, index[path].imports, seed) for seed in seeds if not is_test(seed))
        if path in seeds or is_test(path) or not used or not near:
            continue
        words = re.compile(rf"\b(?:{'|'.join(map(re.escape, used))})\b")
        lines = [line[:_LINE] for line in (files.read(path) or b"").decode("utf-8", "replace").split("\n")]
        for one in _innermost(index[path].definitions):
            text = "\n".join(lines[one.start - 1 : one.end])
            count = len(set(words.findall(text)))
            found += [(count, Place(path, one))] if count else []
    found.sort(key=lambda one: (-one[0], one[1].path, one[1].definition.start))
    return tuple(place for _, place in found[:most])


def linked(files: Files, paths: Sequence[str], seeds: Sequence[str], most: int) -> tuple[str, ...]:
    """At most `most` files, no tests, that define what the seeds use: those that they use most of first."""
    weight: dict[str, float] = defaultdict(float)
    for link in links(_index(files, paths, seeds), ()):
        if link.source in seeds and link.target not in seeds and not is_test(link.target):
            weight[link.target] += link.weight
    order = sorted(weight, key=lambda path: (-round(weight[path], 9), path))
    return tuple(path for path in order[:most] if weight[path] >= _LEAST * weight[order[0]])


def _index(files: Files, paths: Sequence[str], seeds: Sequence[str]) -> dict[str, Symbols]:
    """The symbols of the files that have a grammar, within the bounds."""
    near = {path.split("/", 1)[0] for path in seeds}
    wanted = [path for path in paths if grammar(path) and not _ELSEWHERE & set(path.split("/")[:-1])]
    wanted.sort(key=lambda path: (path not in seeds, is_test(path), path.split("/", 1)[0] not in near, path))
    found: dict[str, Symbols] = {}
    room = MOST_BYTES
    for path in wanted[:MOST_FILES]:
        data = files.read(path) or b""
        if 0 < len(data) <= min(LIMIT, room):
            found[path] = symbols(path, data)
            room -= len(data) * (_BROKEN if found[path].broken else 1)
    return found


def _innermost(definitions: Sequence[Definition]) -> Iterator[Definition]:
    """Those that hold no other one. They are in order of their starts, the outer one first."""
    for at, one in enumerate(definitions):
        after = definitions[at + 1] if at + 1 < len(definitions) else None
        if after is None or after.start > one.end or after.depth <= one.depth:
            yield one


def _within(places: Sequence[Place], index: Mapping[str, Symbols], limit: int) -> dict[str, set[Definition]]:
    """The first places that fit, each with what it stands in."""
    chosen: dict[str, set[Definition]] = {}
    for place in places:
        path, have = place.path, chosen.get(place.path, set())
        if place.definition in have:
            continue
        new = {one for one in _around(index[path].definitions, place.definition) if one not in have}
        cost = sum(len(_line(one)) + 1 for one in new) + (0 if have else len(path) + 1)
        if cost > limit:
            break
        limit -= cost
        chosen[path] = have | new
    return chosen


def _around(definitions: Sequence[Definition], inner: Definition) -> list[Definition]:
    """A definition and those that it stands in, of each depth the nearest before it."""
    found, depth = [inner], inner.depth
    for one in reversed(definitions[: definitions.index(inner)]):
        if one.depth < depth and one.end >= inner.end:
            found.append(one)
            depth = one.depth
        if not depth:
            break
    return found


def _line(one: Definition) -> str:
    return f"{one.start:5d} {'  ' * min(one.depth, 8)}{one.head}"


def _place(one: Definition) -> tuple[int, int]:
    return one.start, one.depth
