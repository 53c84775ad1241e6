"""What belongs to the project under test, and where what is found out is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path.cwd().resolve()
NOISE = ("site-packages", "dist-packages", ".venv", "venv", ".tox", ".nox", ".git", "node_modules")


def project_path(filename: str) -> str:
    """The path inside the project, or an empty string for everything else."""
    try:
        relative = Path(filename).resolve().relative_to(ROOT)
    except (ValueError, OSError):
        return ""
    if relative.suffix != ".py" or any(part in NOISE for part in relative.parts):
        return ""
    return relative.as_posix()


def is_test(path: str) -> bool:
    """Test code is neither suspected nor changed."""
    name = path.rsplit("/", 1)[-1]
    folders = path.split("/")[:-1]
    return name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py" or "tests" in folders


class Report:
    """JSON lines, each complete, so that a killed container still leaves what was found."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.file = Path(path).open("a", encoding="utf-8")  # noqa: SIM115 - open for the whole process

    def write(self, **row: Any) -> None:
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()
