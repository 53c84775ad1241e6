"""The view of one commit: exact bytes in, exact patches out, and nothing but plain files may change."""

from __future__ import annotations

import io
import tarfile
import tempfile
from pathlib import Path

import pytest

from tests.chaos.machine import small_disk
from tests.workers.git.checkouts import checkout, git, write
from workers.domain import Outcome, Sha
from workers.errors import Retryable, Stop
from workers.git.command import Command, GitFailed, is_full
from workers.git.listing import unreadable
from workers.git.mirror import Mirror
from workers.git.tree import MirrorTree
from workers.patch import Executable, PatchError

FILES = {
    "app/core.py": b"def add(a, b):\n    return a - b\n",
    "run.sh": b"#!/bin/sh\necho hi\n",
    "na\xc3\xafve.txt".encode("latin-1").decode(): b"caf\xc3\xa9\n",
    "crlf.txt": b"one\r\ntwo\r\n",
    "data.bin": b"\x00\x01",
    "empty": b"",
}


def tree_of(tmp_path: Path, files: dict[str, bytes]) -> MirrorTree:
    source = tmp_path / "source"
    sha = checkout(source, files)
    return Mirror(tmp_path / "mirror").borrow(source / ".git" / "objects", Sha(sha))


@pytest.fixture
def tree(tmp_path: Path) -> MirrorTree:
    source = tmp_path / "source"
    checkout(source, FILES)
    (source / "run.sh").chmod(0o755)
    (source / "link").symlink_to("/etc/passwd")
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--message", "Second")
    sha = Sha(git(source, "rev-parse", "HEAD"))
    return Mirror(tmp_path / "mirror").borrow(source / ".git" / "objects", sha)


def test_lists_and_reads_regular_files_only(tree: MirrorTree) -> None:
    """Symlinks are neither listed nor read, everything else comes back byte for byte."""
    assert list(tree.paths()) == sorted(FILES)
    assert {path: tree.read(path) for path in FILES} == FILES
    assert tree.read("link") is None
    assert tree.read("app") is None
    assert tree.read("../source/run.sh") is None


def test_archive_holds_the_commit(tree: MirrorTree) -> None:
    """The tar has every file with its executable bit, and names its commit."""
    archive = tree.tar()
    with tarfile.open(fileobj=io.BytesIO(archive.archive[:])) as tar:
        members = {member.name: member for member in tar}
    assert archive.sha == tree.sha
    assert members["run.sh"].mode & 0o111
    assert not members["app/core.py"].mode & 0o111
    assert members["link"].issym()


def test_attributes_of_the_tree_change_nothing(tmp_path: Path) -> None:
    """export-ignore, export-subst, ident, eol, encodings, -diff and filters in .gitattributes are without effect."""
    files = {"tests/test_a.py": b"# $Format:%H$ $Id$\n", "a.txt": b"plain\n"}
    attributes = (
        b"tests export-ignore\n*.py export-subst ident -diff filter=evil\n*.txt eol=crlf working-tree-encoding=UTF-16\n"
    )
    source = tmp_path / "source"
    checkout(source, files)
    write(source, {".gitattributes": attributes})
    git(source, "add", ".gitattributes")
    git(source, "commit", "--quiet", "--message", "Second")
    files[".gitattributes"] = attributes
    sha = Sha(git(source, "rev-parse", "HEAD"))
    tree = Mirror(tmp_path / "mirror").borrow(source / ".git" / "objects", sha)
    assert {path: tree.read(path) for path in tree.paths()} == files
    assert "-# $Format" in tree.diff({"tests/test_a.py": b"# new\n"})


@pytest.mark.fault(25)
def test_diff_and_apply_are_inverse(tree: MirrorTree) -> None:
    """What diff writes, apply reads back to the same edits: changed, new, deleted, non-ASCII, CRLF, no last newline."""
    edits = {
        "app/core.py": b"def add(a, b):\n    return a + b",
        "new dir/file name.py": b"x = 1\n",
        "empty": None,
        "na\xefve.txt": "th\xe9\n".encode(),
        "crlf.txt": b"one\r\n2\r\n",
        "run.sh": b"#!/bin/sh\necho ho\n",
    }
    patch = tree.diff(edits)
    assert "--- a/app/core.py\n+++ b/app/core.py\n" in patch
    assert "old mode" not in patch
    assert dict(tree.apply(patch)) == edits


def test_diff_of_no_change_is_empty(tree: MirrorTree) -> None:
    """An edit that changes nothing gives an empty patch."""
    assert tree.diff({"app/core.py": FILES["app/core.py"]}) == ""


def test_reading_leaves_the_mirror_untouched(tree: MirrorTree, tmp_path: Path) -> None:
    """Diff and apply write to a scratch folder only."""
    before = sorted((tmp_path / "mirror").rglob("*"))
    tree.apply(tree.diff({"app/core.py": b"x = 1\n"}))
    assert sorted((tmp_path / "mirror").rglob("*")) == before


def test_a_file_may_become_executable(tree: MirrorTree) -> None:
    """The one mode that changes: as an edit it says so, and diff and tree have it; the content is as it was."""
    patch = "diff --git a/app/core.py b/app/core.py\nold mode 100644\nnew mode 100755\n"
    edits = tree.apply(patch)
    assert edits == {"app/core.py": FILES["app/core.py"]}
    assert isinstance(edits["app/core.py"], Executable)
    assert tree.mode_with("app/core.py", edits["app/core.py"]) == "100755"
    assert tree.diff(edits) == patch
    assert tree.hash(edits) != tree.hash({})


def new_file(path: str, mode: str = "100644", body: str = "x") -> str:
    return f"diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{body}\n"


@pytest.mark.fault(21)
@pytest.mark.parametrize(
    "patch",
    [
        pytest.param("", id="empty"),
        pytest.param("no patch at all\n", id="prose"),
        pytest.param(new_file(".git/hooks/post-checkout"), id="git folder"),
        pytest.param(new_file("a/.GIT/config"), id="git folder in other case"),
        pytest.param(new_file("../outside"), id="outside"),
        pytest.param(new_file("/etc/cron.d/x"), id="absolute"),
        pytest.param(new_file("link/x"), id="beyond a symlink"),
        pytest.param(new_file("other", "120000", "/etc/passwd"), id="new symlink"),
        pytest.param(new_file("tool", "100755"), id="new executable"),
        pytest.param(new_file("sub", "160000", "Subproject commit " + "a" * 40), id="submodule"),
        pytest.param("diff --git a/run.sh b/run.sh\nold mode 100755\nnew mode 100644\n", id="mode change"),
        pytest.param("diff --git a/link b/link\n--- a/link\n+++ b/link\n@@ -1 +1 @@\n-/etc/passwd\n"
                     "\\ No newline at end of file\n+/etc/shadow\n\\ No newline at end of file\n", id="symlink target"),
        pytest.param("diff --git a/b b/b\nnew file mode 100644\nindex 0000000..1\nGIT binary patch\nliteral 1\nIcmZ\n",
                     id="binary"),
        pytest.param(new_file("nul", body="a\0b"), id="nul byte"),
        pytest.param("--- a/app/core.py\n+++ b/app/core.py\n@@ -1,2 +1,2 @@\n def add(x, y):\n-    return a - b\n"
                     "+    return a + b\n", id="wrong context"),
    ],
)  # fmt: skip
def test_refused_patches(tree: MirrorTree, patch: str) -> None:
    """Whatever is not a clean change of plain files inside the tree is a PatchError."""
    with pytest.raises(PatchError):
        tree.apply(patch)


@pytest.mark.fault(21)
@pytest.mark.parametrize(
    "edits",
    [{".git/config": b"x"}, {"../x": b"x"}, {"link": b"x"}, {"a//b": b"x"}, {"b": b"\0"}, {"latin": b"\xe9\n"}],
    ids=["git folder", "outside", "symlink", "empty part", "binary", "not UTF-8"],
)
def test_refused_edits(tree: MirrorTree, edits: dict[str, bytes | None]) -> None:
    """Edits that no safe patch can show are a PatchError."""
    with pytest.raises(PatchError):
        tree.diff(edits)


def test_reads_many_files_at_once(tmp_path: Path) -> None:
    """Reading a thousand files takes one archive, not a thousand processes."""
    files = {f"d{n % 10}/f{n}.txt": str(n).encode() for n in range(1000)}
    tree = tree_of(tmp_path, files)
    assert [tree.read(path) for path in tree.paths()] == [files[path] for path in tree.paths()]


@pytest.mark.fault(23)
def test_a_tree_that_unfolds_too_far_is_refused(tree: MirrorTree) -> None:
    """The size of all files is known before one is unpacked; too much of it ends the run as UNSUPPORTED."""
    with pytest.raises(Stop, match="larger") as stopped:
        MirrorTree(tree._git, tree.sha, limit=50).tar()
    assert stopped.value.outcome is Outcome.UNSUPPORTED


def test_a_large_tree_is_read_from_a_file(tree: MirrorTree) -> None:
    """Beyond the size for memory the archive is a file: the same bytes, the same answers."""
    large = MirrorTree(tree._git, tree.sha, in_memory=10)
    assert not isinstance(large.tar().archive, bytes)
    assert large.tar().archive[:] == tree.tar().archive[:]
    assert {path: large.read(path) for path in large.paths()} == FILES


def test_an_empty_commit_has_an_empty_archive(tmp_path: Path) -> None:
    """A commit without files is a tree without paths and a tar without members."""
    tree = tree_of(tmp_path, {})
    assert list(tree.paths()) == []
    with tarfile.open(fileobj=io.BytesIO(tree.tar().archive[:])) as tar:
        assert tar.getnames() == []


@pytest.mark.parametrize(("status", "wanted"), [(-9, Retryable), (128, Stop)])
def test_a_git_that_was_killed_says_nothing_of_the_commit(status: int, wanted: type[Exception]) -> None:
    """Whoever kills it, the system for want of memory say, makes no damaged commit of it: it is tried again."""
    assert isinstance(unreadable(Sha("0" * 40), GitFailed(("ls-tree",), status, "")), wanted)


@pytest.mark.fault(67)
def test_a_full_disk_says_nothing_of_the_commit(
    tree: MirrorTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no room for an index: neither is the commit unreadable nor the patch a bad one, and the run waits."""
    tree.paths()  # what is known of the commit: an index is all that is lacking
    with small_disk(tmp_path / "full", 1 << 16), monkeypatch.context() as patch:
        (tmp_path / "full" / "ballast").write_bytes(bytes(1 << 16))
        patch.setattr(tempfile, "tempdir", str(tmp_path / "full"))
        with pytest.raises(OSError, match="index") as told:
            tree.hash({"new.py": b"x = 1\n"})
    assert is_full(told.value)
    assert tree.hash({"new.py": b"x = 1\n"})


def test_a_name_says_nothing_of_the_disk(tmp_path: Path) -> None:
    """What a file is called stands in git's words, too."""
    with pytest.raises(GitFailed):
        Command(tmp_path).run_outside("cat-file", "-p", "HEAD:no space left on device")
