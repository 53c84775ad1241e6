"""Which candidates can be let into living functions, and that everything is as it was after them."""

# ruff: noqa: S102 - the modules under test are made here
from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from workers.spectrum.sandboxed.swapping import Swapper

TEXT = """LIMIT = 3


def plain(x, by=1):
    return x + by


def outer(x):
    def inner(y):
        return y + x
    return inner


class Thing:
    size = 2

    def grow(self, by):
        return self.size + by


two = lambda x: x + 2
"""


class Alive:
    """The text as an imported module, and candidates as before and after."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "alive.py")
        Path(self.path).write_text(TEXT)
        self.module = ModuleType("alive")
        exec(compile(TEXT, self.path, "exec"), vars(self.module))
        self.swapper = Swapper()

    def let_in(self, before: str, after: str) -> bool:
        at = TEXT.index(before)
        edits: dict[str, list[list[Any]]] = {self.path: [[at, at + len(before), after]]}
        self.swapper.may(edits)
        self.swapper.find()
        return self.swapper.apply(edits)


@pytest.fixture
def alive(tmp_path: Path) -> Alive:
    return Alive(tmp_path)


def test_a_function_changes_where_it_lives_and_back(alive: Alive) -> None:
    """Whoever holds the function sees the candidate, until it is taken out again."""
    held = alive.module.plain
    assert alive.let_in("x + by", "x - by")
    assert held(3) == 2
    alive.swapper.restore()
    assert held(3) == 4


@pytest.mark.parametrize(
    ("before", "after", "call", "answer"),
    [
        ("self.size + by", "self.size * by", lambda m: m.Thing().grow(5), 10),
        ("y + x", "y - x", lambda m: m.outer(1)(5), 4),
        ("return x + by", "if not x:\n        return 0\n    return x + by", lambda m: m.plain(0), 0),
    ],
)
def test_methods_inner_functions_and_new_lines(alive: Alive, before: str, after: str, call: Any, answer: int) -> None:
    """All of them are code inside of functions."""
    assert alive.let_in(before, after)
    assert call(alive.module) == answer


@pytest.mark.parametrize(
    ("before", "after"),
    [("LIMIT = 3", "LIMIT = 4"), ("by=1", "by=2"), ("size = 2", "size = 3"), ("return inner", "pass\n\nX = 1")],
)
def test_what_is_executed_at_import_needs_a_fresh_one(alive: Alive, before: str, after: str) -> None:
    """Constants, defaults, class attributes: nothing that lives would show them."""
    assert not alive.let_in(before, after)
    assert alive.module.plain(1) == 2


def test_a_function_that_closes_over_something_else_needs_a_fresh_one(alive: Alive) -> None:
    """A living inner function cannot get another variable of the outer one."""
    kept = alive.module.outer(1)
    assert not alive.let_in("return y + x", "return y")
    assert kept(5) == 6


def test_what_is_no_python_is_told(alive: Alive) -> None:
    """The caller drops it."""
    with pytest.raises(SyntaxError):
        alive.let_in("x + by", "x +")
