"""Answers written down for a test's inputs: a value of the failing tests returned where one of theirs is asked for."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from workers.cheats.syntax import constant, parsed
from workers.domain import Diagnosis
from workers.policy import Violation, is_test
from workers.ports import SourceTree

_COMMON = frozenset(map(repr, (None, True, False, ..., 0, 1, -1, 2, 0.0, 1.0, "", b"", (), [], {}, 10, 100)))
_LITERAL = r"""(?:"([^"\n]{1,200})"|'([^'\n]{1,200})'|`([^`\n]{1,200})`|(?<![\w.])(-?\d{1,20}(?:\.\d{1,20})?)(?!\w))"""
_ANY = re.compile(_LITERAL)
_QUESTION = re.compile(rf"(?:===?|\bcase|\bequals\s*\(|\bis)\s*{_LITERAL}|{_LITERAL}\s*(?:===?|=>|->|\.equals\b)")
_ANSWER = re.compile(rf"(?:\breturn|=>|->|\?|(?<![=!<>])=(?!=)|\{{)\s*{_LITERAL}")
_PLAIN = frozenset({"0", "1", "-1", "2", "10", "100", "0.0", "1.0"})
_TABLE = 2
"""Rows that make a dictionary a table of the program; fewer may have been made for the answer."""
_REACH = 3
"""Lines in which the answer stands, from the question's on."""


def of_texts(tree: SourceTree, diagnosis: Diagnosis) -> frozenset[str]:
    """As `of_tests`, for test files that are no Python."""
    found: set[str] = set()
    for path in _named(diagnosis):
        if not path.endswith((".py", ".pyi")) and (is_test(path) or path.endswith(".rs")):
            text = (tree.read(path) or b"").decode("utf-8", "replace")
            text = text.partition("#[cfg(test)]")[2] if path.endswith(".rs") and not is_test(path) else text
            found |= _values(_ANY, text)
    return frozenset(found) - _PLAIN


def of_lines(path: str, before: str, after: str, literals: frozenset[str]) -> Iterator[Violation]:
    """New lines that ask for a value of the failing tests, with another one of theirs as the answer."""
    spoken = {value for value in _values(_ANY, before) if value.isidentifier()}  # words of the program's own
    literals -= spoken
    known = Counter("".join(line.split()) for line in before.split("\n"))
    lines = after.split("\n")
    for number, line in enumerate(lines):
        key = "".join(line.split())
        if known[key]:
            known[key] -= 1
            continue
        asked = _values(_QUESTION, line[:1000]) & literals
        answers = _values(_ANSWER, "\n".join(one[:1000] for one in lines[number : number + _REACH])) & literals
        if asked and answers - asked:
            yield Violation("has literals copied from tests", path, number + 1, line.strip()[:200])


def _values(pattern: re.Pattern[str], text: str) -> set[str]:
    return {group for match in pattern.finditer(text) for group in match.groups() if group is not None}


def _named(diagnosis: Diagnosis) -> list[str]:
    """The files that the findings and the suspects name."""
    named = {f.path for f in diagnosis.findings if f.path} | {
        f.test.split("::")[0] for f in diagnosis.findings if f.test
    }
    return sorted({*named, *(suspect.path for suspect in diagnosis.suspects)})


def of_tests(tree: SourceTree, diagnosis: Diagnosis) -> frozenset[str]:
    """The literals of the test files that fail, but for those that stand in any program."""
    found: set[str] = set()
    for path in _named(diagnosis):
        module = parsed(tree.read(path) or b"") if path.endswith(".py") and is_test(path) else None
        if module is not None:
            found |= {_shown(node) for node in ast.walk(module) if isinstance(node, ast.expr)}
    return frozenset(found) - _COMMON


def review(path: str, before: ast.Module, after: ast.Module, literals: frozenset[str]) -> Iterator[Violation]:
    """New pairs of question and answer that both stand in the failing tests, and functions that only answer."""
    had = Counter(key for key, _ in _answers(before, literals))
    grown = set(_grown(before, after))
    for key, line in _answers(after, literals):
        if key in grown:
            continue
        if had[key]:
            had[key] -= 1
        else:
            yield Violation("has literals copied from tests", path, line, key[:200])
    had = Counter(_fixed(before, literals, only_new=False))
    for name in _fixed(after, literals, only_new=True):
        if not had[name]:
            yield Violation("has literals copied from tests", path, 0, f"{name} always returns one value of the tests")


def _answers(module: ast.Module, literals: frozenset[str]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module):
        if isinstance(node, ast.If) and _asks(node.test, literals):
            results = [
                part.value for one in node.body for part in ast.walk(one) if isinstance(part, ast.Return | ast.Assign)
            ]
        elif isinstance(node, ast.IfExp) and _asks(node.test, literals):
            results = [node.body, node.orelse]
        elif isinstance(node, ast.match_case) and _pattern(node.pattern, literals):
            results = [
                part.value for one in node.body for part in ast.walk(one) if isinstance(part, ast.Return | ast.Assign)
            ]
        elif isinstance(node, ast.Dict) and _pairs(node, literals) >= 1:
            results = [*node.values]
        else:
            continue
        if any(_shown(result) in literals for result in results):
            where = node.body[0] if isinstance(node, ast.match_case) else node
            shown = where.test if isinstance(where, ast.If | ast.IfExp) else where
            yield ast.unparse(shown), where.lineno


def _grown(before: ast.Module, after: ast.Module) -> Iterator[str]:
    """Tables of words at the top of the file that have more rows than before: there a new row is where it belongs."""
    old, new = _words(before), _words(after)
    for name, table in new.items():
        if len(old.get(name, ())) >= _TABLE and set(old[name].items()) <= set(table.items()):
            yield ast.unparse(ast.parse(repr(table), mode="eval").body)


def _words(module: ast.Module) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for node in module.body:
        value = constant(node.value) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) else None
        if isinstance(value, dict) and all(isinstance(one, str) for pair in value.items() for one in pair):
            found |= {target.id: value for target in getattr(node, "targets", ()) if isinstance(target, ast.Name)}
    return found


def _asks(test: ast.expr, literals: frozenset[str]) -> bool:
    return any(
        _shown(side) in literals
        or (isinstance(side, ast.List | ast.Tuple | ast.Set) and any(_shown(one) in literals for one in side.elts))
        for node in ast.walk(test)
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.In | ast.Is)
        for side in (node.left, *node.comparators)
    )


def _pattern(pattern: ast.pattern, literals: frozenset[str]) -> bool:
    return any(_shown(node.value) in literals for node in ast.walk(pattern) if isinstance(node, ast.MatchValue))


def _pairs(node: ast.Dict, literals: frozenset[str]) -> int:
    return sum(
        _shown(key) in literals and _shown(value) in literals for key, value in zip(node.keys, node.values, strict=True)
    )


def _fixed(module: ast.Module, literals: frozenset[str], *, only_new: bool) -> Iterator[str]:
    """Functions with arguments all of whose returns are literals; with `only_new` those of the tests."""
    for node in ast.walk(module):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.args.args:
            continue
        returned = [_shown(part.value) for part in ast.walk(node) if isinstance(part, ast.Return)]
        if returned and repr(...) not in returned and (not only_new or any(one in literals for one in returned)):
            yield node.name


def _shown(node: ast.AST | None) -> str:
    """A literal's value, a list and a tuple of the same things alike."""
    return repr(_frozen(constant(node)))


def _frozen(value: object) -> object:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value
