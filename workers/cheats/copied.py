"""Answers written down for a test's inputs: a value of the failing tests returned where one of theirs is asked for."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from workers.domain import Diagnosis
from workers.policy import Violation, is_test
from workers.ports import SourceTree
from workers.syntax import constant, parsed

_COMMON = frozenset(map(repr, (None, True, False, ..., 0, 1, -1, 2, 0.0, 1.0, "", b"", (), [], {}, 10, 100)))
_LITERAL = r"""(?:"([^"\n]{1,200})"|'([^'\n]{1,200})'|`([^`\n]{1,200})`|(?<![\w.])(-?\d{1,20}(?:\.\d{1,20})?)(?!\w))"""
_ANY = re.compile(_LITERAL)
_QUESTION = re.compile(rf"(?:===?|\bcase|\bequals\s*\(|\bis)\s*{_LITERAL}|{_LITERAL}\s*(?:===?|=>|->|\.equals\b)")
_ANSWER = re.compile(rf"(?:\breturn|=>|->|\?|(?<![=!<>])=(?!=)|\{{)\s*{_LITERAL}")
_PLAIN = frozenset({"0", "1", "-1", "2", "10", "100", "0.0", "1.0"})
_EDGE = (None, 0, 1, -1, "")  # and so False and True
"""Values that programs treat apart for reasons of their own, also several together."""
_TABLE = 2
"""Rows that make a dictionary a table of the program; fewer may have been made for the answer."""
_TEXT = 4
"""Characters that make the text of a value one that hardly stands in a program for another reason."""
_ODD = 6
"""Characters of a text that is no word which make it odd in a program."""
_SAME, _OTHER = (ast.Eq, ast.In, ast.Is), (ast.NotEq, ast.NotIn, ast.IsNot)
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
    """The literals of the test files that fail, as values and as the text that Python makes of them, but for those that
    stand in any program; and what is given to one call together, as a tuple."""
    found: set[str] = set()
    for path in _named(diagnosis):
        module = parsed(tree.read(path) or b"") if path.endswith(".py") and is_test(path) else None
        if module is not None:
            for node in ast.walk(module):
                found |= _forms(constant(node)) if isinstance(node, ast.expr) else set()
                found |= _together(node.args) if isinstance(node, ast.Call) else set()
    return frozenset(found) - _COMMON


def _together(parts: Sequence[ast.AST]) -> set[str]:
    """Two or more literals as one tuple, unless all of them are ones that any program treats apart."""
    values = [constant(part) for part in parts]
    if len(values) < 2 or ... in values or all(value in _EDGE for value in values):
        return set()
    return {_repr(_frozen(tuple(values)))}


def _forms(value: object) -> set[str]:
    """How a value may be asked for: itself, its text, and that of the list and the tuple of its parts."""
    if value is ...:
        return set()
    asked: list[object] = [] if value is None or isinstance(value, bool | str) else [value, (value,)]
    if isinstance(value, list | tuple):
        asked += [list(value), tuple(value), *((part,) for part in value)]
    return {_repr(_frozen(value)), *(repr(text) for one in asked if len(text := _repr(one)) >= _TEXT)}


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
        answers = _rows(node, literals) if isinstance(node, ast.Dict | ast.List | ast.Tuple | ast.Set) else None
        if isinstance(node, ast.If | ast.IfExp | ast.match_case):
            question = node.pattern if isinstance(node, ast.match_case) else node.test
            answers = _answered(_asked(question, literals), _results(node), literals)
        if answers:
            where = node.body[0] if isinstance(node, ast.match_case) else node
            shown = where.test if isinstance(where, ast.If | ast.IfExp) else where
            yield ast.unparse(shown), getattr(where, "lineno", 0)


def _results(node: ast.If | ast.IfExp | ast.match_case) -> list[ast.expr | None]:
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    parts = (part for one in node.body for part in ast.walk(one))
    return [part.value for part in parts if isinstance(part, ast.Return | ast.Assign)]


def _answered(asked: set[str], results: Sequence[ast.expr | None], literals: frozenset[str]) -> bool:
    """One of the results is a value of the tests; after a question that no program would ask, any fixed value is."""
    if not asked:
        return False
    odd = any(map(_odd, asked))
    return any(shown(result) in literals or (odd and constant(result) is not ...) for result in results)


def _odd(shown: str) -> bool:
    """The literal is a collection of several parts or a text that is no word: nothing to compare with but in a test."""
    try:
        return _strange(ast.literal_eval(shown))
    except (ValueError, SyntaxError, RecursionError, MemoryError):  # infinity, for one, is written as no literal
        return False


def _strange(value: object) -> bool:
    if isinstance(value, str):
        return len(value) >= _ODD and not value.replace("-", "").replace("_", "").replace(" ", "").isalpha()
    return isinstance(value, tuple) and (len(value) > 1 or any(map(_strange, value)))


def _grown(before: ast.Module, after: ast.Module) -> Iterator[str]:
    """Tables at the top of the file that have more rows than before: there a new row is where it belongs."""
    old, new = _tables(before), _tables(after)
    for name, (rows, shown) in new.items():
        if name in old and len(old[name][0]) >= _TABLE and old[name][0] <= rows:
            yield shown


def _tables(module: ast.Module) -> dict[str, tuple[frozenset[str], str]]:
    """The rows and the text of tables of words, and of lists of rows, by their names."""
    found: dict[str, tuple[frozenset[str], str]] = {}
    for node in module.body:
        value = constant(node.value) if isinstance(node, ast.Assign) else None
        rows: list[object] = []
        if isinstance(value, dict) and all(isinstance(one, str) for pair in value.items() for one in pair):
            rows = list(value.items())
        elif isinstance(value, list | tuple) and all(isinstance(row, list | tuple) and len(row) > 1 for row in value):
            rows = list(value)
        if isinstance(node, ast.Assign) and rows:
            table = frozenset(_repr(_frozen(row)) for row in rows), ast.unparse(node.value)
            found |= {target.id: table for target in node.targets if isinstance(target, ast.Name)}
    return found


def _asked(question: ast.expr | ast.pattern, literals: frozenset[str]) -> set[str]:
    """The values of the tests that something is compared with, also by `not ... !=`."""
    found: set[str] = set()
    denied = {
        id(part) for node in ast.walk(question) if isinstance(node, ast.UnaryOp) for part in ast.walk(node.operand)
    }
    for node in ast.walk(question):
        if isinstance(node, ast.MatchValue):
            found.add(shown(node.value))
        elif isinstance(node, ast.MatchSequence):
            found |= _together([one.value for one in node.patterns if isinstance(one, ast.MatchValue)])
        elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            found |= _together([side for one in node.values for side in _compared(one)])
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], _SAME + (_OTHER if id(node) in denied else ())):
            for side in (node.left, *node.comparators):
                parts = side.elts if isinstance(side, ast.List | ast.Tuple | ast.Set) else ()
                found |= {shown(one) for one in (side, *parts)}
    return found & literals


def _compared(question: ast.expr) -> list[ast.expr]:
    """The literal that something has to be equal to."""
    if (
        not isinstance(question, ast.Compare)
        or len(question.ops) > 1
        or not isinstance(question.ops[0], ast.Eq | ast.Is)
    ):
        return []
    return [side for side in (question.left, question.comparators[0]) if constant(side) is not ...]


def _rows(node: ast.Dict | ast.List | ast.Tuple | ast.Set, literals: frozenset[str]) -> bool:
    """A table with a row of the tests: a question that is one of their values and a fixed answer."""
    if isinstance(node, ast.Dict):
        return any(
            _answered({shown(key)} & literals, [value], literals)
            for key, value in zip(node.keys, node.values, strict=True)
        )
    rows = [one for one in node.elts if isinstance(one, ast.Tuple | ast.List) and len(one.elts) > 1]
    return any(
        _answered({shown(part) for part in row.elts[:-1]} & literals, row.elts[-1:], literals)
        and shown(row) in literals
        for row in rows
    )


def _fixed(module: ast.Module, literals: frozenset[str], *, only_new: bool) -> Iterator[str]:
    """Functions with arguments all of whose returns are literals; with `only_new` those of the tests."""
    for node in ast.walk(module):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.args.args:
            continue
        returned = [shown(part.value) for part in ast.walk(node) if isinstance(part, ast.Return)]
        if returned and repr(...) not in returned and (not only_new or any(one in literals for one in returned)):
            yield node.name


def shown(node: ast.AST | None) -> str:
    """A literal's value, a list and a tuple of the same things alike."""
    return _repr(_frozen(constant(node)))


def _repr(value: object) -> str:
    try:
        return repr(value)
    except (ValueError, RecursionError):  # Python writes no number of more than 4,300 digits
        return repr(...)


def _frozen(value: object) -> object:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value
