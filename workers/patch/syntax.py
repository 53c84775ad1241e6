"""The cheap gate before any container: what fitted its language before a change must still fit it afterwards."""

from __future__ import annotations

import json
import re
import tomllib
import warnings
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

import yaml

from workers.grammars import faults, grammar
from workers.patch.edits import PatchError


def _python(text: str) -> object:
    """Compiled, because `return` outside of a function, as a wrong indentation leaves it, still has a tree."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(text.removeprefix("\ufeff"), "file", "exec", dont_inherit=True)


def _yaml(text: str) -> object:
    return list(yaml.compose_all(text, Loader=yaml.SafeLoader))


_LIMIT = 1 << 20
"""Bytes: parsing a larger file costs more time and memory than it can save."""

PARSERS: Mapping[str, Callable[[str], object]] = {
    ".py": _python,
    ".pyi": _python,
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yml": _yaml,
    ".yaml": _yaml,
}


def problem(path: str, data: bytes) -> str:
    """Why the file cannot be parsed and in which line, with that line; or an empty string."""
    parse = PARSERS.get(PurePosixPath(path).suffix)
    if parse is None or len(data) > _LIMIT:
        return ""
    try:
        text = data.decode("utf-8")
        parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError, yaml.YAMLError) as error:
        why, line = _place(error)
        return (f"line {line}: " if line else "") + why + shown(data, line)
    return ""


def shown(data: bytes, line: int) -> str:
    """A line, from 1, as it is shown below what is said of it; "" when there is none."""
    rows = data.decode("utf-8", "replace").split("\n")
    text = rows[line - 1].rstrip()[:200] if 0 < line <= len(rows) else ""
    return f"\n    | {text}" if text else ""


def _place(error: Exception) -> tuple[str, int]:
    """What a parser complains about, and the line, 0 when it does not say."""
    if isinstance(error, SyntaxError):
        return error.msg, error.lineno or 0
    if isinstance(error, json.JSONDecodeError):
        return error.msg, error.lineno
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return error.problem or "not YAML", error.problem_mark.line + 1
    text = " ".join(str(error).split())[:300] or type(error).__name__
    at = re.search(r"\(at line (\d{1,9})", text)
    return text, int(at.group(1)) if at else 0


def gate(path: str, before: bytes | None, after: bytes) -> None:
    """Raise `PatchError` when the change breaks the file's syntax."""
    found = problem(path, after)
    if found and (before is None or not problem(path, before)):
        raise PatchError(f"{path} can no longer be parsed after this change: {found}")
    if PurePosixPath(path).suffix not in PARSERS and grammar(path):
        _gate_grammar(path, before, after)


def _gate_grammar(path: str, before: bytes | None, after: bytes) -> None:
    """A grammar may not know all of a language, so what it disliked before it may dislike again."""
    known, found = faults(path, before or b""), faults(path, after)
    if len(found) > len(known):
        line = next((line for line in found if line not in known), found[0])
        raise PatchError(f"{path} can no longer be parsed after this change: line {line}{shown(after, line)}")
