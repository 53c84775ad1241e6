"""The texts that expressions stand in: conditions, scripts, and values of the file that keep their kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workers.expressions import syntax
from workers.expressions.evaluation import Evaluation
from workers.expressions.functions import STATUS
from workers.expressions.hash_files import Files
from workers.expressions.syntax import Access, All, Call, Chain, Compare, Node, Not
from workers.expressions.values import Contexts, Invalid, Later, Unresolved, as_text

_QUOTED_OR_END = re.compile(r"'[^']*'|'|\}\}")


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
    return Evaluation(contexts, files).value(syntax.parse(expression))


def holds(condition: str, contexts: Contexts, files: Files | None = None) -> bool:
    """The truth of an `if:`, with or without `${{ }}`. Raises `Unresolved` where what is unknown could decide it."""
    text = condition.strip()
    inner = is_expression(text)
    if inner is None and "${{" in text:
        rendered = render(text, contexts, files)  # as on GitHub: text around an expression makes it a text
        if rendered.unresolved:
            raise Unresolved(rendered.unresolved[0])
        return bool(rendered.text)
    return not text or Evaluation(contexts, files).truth(syntax.parse(text if inner is None else inner))


def statuses(condition: str) -> frozenset[str]:
    """The status functions that the condition calls, in small letters. Without one it is joined with `success()`."""
    try:
        nodes = [syntax.parse(is_expression(condition.strip()) or condition)]
    except Invalid:
        return frozenset()
    found: set[str] = set()
    while nodes:
        node = nodes.pop()
        found |= {node.name.lower()} & STATUS.keys() if isinstance(node, Call) else set()
        nodes += _children(node)
    return frozenset(found)


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
        evaluation = Evaluation(contexts, files)
        try:
            value = evaluation.top(syntax.parse(text[start + 3 : end]))
        except Unresolved as error:
            errors.append(error)
            parts.append(text[start:done])
            continue
        later.update({value.path: None} if isinstance(value, Later) else {})
        parts.append(value.token if isinstance(value, Later) else _whole(as_text(value)))
        secrets.update(dict.fromkeys(evaluation.secrets))
    return Rendered(
        "".join(parts) + text[done:],
        tuple(secrets),
        tuple(map(str, errors)),
        tuple(error.why() for error in errors),
        tuple(later),
    )


def _whole(text: str) -> str:
    """The text without the halves of characters that JSON can write and no file can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


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
