"""Checkouts whose git folder stands for something else: files of another repository would be read or written, or git
would wait without an end.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.workers.git.checkouts import git
from tests.workers.git.hostile.ground import CANARY, Ground, Hostile
from tests.workers.git.raw import FILE, Objects

_SHOW = "git show HEAD:secret.py"
_LINK = "is a link, no plain file"


def _theirs(ground: Ground) -> str:
    return git(ground.victim, "rev-parse", "HEAD")


def _at(ground: Ground, sha: str) -> None:
    (ground.git_dir / "refs" / "heads" / "main").write_text(f"{sha}\n")


def _replaced(path: Path, target: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)


def _pointer(ground: Ground) -> None:
    shutil.rmtree(ground.git_dir)
    ground.git_dir.write_text(f"gitdir: {ground.victim}/.git\n")


def _linked(ground: Ground) -> None:
    _replaced(ground.git_dir, ground.victim / ".git")


def _common(ground: Ground) -> None:
    (ground.git_dir / "commondir").write_text(f"{ground.victim}/.git\n")


def _borrowing(ground: Ground) -> None:
    info = ground.git_dir / "objects" / "info"
    info.mkdir(exist_ok=True)
    (info / "alternates").write_text(f"{ground.victim}/.git/objects\n")
    _at(ground, _theirs(ground))


def _linked_objects(ground: Ground) -> None:
    _replaced(ground.git_dir / "objects", ground.victim / ".git" / "objects")
    _at(ground, _theirs(ground))


def _linked_object(ground: Ground) -> None:
    """One object of theirs among ours: a tree names it, and it is a link."""
    sha = git(ground.victim, "rev-parse", "HEAD:secret.py")
    objects = Objects(ground.git_dir)
    path = ground.git_dir / "objects" / sha[:2] / sha[2:]
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(ground.victim / ".git" / "objects" / sha[:2] / sha[2:])
    _at(ground, objects.commit(objects.tree((FILE, b"secret.py", sha))))


def _linked_branch(ground: Ground) -> None:
    """What the branch points to is what somebody else's file says."""
    (ground.git_dir / "refs" / "heads" / "fixed").symlink_to(ground.root / "trap")


def _linked_log(ground: Ground) -> None:
    """What git notes of a new branch would land in a file of theirs."""
    path = ground.git_dir / "logs" / "refs" / "heads"
    path.mkdir(parents=True, exist_ok=True)
    _replaced(path / "fixed", ground.trap)


def _device(name: str) -> Callable[[Ground], None]:
    def build(ground: Ground) -> None:
        _replaced(ground.git_dir / name, Path("/dev/zero"))

    return build


def _pipe(name: str) -> Callable[[Ground], None]:
    def build(ground: Ground) -> None:
        (ground.git_dir / name).unlink(missing_ok=True)
        os.mkfifo(ground.git_dir / name)

    return build


def _endless(ground: Ground) -> None:
    """An index of a terabyte that takes no room on the disk."""
    os.truncate(ground.git_dir / "index", 1 << 40)


def _elsewhere(ground: Ground) -> None:
    ground.configure("[core]\n\tworktree = {victim}")


def _replaced_file(ground: Ground) -> None:
    """Git shows another content in the place of a file's own."""
    other = Objects(ground.git_dir).blob(CANARY)
    ours = git(ground.source, "rev-parse", "HEAD:a.py")
    path = ground.git_dir / "refs" / "replace" / ours
    path.parent.mkdir()
    path.write_text(f"{other}\n")


def _grafted(ground: Ground) -> None:
    """Git is told of a parent that the commit does not have."""
    objects = Objects(ground.git_dir)
    other = objects.commit(objects.tree((FILE, b"b.py", objects.blob(CANARY))), message=CANARY)
    (ground.git_dir / "info").mkdir(exist_ok=True)
    (ground.git_dir / "info" / "grafts").write_text(f"{git(ground.source, 'rev-parse', 'HEAD')} {other}\n")


def _shown(ground: Ground) -> None:
    """Complaints about a setting would quote a file of theirs."""
    (ground.victim / "settings").write_bytes(b"[core]\n\tcompression = " + CANARY + b"\n")
    ground.configure("[include]\n\tpath = {victim}/settings")


def _promised(ground: Ground) -> None:
    """A part is missing, and a program is named that would bring it."""
    blob = git(ground.source, "rev-parse", "HEAD:tests/test_a.py")
    (ground.git_dir / "objects" / blob[:2] / blob[2:]).unlink()
    ground.configure('[remote "origin"]\n\turl = ext::{script}\n\tpromisor = true\n[protocol "ext"]\n\tallow = always\n'
                     "[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tpartialClone = origin")  # fmt: skip


def _branch_like_an_option(ground: Ground) -> None:
    sha = git(ground.source, "rev-parse", "HEAD")
    name = "--output=trap;touch${IFS}trap"
    (ground.git_dir / "refs" / "heads" / name).write_text(f"{sha}\n")
    (ground.git_dir / "HEAD").write_text(f"ref: refs/heads/{name}\n")


FOLDERS = (
    Hostile("a pointer to another repository", _pointer, _SHOW, "canary", "does not name"),
    Hostile("a link to another repository", _linked, _SHOW, "canary", "does not name"),
    Hostile("another repository's refs and objects", _common, _SHOW, "canary", "another repository"),
    Hostile("borrowed objects", _borrowing, _SHOW, "canary", "borrows objects"),
    Hostile("linked objects", _linked_objects, _SHOW, "canary", _LINK),
    Hostile("one linked object", _linked_object, _SHOW, "canary", _LINK),
    Hostile("a linked branch", _linked_branch, refused=_LINK),
    Hostile("a linked log", _linked_log, "git branch fixed", refused=_LINK),
    Hostile("an index without an end", _device("index"), refused=_LINK),
    Hostile("a shared index without an end", _device("sharedindex.0"), refused=_LINK),
    Hostile("an index of a terabyte", _endless, refused="too large"),
    Hostile("an index that waits", _pipe("index"), refused=_LINK),
    Hostile("settings that wait", _pipe("config"), refused=_LINK),
    Hostile("a head that waits", _pipe("HEAD"), refused=_LINK),
    Hostile("somebody else's files", _elsewhere, "cd ../source; git add -A; git show :secret.py", "canary",
            "another place"),
    Hostile("a file replaced by another", _replaced_file, "git show HEAD:a.py", "canary"),
    Hostile("a grafted parent", _grafted, "git log", "canary"),
    Hostile("settings of somebody else", _shown, "git status 2>&1", "canary", "not inside a git repository"),
    Hostile("a part that is promised", _promised, "git cat-file -p HEAD:tests/test_a.py", refused="could not be read"),
    Hostile("a branch like an option", _branch_like_an_option,
            'git symbolic-ref --short HEAD | xargs -I{} sh -c "git log {}"; test -e trap && mv trap ../trap'),
)  # fmt: skip
