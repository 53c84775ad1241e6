"""The files a printed unified diff changes: what formatters show with `--diff`, and what git shows."""

from __future__ import annotations

import re
from itertools import pairwise

_OLD = re.compile(r"^--- (?P<path>[^\t\n]{1,400}?)(?::before)?(?:\t[^\n]*)?$")
_NEW = re.compile(r"^\+\+\+ (?P<path>[^\t\n]{1,400}?)(?::after)?(?:\t[^\n]*)?$")
_NULL = "/dev/null"


def changed(output: str) -> tuple[str, ...]:
    """In order, once each; a/ and b/ before a name are taken off when both are there."""
    lines = output.split("\n")
    found = []
    for first, second in pairwise(lines):
        if first.startswith("--- ") and second.startswith("+++ "):
            old, new = _OLD.match(first), _NEW.match(second)
            if old and new and (name := _name(old["path"].strip(), new["path"].strip())):
                found.append(name)
    return tuple(dict.fromkeys(found))


def _name(old: str, new: str) -> str:
    git = old.startswith("a/") or old == _NULL
    if git and (new.startswith("b/") or new == _NULL):
        old, new = old.removeprefix("a/"), new.removeprefix("b/")
    return old if new == _NULL else new
