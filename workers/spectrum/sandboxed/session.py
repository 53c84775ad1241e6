"""One session of the project's test runner, pytest or unittest, from beginning to end.

Both give the same: tests with a `name`, the `file` they belong to, their `module` and the `shared` values they are
called with, which can be run `alone`; and to whoever serves in the place of the tests' loop a run with its `tests`,
`broken` when a file could not be imported, that runs them all as usual, `whole`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # Python 3.8 cannot evaluate them
    from types import ModuleType

    from .outcomes import Outcomes


def loaded(runner: str) -> ModuleType:
    """`unittest` or `pytest`, which an environment may not have: `ImportError`. Loaded once, no fork has to again."""
    return importlib.import_module(f".with_{runner}", __package__)


def session(runner: str, args: list[str], watcher: Outcomes) -> dict[str, Any]:
    """What the watcher was told, with the folder that names of files start from."""
    found: dict[str, Any] = loaded(runner).session(args, watcher)
    return found


def narrowed(plan: dict[str, Any], files: list[str]) -> list[str]:
    """The arguments of a session in which only tests of these files are wanted. pytest takes their names; unittest, of
    which the tests are not called as their files are, reads everything."""
    return plan["args"] if plan["runner"] == "unittest" else [*plan["options"], *files]
