"""Evaluates the `${{ }}` expressions of workflow files as far as their values are known here.

GitHub's rules for comparison and truth are followed; what cannot be known raises `Unresolved`, it is never empty.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?))"
    r"|(?P<string>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>&&|\|\||==|!=|<=|>=|[<>!().,*]|\[|\]))"
)
_QUOTED_OR_END = re.compile(r"'[^']*'|'|\}\}")
_MAX_TOKENS = 400
_MAX_DEPTH = 30
_CLOSED = frozenset({"matrix", "strategy", "secrets"})
"""Contexts that are known whole: a name that is not there is empty, as on GitHub."""


class Unresolved(Exception):  # noqa: N818 - an answer: "cannot be known here"
    """The expression needs something that only GitHub knows."""


@dataclass(frozen=True)
class Rendered:
    """A text after interpolation. What stayed unresolved still stands in it as it was written."""

    text: str
    secrets: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()


@dataclass
class _Evaluator:
    contexts: Mapping[str, object]
    tokens: list[tuple[str, str]]
    at: int = 0
    depth: int = 0
    secrets: list[str] = field(default_factory=list)

    def take(self, *signs: str) -> str | None:
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "sign" and self.tokens[self.at][1] in signs:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def expect(self, sign: str) -> None:
        if self.take(sign) is None:
            raise Unresolved(f"'{sign}' expected")

    def whole(self) -> object:
        value = self.either()
        if self.at < len(self.tokens):
            raise Unresolved(f"unexpected '{self.tokens[self.at][1]}'")
        return value()

    # Each level gives a function, so that `&&` and `||` look at their right side only when they must.
    def either(self) -> Callable[[], object]:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Unresolved("nested too deeply")
        left = self.both()
        while self.take("||"):
            left = _or(left, self.both())
        self.depth -= 1
        return left

    def both(self) -> Callable[[], object]:
        left = self.comparison()
        while self.take("&&"):
            left = _and(left, self.comparison())
        return left

    def comparison(self) -> Callable[[], object]:
        left = self.unary()
        while sign := self.take("==", "!=", "<", ">", "<=", ">="):
            left = _compare(sign, left, self.unary())
        return left

    def unary(self) -> Callable[[], object]:
        negations = 0
        while self.take("!"):
            negations += 1
        value = self.primary()
        if not negations:
            return value
        return lambda: truthy(value()) == (negations % 2 == 0)

    def primary(self) -> Callable[[], object]:
        if self.take("("):
            inner = self.either()
            self.expect(")")
            return inner
        if self.at >= len(self.tokens):
            raise Unresolved("the expression ends too early")
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            number = float(int(text, 16)) if "0x" in text else float(text)
            return lambda: number
        if kind == "string":
            return lambda: text[1:-1].replace("''", "'")
        if kind != "name":
            raise Unresolved(f"unexpected '{text}'")
        if self.take("("):
            return self.call(text)
        return self.reference(text)

    def call(self, name: str) -> Callable[[], object]:
        arguments: list[Callable[[], object]] = []
        while not self.take(")"):
            if arguments:
                self.expect(",")
            arguments.append(self.either())
        function = _FUNCTIONS.get(name.lower())
        if function is None:
            return _unknown(f"{name}()")
        return lambda: function([argument() for argument in arguments])

    def reference(self, name: str) -> Callable[[], object]:
        if name.lower() in _LITERALS:
            literal = _LITERALS[name.lower()]
            return lambda: literal
        path: list[Callable[[], object]] = []
        while sign := self.take(".", "["):
            path.append(self.step(sign))
        return lambda: self.look_up(name, [str(step()) if not isinstance(step(), float) else step() for step in path])

    def step(self, sign: str) -> Callable[[], object]:
        if sign == "[":
            index = self.either()
            self.expect("]")
            return index
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "name":
            self.at += 1
            key = self.tokens[self.at - 1][1]
            return lambda: key
        raise Unresolved("a property name is expected after '.'")

    def look_up(self, name: str, path: Sequence[object]) -> object:
        root = name.lower()
        written = ".".join([name, *map(str, path)])
        if root == "secrets":
            self.secrets.append(written)
            return ""
        if root not in self.contexts:
            raise Unresolved(written)
        value = self.contexts[root]
        for key in path:
            value = _item(value, key)
            if value is _MISSING:
                if root in _CLOSED:
                    return None
                raise Unresolved(written)
        return value


def evaluate(expression: str, contexts: Mapping[str, object]) -> object:
    """The value of one expression without its `${{ }}`. Raises `Unresolved`."""
    return _evaluator(expression, contexts).whole()


def render(text: str, contexts: Mapping[str, object]) -> Rendered:
    """The text with each `${{ }}` replaced that can be known; secrets become empty and are named."""
    secrets: dict[str, None] = {}
    unresolved: list[str] = []
    parts: list[str] = []
    done = 0
    while (start := text.find("${{", done)) >= 0:
        end = _end(text, start + 3)
        if end < 0:
            unresolved.append("an unclosed ${{")
            break
        parts.append(text[done:start])
        done = end + 2
        try:
            evaluator = _evaluator(text[start + 3 : end], contexts)
            parts.append(as_text(evaluator.whole()))
            secrets.update(dict.fromkeys(evaluator.secrets))
        except Unresolved:
            unresolved.append(text[start + 3 : end].strip())
            parts.append(text[start:done])
    return Rendered("".join(parts) + text[done:], tuple(secrets), tuple(unresolved))


def _end(text: str, start: int) -> int:
    """Where the `}}` of an expression stands that is in no quoted text, or -1."""
    for match in _QUOTED_OR_END.finditer(text, start):
        if match[0] == "}}":
            return match.start()
        if match[0] == "'":
            return -1  # a quote that nothing closes
    return -1


def truthy(value: object) -> bool:
    """GitHub's truth: empty text, 0, NaN, null and false are false."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return value not in (None, False, 0, "")


def as_text(value: object) -> str:
    """A value as GitHub writes it into a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return format(value, ".15g")
    return value if isinstance(value, str) else json.dumps(value, indent=2)


def _evaluator(expression: str, contexts: Mapping[str, object]) -> _Evaluator:
    tokens: list[tuple[str, str]] = []
    at, text = 0, expression.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise Unresolved(f"cannot read '{text[at : at + 20]}'")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        if len(tokens) > _MAX_TOKENS:
            raise Unresolved("the expression is too long")
        at = match.end()
    return _Evaluator(contexts, tokens)


_MISSING = object()
_LITERALS: Mapping[str, object] = {
    "true": True,
    "false": False,
    "null": None,
    "nan": math.nan,
    "infinity": math.inf,
}


def _item(value: object, key: object) -> object:
    if isinstance(value, Mapping):
        wanted = as_text(key).lower()
        return next((item for name, item in value.items() if str(name).lower() == wanted), _MISSING)
    if isinstance(value, list) and isinstance(key, float) and key.is_integer() and 0 <= key < len(value):
        return value[int(key)]
    return _MISSING


def _or(left: Callable[[], object], right: Callable[[], object]) -> Callable[[], object]:
    def value() -> object:
        first = left()
        return first if truthy(first) else right()

    return value


def _and(left: Callable[[], object], right: Callable[[], object]) -> Callable[[], object]:
    def value() -> object:
        first = left()
        return right() if truthy(first) else first

    return value


def _compare(sign: str, left: Callable[[], object], right: Callable[[], object]) -> Callable[[], object]:
    def value() -> object:
        one, two = _comparable(left(), right())
        if sign in ("==", "!="):
            return (one == two) == (sign == "==")
        if isinstance(one, str) and isinstance(two, str):
            return {"<": one < two, ">": one > two, "<=": one <= two, ">=": one >= two}[sign]
        if isinstance(one, float) and isinstance(two, float):
            return {"<": one < two, ">": one > two, "<=": one <= two, ">=": one >= two}[sign]
        return False

    return value


def _comparable(one: object, two: object) -> tuple[object, object]:
    if isinstance(one, str) and isinstance(two, str):
        return one.lower(), two.lower()
    if isinstance(one, dict | list) or isinstance(two, dict | list):
        return id(one), id(two)
    return _number(one), _number(two)


def _number(value: object) -> float:
    if value is None or value == "":
        return 0.0
    try:
        return float(value)  # type: ignore[arg-type]  # anything else is the ValueError or TypeError below
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _unknown(what: str) -> Callable[[], object]:
    def value() -> object:
        raise Unresolved(what)

    return value


def _contains(arguments: Sequence[object]) -> object:
    where, what = _exactly(2, arguments)
    if isinstance(where, list):
        return any(_compare("==", lambda item=item: item, lambda: what)() for item in where)  # type: ignore[misc]
    return as_text(what).lower() in as_text(where).lower()


def _format(arguments: Sequence[object]) -> object:
    if not arguments:
        raise Unresolved("format() without a text")

    def replace(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        index = int(match[1]) + 1 if match[1] else len(arguments)
        if index >= len(arguments):
            raise Unresolved("format() with too few values")
        return as_text(arguments[index])

    return re.sub(r"\{\{|\}\}|\{(\d{1,3})\}", replace, as_text(arguments[0]))


def _join(arguments: Sequence[object]) -> object:
    items = arguments[0] if arguments and isinstance(arguments[0], list) else list(arguments[:1])
    return (as_text(arguments[1]) if len(arguments) > 1 else ",").join(map(as_text, items))


def _from_json(arguments: Sequence[object]) -> object:
    (text,) = _exactly(1, arguments)
    try:
        value: object = json.loads(as_text(text))
    except (ValueError, RecursionError) as error:
        raise Unresolved("fromJSON() of something that is not JSON") from error
    return value


def _exactly(n: int, arguments: Sequence[object]) -> Sequence[object]:
    if len(arguments) != n:
        raise Unresolved(f"{n} values expected, {len(arguments)} given")
    return arguments


def _starts(arguments: Sequence[object]) -> object:
    text, start = _exactly(2, arguments)
    return as_text(text).lower().startswith(as_text(start).lower())


def _ends(arguments: Sequence[object]) -> object:
    text, end = _exactly(2, arguments)
    return as_text(text).lower().endswith(as_text(end).lower())


# The job is followed up to its first red step: until there it is successful, never cancelled.
_FUNCTIONS: Mapping[str, Callable[[Sequence[object]], object]] = {
    "contains": _contains,
    "startswith": _starts,
    "endswith": _ends,
    "format": _format,
    "join": _join,
    "tojson": lambda arguments: json.dumps(_exactly(1, arguments)[0], indent=2),
    "fromjson": _from_json,
    "success": lambda _: True,
    "always": lambda _: True,
    "failure": lambda _: False,
    "cancelled": lambda _: False,
}
