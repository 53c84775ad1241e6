"""Which file of the tree an author meant. Paths that leave the tree or reach into git's own files are refused.

A name that is slightly wrong is accepted only when exactly one file can be meant.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from workers.patch.edits import PatchError

_ROOTS = ("work", "workspace", "github/workspace", "repo", "app", "testbed", "src", "code", "project", "tmp")
_RUNNER = re.compile(r"^/home/runner/work/[^/]+/[^/]+/|^/__w/[^/]+/[^/]+/")


def existing(written: str, paths: Sequence[str]) -> str:
    """The file that is meant, which must exist."""
    path = _clean(written)
    named = exact(written, paths)
    if named:
        return named
    base = PurePosixPath(path).name
    same = [name for name in paths if PurePosixPath(name).name == base]
    if len(same) == 1:
        return same[0]
    if len(same) > 1:
        raise PatchError(f"{written}: no such file; several are called {base}: {', '.join(sorted(same)[:5])}")
    close = difflib.get_close_matches(path, paths, n=3, cutoff=0.85)
    if len(close) == 1 and not written.startswith("/"):
        return close[0]
    raise PatchError(f"{written}: there is no such file" + (f"; did you mean {', '.join(close)}?" if close else ""))


def exact(written: str, paths: Sequence[str]) -> str:
    """The file that is named in full, perhaps below a folder that the repository was in; else an empty string."""
    known = set(paths)
    return next((name for name in _shorter(_clean(written)) if name in known), "")


def created(written: str, paths: Sequence[str]) -> str:
    """Where a new file goes."""
    path = _clean(written)
    if path.startswith("/"):
        root = next((r for r in _ROOTS if path.startswith(f"/{r}/")), None)
        runner = _RUNNER.match(path)
        if not root and not runner:
            raise PatchError(f"{written}: paths are relative to the repository's root")
        path = path[runner.end() :] if runner else path[len(f"/{root}/") :]
    elif path.startswith(("a/", "b/")) and not any(name.startswith(path[:2]) for name in paths):
        path = path[2:]
    if not path or any(path.startswith(f"{name}/") for name in paths):
        raise PatchError(f"{written}: a file cannot be made there")
    return path


def _clean(written: str) -> str:
    path = written.strip().strip("'\"`").replace("\\", "/")
    if not path or any(ord(char) < 32 for char in path):
        raise PatchError("an edit does not say which file it changes: put the path in front of it")
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in parts or re.match(r"^[A-Za-z]:/", path) or path.startswith("~"):
        raise PatchError(f"{written}: a path may not leave the repository")
    if any(part.lower().rstrip(". ") in {".git", "git~1"} for part in parts):
        raise PatchError(f"{written}: git's own files may not be changed")
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def _shorter(path: str) -> list[str]:
    """The path and its tails: `/work/src/a.py` may mean `src/a.py`, `a/src/a.py` too. The last part alone is
    looked at elsewhere, because it must be unique."""
    parts = path.strip("/").split("/")
    names = ["/".join(parts[i:]) for i in range(max(1, len(parts)))]
    return (
        names
        if path.startswith("/")
        else names[: max(1, len(names) - 1)] + (names[-1:] if len(parts) == 2 and parts[0] in {"a", "b"} else [])
    )
