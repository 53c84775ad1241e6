"""Python's exceptions by name, and what kind of failure each stands for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workers.domain import FailureClass

_KIND = re.compile(
    r"^(?:\w{1,80}\.){0,12}([A-Za-z_]\w{0,80}(?:Error|Exception|Warning|Exit|Interrupt|Failed|Failure|DeprecatedSince\d{1,3})|ExceptionGroup)\b"
)
_OF_KIND = {
    "SyntaxError": FailureClass.SYNTAX,
    "IndentationError": FailureClass.SYNTAX,
    "TabError": FailureClass.SYNTAX,
    "ModuleNotFoundError": FailureClass.DEPENDENCY,
    "ImportError": FailureClass.IMPORT,
    "NameError": FailureClass.IMPORT,
}
_ASSERTED = frozenset({"AssertionError", "Failed", "DocTestFailure", ""})


def kind_of(message: str) -> str:
    """The exception's name at the start of a message; pytest writes a plain `assert ...` for AssertionError."""
    match = _KIND.match(message)
    if match:
        return match[1]
    return "AssertionError" if message.startswith("assert ") else ""


def class_of(kinds: Sequence[str]) -> FailureClass:
    """Of the exceptions of failed tests: one that stops the import goes first, only assertions is a test failure."""
    for kind, cls in _OF_KIND.items():
        if kind in kinds:
            return cls
    if not kinds:
        return FailureClass.UNKNOWN
    return FailureClass.TEST if all(kind in _ASSERTED for kind in kinds) else FailureClass.ERROR
