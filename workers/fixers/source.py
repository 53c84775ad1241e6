"""A Python file as bytes and tree at once: which bytes a node covers, what encloses it, which names it can see.

Candidates of the offline fixers are splices of bytes, so formatting and comments outside them survive.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from workers.ports import Files
from workers.suspects import is_test
from workers.syntax import parse, parsed

Span = tuple[int, int]
Splice = tuple[int, int, str]
Placed = ast.expr | ast.stmt | ast.alias | ast.keyword | ast.arg
"""The nodes that say where they stand."""
_FILE_LIMIT = 400_000
_HEADER = 60
_FIRST = re.compile(rb"^#!|coding[:=]")


@dataclass(frozen=True)
class Mutation:
    """One candidate change: splices of one file, the line it is about, the template and its prior, and what it does."""

    path: str
    line: int
    splices: tuple[Splice, ...]
    kind: str
    prior: float
    what: str
    node: ast.AST | None = field(default=None, compare=False, repr=False)
    sure: bool = False
    """A correction of a name that has no likely rival: the only one a slip of the finger away, or a known rename."""

    @property
    def title(self) -> str:
        """What it does, as an imperative: "change `>` to `>=` in shop/price.py"."""
        changed = re.fullmatch(r"(`[^`]*`) became (`[^`]*`)", self.what)
        added = re.fullmatch(r"(`[^`]*`) was added", self.what)
        if changed:
            return f"change {changed[1]} to {changed[2]} in {self.path}"
        return f"add {added[1]} to {self.path}" if added else f"{self.what} in {self.path}"


class Source:
    """One parsed file; raises `SyntaxError` or `ValueError` when it cannot be parsed or is not UTF-8."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        data.decode("utf-8")  # places are counted in bytes of UTF-8
        self.tree = parse(data)
        starts = [3 if data.startswith(b"\xef\xbb\xbf") else 0]
        starts += [match.end() for match in re.finditer(rb"\r\n|\n|\r", data)]
        self._starts = starts
        self._variables: dict[ast.AST, list[str]] = {}
        self._expressions: dict[ast.AST, Mapping[type[ast.AST], tuple[str, ...]]] = {}
        self._conversions: dict[ast.AST | None, tuple[str, ...]] = {}

    @property
    def start(self) -> int:
        """Where code may begin: behind a heading comment, and what has to stand in the first two lines."""
        lines = self.data.splitlines(keepends=True)
        head = next((at for at, line in enumerate(lines) if not line.lstrip(b"\xef\xbb\xbf").startswith(b"#")), 0)
        if head and not lines[head].strip():
            return self._starts[min(head + 1, len(self._starts) - 1)]
        first = [at for at, line in enumerate(lines[: min(head, 2)], 1) if _FIRST.search(line)]
        return self._starts[first[-1] if first else 0]

    def at(self, line: int, column: int) -> int:
        """Byte offset of a line (from 1) and a byte column."""
        return self._starts[line - 1] + column

    def span(self, node: Placed) -> Span:
        """The bytes of a node."""
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def text(self, node: Placed) -> str:
        """The node as it is written."""
        start, end = self.span(node)
        return self.data[start:end].decode("utf-8")

    def between(self, left: ast.expr, right: ast.expr) -> Span:
        """The bytes between two nodes, where an operator is."""
        return self.span(left)[1], self.span(right)[0]

    def indent(self, node: ast.stmt) -> str:
        """The white space in front of a statement; empty too when something else stands before it on its line."""
        start = self._starts[node.lineno - 1]
        lead = self.data[start : start + node.col_offset].decode("utf-8")
        return lead if not lead.strip() else ""

    def line(self, node: ast.stmt) -> Splice:
        """Takes a statement away with the whole of its lines; only for one that stands alone on them."""
        last = node.end_lineno or node.lineno
        end = self._starts[last] if last < len(self._starts) else len(self.data)
        return self._starts[node.lineno - 1], end, ""

    def alone(self, node: ast.stmt) -> bool:
        """The statement begins its line."""
        start = self._starts[node.lineno - 1]
        return not self.data[start : start + node.col_offset].strip()

    def piece(self, splices: tuple[Splice, ...]) -> Span:
        """The whole lines of the smallest function, or statement at the top, that holds all splices; else the file."""
        low, high = min(row[0] for row in splices), max(row[1] for row in splices)
        return next((span for span in self._pieces if span[0] <= low and high <= span[1]), (0, len(self.data)))

    @cached_property
    def _pieces(self) -> tuple[Span, ...]:
        """Smallest first; with their decorators."""
        ends = (*self._starts[1:], len(self.data))
        inner = [
            n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and self.alone(n)
        ]
        found = set()
        for node in (*self.tree.body, *inner):
            first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
            found.add((self._starts[first - 1], ends[(node.end_lineno or node.lineno) - 1]))
        return tuple(sorted(found, key=lambda span: (span[1] - span[0], span)))

    @cached_property
    def parents(self) -> Mapping[ast.AST, ast.AST]:
        """Each node's enclosing node."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The innermost function around a node."""
        at: ast.AST | None = node
        while at is not None:
            at = self.parents.get(at)
            if isinstance(at, ast.FunctionDef | ast.AsyncFunctionDef):
                return at
        return None

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The statement a node belongs to."""
        at: ast.AST | None = node
        while at is not None and not isinstance(at, ast.stmt):
            at = self.parents.get(at)
        return at

    def header(self, node: ast.AST) -> frozenset[int]:
        """The lines of the statement around a node, the first sixty, without those of a block in it."""
        statement = self.statement(node)
        if statement is None:
            return frozenset()
        body = getattr(statement, "body", None)
        last = body[0].lineno - 1 if body else statement.end_lineno or statement.lineno
        return frozenset(range(statement.lineno, max(statement.lineno, min(last, statement.lineno + _HEADER)) + 1))

    def variables(self, node: ast.AST) -> list[str]:
        """Parameters and local names of the enclosing function, in order of appearance."""
        function = self.function(node)
        if function is None:
            return []
        if function not in self._variables:
            self._variables[function] = self._bound_in(function)
        return self._variables[function]

    def _bound_in(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
        arguments = function.args
        names = [arg.arg for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        names += [arg.arg for arg in (arguments.vararg, arguments.kwarg) if arg]
        names += [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        return list(dict.fromkeys(names))

    def reading(self, node: ast.Name) -> list[ast.Name]:
        """Where the function around a name reads that name."""
        function = self.function(node)
        found = (n for n in ast.walk(function or self.tree) if isinstance(n, ast.Name) and n.id == node.id)
        return [n for n in found if isinstance(n.ctx, ast.Load)]

    def expressions(self, function: ast.AST) -> Mapping[type[ast.AST], tuple[str, ...]]:
        """The short calls, items and attributes that a function reads, by kind, at most forty of each."""
        if function not in self._expressions:
            found: dict[type[ast.AST], dict[str, None]] = {}
            for node in ast.walk(function):
                if isinstance(node, ast.Call | ast.Subscript | ast.Attribute) and self.read(node):
                    text = self.text(node)
                    if _is_short(text):
                        found.setdefault(type(node), {})[text] = None
            self._expressions[function] = {kind: tuple(texts)[:40] for kind, texts in found.items()}
        return self._expressions[function]

    def conversions(self, function: ast.AST | None) -> tuple[str, ...]:
        """The names that the file calls with one argument, those of this function first."""
        if function not in self._conversions:
            calls = [one for one in self.calls if len(one.args) == 1 and not one.keywords]
            calls.sort(key=lambda one: self.function(one) is not function)
            names = (one.func.id for one in calls if isinstance(one.func, ast.Name))
            self._conversions[function] = tuple(dict.fromkeys(names))
        return self._conversions[function]

    def read(self, node: ast.expr) -> bool:
        """The value is used: it is not assigned to, not what is called, and not a statement by itself."""
        parent = self.parents.get(node)
        if isinstance(parent, ast.Expr) or (isinstance(parent, ast.Call) and parent.func is node):
            return False
        return not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)

    def free(self, name: str) -> list[ast.Name]:
        """Where a name is read that the function around it does not bind."""
        found = (n for n in ast.walk(self.tree) if isinstance(n, ast.Name) and n.id == name)
        return [n for n in found if isinstance(n.ctx, ast.Load) and name not in self.variables(n)]

    @cached_property
    def attributes(self) -> frozenset[str]:
        """Attribute and method names used or defined in the file."""
        names = {n.attr for n in ast.walk(self.tree) if isinstance(n, ast.Attribute)}
        return frozenset(names | {f.name for c in self.classes for f in c.body if isinstance(f, ast.FunctionDef)})

    @cached_property
    def reads(self) -> Mapping[str, frozenset[tuple[str, bool]]]:
        """By the dump of an object's expression: the attributes the file has of it, and whether they are called."""
        found: dict[str, set[tuple[str, bool]]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                parent = self.parents.get(node)
                called = isinstance(parent, ast.Call) and parent.func is node
                found.setdefault(ast.dump(node.value), set()).add((node.attr, called))
        return {base: frozenset(names) for base, names in found.items()}

    @cached_property
    def owners(self) -> Mapping[str, tuple[str, ...]]:
        """By attribute: the names that the file has it of."""
        found: dict[str, dict[str, None]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found.setdefault(node.attr, {})[node.value.id] = None
        return {attr: tuple(names) for attr, names in found.items()}

    @cached_property
    def methods(self) -> Mapping[str, tuple[str, ...]]:
        """By the name of an object: the short calls of its methods that the file has, as they are written."""
        found: dict[str, dict[str, None]] = {}
        for call in self.calls:
            if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
                text = self.text(call)
                if _is_short(text):
                    found.setdefault(call.func.value.id, {})[text] = None
        return {name: tuple(texts) for name, texts in found.items()}

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """The variables that the module assigns at its top."""
        assigned = [node for node in self.tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
        return tuple(dict.fromkeys(name for node in assigned for name in bound(node) if not name.startswith("__")))

    @cached_property
    def classes(self) -> tuple[ast.ClassDef, ...]:
        return tuple(n for n in ast.walk(self.tree) if isinstance(n, ast.ClassDef))

    @cached_property
    def functions(self) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]:
        return tuple(n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))

    @cached_property
    def calls(self) -> tuple[ast.Call, ...]:
        return tuple(n for n in ast.walk(self.tree) if isinstance(n, ast.Call))

    @cached_property
    def calls_of(self) -> Mapping[str, tuple[ast.Call, ...]]:
        """By the dump of what is called: its calls."""
        found: dict[str, list[ast.Call]] = {}
        for call in self.calls:
            found.setdefault(ast.dump(call.func), []).append(call)
        return {called: tuple(calls) for called, calls in found.items()}

    @cached_property
    def top(self) -> frozenset[str]:
        """Names bound at the top of the module."""
        return frozenset(name for node in self.tree.body for name in bound(node))

    @cached_property
    def everywhere(self) -> frozenset[str]:
        """Names that anything in the file binds: statements, parameters, imports."""
        nodes = list(ast.walk(self.tree))
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        given = {n.arg for n in nodes if isinstance(n, ast.arg)}
        imported = {n.asname or n.name.split(".")[0] for n in nodes if isinstance(n, ast.alias)}
        return frozenset(self.top | stored | given | imported | {f.name for f in self.functions})

    def on_line(self, line: int) -> Iterator[ast.expr | ast.stmt]:
        """Those of the nodes that lie on a line, outer ones first."""
        return (node for node in self.nodes() if node.lineno <= line <= (node.end_lineno or node.lineno))

    def nodes(self) -> Iterator[ast.expr | ast.stmt]:
        """Every expression and statement, in order of appearance; annotations are left out."""
        skipped = {id(n) for annotation in self.annotations() for n in ast.walk(annotation)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.expr | ast.stmt) and id(node) not in skipped:
                yield node

    def annotations(self) -> Iterator[ast.expr]:
        """The expressions that stand as annotations of parameters, results and variables."""
        for node in ast.walk(self.tree):
            for name in ("annotation", "returns"):
                found = getattr(node, name, None)
                if isinstance(found, ast.expr):
                    yield found


def sources(tree: Files) -> dict[str, Source]:
    """The Python files that may be changed, by path: no tests, none that cannot be parsed, none that is huge."""
    found = {}
    for path in tree.paths():
        data = tree.read(path) if path.endswith(".py") and not is_test(path) else None
        if data is None or len(data) > _FILE_LIMIT:
            continue
        try:
            found[path] = Source(path, data)
        except (SyntaxError, ValueError, RecursionError):
            continue
    return found


def module(path: str) -> str:
    """The dotted name under which a file of the repository is imported."""
    parts = path.removesuffix(".py").removeprefix("src/").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def defines(source: Source, name: str) -> bool:
    """A statement at the top of the module makes the name; imports do not count."""
    kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef, ast.Assign, ast.AnnAssign)
    return any(isinstance(node, kinds) and name in bound(node) for node in source.tree.body)


def bound(node: ast.stmt) -> Iterator[str]:
    """The names one top-level statement binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign):
        yield from (n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def _is_short(text: str) -> bool:
    return len(text) < 80 and "\n" not in text


def parses(data: bytes) -> bool:
    """Python can read it; lines that are indented are read as those of a block."""
    return parsed(b"if 1:\n" + data if data[:1] in (b" ", b"\t") else data) is not None


def spliced(data: bytes, splices: tuple[Splice, ...]) -> bytes:
    """The bytes after the splices."""
    for start, end, text in sorted(splices, reverse=True):
        data = data[:start] + text.encode() + data[end:]
    return data
