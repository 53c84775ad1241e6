"""SECURITY.md claims nothing without a test, and names no test that is not there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TEXT = (HERE.parent / "SECURITY.md").read_text(encoding="utf-8")
ATTACKERS = (
    *("a pull request", "a log", "an issue's text", "a model's answer", "a dependency", "a dashboard session"),
    *("deliveries without the secret", "a comment without rights", "another installation"),
)
_TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def _section(title: str) -> str:
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _rows(section: str) -> list[list[str]]:
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


CLAIMS = _rows(_section("Threat model"))


@cache
def _tests(path: str) -> frozenset[str]:
    """The test functions of a file, read without importing it; of a file that is not there, none."""
    file = HERE / path
    module = ast.parse(file.read_bytes()) if file.is_file() else ast.Module([], [])
    functions = (node for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda one: f"{one[0]}: {one[1][:40]}")
def test_a_claim_is_shown_by_tests_that_exist(claim: list[str]) -> None:
    """Each row has three cells and at least one test, and every test that it names is one."""
    assert len(claim) == 3
    named = _TEST.findall(claim[2])
    assert named
    assert len(named) == claim[2].count("`") // 2
    assert [f"{path}::{name}" for path, name in named if name not in _tests(path)] == []


def test_everybody_is_told_what_they_can_and_what_they_cannot() -> None:
    """The attackers that are asked for are all there, each with what is in reach and what is not."""
    for attacker in ATTACKERS:
        said = [claim for who, claim, _ in CLAIMS if who == attacker]
        assert any("cannot" in claim for claim in said), attacker
        assert any("can " in claim for claim in said) or attacker == "another installation", attacker


def test_the_attacks_on_the_sandbox_name_files_that_exist() -> None:
    """The other table, and every path of a test in the text."""
    attacks = _rows(_section("What a sandboxed process may try, and what stops it"))
    assert len(attacks) > 10
    named = [name for *_, cell in attacks for name in re.findall(r"`([\w/*]+\.py)`", cell)]
    below = (HERE, HERE / "sandbox", HERE / "sandbox" / "attacks")
    assert [name for name in named if not any(list(folder.glob(name)) for folder in below)] == []
    in_text = re.findall(r"`tests/([\w/]+\.py)`", TEXT)
    assert [path for path in in_text if not (HERE / path).is_file()] == []
