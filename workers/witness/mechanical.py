"""Tests made of a report's own example, without a model: a test, an assertion, a session, a script, a call in a line.

Conservative: where a name, the value that was expected or the call that is meant is not certain, there is no test.
Pure, and nothing is run: whether a draft shows anything is for the sandbox to say.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workers.domain import IssueReport
from workers.patch.envelope import blocks
from workers.ports import SourceTree
from workers.syntax import constant, parsed
from workers.witness.names import Names, free
from workers.witness.runner import Runner
from workers.witness.stated import Stated, is_literal, said, stated
from workers.witness.writing import Claim, Scene, file_of, wrapped

MOST = 3
_BLOCK, _BLOCKS, _TESTS = 6_000, 20, 5
_PYTHON = re.compile(r"^(?:$|(?:py|py3|python|python3|pycon|console|pytest|text)\b)", re.IGNORECASE)
_CALL = re.compile(r"`([^`\n]{3,200}\))`")
_CRASHES = frozenset(
    {
        "ArithmeticError",
        "AttributeError",
        "IndexError",
        "KeyError",
        "NotImplementedError",
        "RecursionError",
        "TypeError",
        "UnboundLocalError",
        "UnicodeDecodeError",
        "UnicodeEncodeError",
        "ZeroDivisionError",
    }
)
"""Exceptions that are hardly ever meant: code that ends in one is broken, whatever else should have come of it."""


@dataclass(frozen=True)
class Draft:
    """A test file to be tried. `words` are how its failure may read, where the report says what was seen; `raises` the
    exceptions that it may end with."""

    text: str
    words: tuple[str, ...] = ()
    raises: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Session:
    """Statements in order and what the last of them that answered said."""

    statements: tuple[str, ...] = ()
    claim: str = ""
    answer: str = ""
    notes: tuple[str, ...] = ()


def drafts(report: IssueReport, tree: SourceTree, runner: Runner) -> tuple[Draft, ...]:
    """At most `MOST` tests, the likeliest first: what somebody wrote as a test goes before what is made into one."""
    names, says = Names(tree), stated((report.title, *report.texts))
    writer = _Writer(report, names, says, runner)
    found = [block.text for text in report.texts for block in blocks(text) if _PYTHON.match(block.info)][:_BLOCKS]
    codes = [text for text in found if len(text) <= _BLOCK]
    ways = (writer.test, writer.session, writer.asserting, writer.script)
    made = [draft for way in ways for code in codes if (draft := way(code)) is not None]
    told = writer.inline()
    return tuple({draft.text: draft for draft in (*made, *([told] if told else []))}.values())[:MOST]


@dataclass(frozen=True)
class _Example:
    """One test that a report has an example of, the value that was seen, and the exceptions that it may end with."""

    scene: Scene
    actual: str = ""
    raises: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Writer:
    """Makes drafts for one report."""

    report: IssueReport
    names: Names
    says: Stated
    runner: Runner

    def test(self, code: str) -> Draft | None:
        """The code is a test file already."""
        module = parsed(code)
        tests = [node for node in module.body if _is_test(node, self.runner)] if module else []
        if module is None or not tests:
            return None
        imports = self._imports(module.body)
        return None if imports is None else Draft(wrapped(code, imports), raises=self.says.exceptions)

    def asserting(self, code: str) -> Draft | None:
        """A script whose last statement asserts what should hold."""
        module = parsed(code)
        if module is None or ">>>" in code or not module.body or not isinstance(module.body[-1], ast.Assert):
            return None
        scene = Scene(tuple(module.body[:-1]), Claim(module.body[-1]))
        return self._draft([_Example(scene, raises=self.says.exceptions)])

    def session(self, code: str) -> Draft | None:
        """An interactive session: the last answer is what was seen, and the words around it say what was expected."""
        if ">>>" not in code:
            return None
        read = _session(code)
        nodes = [parsed(text) for text in (*read.statements, read.claim)]
        if not read.claim or None in nodes:
            return None
        before = [node for module in nodes[:-1] if module for node in module.body]
        last = nodes[-1].body[-1] if nodes[-1] and nodes[-1].body else None
        noted = next((pair for note in read.notes if any(pair := said(note))), ("", ""))
        if read.answer.startswith("Traceback (most recent call last)"):
            return self._draft([self._raising(before, last, read.answer, noted[0])])
        answer = noted[1] or read.answer.split("#")[0].strip()
        return self._draft([self._claimed(before, last, noted[0], answer)])

    def script(self, code: str) -> Draft | None:
        """Statements, the last of which calls something, with a remark or words around that say what was expected."""
        module = parsed(code)
        if module is None or ">>>" in code or not module.body:
            return None
        lines = code.split("\n")
        remarks = [said(line.partition("#")[2]) for line in lines[(module.body[-1].lineno - 1) :] if "#" in line]
        expected, actual = next((pair for pair in remarks if pair[0]), ("", ""))
        return self._draft([self._claimed(module.body[:-1], module.body[-1], expected, actual)])

    def inline(self) -> Draft | None:
        """Each `call(...)` in a line that also says what it gives and what it should give, a test of its own."""
        found: list[_Example] = []
        for line in (line[:400] for text in self.report.texts for line in text.split("\n")):
            calls = _CALL.findall(line)
            module = parsed(calls[0]) if len(calls) == 1 else None
            last = module.body[-1] if module and len(module.body) == 1 else None
            expected, actual = said(line.replace(f"`{calls[0]}`", "it", 1)) if last else ("", "")
            if expected and actual and isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
                example = self._claimed([], last, expected, actual)
                found += [example] if example else []
        return self._draft(found[:_TESTS])

    def _claimed(
        self, before: Sequence[ast.stmt], last: ast.stmt | None, expected: str, actual: str
    ) -> _Example | None:
        """The last statement is a call, and one value is known that it should have given."""
        expected, actual = expected or self.says.expected, actual or self.says.actual
        if not expected or not isinstance(last, ast.Expr):
            return None
        value, printed = _printed(last.value)
        if isinstance(value, ast.Constant) or (not printed and not is_literal(expected)):
            return None
        wanted = _expression(expected if is_literal(expected) else repr(expected))
        if constant(wanted) == (constant(_expression(actual)) if is_literal(actual) else actual):
            return None
        if printed and not is_literal(expected):
            value = ast.Call(ast.Name("str", ast.Load()), [value], [])
        return _Example(Scene(tuple(before), Claim(value, wanted)), actual)

    def _raising(
        self, before: Sequence[ast.stmt], last: ast.stmt | None, answer: str, expected: str
    ) -> _Example | None:
        """The session ended in an exception: one that is never meant, or where a value was expected."""
        kind = answer.strip().split("\n")[-1].split(":")[0].strip().rpartition(".")[2]
        wanted = expected or self.says.expected
        if last is None or not kind.isidentifier() or not (kind in _CRASHES or is_literal(wanted)):
            return None
        claim = Claim(last)
        if is_literal(wanted) and isinstance(last, ast.Expr):
            claim = Claim(_printed(last.value)[0], _expression(wanted))
        return _Example(Scene(tuple(before), claim), raises=frozenset({kind}))

    def _draft(self, found: Sequence[_Example | None]) -> Draft | None:
        examples = [example for example in found if example is not None]
        nodes = [node for example in examples for node in example.scene.statements]
        imports = self._imports(nodes) if nodes else None
        if imports is None or any(isinstance(node, ast.ImportFrom) and node.level for node in nodes):
            return None
        words = tuple(word for one in examples for word in _words(one.scene.claim, one.actual))
        raises = frozenset(kind for one in examples for kind in one.raises)
        text = file_of(self.report, [one.scene for one in examples], imports, self.runner)
        return Draft(text, words, raises)

    def _imports(self, nodes: Sequence[ast.stmt]) -> tuple[str, ...] | None:
        """What brings the names that are missing; None when one of them is unknown, or nothing is of the repository."""
        brought = [self.names.importing(name) for name in free(list(nodes)) if name not in ("pytest", "unittest")]
        missing = [f"import {name}" for name in free(list(nodes)) if name in ("pytest", "unittest")]
        own = any(self.names.is_ours(module) for node in nodes for module in _imported(node))
        if not all(brought) or not (brought or own):
            return None
        return (*missing, *brought)


def _session(code: str) -> _Session:
    """The session up to its last answer. Remarks beside the last statement or its answer are kept."""
    groups: list[tuple[list[str], list[str]]] = []
    for line in code.split("\n"):
        text = line.lstrip()
        if text.startswith(">>>"):
            groups.append(([text[3:].removeprefix(" ")], []))
        elif text.startswith("...") and groups and not groups[-1][1]:
            groups[-1][0].append(text[3:].removeprefix(" "))
        elif groups and text:
            groups[-1][1].append(text)
    answered = [at for at, (_, answer) in enumerate(groups) if answer]
    if not answered:
        return _Session()
    sources, answer = ["\n".join(source) for source, _ in groups], groups[answered[-1]][1]
    at = answered[-1]
    notes = [text.partition("#")[2] for text in (*groups[at][0], *answer) if "#" in text]
    return _Session(tuple(sources[:at]), sources[at], "\n".join(answer), tuple(notes))


def _expression(text: str) -> ast.expr:
    return ast.parse(text.strip(), mode="eval").body


def _printed(value: ast.expr) -> tuple[ast.expr, bool]:
    """What `print(x)` prints, and whether it was one."""
    if not (isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "print"):
        return value, False
    one = len(value.args) == 1 and not value.keywords and not isinstance(value.args[0], ast.Starred)
    return (value.args[0], True) if one else (value, False)


def _words(claim: Claim, actual: str) -> tuple[str, ...]:
    """How pytest and unittest write that the value seen is not the one expected."""
    if claim.expected is None or not actual:
        return ()
    expected = repr(constant(claim.expected))
    seen = repr(ast.literal_eval(actual)) if is_literal(actual) else repr(actual)
    return (f"assert {seen} == {expected}", f"{seen} != {expected}")


def _is_test(node: ast.stmt, runner: Runner) -> bool:
    if isinstance(node, ast.ClassDef):
        inner = any(isinstance(part, ast.FunctionDef) and part.name.startswith("test") for part in node.body)
        return inner and (bool(node.bases) or (runner is Runner.PYTEST and node.name.startswith("Test")))
    return (
        runner is Runner.PYTEST
        and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test")
    )


def _imported(node: ast.stmt) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            yield from (alias.name for alias in part.names)
        elif isinstance(part, ast.ImportFrom) and part.module and not part.level:
            yield part.module
