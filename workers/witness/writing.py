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


def name_of(report: IssueReport) -> str:
    """`issue_12`, or `report` for one without a number."""
    return f"issue_{report.number}" if report.number else "report"


def file_of(
    report: IssueReport, before: Sequence[ast.stmt], claim: Claim, imports: Sequence[str], runner: Runner
) -> str:
    """The test file: `before` sets the scene, its imports go to the top."""
    tops = [node for node in before if isinstance(node, ast.Import | ast.ImportFrom)]
    scene = [ast.unparse(node) for node in before if node not in tops]
    body = "\n".join([_docstring(report), *scene, claim.written(runner)])
    head = sorted({*imports, *map(ast.unparse, tops)}, key=lambda text: (text.startswith("from "), text))
    if runner is Runner.UNITTEST:
        test = f"def test_{name_of(report)}(self):\n{textwrap.indent(body, '    ')}"
        test = f"class ReportedTest(unittest.TestCase):\n{textwrap.indent(test, '    ')}"
        head = ["import unittest", "", *(text for text in head if text != "import unittest")]
    else:
        test = f"def test_{name_of(report)}():\n{textwrap.indent(body, '    ')}"
    return "\n".join([*head, "", "", test, ""])


def wrapped(code: str, imports: Sequence[str]) -> str:
    """Somebody's own test file, with the imports it lacks."""
    return "\n".join([*imports, *([""] if imports else []), code.strip("\n"), ""])


def _docstring(report: IssueReport) -> str:
    title = inert(report.title).replace("\\", "").replace('"', "'").strip(" '")
    head = f"Issue {report.number}: " if report.number else "As reported: "
    return f'"""{cut(head + title, _LONGEST).rstrip(".")}."""'
