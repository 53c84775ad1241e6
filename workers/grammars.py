"""Syntax trees of source files: which tree-sitter grammar reads which file, and where a text does not fit its grammar.

The texts are untrusted. Any bytes give a tree, so nothing raises; what is too large to be parsed quickly gives none.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import PurePosixPath

from tree_sitter import Language, Node, Parser, Tree

LIMIT = 256_000
"""Bytes of a file that is parsed: longer ones are generated more often than written. Source takes 0.2 microseconds per
byte; text that fits no grammar up to 15, in linear time."""

_ENDINGS: Mapping[str, str] = {
    **dict.fromkeys((".py", ".pyi"), "python"),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), "javascript"),
    **dict.fromkeys((".ts", ".mts", ".cts"), "typescript"),
    ".tsx": "tsx",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
}
_MODULES: Mapping[str, tuple[str, str]] = {
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
}


def grammar(path: str) -> str:
    """The name of the grammar for a file, "" where there is none."""
    return _ENDINGS.get(PurePosixPath(path).suffix.lower(), "")


def parsed(path: str, data: bytes) -> Tree | None:
    """The tree of a file; None for a language without a grammar, and for a file that is too long."""
    name = grammar(path)
    if not name or len(data) > LIMIT:
        return None
    return Parser(_language(name)).parse(data)


def faults(path: str, data: bytes) -> tuple[int, ...]:
    """The lines, from 1 and in order, at which the text does not fit its grammar, each as often as something is wrong
    there. Empty too where nothing can be said."""
    tree = parsed(path, data)
    if tree is None:
        return ()
    found: list[int] = []
    open_: list[Node] = [tree.root_node]
    while open_:
        node = open_.pop()
        if node.is_error or node.is_missing:
            found.append(node.start_point[0] + 1)
        if node.has_error:
            open_.extend(node.children)
    return tuple(sorted(found))


@cache
def _language(name: str) -> Language:
    module, function = _MODULES.get(name, (f"tree_sitter_{name}", "language"))
    return Language(getattr(importlib.import_module(module), function)())
