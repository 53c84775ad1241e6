"""Operations that may find nothing, and the errors by which they say so: `items.remove(x)` and `ValueError`.

With nothing else in the `try`, a handler that passes is `if x in items:` in other words, and hides no failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

OPERATIONS: Mapping[str, frozenset[str]] = {
    "pop": frozenset({"IndexError", "KeyError"}),
    "remove": frozenset({"ValueError", "KeyError", "FileNotFoundError"}),
    "unlink": frozenset({"FileNotFoundError"}),
    "rmdir": frozenset({"FileNotFoundError"}),
    "mkdir": frozenset({"FileExistsError"}),
    "makedirs": frozenset({"FileExistsError"}),
    "index": frozenset({"ValueError"}),
}
"""Methods of Python's own types, and functions of `os` and `pathlib`, by name."""
LOOKUPS = frozenset({"index"})
"""Those that change nothing: there has to be a value from before that stands where nothing is found."""

_CALL = re.compile(r"\s*(?:\w+ = )?[\w.]+\.(\w+)\([\w\s.,'\"-]*\)\s*(?:#.*)?")
_PASSES = re.compile(rb"\bexcept[ \t]+[\w.]+[ \t]*:(?:\s|#[^\n]*\n)*pass\b")
_HANDLER = re.compile(r"\s*except (\w+):\s*")


def written(before: Sequence[str], handler: str) -> bool:
    """Whether the lines before a handler that does nothing are `try:` and one such operation, as text shows it."""
    error = _HANDLER.fullmatch(handler)
    if error is None or len(before) < 2 or before[-2].strip() != "try:":
        return False
    call = _CALL.fullmatch(before[-1])
    return call is not None and error[1] in OPERATIONS.get(call[1], ())


def passes(text: bytes) -> int:
    """How many handlers of one error do nothing."""
    return len(_PASSES.findall(text))


def defined(texts: Iterable[bytes]) -> frozenset[str]:
    """Those of the names that the code gives to functions of its own, whose errors may be anything."""
    named = re.compile(rb"\bdef\s+(" + "|".join(OPERATIONS).encode() + rb")\s*\(")
    return frozenset(name.decode() for text in texts for name in named.findall(text))
