"""A branch's past as a mirror tells it: first parents only, in order, with bounded and readable diffs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workers.git.checkouts import checkout, git, write
from workers.domain import Sha
from workers.git.lineage import MirrorLineage
from workers.git.mirror import Mirror


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A repository with one commit."""
    source = tmp_path / "source"
    checkout(source, {"app.py": b"x = 1\n", "logo.png": b"\x00\x01"})
    return source


def commit(source: Path, message: str, **files: bytes) -> Sha:
    """One more commit; underscores in names stand for dots."""
    write(source, {name.replace("_", "."): content for name, content in files.items()})
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--allow-empty", "--message", message)
    return head(source)


def head(source: Path) -> Sha:
    return Sha(git(source, "rev-parse", "HEAD"))


def lineage(source: Path, good: Sha) -> MirrorLineage | None:
    """The past of HEAD since a commit."""
    mirror = Mirror(source.parent / "mirror")
    mirror.borrow(source / ".git" / "objects", head(source))
    return mirror.lineage(good, head(source))


def test_commits_come_in_order_with_what_they_say(source: Path) -> None:
    """Oldest first, both ends included, with author, date and subject."""
    good = head(source)
    shas = [commit(source, f"Change {n}\n\nWhy.", app_py=b"x = %d\n" % n) for n in (2, 3)]
    line = lineage(source, good)
    assert line is not None
    assert [one.sha for one in line.commits] == [good, *shas]
    last = line.commits[-1]
    assert (last.author, last.subject, last.parents) == ("Dev", "Change 3", (shas[0],))
    assert last.at[:2] == "20"
    assert line.tree(1).read("app.py") == b"x = 2\n"


def test_only_first_parents_count(source: Path) -> None:
    """A merged branch is one commit of the branch it was merged into, with everything that it brought."""
    good = head(source)
    git(source, "checkout", "--quiet", "-b", "topic")
    side = commit(source, "Side", side_py=b"y = 1\n")
    git(source, "checkout", "--quiet", "main")
    commit(source, "Main", app_py=b"x = 2\n")
    git(source, "merge", "--quiet", "--no-ff", "--message", "Merge topic", "topic")
    line = lineage(source, good)
    assert line is not None
    assert [one.subject for one in line.commits] == ["First", "Main", "Merge topic"]
    assert side in line.commits[-1].parents
    assert "+y = 1" in line.diff(1, 2)
    assert lineage(source, side) is None


def test_diffs_are_text_of_plain_files(source: Path) -> None:
    """Binary files and links are left out, long ones are named by their number only."""
    good = head(source)
    (source / "link").symlink_to("/etc/passwd")
    commit(source, "Many", logo_png=b"\x00\x02", app_py=b"x = 5\n", huge_txt=b"a\n" * 200_000)
    line = lineage(source, good)
    assert line is not None
    diff = line.diff(0, 1)
    assert "-x = 1\n+x = 5\n" in diff
    assert "(1 more changed files are not shown)" in diff
    assert "passwd" not in diff
    assert "logo" not in diff
    assert len(diff) < 1000


def test_attributes_and_settings_of_the_repository_change_no_diff(source: Path) -> None:
    """What a repository writes about its diffs is not obeyed."""
    good = head(source)
    git(source, "config", "diff.external", "/nonexistent")
    commit(source, "Hide", _gitattributes=b"* -diff diff=secret\n", app_py=b"x = 6\n")
    line = lineage(source, good)
    assert line is not None
    assert "+x = 6" in line.diff(0, 1)


def test_strange_names_and_words_do_no_harm(source: Path) -> None:
    """Subjects that look like options or markup, and paths that look like patterns, are only text."""
    good = head(source)
    write(source, {":(glob)*": b"one\n", "-n": b"two\n"})
    subject = "--exec=x \x1b[31m" + "long " * 100
    sha = commit(source, subject)
    line = lineage(source, good)
    assert line is not None
    assert line.commits[-1].sha == sha
    assert len(line.commits[-1].subject) <= 200
    assert "+one" in line.diff(0, 1)
    assert "+two" in line.diff(0, 1)
