"""A commit's files with new ones laid over them, against the real git and the archive that the sandbox unpacks."""

from __future__ import annotations

import io
import tarfile

import pytest

from sandbox.archives import contents
from tests.workers.fixers.trees import MemoryTree
from workers.overlay import Overlay
from workers.patch import PatchError

FILES = {"calc.py": "def add(a, b):\n    return a - b\n", "tests/test_calc.py": "x = 1\n"}
NEW = {"tests/test_issue_12.py": b"y = 2\n", "tests/empty.py": b""}


def test_the_new_files_are_there_beside_the_old_ones() -> None:
    """By path, by content and in the archive; a name of its own says which files these are."""
    below = MemoryTree(FILES)
    over = Overlay(below, NEW)
    assert over.paths() == sorted([*FILES, *NEW])
    assert over.read("tests/test_issue_12.py") == b"y = 2\n"
    assert over.read("tests/empty.py") == b""
    assert over.read("calc.py") == below.read("calc.py")
    assert len(over.sha) == len(below.sha)
    assert len({over.sha, below.sha, Overlay(below, {"tests/test_issue_12.py": b"z"}).sha}) == 3
    tree = over.tar()
    assert (tree.sha, tree.contents.left_out) == (over.sha, 0)
    packed = b"".join(contents(tree.archive).pieces())
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = {one.name: archive.extractfile(one).read() for one in archive if one.isfile()}  # type: ignore[union-attr]
    assert found == {path: over.read(path) for path in over.paths()}


def test_a_big_archive_is_put_together_in_a_file() -> None:
    """More than fits into memory comfortably, byte for byte the same."""
    big = MemoryTree({**FILES, "data.bin": b"\x01" * (17 << 20)})
    tree = Overlay(big, NEW).tar()
    assert not isinstance(tree.archive, bytes)
    assert tree.contents.entries == 5


def test_changes_are_changes_of_the_commit() -> None:
    """A patch on top applies to the commit itself, and leaves the new files alone."""
    below = MemoryTree(FILES)
    over = Overlay(below, NEW)
    edits = {"calc.py": b"def add(a, b):\n    return a + b\n"}
    patch = over.diff(edits)
    assert patch == below.diff(edits)
    assert over.apply(patch) == edits


@pytest.mark.parametrize("content", [b"y = 3\n", None])
def test_the_new_files_must_stay(content: bytes | None) -> None:
    """No candidate may change what shows the failure, by an edit or by a patch."""
    below = MemoryTree(FILES)
    over = Overlay(below, NEW)
    with pytest.raises(PatchError, match="must stay"):
        over.diff({"tests/test_issue_12.py": content})
    with pytest.raises(PatchError, match="must stay"):
        over.apply(below.diff({"tests/test_issue_12.py": b"y = 3\n"}))
