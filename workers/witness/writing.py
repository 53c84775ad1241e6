"""The text of a test file that is made of statements: imports, one test that says which report it is of, one claim."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from workers.domain import IssueReport
from workers.messages.markup import cut, inert
from workers.witness.runner import Runner

_LONGEST = 70


@dataclass(frozen=True)
class Claim:
    """What the test claims: that a statement ends without an exception, or that an expression has a value."""

    of: ast.stmt | ast.expr
    expected: ast.expr | None = None

    @property
    def statements(self) -> tuple[ast.stmt, ...]:
        """The claim as statements, for those who look at names."""
        return (self.of if isinstance(self.of, ast.stmt) else ast.Expr(self.of),)

    def written(self, runner: Runner) -> str:
        """The claim in the runner's words."""
        said = ast.unparse(self.of)
        if self.expected is None:
            return said
        expected = ast.unparse(self.expected)
        if runner is Runner.UNITTEST:
            return f"self.assertEqual({said}, {expected})"
        return f"assert {said} {'is' if expected in ('True', 'False', 'None') else '=='} {expected}"


@dataclass(frozen=True)
class Scene:
    """One test: the statements that come before, and what it claims."""

    before: tuple[ast.stmt, ...]
    claim: Claim

    @property
    def statements(self) -> tuple[ast.stmt, ...]:
        """All of it as statements."""
        return (*self.before, *self.claim.statements)


def name_of(report: IssueReport) -> str:
    """`issue_12`, or `report` for one without a number."""
    return f"issue_{report.number}" if report.number else "report"


def file_of(report: IssueReport, scenes: Sequence[Scene], imports: Sequence[str], runner: Runner) -> str:
    """The test file: one test for each scene; what they import goes to the top."""
    tops = [node for scene in scenes for node in scene.before if isinstance(node, ast.Import | ast.ImportFrom)]
    head = _together([*(node for text in imports for node in ast.parse(text).body), *tops])
    name = name_of(report)
    names = [name] if len(scenes) == 1 else [f"{name}_{number}" for number in range(1, len(scenes) + 1)]
    bodies = [textwrap.indent(_body(report, scene, runner), "    ") for scene in scenes]
    if runner is Runner.UNITTEST:
        tests = [f"def test_{one}(self):\n{body}" for one, body in zip(names, bodies, strict=True)]
        held = textwrap.indent("\n\n".join(tests), "    ")
        head = ["import unittest", "", *(text for text in head if text != "import unittest")]
        return "\n".join([*head, "", "", f"class ReportedTest(unittest.TestCase):\n{held}", ""])
    tests = [f"def test_{one}():\n{body}" for one, body in zip(names, bodies, strict=True)]
    return "\n".join([*head, "", "", "\n\n\n".join(tests), ""])


def _together(imports: Sequence[ast.stmt]) -> list[str]:
    """The import statements without repeats: one line for each module that names are taken from."""
    whole = sorted({ast.unparse(node) for node in imports if not isinstance(node, ast.ImportFrom)})
    taken: dict[str, set[str]] = {}
    for node in imports:
        if isinstance(node, ast.ImportFrom):
            taken.setdefault(node.module or "", set()).update(map(ast.unparse, node.names))
    return [*whole, *(f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(taken.items()))]


def _body(report: IssueReport, scene: Scene, runner: Runner) -> str:
    setting = [ast.unparse(node) for node in scene.before if not isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join([_docstring(report), *setting, scene.claim.written(runner)])


def wrapped(code: str, imports: Sequence[str]) -> str:
    """Somebody's own test file, with the imports it lacks."""
    return "\n".join([*imports, *([""] if imports else []), code.strip("\n"), ""])


def _docstring(report: IssueReport) -> str:
    title = inert(report.title).replace("\\", "").replace('"', "'").strip(" '")
    head = f"Issue {report.number}: " if report.number else "As reported: "
    return f'"""{cut(head + title, _LONGEST).rstrip(".")}."""'
