"""What pull requests and pushes ask for: heads to remember, runs to end, changes of ours and heal.yml to look after.

Our own pushes and pull requests start nothing; people's pushes to our branches are told to whoever looks after them.
"""

from __future__ import annotations

from bot.decisions import (
    OWN_BRANCHES,
    CancelBranch,
    CancelFork,
    Decision,
    Decisions,
    Identity,
    Ignore,
    NoteHead,
    Send,
    Tend,
    Wake,
    is_sha,
    missing,
    place,
)
from bot.events import PullRequest, PullRequestChanged, PullRequestRetargeted, Pushed, Scope
from workers.domain import Outcome, Sha
from workers.errands.model import ConfigTouched, LookAfter, PullClosed
from workers.repo_config import PATH
from workers.store.heads import Head

NEWLY_SEEN = frozenset({"opened", "reopened", "synchronize"})
"""Actions after which the files of a pull request may be others."""


def is_ours(scope: Scope, pull: PullRequest) -> bool:
    """Its branch is one of ours, in this very repository: forks may name theirs as they like."""
    return pull.branch.startswith(OWN_BRANCHES) and pull.head_repo_id == scope.repo.id


def pull_request(event: PullRequestChanged) -> Decisions:
    """A pull request was opened, has a new head, or is over."""
    scope, pull = event.scope, event.pull
    if not scope.repo.id or not pull.number or not is_sha(pull.head_sha):
        return (Ignore("the payload names no repository, number or head commit"),)
    if event.action == "closed":
        return _closed(scope, pull)
    fork = pull.head_repo_id != scope.repo.id
    head = Head(Sha(pull.head_sha), fork, pull.at)
    noted = NoteHead(scope.repo.id, pull.number, head, moved=event.action == "synchronize")
    ours = is_ours(scope, pull)
    overtaken = () if ours or event.action != "synchronize" else (_overtaken(scope, pull, fork, event.before),)
    return (noted, *overtaken, *(() if ours else _config_of_pull(event)))


def _overtaken(scope: Scope, pull: PullRequest, fork: bool, before: str) -> Decision:
    repo_id, moved = scope.repo.id, Outcome.HEAD_MOVED
    if fork:
        why = f"Pull request #{pull.number} has moved on to `{pull.head_sha[:7]}`."
        return CancelFork(repo_id, pull.number, pull.head_sha, before, pull.at, moved, why)
    return _moved(repo_id, pull.branch, before, pull.head_sha, pull.at)


def _config_of_pull(event: PullRequestChanged) -> tuple[Decision, ...]:
    scope, pull = event.scope, event.pull
    if event.action not in NEWLY_SEEN or missing(scope):
        return ()
    payload = ConfigTouched(place(scope), pull.number, Sha(pull.head_sha))
    return (Send(payload, f"config:{scope.repo.id}:{pull.number}:{pull.head_sha}"),)


def _closed(scope: Scope, pull: PullRequest) -> Decisions:
    repo_id = scope.repo.id
    if is_ours(scope, pull):
        woken = Wake(repo_id=repo_id, branch=pull.branch)
        if missing(scope):
            return (woken,)
        payload = PullClosed(place(scope), pull.number, pull.branch, pull.merged)
        return (woken, Send(payload, f"closed:{repo_id}:{pull.number}:{pull.at:.0f}"))
    why = f"Pull request #{pull.number} was {'merged' if pull.merged else 'closed'}."
    if pull.head_repo_id != repo_id:
        return (CancelFork(repo_id, pull.number, "", pull.head_sha, pull.at, Outcome.CANCELLED, why),)
    ended = CancelBranch(repo_id, pull.branch, "", pull.head_sha, pull.at, Outcome.CANCELLED, why)
    return (ended, *_tend(scope, pull.branch, pull.head_sha, "closed", f"{pull.number}:{pull.at:.0f}"))


def retargeted(event: PullRequestRetargeted) -> Decisions:
    """The base of a pull request was changed: it concerns only our own."""
    scope, pull = event.scope, event.pull
    tended = _tend(scope, pull.branch, pull.head_sha, "retargeted", f"{pull.number}:{pull.at:.0f}")
    if not is_ours(scope, pull) or not tended:
        return (Ignore("the base of a pull request that is not ours"),)
    return tended


def push(event: Pushed, own: Identity) -> Decisions:
    """A branch moved."""
    branch, repo_id = event.ref.removeprefix("refs/heads/"), event.scope.repo.id
    if branch == event.ref or not repo_id:
        return (Ignore("not a branch"),)
    if branch.startswith(OWN_BRANCHES):
        return _push_to_ours(event, branch, own)
    if event.deleted:
        why = f"`{branch}` was deleted."
        return (CancelBranch(repo_id, branch, "", event.before, event.at, Outcome.CANCELLED, why),)
    if not is_sha(event.after):
        return (Ignore("the payload names no head commit"),)
    overtaken = _moved(repo_id, branch, event.before, event.after, event.at)
    moved = _tend(event.scope, branch, event.after, "moved", f"{event.after}:{event.at:.0f}")
    return (overtaken, *moved, *_config_of_push(event, branch))


def _push_to_ours(event: Pushed, branch: str, own: Identity) -> Decisions:
    if event.deleted or own.did(event.scope):
        return (Ignore("a push of our own, or the end of one of our branches"),)
    pushed = _tend(event.scope, branch, event.after, "pushed", f"{event.after}:{event.at:.0f}")
    return pushed or (Ignore("a push to one of our own branches that names no head commit"),)


def _config_of_push(event: Pushed, branch: str) -> tuple[Decision, ...]:
    touched = event.paths is None or PATH in event.paths
    if branch != event.scope.repo.default_branch or not touched or missing(event.scope):
        return ()
    payload = ConfigTouched(place(event.scope), 0, Sha(event.after))
    return (Send(payload, f"config:{event.scope.repo.id}:0:{event.after}:{event.at:.0f}"),)


def _tend(scope: Scope, branch: str, head_sha: str, why: str, what: str) -> tuple[Decision, ...]:
    if not branch or missing(scope, head_sha):
        return ()
    payload = LookAfter(place(scope), branch, Sha(head_sha), why)
    return (Tend(payload, f"tend:{scope.repo.id}:{why}:{what}:{branch}"),)


def _moved(repo_id: int, branch: str, before: str, head_sha: str, at: float) -> CancelBranch:
    why = f"`{branch}` has moved on to `{head_sha[:7]}`."
    return CancelBranch(repo_id, branch, head_sha, before, at, Outcome.HEAD_MOVED, why)
