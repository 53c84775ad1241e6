"""Texts made to keep a reader busy: lines that almost match, many of them, and lines without an end."""

from __future__ import annotations

NEAR = (
    "a/b.py:1:1: ", "FAILED tests/a.py::t", "____ t ____", "##[error]", "#1 0.1 ", "  --> a", "- hook id: x",
    "make: *** [", "In a line 1:", "ERROR: Cannot install a because ", "CMake Error at a:", "error: ", " ==> ",
    "SC2086 ", "E   assert ", "INTERNALERROR> ", '  File "a", line 1', "> [", "\u00d7 Failed to build ", "ld: a:(",
    "x: exit 1 (", "Because ", "worker 'gw0' crashed while running '", "[[[[", "((((", "....", "====", "    ", "\\\\",
    "''\"\"",
)  # fmt: skip
"""How lines begin that tools look for."""


def near_misses(size: int) -> str:
    """About so many characters of short lines, each a beginning again and again."""
    lines = [near * (60 // len(near) + 1) for near in NEAR]
    return "\n".join(lines * (size // sum(map(len, lines)) + 1))[:size]


def endless(size: int) -> str:
    """About so many characters in one line for each beginning."""
    return "\n".join(near * (size // len(NEAR) // len(near)) for near in NEAR)


def long_lines(size: int, length: int = 3_900) -> str:
    """About so many characters in lines that are just not cut, each a beginning again and again."""
    lines = [(near * (length // len(near) + 1))[:length] for near in NEAR]
    return "\n".join(lines * (size // (length * len(lines)) + 1))[:size]
