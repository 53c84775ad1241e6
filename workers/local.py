"""The forge of `heal fix`: a local checkout instead of GitHub. Reads HEAD, never asks the network, and changes only
what `--apply` or `--branch` asks for.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from workers import recipe, repo_config
from workers.domain import Aim, Case, IssueReport, JobReport, Outcome, Published, Rerun, RunId, Sha
from workers.errors import Stop, UsageError
from workers.git.checkout import Checkout, discover
from workers.git.command import GitFailed
from workers.git.lineage import MOST_COMMITS, MirrorLineage, first_parents
from workers.git.mirror import Mirror
from workers.git.tree import MirrorTree
from workers.ports import (
    CI,
    Admission,
    Base,
    Checks,
    Ground,
    Lineage,
    Notice,
    Origin,
    Proposal,
    Reply,
    SourceTree,
    Wish,
)
from workers.redact import redact
from workers.repo_config import RepoConfig
from workers.witness import reported

CONFIG_PATH = repo_config.PATH
_NEWEST = 50
"""Commits that say how this repository writes its messages."""
_LONGEST_REPORT = 1 << 18


class LocalForge:
    """`workers.ports.Forge` over the checkout that `path` lies in. Made only when there is something to work on.

    Raises `UsageError`: no repository, no commit, a branch that exists, a `good` commit that is none of HEAD's
    history, and, where everything has to be `committed`, tracked changes that are not.
    """

    def __init__(
        self,
        path: Path,
        state: Path,
        *,
        apply: bool = False,
        branch: str | None = None,
        good: str | None = None,
        committed: bool = True,
        report: Path | None = None,
        told: Callable[[Notice], None] = lambda _: None,
    ) -> None:
        if apply and branch:
            raise UsageError("--apply and --branch exclude each other.")
        self.checkout: Checkout = discover(path.resolve())
        self._apply = apply
        self._branch = branch
        self._told = told
        self._report = _read_report(report) if report else None
        key = hashlib.sha256(os.fsencode(self.checkout.common)).hexdigest()[:16]
        self._mirror = Mirror(state.resolve() / "mirrors" / f"local-{key}")
        try:
            self._tree: MirrorTree = self._mirror.borrow(self.checkout.objects, self.checkout.sha)
            self._tree.paths()  # a tree that is none is told before anything is compared with it
        except Stop as stop:  # before there is a run, what would end one is wrong use
            raise UsageError(stop.detail) from stop
        self._refuse(committed)
        self._line = self._since(good) if good else None

    @property
    def committed_at(self) -> str:
        """When HEAD was committed, as an ISO date; empty when it does not say."""
        return self._tree.committed_at()

    @property
    def unsaved(self) -> bool:
        """The checkout has tracked changes that are not in HEAD."""
        return bool(self.checkout.dirty(self._mirror.directory))

    def case(self, run: RunId, *, check: str | None = None, job: str = "") -> Case:
        """What this run is about, in the words of the worker."""
        here = self.checkout
        return Case(
            run,
            str(here.top),
            repo_id=0,
            installation_id=0,
            head_sha=here.sha,
            branch=here.branch,
            job=job,
            check=check,
            aim=Aim.ISSUE if self._report else Aim.CHECK,
        )

    def admission(self, case: Case) -> Admission:
        """HEAD is what was asked for; the configuration is the one HEAD holds."""
        del case
        text = self._tree.read(CONFIG_PATH)
        try:
            config = repo_config.parse(text.decode(errors="replace")) if text is not None else RepoConfig()
        except repo_config.ConfigError as error:
            raise UsageError(f"{CONFIG_PATH}: {error}") from error
        branch = self.checkout.branch
        return Admission(config, default_branch=branch, target=branch, head_is_current=True)

    def job(self, case: Case) -> JobReport:
        """No log and no workflow text: the recipe chooses among the workflow files of the tree. Raises `UsageError`
        for a job that none of them has: what was asked for must not be guessed."""
        if case.job and (problem := recipe.unknown_job(self._tree, case)):
            raise UsageError(problem)
        return JobReport(name=case.job, started_at=self.committed_at)

    def issue(self, case: Case) -> IssueReport:
        """The report that the person gave as a file."""
        del case
        if self._report is None:
            raise UsageError("There is no bug report: give one with --report.")
        return self._report

    def tree(self, case: Case) -> SourceTree:
        """The files of HEAD."""
        del case
        return self._tree

    def base(self, case: Case) -> Base | None:
        """There is no pull request here."""
        del case
        return None

    def last_green(self, case: Case) -> Sha | None:
        """The commit that the person said was good."""
        del case
        return self._line.commits[0].sha if self._line else None

    def green_job(self, case: Case) -> JobReport | None:
        """There is no CI here."""
        del case
        return None

    def lineage(self, case: Case, good: Sha) -> Lineage | None:
        """The history from that commit to HEAD."""
        del case, good
        return self._line

    def origin(self, case: Case, sha: Sha) -> Origin:
        """Nobody is asked."""
        del case, sha
        return Origin()

    def tell(self, case: Case, notice: Notice, published: Published | None = None) -> None:
        """Hand the notice to whoever shows it."""
        del case, published
        self._told(notice)

    def reply(self, case: Case, replies: Sequence[Reply]) -> None:
        """Nobody reviews a checkout."""

    def ground(self, case: Case, wish: Wish) -> Ground:
        """The habit of the checkout's own history; the branch is the one that was asked for, if any."""
        try:
            history = first_parents(self._mirror.git, case.head_sha, _NEWEST)
        except GitFailed:  # a shallow checkout has no objects where its history ends
            history = ()
        return Ground(self._branch or wish.branch, subjects=tuple(commit.subject for commit in history))

    def publish(self, case: Case, tree: SourceTree, patch: str, proposal: Proposal) -> Published:
        """Apply the patch to the work tree, or commit it on a new branch, or do nothing, as asked."""
        edits = {**(proposal.first.files if proposal.first else {}), **tree.apply(patch)}
        now = discover(self.checkout.top)
        if now.sha != case.head_sha:
            raise Stop(Outcome.HEAD_MOVED, f"HEAD moved on to {now.sha[:12]} while Heal was working.")
        if self._branch:
            commit = self.checkout.commit(self._tree, edits, proposal.commit_message, self._branch)
            return Published(branch=self._branch, commit=commit, at=time.time())
        if self._apply:
            self.checkout.write(self._tree, edits)
        return Published(at=time.time())

    def ci(self, case: Case, published: Published) -> Checks:
        """There is no CI here."""
        del case, published
        return Checks(CI.NONE)

    def rerun(self, case: Case) -> Rerun:
        """There is no CI here."""
        del case
        return Rerun.NONE

    def confirm(self, case: Case, published: Published, body: str, ready: bool, labels: tuple[str, ...] = ()) -> None:
        """There is no pull request here."""

    def withdraw(self, case: Case, words: str) -> None:
        """There is no pull request here."""

    def _since(self, good: str) -> MirrorLineage:
        """The history from a commit that a person named. Raises `UsageError` when HEAD does not come from it."""
        sha = self.checkout.commit_named(good)
        line = self._mirror.lineage(sha, self.checkout.sha)
        if line is None or len(line.commits) < 2:
            raise UsageError(
                f"'{good}' is not among the last {MOST_COMMITS} commits before HEAD, counted along first parents."
            )
        return line

    def _refuse(self, committed: bool) -> None:
        dirty = self.checkout.dirty(self._mirror.directory) if committed else ()
        if dirty:
            shown = ", ".join(dirty[:3]) + (f" and {len(dirty) - 3} more" if len(dirty) > 3 else "")
            raise UsageError(f"There are changes that are not committed ({shown}): commit or stash them first.")
        if self._branch and self.checkout.has_branch(self._branch):
            raise UsageError(f"Branch '{self._branch}' exists already: choose another name.")


def _read_report(path: Path) -> IssueReport:
    """A bug report in a text file. Raises `UsageError` for one that cannot be read, or says nothing."""
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_REPORT).decode(errors="replace")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if not text.strip():
        raise UsageError(f"{path} is empty: a bug report has a title, and says what happens and what should.")
    return reported.from_text(text, redact)
