"""`workers.ports.Forge` on GitHub, for one run: reads with one token, tells and publishes with others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from workers.domain import Aim, Case, How, IssueReport, JobReport, Ours, Outcome, Published, Rerun, Sha
from workers.errors import Stop
from workers.fencing import Guard, unfenced
from workers.git import mirrors
from workers.git.mirror import Mirror
from workers.git.tree import MirrorTree
from workers.github import (
    config_issue,
    configs,
    download,
    ground,
    history,
    issues,
    jobs,
    ours,
    pulls,
    reruns,
    signals,
)
from workers.github.changes import Changes
from workers.github.commits import Commits
from workers.github.notices import CheckRun, Comment
from workers.github.pulls import OWN, Pull
from workers.github.reviews import Reading, Threads
from workers.github.session import App, Purpose, Repository, Session
from workers.github.suggestions import Suggestions
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
from workers.redact import Redactor
from workers.repo_config.bounds import Rules
from workers.repo_config.layers import Effective

_UNSHOWN = frozenset({Outcome.REFUSED_BY_POLICY, Outcome.OVER_BUDGET})
"""Ends at which nobody would see the fix: its patch goes into the notice."""


class GitHubForge:
    """One run's GitHub. Made cheaply: nothing is asked before the first call. `guard` (the journal's) is called before
    every single write. Use it as a context manager, or `close` it, so that its tokens are revoked."""

    def __init__(
        self,
        app: App,
        mirrors: Path,
        case: Case,
        redactor: Redactor | None = None,
        guard: Guard = unfenced,
        rules: Callable[[], Rules] = Rules,
    ) -> None:
        self._app = app
        self._rules = rules
        self._mirrors = mirrors
        self._case = case
        self._redactor = redactor or Redactor()
        self._session = Session(app, case.installation_id, case.repo_id, self._redactor, guard)

    def __enter__(self) -> GitHubForge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Revoke this run's tokens."""
        self._session.close()

    def admission(self, case: Case) -> Admission:
        """What GitHub knows before anything is run. Only the default branch's configuration counts."""
        if case.aim is Aim.REVISE and case.ours is not None:
            return self._reviewed(case, case.ours)
        repo, pull, api = self._repo, self._pull, self._session.api(Purpose.READ)
        if pull is not None and not pull.open:
            raise Stop(Outcome.CANCELLED, f"Pull request #{pull.number} was closed.")
        settings = self._settings()
        fork = case.fork or bool(pull and pull.fork)
        return Admission(
            config=settings.config,
            default_branch=repo.default_branch,
            target=(pull.base_ref if fork else pull.head_ref) if pull else case.branch,
            head_is_current=pulls.is_current(api, repo, case, pull),
            own_branch=case.branch.startswith(OWN) and not fork,
            archived=repo.archived,
            fork=fork,
            pull_request=pull.number if pull else None,
            note=settings.note,
        )

    def job(self, case: Case) -> JobReport:
        """The failed job with its log; for another CI than Actions, the text of the check run or of the status."""
        if not case.actions_run_id and not case.job_id:
            if not case.job:
                return JobReport(name="")
            return jobs.from_status(self._session.api(Purpose.STATUS), self._repo, case, self._redactor)
        api = self._session.api(Purpose.READ)
        if not case.actions_run_id:
            return jobs.from_check(api, self._repo, case, self._redactor)
        fetch = download.fetch_log(self._app.api_url, self._app.timeout_s)
        own = case.actions_run_id == self._case.actions_run_id
        red = self._red if own else jobs.failed(api, self._repo, case)
        return jobs.report(api, self._repo, case, red, fetch, self._redactor)

    def issue(self, case: Case) -> IssueReport:
        """The issue that the case names, read with a token that can do nothing else."""
        if case.issue is None:
            raise ValueError("only an ISSUE run has a bug report")
        return issues.report(self._session.api(Purpose.ISSUE), self._repo, case.issue, self._redactor)

    def tree(self, case: Case) -> SourceTree:
        """The pinned commit, from the mirror of this repository."""
        return self._tree(case)

    def base(self, case: Case) -> Base | None:
        """The base of the case's pull request, with what the check runs of the same name say there."""
        if self._pull is None:
            return None
        return history.base(self._session.api(Purpose.READ), self._repo, case, self._pull, self._job_name)

    def last_green(self, case: Case) -> Sha | None:
        """By the earlier runs of the same workflow file on the branch; nobody knows for another CI than Actions."""
        api = self._session.api(Purpose.READ)
        if not case.actions_run_id:
            return None
        path = jobs.workflow_path(api, self._repo, case)
        return history.last_green(api, self._repo, case, path, self._job_name)

    def green_job(self, case: Case) -> JobReport | None:
        """By the same runs, with the job's log; of a branch on which it never was green, by those of the branch that it
        goes to."""
        api = self._session.api(Purpose.READ)
        if not case.actions_run_id:
            return None
        path = jobs.workflow_path(api, self._repo, case)
        base = self._pull.base_ref if self._pull is not None else self._repo.default_branch
        job = history.green_job(api, self._repo, case, path, self._job_name, base)
        fetch = download.fetch_log(self._app.api_url, self._app.timeout_s)
        return jobs.green(api, self._repo, job, fetch, self._redactor) if job is not None else None

    def lineage(self, case: Case, good: Sha) -> Lineage | None:
        """The history from the mirror, which fetches it now."""
        return self._mirror(case).lineage(good, case.head_sha)

    def origin(self, case: Case, sha: Sha) -> Origin:
        """The pull request that brought the commit."""
        del case
        return history.origin(self._session.api(Purpose.READ), self._repo, sha)

    def tell(self, case: Case, notice: Notice, published: Published | None = None) -> None:
        """Bring the check run, and the comment when there is one, up to date."""
        del case  # a forge is made for one case
        notice = self._redactor.publish(notice)
        if notice.check:
            self._check_run.show(notice)
        number = self._commented(published)
        if notice.comment is not None and number is not None:
            self._comment.show(number, notice.comment)

    def reply(self, case: Case, replies: Sequence[Reply]) -> None:
        """On the pull request of ours that was reviewed."""
        if case.ours is not None and replies:
            Threads(self._session, case.ours.pull_request).say(self._redactor.publish(tuple(replies)))

    def ground(self, case: Case, wish: Wish) -> Ground:
        """The free branch, the repository's habit, people, and a pull request's own diff."""
        self._session.present()  # GitHub lists a branch's pull requests by the owner's name
        return ground.survey(self._session, case, wish, self._pull)

    def publish(self, case: Case, tree: SourceTree, patch: str, proposal: Proposal) -> Published:
        """The proposal in its form, after one more look whether the head is still the same."""
        proposal = replace(
            proposal,
            title=self._redactor(proposal.title),
            body=self._redactor(proposal.body),
            commit_message=self._redactor(proposal.commit_message),
        )
        source = tree if isinstance(tree, MirrorTree) else self._tree(case)
        try:
            return self._published(case, source, patch, proposal)
        except Stop as stop:
            if stop.outcome not in _UNSHOWN:
                raise
            raise Stop(stop.outcome, stop.detail, **{"patch": patch, **stop.data}) from stop

    def _published(self, case: Case, tree: MirrorTree, patch: str, proposal: Proposal) -> Published:
        if proposal.how in (How.SUGGEST, How.COMMENT):
            pull = self._guarded_pull(case)
            if proposal.how is How.SUGGEST:
                return self._suggestions.show(pull, proposal)
            return Published(pull.number, pull.url, at=time.time(), how=How.COMMENT, target=proposal.target)
        if case.fork or (self._pull is not None and self._pull.fork):
            raise Stop(Outcome.REFUSED_BY_POLICY, "Code of a fork is never put on a branch of this repository.")
        if proposal.how is How.PUSH:
            return self._changing(Purpose.PUBLISH).push(tree, patch, proposal, self._theirs)
        if proposal.ours is None:
            self._guard_target(case, proposal)
        return self._changing(Purpose.PUBLISH).publish(tree, patch, proposal)

    def ci(self, case: Case, published: Published) -> Checks:
        """What the check runs and statuses on our commit say together, our own left out, while it is the newest;
        nothing where there is no commit."""
        if not published.commit:
            return Checks(CI.NONE)
        number, commit = published.pull_request, Sha(published.commit)
        if number is not None:
            pull = self._session.api(Purpose.READ).get(self._repo.path(f"/pulls/{number}"))
            if pull["merged"]:
                return Checks(CI.MERGED)
            if pull["state"] != "open":
                raise Stop(Outcome.CANCELLED, f"Pull request #{number} with the fix was closed.")
            if went_on := ours.went_on(self._session, published.branch, commit):
                by_us = published.how is not How.PULL or ours.is_by(self._session, went_on, pull["user"])
                return Checks(CI.MOVED if by_us else CI.LEFT)
        return signals.checks(self._session, case, published)

    def rerun(self, case: Case) -> Rerun:
        """The failed jobs once more, with a token that can do nothing else."""
        return reruns.failed_jobs(self._session, case)

    def confirm(self, case: Case, published: Published, body: str, ready: bool, labels: tuple[str, ...] = ()) -> None:
        """Write the real CI's answer into our pull request."""
        del case
        if published.pull_request is not None and published.how is How.PULL:
            # GitHub asks for write access to the contents where a draft is made ready, and for nothing else here.
            purpose = Purpose.PUBLISH if ready else Purpose.AMEND
            self._changing(purpose).confirm(published.pull_request, self._redactor(body), ready, labels)

    def withdraw(self, case: Case, words: str) -> None:
        """By the App's own hand, with a comment that says why."""
        if case.ours is not None:
            ours.withdraw(self._session, case.ours.pull_request, case.ours.commit, self._redactor(words))

    def _reviewed(self, case: Case, ours: Ours) -> Admission:
        """A change of ours is made anew on the commit it was made for, wherever its target is by now."""
        standing = Reading(self._session).pull(ours.pull_request)
        if not standing.open:
            raise Stop(Outcome.CANCELLED, f"#{ours.pull_request} was closed.")
        if standing.head_sha != ours.commit:
            raise Stop(Outcome.HEAD_MOVED, f"{ours.branch} has moved on from {ours.commit[:7]}; it is left alone.")
        repo, settings = self._repo, self._settings()
        return Admission(
            config=settings.config,
            default_branch=repo.default_branch,
            target=ours.target,
            head_is_current=True,
            archived=repo.archived,
            fork=not standing.at_home,
            pull_request=case.pull_request,
            note=settings.note,
        )

    @property
    def _repo(self) -> Repository:
        return self._session.repository

    @cached_property
    def _pull(self) -> Pull | None:
        return pulls.resolve(self._session.api(Purpose.READ), self._repo, self._case)

    @cached_property
    def _red(self) -> tuple[Mapping[str, Any], ...]:
        if not self._case.actions_run_id:
            return ()
        return jobs.failed(self._session.api(Purpose.READ), self._repo, self._case)

    @cached_property
    def _check_run(self) -> CheckRun:
        case = self._case  # what a review changes is shown where the review is
        shown = replace(case, head_sha=case.ours.commit) if case.aim is Aim.REVISE and case.ours else case
        return CheckRun(self._session.api(Purpose.TELL), self._repo, shown, self._app.app_id)

    @cached_property
    def _comment(self) -> Comment:
        return Comment(self._session.api(Purpose.TELL), self._repo, self._case, self._app.app_id)

    def _changing(self, purpose: Purpose) -> Changes:
        api = self._session.api(purpose)
        return Changes(api, self._repo, Commits(api, self._repo, lambda: self._session.bot))

    @property
    def _suggestions(self) -> Suggestions:
        return Suggestions(self._session.api(Purpose.SUGGEST), self._repo, self._session.bot)

    @property
    def _theirs(self) -> Pull:
        if self._pull is None:
            raise ValueError("without a pull request there is nothing of theirs to push to or to comment on")
        return self._pull

    @property
    def _job_name(self) -> str:
        return self._case.job or (str(self._red[0]["name"]) if self._red else "")

    def _tree(self, case: Case) -> MirrorTree:
        return self._mirror(case).fetch(case.head_sha)

    def _mirror(self, case: Case) -> Mirror:
        session = self._session
        directory = mirrors.mirror(self._mirrors, case.repo_id)
        return Mirror(
            directory,
            session.clone_url(session.repository),
            lambda: session.token(Purpose.READ),
            renew=lambda: session.renewed_token(Purpose.READ),
            present=lambda: session.clone_url(session.present()),
        )

    def _settings(self) -> Effective:
        """What counts for the repository. A file that cannot be used is complained about, wherever it was noticed."""
        settings = configs.effective(self._session, self._rules())
        if settings.files.problems and settings.config.mode != "off":
            config_issue.show(self._session, settings.files.problems)
        return settings

    def _commented(self, published: Published | None) -> int | None:
        if self._case.ours is not None:
            return self._case.ours.pull_request
        if self._case.issue is not None:
            return self._case.issue
        pull = self._pull
        if pull is not None:
            return pull.number
        return published.pull_request if published else None

    def _guarded_pull(self, case: Case) -> Pull:
        """The pull request as it is now; its head must still be the very commit that was healed."""
        pull = pulls.by_number(self._session.api(Purpose.READ), self._repo, self._theirs.number)
        if not pull.open:
            raise Stop(Outcome.CANCELLED, f"Pull request #{pull.number} was closed.")
        if pull.head_sha != case.head_sha:
            moved = f"The head of #{pull.number} is {pull.head_sha[:12]} now"
            raise Stop(Outcome.HEAD_MOVED, f"{moved}, so the fix was not published.")
        return pull

    def _guard_target(self, case: Case, proposal: Proposal) -> None:
        """The target must still point to the very commit that was healed, and must be a branch of this repository."""
        now = pulls.head(self._session.api(Purpose.READ), self._repo, proposal.target)
        if now != case.head_sha:
            moved = f"points to {now[:12]} now" if now else "is gone"
            raise Stop(Outcome.HEAD_MOVED, f"{proposal.target} {moved}, so the fix was not published.")
