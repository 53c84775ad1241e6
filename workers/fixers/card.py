"""What a repository is in a few lines: files by kind, folders and what sets it up, the same for all its jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

_ALL, _KINDS, _FOLDERS = 120, 6, 60
"""How many paths a list may have, else their folders are told; how many kinds of files and folders are."""
_SETTING_UP = frozenset(
    {
        "pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "noxfile.py", "requirements.txt", "Pipfile", "uv.lock",
        "poetry.lock", "package.json", "tsconfig.json", "deno.json", "go.mod", "go.work", "Cargo.toml", "pom.xml",
        "build.gradle", "build.gradle.kts", "Makefile", "CMakeLists.txt", "justfile", ".pre-commit-config.yaml",
        ".editorconfig",
    }
)  # fmt: skip


def card(paths: Sequence[str]) -> list[str]:
    """Its lines; names are as they are in the repository."""
    kinds = Counter(PurePosixPath(path).suffix or "(none)" for path in paths)
    most = sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))[:_KINDS]
    lines = [f"{len(paths)} files: " + ", ".join(f"{count} {kind}" for kind, count in most)]
    if known := [path for path in paths if path in _SETTING_UP]:
        lines.append(f"set up by: {', '.join(known)}")
    if len(paths) <= _ALL:
        return [*lines, "", *paths]
    return [*lines, "", *_folders(paths)]


def _folders(paths: Sequence[str]) -> list[str]:
    """Folders of two levels with the number of files below them, the fullest ones, in order of name."""
    counts = Counter("/".join(path.split("/")[:-1][:2]) for path in paths)
    kept = sorted(counts, key=lambda folder: (-counts[folder], folder))[:_FOLDERS]
    return [f"{folder or '.'}/ ({counts[folder]} files)" for folder in sorted(kept)]
