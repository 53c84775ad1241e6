"""Temporary folders that say which process made them, so that those of a process that was killed can be cleared.

Python removes its own at the end of a block; SIGKILL ends no block.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.process import gone, this_process

_PREFIX = "heal-tmp-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder, gone afterwards."""
    whose = this_process().replace(":", ".")  # git takes lists of folders with colons between them
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{whose}-") as folder:
        yield Path(folder)


def clear(place: Path | None = None) -> int:
    """Remove the folders whose process is gone for certain, where temporary files are and in the folders there, as a
    worker's pool has its own in the worker's; gives how many there were."""
    root = place or Path(tempfile.gettempdir())
    found = [*root.glob(f"{_PREFIX}*"), *root.glob(f"{_PREFIX}*/{_PREFIX}*")]
    folders = [path for path in found if gone(_whose(path.name))]
    for path in folders:
        shutil.rmtree(path, ignore_errors=True)
    return len(folders)


def _whose(name: str) -> str:
    """The process's label in a folder's name."""
    return name.removeprefix(_PREFIX).partition("-")[0].replace(".", ":")
