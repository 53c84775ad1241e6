"""Reads the text of one expression into a tree of nodes. Knows the grammar, no values.

Length and nesting are bounded, and chains of one operator are one node, so walking the tree is shallow.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from workers.expressions.values import Invalid, number

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:\.?[0-9][\w.]*(?:(?<=[eE])[-+][0-9]+)?|Infinity\b))"
    r"|(?P<string>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>&&|\|\||==|!=|<=|>=|[<>!().,*]|\[|\]))",
    re.ASCII,
)
_MAX_TOKENS = 1_000
_MAX_DEPTH = 30
_LITERALS: Mapping[str, object] = {"true": True, "false": False, "null": None, "NaN": math.nan, "Infinity": math.inf}


@dataclass(frozen=True)
class Literal:
    value: object


@dataclass(frozen=True)
class Context:
    """The name of a context."""

    name: str


@dataclass(frozen=True)
class All:
    """The `*` after a dot or in brackets."""


@dataclass(frozen=True)
class Access:
    """A value and the properties or indexes asked for one after the other."""

    root: Node
    path: tuple[Node | All, ...]


@dataclass(frozen=True)
class Call:
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """`!` in front, `times` times."""

    inner: Node
    times: int


@dataclass(frozen=True)
class Compare:
    """`first sign node sign node ...`, from the left."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Chain:
    """Nodes joined by `&&` or by `||`."""

    sign: str
    parts: tuple[Node, ...]


Node = Literal | Context | Access | Call | Not | Compare | Chain


def parse(text: str) -> Node:
    """The tree of an expression without its `${{ }}`. Raises `Invalid`."""
    parser = _Parser(_tokens(text))
    node = parser.chain(0)
    if parser.at < len(parser.tokens):
        raise Invalid(f"'{parser.tokens[parser.at][1]}' is not expected there")
    return node


def written(node: Node | All) -> str:
    """A name and its properties as people write them, for messages."""
    if isinstance(node, Context):
        return node.name
    if isinstance(node, Access):
        return ".".join(map(written, (node.root, *node.path)))
    if isinstance(node, Call):
        return f"{node.name}()"
    if isinstance(node, Literal) and isinstance(node.value, str):
        return node.value
    return "*" if isinstance(node, All) else "…"


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise Invalid(f"'{text[at : at + 20].strip()}' cannot be read")
        found.append((match.lastgroup, match[match.lastgroup]))
        if len(found) > _MAX_TOKENS:
            raise Invalid("it is too long")
        at = match.end()
    return found


_CHAINS = ("||", "&&")
_COMPARISONS = (("==", "!="), ("<", ">", "<=", ">="))


@dataclass
class _Parser:
    tokens: list[tuple[str, str]]
    at: int = 0
    depth: int = 0

    def take(self, *signs: str) -> str | None:
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "sign" and self.tokens[self.at][1] in signs:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def expect(self, sign: str) -> None:
        if self.take(sign) is None:
            raise Invalid(f"'{sign}' is missing")

    def nested(self) -> Node:
        """A whole expression inside brackets."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Invalid("it is nested too deeply")
        node = self.chain(0)
        self.depth -= 1
        return node

    def chain(self, level: int) -> Node:
        if level == len(_CHAINS):
            return self.comparison(0)
        parts = [self.chain(level + 1)]
        while self.take(_CHAINS[level]):
            parts.append(self.chain(level + 1))
        return Chain(_CHAINS[level], tuple(parts)) if parts[1:] else parts[0]

    def comparison(self, level: int) -> Node:
        if level == len(_COMPARISONS):
            return self.negation()
        first, rest = self.comparison(level + 1), list[tuple[str, Node]]()
        while sign := self.take(*_COMPARISONS[level]):
            rest.append((sign, self.comparison(level + 1)))
        return Compare(first, tuple(rest)) if rest else first

    def negation(self) -> Node:
        times = 0
        while self.take("!"):
            times += 1
        node = self.access()
        return Not(node, times) if times else node

    def access(self) -> Node:
        root, path = self.primary(), list[Node | All]()
        while sign := self.take(".", "["):
            path.append(self.index() if sign == "[" else self.property())
        return Access(root, tuple(path)) if path else root

    def index(self) -> Node | All:
        found: Node | All = All() if self.take("*") else self.nested()
        self.expect("]")
        return found

    def property(self) -> Node | All:
        if self.take("*"):
            return All()
        kind, text = self.next()
        if kind != "name":
            raise Invalid("a property name is missing after '.'")
        return Literal(text)

    def primary(self) -> Node:
        if self.take("("):
            inner = self.nested()
            self.expect(")")
            return inner
        kind, text = self.next()
        if kind == "number":
            value = number(text)
            if math.isnan(value):
                raise Invalid(f"'{text[:20]}' is no number")
            return Literal(value)
        if kind == "string":
            return Literal(text[1:-1].replace("''", "'"))
        if kind != "name":
            raise Invalid(f"'{text}' is not expected there")
        if self.take("("):
            return self.call(text)
        return Literal(_LITERALS[text]) if text in _LITERALS else Context(text)

    def call(self, name: str) -> Call:
        arguments: list[Node] = []
        while not self.take(")"):
            if arguments:
                self.expect(",")
            arguments.append(self.nested())
        return Call(name, tuple(arguments))

    def next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise Invalid("it ends too early")
        self.at += 1
        return self.tokens[self.at - 1]
