"""One wrong statement at a time."""

from __future__ import annotations

import ast

import pytest

from workers.bench.mutate import KINDS, mutant
from workers.bench.values import luck
from workers.fixers.source import Source
from workers.slips import THOUSANDS, Slip

pytestmark = pytest.mark.uncounted

CODE = b'''"""Text."""


def other(one, two, three=1):
    """Two."""
    return [one, two, three]


def same(items, limit, flag=True):
    """Three."""
    total = other(items, limit, flag)
    if flag and limit > 10 or not items:
        total = sorted(items.copy().rest.tail, key=len, reverse=False)
        items.append(len(limit))
    return total + items.rest, same(items, total, flag), items.head, total.lower()
'''


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_places_and_stays_python(kind: str) -> None:
    """Each change of it parses, and is no mere change of form."""
    source = Source("a.py", CODE)
    made = [
        CODE[:start] + text.encode() + CODE[end:]
        for node in ast.walk(source.tree)
        for start, end, text in KINDS[kind][1](source, node)
    ]
    assert made
    assert all(ast.dump(ast.parse(one)) != ast.dump(source.tree) for one in made)


def test_mutants_are_drawn_alike_and_change_what_functions_do() -> None:
    """Never a signature or a docstring, and one line only."""
    for seed in range(60):
        made = mutant("a.py", CODE, luck(seed))
        assert made == mutant("a.py", CODE, luck(seed))
        assert made is not None
        before, after = CODE.splitlines(), made.data.splitlines()
        changed = [line for line, pair in enumerate(zip(before, after, strict=True), 1) if pair[0] != pair[1]]
        assert changed == [made.line]
        assert b"def " not in before[made.line - 1]


def test_every_counted_slip_is_drawn() -> None:
    """Each count of the study stands behind one kind of mutant, none behind two."""
    assert sum(weight for weight, _ in KINDS.values()) == sum(THOUSANDS.values()) == 1_442
    assert set(THOUSANDS) == set(Slip)


def test_kinds_come_as_often_as_their_weights() -> None:
    """The commonest one more often than the rarest."""
    drawn = [made.kind for seed in range(300) if (made := mutant("a.py", CODE, luck(seed)))]
    assert drawn.count("identifier") > drawn.count("type") + drawn.count("sign")


@pytest.mark.parametrize("data", [b"", b"def f(:\n", b"\xff", b"A = 1\n", b'def f():\n    """Doc."""\n'])
def test_what_cannot_be_changed_has_no_mutant(data: bytes) -> None:
    """Nothing inside a function, or no Python."""
    assert mutant("a.py", data, luck(1)) is None
