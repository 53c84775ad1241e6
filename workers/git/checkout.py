"""A developer's own checkout, read without trusting its configuration: nothing written there can make git run anything.

Git looks at its refs with every option that starts programs overridden; the index and the work tree are compared
from the mirror, whose configuration is ours, so filters, fsmonitor and submodules of the checkout are never known.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workers.domain import Outcome, Sha
from workers.errors import Stop, UsageError
from workers.git.command import Command, GitFailed
from workers.git.folder import inspect
from workers.git.tree import MirrorTree
from workers.patch import Executable
from workers.scratch import scratch_folder

AUTHOR = "Heal <heal@localhost>"


@dataclass(frozen=True)
class Checkout:
    """Where things lie: the work tree's top, its git folder, and the folder all work trees share."""

    top: Path
    git_dir: Path
    common: Path
    sha: Sha
    branch: str

    @property
    def objects(self) -> Path:
        """The object folder."""
        return self.common / "objects"

    def dirty(self, mirror: Path) -> Sequence[str]:
        """Tracked paths that differ from HEAD in the index or the work tree."""
        with scratch_folder() as folder:
            index = folder / "index"
            if (self.git_dir / "index").exists():
                shutil.copy2(self.git_dir / "index", index)
            for shared in self.git_dir.glob("sharedindex.*"):
                shutil.copy2(shared, mirror / shared.name)
            git = Command(mirror)
            env = {"GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(self.top)}
            options = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "--name-only", "-z")
            try:
                git.run("update-index", "-q", "--ignore-submodules", "--refresh", env=env, ok=(0, 1))
                changed = git.run("diff-index", *options, self.sha, env=env)
            except GitFailed as failure:
                raise UsageError(f"git cannot read the state of {self.top}: {failure}") from failure
        return changed.decode(errors="replace").split("\0")[:-1]

    def commit_named(self, name: str) -> Sha:
        """The commit that a person calls by a sha, a branch or a tag. Raises `UsageError` when there is none."""
        git = Command(self.git_dir)
        try:
            found = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except GitFailed as failure:
            raise UsageError(f"There is no commit '{name}' in {self.top}.") from failure
        return Sha(found.decode().strip())

    def has_branch(self, name: str) -> bool:
        """The branch exists. Raises `UsageError` for a name git does not allow."""
        git = Command(self.git_dir)
        try:
            git.run("check-ref-format", f"refs/heads/{name}")
        except GitFailed as failure:
            raise UsageError(f"'{name}' is not a name git allows for a branch.") from failure
        return bool(git.run("for-each-ref", "--format=%(refname)", f"refs/heads/{name}"))

    def commit(self, tree: MirrorTree, edits: Mapping[str, bytes | None], message: str, branch: str) -> Sha:
        """A commit on a new branch, by plumbing: no checkout, no hook, and the work tree stays as it is."""
        made = tree.commit(edits, message, AUTHOR, self.objects)
        try:
            Command(self.git_dir).run("update-ref", f"refs/heads/{branch}", made, "0" * len(made))
        except GitFailed as failure:
            raise Stop(Outcome.HEAD_MOVED, f"Branch '{branch}' was made by somebody else meanwhile.") from failure
        return made

    def write(self, tree: MirrorTree, edits: Mapping[str, bytes | None]) -> None:
        """Write the edits into the work tree, all of them or none, and never through a symlink."""
        for path in edits:
            target = self.top / path
            if any(parent.is_symlink() for parent in (target, *target.parents) if parent.is_relative_to(self.top)):
                raise Stop(Outcome.HEAD_MOVED, f"{path} became a symlink while Heal was working; nothing was written.")
            now = target.read_bytes() if target.is_file() else None
            if now != tree.read(path):
                raise Stop(Outcome.HEAD_MOVED, f"{path} changed while Heal was working; nothing was written.")
        for path, content in edits.items():
            target = self.top / path
            if content is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            if isinstance(content, Executable):
                target.chmod(target.stat().st_mode | 0o111)


def discover(path: Path) -> Checkout:
    """The checkout a path lies in. Raises `UsageError` where there is none, or nothing to heal in it."""
    if not path.is_dir():
        raise UsageError(f"{path} is not a folder.")
    inspect(path)
    # The person named this folder, and nothing of its configuration is obeyed: its owner does not matter.
    asked = ("--path-format=absolute", "--show-toplevel", "--absolute-git-dir", "--git-common-dir")
    try:
        found = os.fsdecode(Command(path).run_outside("rev-parse", *asked, config=("safe.directory=*",)))
    except GitFailed as failure:
        raise UsageError(f"{path} is not inside a git repository with a work tree.") from failure
    if found.count("\n") != len(asked) - 1:
        raise UsageError(f"{path} has a line break in its path: git's answers cannot be told apart there.")
    top, git_dir, common = (Path(line) for line in found.split("\n")[:-1])
    if not _belongs(top, git_dir):
        raise UsageError(f"{path} has its work tree at {top}, which is another place's: heal that one instead.")
    git = Command(git_dir)
    try:
        sha = git.run("rev-parse", "--verify", "--quiet", "HEAD").decode().strip()
    except GitFailed as failure:
        raise UsageError(f"{top} has no commit yet: commit something first.") from failure
    branch = git.run("symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1)).decode().strip()
    return Checkout(top, git_dir, common, Sha(sha), branch or "HEAD")


def _belongs(top: Path, git_dir: Path) -> bool:
    """The work tree names the git folder as its own. One that only the folder's configuration names could be anybody's
    files, and the patch would be written there."""
    if (top / ".git").resolve() == git_dir.resolve():
        return True
    try:
        asked = Command(top).run_outside("rev-parse", "--absolute-git-dir", config=("safe.directory=*",))
    except GitFailed:
        return False
    return Path(os.fsdecode(asked).rstrip("\n")).resolve() == git_dir.resolve()
