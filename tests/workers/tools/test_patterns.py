"""Output is written by untrusted code: no tool may be kept busy by it. What a pattern can cost is read off the pattern.

A repeat without an end may stand once on any way through a pattern and never inside another repeat, and lines are cut
before a pattern sees them, so no text costs more than a constant for each of its characters.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.tools.texts import endless, long_lines, near_misses
from workers import tools
from workers.tools import TOOLS, Tool
from workers.tools.phrases import Phrase
from workers.tools.reading import LINE, readable

_constants: Any = importlib.import_module("re._constants")
_parser: Any = importlib.import_module("re._parser")

_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_LONG = 2_000
"""From here on the end of a repeat is none."""


def _patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in pkgutil.iter_modules(tools.__path__):
        for name, value in vars(importlib.import_module(f"workers.tools.{module.name}")).items():
            yield from ((f"{module.name}.{name}", one) for one in _inside(value))


def _inside(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, Phrase):
        yield value.pattern
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from _inside(one)
    elif isinstance(value, dict):
        yield from _inside([*value.keys(), *value.values()])


def _endless(parsed: Any) -> int:
    """The most repeats without an end on any way through the pattern; an assertion fails where one is in another."""
    count = 0
    for operation, argument in parsed:
        if operation in _REPEATS:
            _, most, body = argument
            inner = _endless(body)
            assert inner == 0 or most == 1, "a repeat without an end inside another repeat"
            count += (most >= _LONG) + inner
        elif operation is _constants.BRANCH:
            count += max(_endless(branch) for branch in argument[1])
        elif operation in (_constants.SUBPATTERN, _constants.ATOMIC_GROUP):
            count += _endless(argument[-1] if operation is _constants.SUBPATTERN else argument)
        elif operation in (_constants.ASSERT, _constants.ASSERT_NOT):
            count += _endless(argument[1])
    return count


PATTERNS = sorted(set(_patterns()), key=lambda pair: (pair[0], pair[1].pattern))


@pytest.mark.parametrize(("name", "pattern"), PATTERNS, ids=[name for name, _ in PATTERNS])
def test_a_pattern_costs_a_constant_for_each_character(name: str, pattern: re.Pattern[str]) -> None:
    """One repeat without an end at most, and in no other."""
    assert _endless(_parser.parse(pattern.pattern, pattern.flags)) <= 1, pattern.pattern


def test_the_check_sees_what_it_is_for() -> None:
    """Two endless repeats that can share a text, and one in another, are what makes a pattern slow."""
    assert _endless(_parser.parse(r"^(.+): (.+) \[x\]$")) == 2
    with pytest.raises(AssertionError):
        _endless(_parser.parse(r"^(\w+\.)*x"))


@given(st.text(alphabet="ab \r\n#[]0.9:", max_size=300))
def test_lines_are_cut_and_keep_their_count(text: str) -> None:
    """No line is lost but empty ones beyond two in a row; whatever stood before a tool's own words is gone."""
    read = readable(text)
    assert "\n\n\n\n" not in read
    assert read.count("\n") == text.count("\n") or ("\n\n\n" in read and read.count("\n") < text.count("\n"))
    assert all(len(line) <= LINE and not line.endswith("\r") for line in read.split("\n"))


def test_what_others_put_before_a_line_is_taken_off() -> None:
    """The runner's marks and BuildKit's numbers; the builder's own errors keep theirs."""
    text = "##[error]a.py:1:1: F401 x\r\n#12 0.512 E   assert 1\n#12 ERROR: process\n"
    assert (
        readable(f"{text}##[error]Process completed with exit code 1.")
        == "a.py:1:1: F401 x\nE   assert 1\n#12 ERROR: process\n"
    )
    assert len(readable("x" * 100_000)) == LINE


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.NAME)
def test_a_long_hostile_text_is_read_to_its_end(tool: Tool) -> None:
    """Near misses without number and lines without end give an answer; the suite's time limit is the judge."""
    output = f"{near_misses(150_000)}\n{long_lines(150_000)}\n{endless(100_000)}"
    assert len(output) > 390_000
    tool.recognises("x", output)
    found = tool.findings(output, ())
    tool.classify(output, found)
    assert all(len(finding.message) <= 700 for finding in found)
