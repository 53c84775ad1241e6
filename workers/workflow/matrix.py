"""A job's matrix spread into its combinations, as GitHub documents it, as far as the matrix is known here."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workers.expressions import Contexts, Files, Unresolved, as_text, resolve

MAX_CELLS = 256
Cell = Mapping[str, object]


@dataclass(frozen=True)
class Spread:
    """The combinations, one empty one for a job without a matrix. None of them where the matrix is computed at run
    time: then `unknown` names what it is computed from, and `axes` are the names of its lists, as far as the file says.
    """

    cells: tuple[Cell, ...] = ({},)
    unknown: str = ""
    axes: tuple[str, ...] = ()


def spread(matrix: object, contexts: Contexts, files: Files | None = None) -> Spread:
    """The combinations in GitHub's order: the product of the lists, less `exclude`, then each `include`."""
    if matrix is None:
        return Spread()
    try:
        known = resolve(matrix, contexts, files)
    except Unresolved as unknown:
        return Spread((), str(unknown), _axes(matrix))
    cells = _cells(known)
    return Spread(cells) if cells else Spread((), "a matrix without combinations", _axes(known))


def leaves(value: object) -> Iterator[object]:
    """The single values of a combination, in order: what GitHub puts in brackets behind the job's name."""
    if isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from leaves(item)
    else:
        yield value


def _axes(matrix: object) -> tuple[str, ...]:
    return tuple(key for key in matrix if key not in ("include", "exclude")) if isinstance(matrix, dict) else ()


def _cells(matrix: object) -> tuple[Cell, ...]:
    if not isinstance(matrix, dict):
        return ()
    axes = {key: matrix[key] for key in _axes(matrix)}
    includes, excludes = matrix.get("include") or [], matrix.get("exclude") or []
    if not all(isinstance(value, list) for value in (*axes.values(), includes, excludes)):
        return ()
    product: list[dict[str, object]] = []
    for values in itertools.islice(itertools.product(*axes.values()), MAX_CELLS * 4):
        cell = dict(zip(axes, values, strict=True))
        if cell and not any(isinstance(rule, dict) and _matches(cell, rule) for rule in excludes[:MAX_CELLS]):
            product.append(cell)
    return tuple(_include(product, includes[:MAX_CELLS], frozenset(axes))[:MAX_CELLS])


def _include(
    product: list[dict[str, object]], includes: Sequence[object], axes: frozenset[str]
) -> list[dict[str, object]]:
    """Each entry joins the combinations whose original values it leaves as they are, or else stands alone."""
    originals = [dict(cell) for cell in product]
    alone: list[dict[str, object]] = []
    for entry in includes:
        if not isinstance(entry, dict):
            continue
        fixed = {key: value for key, value in entry.items() if key in axes}
        hits = [cell for cell, original in zip(product, originals, strict=True) if _matches(original, fixed)]
        for cell in hits:
            cell.update(entry)
        if not hits:
            alone.append(dict(entry))
    return product + alone


def _matches(value: object, rule: object) -> bool:
    """An object fits when it has all of the rule's names with fitting values; anything else must be the same."""
    if isinstance(rule, dict):
        return isinstance(value, dict) and all(key in value and _matches(value[key], one) for key, one in rule.items())
    if isinstance(rule, list):
        return value == rule
    return not isinstance(value, dict | list) and as_text(value) == as_text(rule)
