"""Examples that the changed files give of themselves (`>>> f(1)`), as tests beside the tests."""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import sys
from typing import Any

from .outcomes import Hung, attempt
from .swapping import Original

MOST, EXAMPLE_S = 60, 0.5
_LENIENT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def failing(original: Original) -> list[str]:
    """The examples in the file's texts that do not give what they say, as `line: source`."""
    module = next((sys.modules.get(function.__module__) for function in original.live), None)
    if module is None:
        return []
    found: list[str] = []
    for line, text in _texts(original.tree):
        names = dict(vars(module))
        untrue = [example for example in _examples(text)[:MOST] if not _holds(example, names)]
        found += [f"{line + example.lineno}: {example.source.strip()[:80]}" for example in untrue]
    return found


def _texts(tree: ast.Module) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            text = node.value.value
            if isinstance(text, str) and ">>> " in text:
                found.append((node.lineno, text))
    return found


def _examples(text: str) -> list[doctest.Example]:
    try:
        return doctest.DocTestParser().get_examples(text)
    except ValueError:
        return []


def _holds(example: doctest.Example, names: dict[str, Any]) -> bool:
    said = io.StringIO()

    def run() -> None:
        with contextlib.redirect_stdout(said):
            exec(compile(example.source, "<example>", "single"), names)  # noqa: S102 - this is the sandbox

    _, error = attempt(run, EXAMPLE_S)
    if isinstance(error, Hung):
        return True  # nothing is known of what takes long
    if error is not None:
        return bool(example.exc_msg) and type(error).__name__ in str(example.exc_msg)
    return doctest.OutputChecker().check_output(example.want, said.getvalue(), _LENIENT)
