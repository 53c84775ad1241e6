"""A checkout's own configuration never runs anything: every way known to make git start a program is planted.

That plain git does run what is planted is shown in a container: `test_tripwires.py`, "everything at once".
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workers.git.checkouts import checkout, git, write
from tests.workers.git.hostile.planted import plant
from workers.domain import RunId
from workers.errors import UsageError
from workers.local import LocalForge
from workers.ports import Proposal

PROPOSAL = Proposal("heal/x", "main", "t", "b", "Fix it\n", draft=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    attributes = b"* filter=evil diff=evil merge=evil\n"
    checkout(source, {"a.py": b"x = 1\n", "b.py": b"y = 1\n", ".gitattributes": attributes})
    return source


@pytest.mark.fault(22)
@pytest.mark.parametrize("ask", [{"apply": True}, {"branch": "fixed"}, {}], ids=["apply", "branch", "neither"])
def test_nothing_planted_runs(source: Path, tmp_path: Path, ask: dict[str, object]) -> None:
    """Opening, reading, checking for changes, diffing, applying and committing start no planted program."""
    trap = tmp_path / "trap"
    plant(source, trap)
    (source / "a.py").write_bytes(b"x = 1\n")  # same content, newer: git must look inside to see that
    forge = LocalForge(source, tmp_path / "state", apply="apply" in ask, branch=str(ask.get("branch") or "") or None)
    case = forge.case(RunId("r1"))
    tree = forge.tree(case)
    tree.tar()
    patch = tree.diff({"a.py": b"x = 2\n"})
    forge.publish(case, tree, patch, PROPOSAL)
    assert not trap.exists()
    assert (source / "a.py").read_bytes() == (b"x = 2\n" if "apply" in ask else b"x = 1\n")


@pytest.mark.fault(22)
def test_a_submodules_configuration_is_not_looked_at(source: Path, tmp_path: Path) -> None:
    """Looking for changes does not enter submodules, whose own configuration could run programs."""
    trap = tmp_path / "trap"
    inner = source / "inner"
    sha = checkout(inner, {"c.py": b"z = 1\n"})
    git(source, "update-index", "--add", "--cacheinfo", f"160000,{sha},inner")
    git(source, "commit", "--quiet", "--message", "Add a submodule")
    plant(inner, trap)
    write(inner, {"c.py": b"z = 2\n"})
    tree = LocalForge(source, tmp_path / "state").tree(LocalForge(source, tmp_path / "state").case(RunId("r1")))
    tree.tar()
    assert not trap.exists()
    assert "inner" not in tree.paths()


@pytest.mark.fault(22)
def test_a_missing_object_is_not_fetched(source: Path, tmp_path: Path) -> None:
    """A checkout that claims a partial clone cannot make git fetch the missing part by a program of its choice."""
    trap = tmp_path / "trap"
    blob = git(source, "rev-parse", "HEAD:a.py")
    plant(source, trap)
    git(source, "config", "--local", "core.repositoryFormatVersion", "1")
    git(source, "config", "--local", "extensions.partialClone", "origin")
    (source / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    forge = LocalForge(source, tmp_path / "state")
    with pytest.raises(Exception, match="could not be read"):
        forge.tree(forge.case(RunId("r1"))).tar()
    assert not trap.exists()


def test_a_work_tree_of_its_own_configuration(source: Path, tmp_path: Path) -> None:
    """A linked work tree with a configuration of its own is read like any other, and runs nothing either."""
    trap = tmp_path / "trap"
    linked = tmp_path / "linked"
    git(source, "worktree", "add", "--quiet", "--detach", str(linked))
    plant(source, trap)
    git(source, "config", "--local", "extensions.worktreeConfig", "true")
    own = source / ".git" / "worktrees" / "linked" / "config.worktree"
    own.write_text(f"[core]\n\tfsmonitor = {source / '.git' / 'evil'}\n\thooksPath = {source / '.git' / 'traps'}\n")
    forge = LocalForge(linked, tmp_path / "state", apply=True)
    case = forge.case(RunId("r1"))
    tree = forge.tree(case)
    forge.publish(case, tree, tree.diff({"a.py": b"x = 2\n"}), PROPOSAL)
    assert not trap.exists()
    assert (linked / "a.py").read_bytes() == b"x = 2\n"
    assert (source / "a.py").read_bytes() == b"x = 1\n"


@pytest.mark.fault(22)
@pytest.mark.parametrize("other", ["plain", "repository"])
def test_somebody_elses_files_are_not_a_work_tree(source: Path, tmp_path: Path, other: str) -> None:
    """A checkout whose configuration claims other files as its work tree is refused, though they are the same."""
    victim = tmp_path / "victim"
    files = {name: (source / name).read_bytes() for name in ("a.py", "b.py", ".gitattributes")}
    if other == "repository":
        checkout(victim, files)
    else:
        write(victim, files)
    git(source, "config", "--local", "core.worktree", str(victim))
    with pytest.raises(UsageError, match="another place"):
        LocalForge(source, tmp_path / "state", apply=True)
    assert (victim / "a.py").read_bytes() == b"x = 1\n"


@pytest.mark.fault(22)
def test_what_the_commit_itself_asks_for(tmp_path: Path) -> None:
    """Submodules that run commands, transfer agents, LFS pointers and attributes of a commit are files, no more."""
    trap, source = tmp_path / "trap", tmp_path / "source"
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12\n"
    run = f"!touch '{trap}'"
    files = {
        ".gitattributes": b"*.bin filter=lfs diff=lfs merge=lfs -text\n* export-subst ident filter=evil\n",
        ".gitmodules": f'[submodule "inner"]\n\tpath = inner\n\turl = ext::{run}\n\tupdate = {run}\n'
        f'[submodule "-u{trap}"]\n\tpath = "in\\r"\n\turl = -u./x\n'.encode(),
        ".lfsconfig": f"[lfs]\n\turl = ext::{run}\n\tstandalonetransferagent = evil\n".encode(),
        "data.bin": pointer,
        "a.py": b"x = 1  # $Id$ $Format:%H$\n",
    }
    checkout(source, files)
    git(source, "update-index", "--add", "--cacheinfo", f"160000,{'b' * 40},inner")
    git(source, "commit", "--quiet", "--message", "Add a submodule")
    plant(source, trap)
    forge = LocalForge(source, tmp_path / "state", branch="fixed")
    case = forge.case(RunId("r1"))
    tree = forge.tree(case)
    assert tree.read("data.bin") == pointer
    assert tree.read("a.py") == files["a.py"]
    forge.publish(case, tree, tree.diff({"a.py": b"x = 2\n"}), PROPOSAL)
    assert not trap.exists()
    assert git(source, "rev-parse", "fixed:data.bin") == git(source, "rev-parse", "main:data.bin")


def test_a_borrowed_object_folder_stays_what_it_is(source: Path, tmp_path: Path) -> None:
    """Nothing is written into the checkout but what was asked for: no lock, no index, no pack, no log."""
    plant(source, tmp_path / "trap")
    git_dir = source / ".git"
    before = {path: path.stat().st_mtime_ns for path in git_dir.rglob("*")}
    forge = LocalForge(source, tmp_path / "state")
    tree = forge.tree(forge.case(RunId("r1")))
    tree.tar()
    tree.diff({"a.py": b"x = 2\n"})
    assert {path: path.stat().st_mtime_ns for path in git_dir.rglob("*")} == before
