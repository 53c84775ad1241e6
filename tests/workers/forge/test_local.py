"""`heal fix` on a checkout: clear words where it cannot work, and no change beyond what was asked for."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.workers.git.checkouts import checkout, git, write
from workers.domain import Case, How, Outcome, Published, RunId
from workers.errors import Stop, UsageError
from workers.local import LocalForge
from workers.patch import Executable
from workers.ports import CI, Notice, Proposal, Wish

PROPOSAL = Proposal("heal/x", "main", "title", "body", "Fix the sum\n\nWhy: it was wrong.\n", draft=False)
FILES = {"app.py": b"x = 1\n", "old.py": b"gone = True\n", "run.sh": b"echo 1\n"}
EDITS = {"app.py": b"x = 2\n", "old.py": None, "pkg/new.py": b"y = 1\n", "run.sh": b"echo 2\n"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    checkout(source, FILES)
    (source / "run.sh").chmod(0o755)
    git(source, "commit", "--quiet", "--all", "--message", "Executable")
    return source


def publish(forge: LocalForge) -> Published:
    case = forge.case(RunId("r1"))
    tree = forge.tree(case)
    return forge.publish(case, tree, tree.diff(EDITS), PROPOSAL)


def test_outside_a_repository(tmp_path: Path) -> None:
    """A folder without a repository is refused in one sentence."""
    with pytest.raises(UsageError, match="not inside a git repository"):
        LocalForge(tmp_path, tmp_path / "state")


def test_missing_folder(tmp_path: Path) -> None:
    """A path that is no folder is refused."""
    with pytest.raises(UsageError, match="not a folder"):
        LocalForge(tmp_path / "nowhere", tmp_path / "state")


def test_bare_repository(tmp_path: Path) -> None:
    """A repository without a work tree is refused."""
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    with pytest.raises(UsageError, match="work tree"):
        LocalForge(tmp_path / "bare.git", tmp_path / "state")


def test_empty_repository(tmp_path: Path) -> None:
    """A repository without a commit is refused."""
    git(tmp_path, "init", "--quiet")
    with pytest.raises(UsageError, match="no commit"):
        LocalForge(tmp_path, tmp_path / "state")


@pytest.mark.parametrize("how", ["changed", "staged", "deleted", "added"])
def test_dirty_tree(source: Path, tmp_path: Path, how: str) -> None:
    """Tracked changes, staged or not, are refused and named."""
    if how == "deleted":
        (source / "app.py").unlink()
    else:
        write(source, {"more.py" if how == "added" else "app.py": b"x = 3\n"})
    if how in {"staged", "added"}:
        git(source, "add", "--all")
    with pytest.raises(UsageError, match=r"not committed \((app|more)\.py\)"):
        LocalForge(source, tmp_path / "state")


def test_untracked_files_and_touched_files_are_no_change(source: Path, tmp_path: Path) -> None:
    """What git does not know about, and files that are only newer, do not stand in the way."""
    write(source, {"notes.txt": b"mine\n", "app.py": FILES["app.py"]})
    forge = LocalForge(source / ".git" / "..", tmp_path / "state")
    assert "notes.txt" not in forge.tree(forge.case(RunId("r1"))).paths()


def test_the_job_is_of_the_moment_of_its_commit(source: Path, tmp_path: Path) -> None:
    """Nothing else says when the check was red: packages of that day are taken."""
    when = git(source, "log", "-1", "--format=%ct")
    forge = LocalForge(source, tmp_path / "state")
    assert datetime.fromisoformat(forge.job(forge.case(RunId("r1"))).started_at).timestamp() == int(when)


def test_a_plan_may_be_asked_for_with_changes_at_hand(source: Path, tmp_path: Path) -> None:
    """Nothing is run or written then; what is not committed is known."""
    write(source, {"app.py": b"x = 3\n"})
    forge = LocalForge(source, tmp_path / "state", committed=False)
    assert forge.unsaved
    assert forge.tree(forge.case(RunId("r1"))).read("app.py") == FILES["app.py"]


def test_works_from_a_folder_inside_and_from_a_second_work_tree(source: Path, tmp_path: Path) -> None:
    """A path inside the checkout finds its top; a linked work tree has its own HEAD."""
    write(source, {"pkg/mod.py": b"z = 1\n"})
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--message", "More")
    git(source, "worktree", "add", "--quiet", str(tmp_path / "second"), "HEAD~1")
    inside = LocalForge(source / "pkg", tmp_path / "state")
    second = LocalForge(tmp_path / "second", tmp_path / "state")
    assert inside.case(RunId("r")).repo == str(source)
    assert inside.case(RunId("r")).branch == "main"
    assert second.case(RunId("r")).head_sha == git(source, "rev-parse", "HEAD~1")
    assert "pkg/mod.py" in inside.tree(inside.case(RunId("r"))).paths()


def test_publish_changes_nothing_unless_asked(source: Path, tmp_path: Path) -> None:
    """Without --apply and --branch the checkout stays as it was."""
    before = git(source, "for-each-ref"), git(source, "rev-parse", "HEAD")
    assert publish(LocalForge(source, tmp_path / "state")).branch == ""
    assert (git(source, "for-each-ref"), git(source, "rev-parse", "HEAD")) == before
    assert git(source, "status", "--porcelain") == ""


def test_apply_writes_the_work_tree(source: Path, tmp_path: Path) -> None:
    """--apply changes, deletes and adds files, keeps their modes, and commits nothing."""
    publish(LocalForge(source, tmp_path / "state", apply=True))
    assert sorted(git(source, "status", "--porcelain", "--untracked-files=all").replace(" ", "").split()) == [
        "??pkg/new.py", "Dold.py", "Mapp.py", "Mrun.sh",
    ]  # fmt: skip
    assert (source / "app.py").read_bytes() == b"x = 2\n"
    assert (source / "run.sh").stat().st_mode & 0o111


def test_apply_makes_a_file_executable(source: Path, tmp_path: Path) -> None:
    """A fix that is a mode is written like any other."""
    forge = LocalForge(source, tmp_path / "state", apply=True)
    case = forge.case(RunId("r1"))
    tree = forge.tree(case)
    forge.publish(case, tree, tree.diff({"app.py": Executable(FILES["app.py"])}), PROPOSAL)
    assert (source / "app.py").stat().st_mode & 0o111
    assert (source / "app.py").read_bytes() == FILES["app.py"]


def test_apply_never_overwrites_what_changed_meanwhile(source: Path, tmp_path: Path) -> None:
    """A file that changed, appeared or became a symlink while Heal worked stops the run, and nothing is written."""
    forge = LocalForge(source, tmp_path / "state", apply=True)
    victim = tmp_path / "victim"
    victim.write_bytes(FILES["run.sh"])
    (source / "run.sh").unlink()
    (source / "run.sh").symlink_to(victim)
    with pytest.raises(Stop) as stopped:
        publish(forge)
    assert stopped.value.outcome is Outcome.HEAD_MOVED
    assert victim.read_bytes() == FILES["run.sh"]
    assert (source / "app.py").read_bytes() == FILES["app.py"]


def test_branch_gets_one_commit(source: Path, tmp_path: Path) -> None:
    """--branch makes a commit on HEAD with the edits, keeps modes, and leaves HEAD, index and files alone."""
    head = git(source, "rev-parse", "HEAD")
    done = publish(LocalForge(source, tmp_path / "state", branch="fix/sum"))
    assert git(source, "rev-parse", "fix/sum") == done.commit
    assert git(source, "rev-parse", "fix/sum^") == head == git(source, "rev-parse", "HEAD")
    assert git(source, "status", "--porcelain") == ""
    assert git(source, "show", "--format=%an|%s", "--name-status", "fix/sum").split("\n\n") == [
        "Heal|Fix the sum", "M\tapp.py\nD\told.py\nA\tpkg/new.py\nM\trun.sh",
    ]  # fmt: skip
    assert git(source, "ls-tree", "fix/sum", "run.sh").startswith("100755")
    git(source, "fsck", "--strict")


def test_the_habit_of_a_checkout_is_its_own(source: Path, tmp_path: Path) -> None:
    """The newest subjects of HEAD's history, newest first; a shallow clone has none to go by."""
    git(source, "commit", "--quiet", "--allow-empty", "--message", "feat: more\n\nBecause.")
    forge = LocalForge(source, tmp_path / "state", branch="fix/sum")
    found = forge.ground(forge.case(RunId("r1")), Wish(How.PULL, "main", "heal/x"))
    assert (found.branch, found.subjects[:2]) == ("fix/sum", ("feat: more", "Executable"))
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{source}", str(shallow))
    there = LocalForge(shallow, tmp_path / "state")
    assert there.ground(there.case(RunId("r1")), Wish(How.PULL, "main", "heal/x")).subjects == ()


@pytest.mark.parametrize(
    ("name", "words"), [("main", "exists already"), ("a..b", "not a name"), ("-x y", "not a name")]
)
def test_branch_names_are_checked_first(source: Path, tmp_path: Path, name: str, words: str) -> None:
    """A branch that exists or cannot exist is refused before any work is done."""
    with pytest.raises(UsageError, match=words):
        LocalForge(source, tmp_path / "state", branch=name)


def test_head_that_moved_is_not_built_upon(source: Path, tmp_path: Path) -> None:
    """A commit made while Heal worked ends the run as HEAD_MOVED."""
    forge = LocalForge(source, tmp_path / "state", branch="fix")
    git(source, "commit", "--quiet", "--allow-empty", "--message", "Later")
    with pytest.raises(Stop) as stopped:
        publish(forge)
    assert stopped.value.outcome is Outcome.HEAD_MOVED


def test_notices_reach_the_caller(source: Path, tmp_path: Path) -> None:
    """What would be told on GitHub is handed to the callback; there is no CI to wait for."""
    told: list[Notice] = []
    forge = LocalForge(source, tmp_path / "state", told=told.append)
    case: Case = forge.case(RunId("r1"), check="pytest")
    forge.tell(case, Notice("t", "s"))
    assert told == [Notice("t", "s")]
    assert forge.ci(case, Published()).state is CI.NONE
    assert forge.job(case).name == ""
    assert case.check == "pytest"


def test_damaged_checkouts(source: Path, tmp_path: Path) -> None:
    """A checkout whose commit or index cannot be read is told so in one sentence."""
    (source / ".git" / "index").write_bytes(b"not an index")
    with pytest.raises(UsageError, match="cannot read the state"):
        LocalForge(source, tmp_path / "state")
    tree = git(source, "rev-parse", "HEAD^{tree}")
    (source / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(UsageError, match="not complete"):
        LocalForge(source, tmp_path / "state2")


def test_a_newer_object_format_is_refused_in_words(tmp_path: Path) -> None:
    """A repository of SHA-256 objects, which this version does not read, is refused in one sentence."""
    source = tmp_path / "source"
    source.mkdir()
    git(source, "init", "--quiet", "--object-format=sha256")
    checkout(source, FILES)
    with pytest.raises(UsageError, match="not complete"):
        LocalForge(source, tmp_path / "state")


def test_a_good_commit_has_to_lead_to_head(source: Path, tmp_path: Path) -> None:
    """A commit that is none, or none of HEAD's past, is refused; a branch or tag of the past will do."""
    git(source, "tag", "was-green", "HEAD^")
    git(source, "branch", "away", "HEAD^")
    git(source, "checkout", "--quiet", "away")
    git(source, "commit", "--quiet", "--allow-empty", "--message", "Elsewhere")
    git(source, "checkout", "--quiet", "main")
    forge = LocalForge(source, tmp_path / "state", good="was-green")
    case = forge.case(RunId("r1"))
    good = forge.last_green(case)
    assert good == git(source, "rev-parse", "was-green")
    line = forge.lineage(case, good)
    assert line is not None
    assert [commit.subject for commit in line.commits] == ["First", "Executable"]
    for name in ("nowhere", "--help", "away", "HEAD"):
        with pytest.raises(UsageError):
            LocalForge(source, tmp_path / "state", good=name)
