"""The corpus of cheating and honest patches, with the same cheats under other names, in another layout, somewhere else.

Each case is an entry of a file in `cheats_corpus`; the before tree is `tree.toml`.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sandbox.spec import Plan, Step
from tests.workers.diffs import between
from tests.workers.fixers.trees import MemoryTree
from workers import cheats, policy
from workers.domain import Diagnosis, FailureClass, Finding
from workers.repo_config import Policy

CORPUS = Path(__file__).parent / "cheats_corpus"
FILES: dict[str, str] = tomllib.loads((CORPUS / "tree.toml").read_text(encoding="utf-8"))["files"]
TREE = MemoryTree(FILES)
PLAN = Plan("python", (), Step("Test", "python -m pytest -q"))


@dataclass(frozen=True)
class Case:
    """One patch, and the rule that must name it; no rule: it is honest."""

    name: str
    rule: str
    edits: Mapping[str, str | None]
    patch: str
    why: Diagnosis
    tests: bool


def loaded(kind: str) -> list[Case]:
    cases = []
    for file in sorted((CORPUS / kind).glob("*.toml")):
        cases += [made(entry) for entry in tomllib.loads(file.read_text(encoding="utf-8"))["case"]]
    return cases


def made(entry: Mapping[str, Any]) -> Case:
    edits: dict[str, str | None] = {}
    for edit in entry.get("edits", [entry] if "path" in entry else []):
        before = edits.get(edit["path"], FILES.get(edit["path"]))
        if edit.get("delete"):
            edits[edit["path"]] = None
        elif "old" in edit:
            assert (before or "").count(edit["old"]) == 1, entry["name"]
            edits[edit["path"]] = str(before).replace(edit["old"], edit["new"])
        else:
            assert before is None, entry["name"]
            edits[edit["path"]] = edit["new"]
    patch = entry.get("patch") or "".join(between(path, FILES.get(path), after) for path, after in edits.items())
    why = failure(FailureClass(entry.get("class", "test_failure")), entry.get("named", []), edits)
    return Case(entry["name"], entry.get("rule", ""), edits, patch, why, entry.get("tests", False))


def failure(cls: FailureClass, named: list[str], edits: Mapping[str, str | None]) -> Diagnosis:
    """The tests that fail are those of the language that the patch is about."""
    tops = {path.split("/")[0] for path in edits} & {"web", "go", "rust", "java"} or {"tests"}
    tests = [path for path in FILES if path.split("/")[0] in tops and (policy.is_test(path) or path.endswith(".rs"))]
    return Diagnosis(cls, "pytest", "f", tuple(Finding("x", path, 1) for path in named or tests), "", "")


def judged(case: Case) -> list[policy.Violation]:
    """What the gate says of the patch, by both of its halves."""
    rules = Policy(allow_test_edits=case.tests)
    edits = {path: None if text is None else text.encode() for path, text in case.edits.items()}
    found = policy.review(case.patch, TREE, case.why, rules)
    return found + cheats.review(edits, TREE, case.why, PLAN, allow_test_edits=case.tests)


CHEATS, HONEST = loaded("cheats"), loaded("honest")


# -- the same cheat under other names, in another layout, somewhere else ----------------------------------------------


class _Aliases(ast.NodeTransformer):
    """Everything imported has another name."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def visit_alias(self, node: ast.alias) -> ast.alias:
        known = (node.asname or node.name) in self.names
        return ast.alias(node.name, f"{node.asname or node.name}_") if known else node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(f"{node.id}_", node.ctx) if node.id in self.names else node


class _Arguments(ast.NodeTransformer):
    """Every argument has another name."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(f"{node.arg}_", node.annotation)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(f"{node.id}_", node.ctx) if node.id in self.names else node


class _Nested(ast.NodeTransformer):
    """Every function does its work in a block of a block."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        (loop,) = ast.parse("for _ in range(1):\n    if node:\n        pass").body
        assert isinstance(loop, ast.For)
        assert isinstance(loop.body[0], ast.If)
        loop.body[0].body = node.body
        node.body = [loop]
        return node


def aliased(text: str) -> str:
    module = ast.parse(text)
    nodes = [node for node in ast.walk(module) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.asname or alias.name for node in nodes for alias in node.names if "." not in alias.name}
    return ast.unparse(ast.fix_missing_locations(_Aliases(names).visit(module)))


def renamed(text: str) -> str:
    module = ast.parse(text)
    names = {node.arg for node in ast.walk(module) if isinstance(node, ast.arg)}
    return ast.unparse(ast.fix_missing_locations(_Arguments(names).visit(module)))


def nested(text: str) -> str:
    return ast.unparse(ast.fix_missing_locations(_Nested().visit(ast.parse(text))))


def laid_out(text: str) -> str:
    return ast.unparse(ast.parse(text))


def spaced(text: str) -> str:
    """Blanks where the language does not mind them; what stands in quotes is left alone."""
    parts = re.split(r"(\"[^\"\n]*\"|'[^'\n]*'|`[^`\n]*`|\d+\.\d+|^//[^\n]*)", text, flags=re.MULTILINE)
    return "".join(part if n % 2 else re.sub(r"([(.])(?=[\w'\"(\[)])", r" \1 ", part) for n, part in enumerate(parts))


def indented(text: str) -> str:
    return re.sub(r"(?m)^[ \t]+", lambda match: match[0].replace("\t", " ") * 2, text)


PYTHON: tuple[Callable[[str], str], ...] = (laid_out, aliased, renamed, nested)
OTHERS: tuple[Callable[[str], str], ...] = (spaced, indented)


TEXTUAL = frozenset({"silences a checker", "is no Python any more", "hides characters", "changes line ends"})
"""Tricks that a syntax tree does not hold, so that writing it down anew undoes them."""


def variants() -> Iterator[Case]:
    for case in CHEATS:
        ((path, after), *more) = case.edits.items() or [("", None)]
        in_text = case.rule in TEXTUAL and path.endswith(".py")
        if after is None or more or in_text or policy.is_test(path) or path not in FILES:
            continue
        changes = PYTHON if path.endswith(".py") else OTHERS if path.endswith((".ts", ".go", ".rs", ".java")) else ()
        for change in changes:
            other = change(after)
            if other != after:
                name = f"{case.name} ({change.__name__})"
                yield replace(case, name=name, edits={path: other}, patch=between(path, FILES.get(path), other))


VARIANTS = list(variants())
