"""Evaluates expressions: their value, their truth where parts are unknown, and the texts they stand in.

`&&` and `||` give the operand that decides, and look at the right side only when they must.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from workers.expressions import syntax
from workers.expressions.functions import STATUS, call
from workers.expressions.hash_files import Files
from workers.expressions.syntax import Access, All, Call, Chain, Compare, Context, Literal, Node, Not
from workers.expressions.values import (
    Contexts,
    Invalid,
    Later,
    Partial,
    Secret,
    Unknown,
    Unresolved,
    as_text,
    equal,
    greater,
    is_primitive,
    number,
    truthy,
)

_QUOTED_OR_END = re.compile(r"'[^']*'|'|\}\}")
_MISSING = object()
_COMPARED: Mapping[str, Callable[[object, object], bool]] = {
    "==": equal,
    "!=": lambda one, two: not equal(one, two),
    ">": greater,
    "<": lambda one, two: greater(two, one),
    ">=": lambda one, two: greater(one, two) or equal(one, two),
    "<=": lambda one, two: greater(two, one) or equal(one, two),
}


@dataclass(frozen=True)
class Rendered:
    """A text after interpolation. What stayed unresolved still stands in it as it was written."""

    text: str
    secrets: tuple[str, ...] = ()
    """The secrets that are empty in it."""
    unresolved: tuple[str, ...] = ()
    """What only GitHub knows, by name."""
    reasons: tuple[str, ...] = ()
    """Why each of these is unresolved, as the end of a sentence."""
    later: tuple[str, ...] = ()
    """The paths of values that steps write while the job runs; a token of each stands in the text."""


def evaluate(expression: str, contexts: Contexts, files: Files | None = None) -> object:
    """The value of one expression without its `${{ }}`. Raises `Unresolved`."""
    return _Evaluation(contexts, files).value(syntax.parse(expression))


def holds(condition: str, contexts: Contexts, files: Files | None = None) -> bool:
    """The truth of an `if:`, with or without `${{ }}`. Raises `Unresolved` where what is unknown could decide it."""
    text = condition.strip()
    inner = is_expression(text)
    if inner is None and "${{" in text:
        rendered = render(text, contexts, files)  # as on GitHub: text around an expression makes it a text
        if rendered.unresolved:
            raise Unresolved(rendered.unresolved[0])
        return bool(rendered.text)
    return not text or _Evaluation(contexts, files).truth(syntax.parse(text if inner is None else inner))


def asks_status(condition: str) -> bool:
    """The condition calls a status function, so that it is not joined with `success()`."""
    try:
        nodes = [syntax.parse(is_expression(condition.strip()) or condition)]
    except Invalid:
        return False
    while nodes:
        node = nodes.pop()
        if isinstance(node, Call) and node.name.lower() in STATUS:
            return True
        nodes += _children(node)
    return False


def is_expression(text: str) -> str | None:
    """The expression, when the whole text is one `${{ }}`."""
    stripped = text.strip()
    if stripped.startswith("${{") and _end(stripped, 3) == len(stripped) - 2:
        return stripped[3:-2]
    return None


def resolve(value: object, contexts: Contexts, files: Files | None = None) -> object:
    """A value of the file with its expressions evaluated, numbers and objects kept. Raises `Unresolved`."""
    if isinstance(value, dict):
        return {name: resolve(item, contexts, files) for name, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, contexts, files) for item in value]
    if not isinstance(value, str) or "${{" not in value:
        return value
    inner = is_expression(value)
    if inner is not None:
        return evaluate(inner, contexts, files)
    rendered = render(value, contexts, files)
    if rendered.unresolved or rendered.later:
        raise Unresolved((*rendered.unresolved, *rendered.later)[0])
    return rendered.text


def render(text: str, contexts: Contexts, files: Files | None = None) -> Rendered:
    """The text with each `${{ }}` replaced that can be known; secrets become empty and are named."""
    secrets, later, parts, done = dict[str, None](), dict[str, None](), list[str](), 0
    errors: list[Unresolved] = []
    while (start := text.find("${{", done)) >= 0:
        end = _end(text, start + 3)
        if end < 0:
            errors.append(Invalid("a ${{ is not closed"))
            break
        parts.append(text[done:start])
        done = end + 2
        evaluation = _Evaluation(contexts, files)
        try:
            value = evaluation.top(syntax.parse(text[start + 3 : end]))
        except Unresolved as error:
            errors.append(error)
            parts.append(text[start:done])
            continue
        later.update({value.path: None} if isinstance(value, Later) else {})
        parts.append(value.token if isinstance(value, Later) else as_text(value))
        secrets.update(dict.fromkeys(evaluation.secrets))
    return Rendered(
        "".join(parts) + text[done:],
        tuple(secrets),
        tuple(map(str, errors)),
        tuple(error.reason for error in errors),
        tuple(later),
    )


def _end(text: str, start: int) -> int:
    """Where the `}}` of an expression stands that is in no quoted text, or -1."""
    for match in _QUOTED_OR_END.finditer(text, start):
        if match[0] == "}}":
            return match.start()
        if match[0] == "'":
            return -1  # a quote that nothing closes
    return -1


def _children(node: Node) -> Sequence[Node]:
    if isinstance(node, Access):
        return [node.root, *(part for part in node.path if not isinstance(part, All))]
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Not):
        return (node.inner,)
    if isinstance(node, Compare):
        return [node.first, *(right for _, right in node.rest)]
    return node.parts if isinstance(node, Chain) else ()


@dataclass
class _Evaluation:
    contexts: Contexts
    files: Files | None
    secrets: list[str] = field(default_factory=list)

    def value(self, node: Node) -> object:
        """Raises `Unresolved`, also for what is known only while the job runs."""
        value = self.top(node)
        if isinstance(value, Later):
            raise Unresolved(value.path)
        return value

    def top(self, node: Node) -> object:
        """As `value`; a `Later` where the whole expression is one."""
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Context | Access):
            return self.look_up(node)
        if isinstance(node, Call):
            return call(node.name, [self.value(argument) for argument in node.arguments], self.files)
        if isinstance(node, Not):
            return self.truth(node)
        return self.compare(node) if isinstance(node, Compare) else self.chain(node)

    def compare(self, node: Compare) -> object:
        left = self.value(node.first)
        for sign, right_node in node.rest:
            right = self.value(right_node)
            left = _COMPARED[sign](left, right)
        return left

    def chain(self, node: Chain) -> object:
        value: object = None
        for part in node.parts:
            value = self.value(part)
            if truthy(value) == (node.sign == "||"):
                break
        return value

    def truth(self, node: Node) -> bool:
        """Whether it is true, also where an unknown part makes no difference to that."""
        if isinstance(node, Not):
            return self.truth(node.inner) == (node.times % 2 == 0)
        if not isinstance(node, Chain):
            return truthy(self.value(node))
        decides, unknown = node.sign == "||", None
        for part in node.parts:
            try:
                if self.truth(part) == decides:
                    return decides
            except Unresolved as error:
                unknown = unknown or error
        if unknown is not None:
            raise unknown
        return not decides

    def look_up(self, node: Context | Access) -> object:
        root, path = (node, ()) if isinstance(node, Context) else (node.root, node.path)
        if not isinstance(root, Context):
            return self.walk(self.value(root), path, node, exact=False)
        name = root.name.lower()
        if name == "secrets":
            self.secrets.append(syntax.written(node))
            return {} if not path else [] if isinstance(path[0], All) else "" if len(path) == 1 else None
        if name not in self.contexts:
            raise Unresolved(syntax.written(node))
        return self.walk(self.contexts[name], path, node, exact=name == "env")

    def walk(self, value: object, path: Sequence[Node | All], node: Node, *, exact: bool) -> object:
        """Follow the properties. After a `*` each is asked of every item, and those that lack it are left out."""
        many = False
        for step in path:
            if isinstance(value, Later):
                raise Unresolved(syntax.written(node))
            if isinstance(step, All):
                items = value if many and isinstance(value, list) else [value]
                value, many = [self.plain(inner) for item in items for inner in _items(item, node)], True
                continue
            key = self.value(step)
            if many and isinstance(value, list):
                found = (_item(self.plain(item), key, node, exact) for item in value)
                value = [self.plain(item) for item in found if item is not _MISSING]
            else:
                item = _item(value, key, node, exact)
                value = self.plain(None if item is _MISSING else item)
            exact = False
        return self.plain(value)

    def plain(self, value: object) -> object:
        """Raises for what only GitHub knows; a secret is empty and written down."""
        if isinstance(value, Unknown):
            raise Unresolved(value.what)
        if isinstance(value, Secret):
            self.secrets.append(value.name)
            return ""
        return value


def _items(value: object, node: Node) -> Sequence[object]:
    if isinstance(value, Partial):
        raise Unresolved(syntax.written(node))
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else ()


def _item(value: object, key: object, node: Node, exact: bool) -> object:
    if isinstance(value, Mapping) and is_primitive(key):
        return _named(value, as_text(key), node, exact)
    if isinstance(value, list) and is_primitive(key):
        at = number(key)
        return value[math.floor(at)] if 0 <= at < len(value) else _MISSING
    return _MISSING


def _named(value: Mapping[str, object], name: str, node: Node, exact: bool) -> object:
    if name in value:
        return value[name]
    if not exact:
        wanted = name.lower()
        for other, item in value.items():
            if str(other).lower() == wanted:
                return item
    if isinstance(value, Partial):
        if value.later:
            return Later(f"{value.later}.{name}")
        raise Unresolved(syntax.written(node))
    return _MISSING
