"""Folders of modules that lack the `__init__.py` which makes them packages, where an import fails for that alone.

The import system's own words name the module or the file, the tree shows that it is there, and a folder beside it or
above it is marked: then the repository marks its packages, and this one was forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePosixPath

from workers.domain import Diagnosis
from workers.ports import Files

MARK = "__init__.py"
_MOST = 50
"""Modules and files that are looked for: each goes through the whole tree."""
_ROOTS = ("", "src", "lib", "python")
_MODULE = re.compile(r"No module named ['\"](?P<name>[A-Za-z_][\w.]{0,200})['\"]")
_RELATIVE = "attempted relative import with no known parent package"
_MISMATCH = "import file mismatch"
_FILE = re.compile(r"^[ \t]{0,8}(?:E[ \t]{1,8})?(?P<path>\S{1,400}\.py)(?::\d{1,7}: .{0,200})?$")


def unmarked(diagnosis: Diagnosis, files: Files) -> tuple[str, ...]:
    """The `__init__.py` files that the failure asks for, sorted; nothing where it is not proven that they lack."""
    text = "\n".join((*(finding.message for finding in diagnosis.findings), diagnosis.excerpt))
    paths = frozenset(files.paths())
    found = set(_named(text, paths))
    places = {finding.path for finding in diagnosis.findings if finding.path and _RELATIVE in finding.message}
    if (_RELATIVE in text and not places) or _MISMATCH in text:
        places |= set(_told(text, paths))
    found |= {_mark(str(PurePosixPath(path).parent)) for path in places if path in paths}
    return tuple(sorted(mark for mark in found if mark not in paths and _forgotten(mark, paths)))


def _named(text: str, paths: frozenset[str]) -> Iterator[str]:
    """By a module that is there: every folder on the way to it that is no package."""
    for module in islice(dict.fromkeys(match["name"] for match in _MODULE.finditer(text)), _MOST):
        parts = module.split(".")
        for root in _ROOTS:
            folders = [str(PurePosixPath(root, *parts[:end])) for end in range(1, len(parts) + 1)]
            if f"{folders[-1]}.py" in paths:
                yield from map(_mark, folders[:-1])
            elif _modules(folders[-1], paths):
                yield from map(_mark, folders)


def _told(text: str, paths: frozenset[str]) -> Iterator[str]:
    """The repository's files that a failing collection names on lines of their own."""
    for match in islice(filter(None, map(_FILE.match, text.split("\n"))), _MOST):
        parts = match["path"].lstrip("./").split("/")
        tails = ("/".join(parts[at:]) for at in range(len(parts)))
        yield from (tail for tail in tails if "/" in tail and tail in paths)


def _forgotten(mark: str, paths: frozenset[str]) -> bool:
    """The folder holds modules, and the one above it or one beside it is marked."""
    folder = PurePosixPath(mark).parent
    if not folder.name or not _modules(str(folder), paths):
        return False
    above = folder.parent
    marks = (PurePosixPath(path) for path in paths if PurePosixPath(path).name == MARK)
    return any(one.parent in (above, folder) or one.parent.parent == above for one in marks)


def _modules(folder: str, paths: frozenset[str]) -> bool:
    return any(path.endswith(".py") and str(PurePosixPath(path).parent) == folder for path in paths)


def _mark(folder: str) -> str:
    return str(PurePosixPath(folder, MARK))
