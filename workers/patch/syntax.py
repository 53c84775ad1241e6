"""The cheap gate before any container: a file that could be parsed before must still be parsed afterwards."""

from __future__ import annotations

import ast
import json
import tomllib
import warnings
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

import yaml

from workers.patch.edits import PatchError


def _python(text: str) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text.removeprefix("\ufeff"))


def _yaml(text: str) -> object:
    return yaml.compose(text, Loader=yaml.SafeLoader)


PARSERS: Mapping[str, Callable[[str], object]] = {
    ".py": _python,
    ".pyi": _python,
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yml": _yaml,
    ".yaml": _yaml,
}


def problem(path: str, data: bytes) -> str:
    """Why the file cannot be parsed, or an empty string."""
    parse = PARSERS.get(PurePosixPath(path).suffix)
    if parse is None:
        return ""
    try:
        parse(data.decode("utf-8"))
    except SyntaxError as error:
        text = (error.text or "").rstrip()
        return f"line {error.lineno}: {error.msg}" + (f"\n    | {text}" if text else "")
    except (ValueError, RecursionError, MemoryError, yaml.YAMLError) as error:
        return " ".join(str(error).split())[:300] or type(error).__name__
    return ""


def gate(path: str, before: bytes | None, after: bytes) -> None:
    """Raise `PatchError` when the change breaks the file's syntax."""
    found = problem(path, after)
    if found and (before is None or not problem(path, before)):
        raise PatchError(f"{path} can no longer be parsed after this change: {found}")
