"""What happens when something happens: moves refs, opens pull requests, changes checks, and fires the deliveries.

Everything that changes the world and is told to Apps goes through here, whether REST, git or a person did it.
"""

from __future__ import annotations

from typing import Protocol

from tests.hub import shapes, shapes_ci, shapes_git, shapes_work
from tests.hub.hooks import Hooks
from tests.hub.state import (
    ZERO_SHA,
    App,
    CheckRun,
    Comment,
    Delivery,
    Installation,
    Issue,
    Job,
    Json,
    Pull,
    Repo,
    Review,
    Suite,
    User,
    WorkflowRun,
    World,
)


class Ci(Protocol):
    """What is told of pushes and pull requests of repositories whose CI is real."""

    def start(self, repo: Repo, sha: str, branch: str, actor: User) -> None: ...

    def start_pull(self, repo: Repo, pull: Pull, actor: User) -> None: ...


class Events:
    """The double's consequences."""

    def __init__(self, world: World, hooks: Hooks) -> None:
        self._world, self._hooks = world, hooks
        self.ci: Ci | None = None

    def fire(
        self, event: str, action: str | None, repo: Repo, sender: User, body: Json, only: App | None = None
    ) -> None:
        full = {**body, "repository": shapes.repository(self._world, repo), "sender": shapes.user(self._world, sender)}
        if repo.owner.kind == "Organization":
            full["organization"] = _organization(self._world, repo.owner)
        self._hooks.fire(event, action, full, repo, only)

    def of_installation(self, one: Installation, event: str, action: str, sender: User, body: Json) -> None:
        """An event of the installation itself, with its whole shape and no repository."""
        world = self._world
        full: Json = {
            "action": action,
            "installation": shapes.installation(world, one),
            **body,
            "sender": shapes.user(world, sender),
        }
        self._hooks.send(one.app, event, action, full, one.id)

    def redeliver(self, old: Delivery) -> None:
        self._hooks.redeliver(old)

    def ref_moved(self, repo: Repo, ref: str, old: str, new: str, sender: User) -> None:
        """After a ref changed: `push`, synchronize of its pull requests, and the repository's CI."""
        repo.pushed = self._world.stamp()
        self._push(repo, ref, old, new, sender)
        branch = ref.removeprefix("refs/heads/")
        if branch == ref:
            return
        if new != ZERO_SHA and repo.ci == "real" and self.ci is not None:
            self.ci.start(repo, new, branch, sender)
        for base in list(self._world.repos.values()):
            for pull in list(base.pulls.values()):
                self._follow(base, pull, repo, branch, old, new, sender)

    def _follow(self, base: Repo, pull: Pull, repo: Repo, branch: str, old: str, new: str, sender: User) -> None:
        if pull.issue.state != "open":
            return
        if pull.head_repo is repo and pull.head_ref == branch:
            if new == ZERO_SHA:
                self.close_pull(base, pull, sender)
                return
            self.fetch_head(base, pull, new)
            pull.issue.updated = self._world.stamp()
            self.pull(base, pull, "synchronize", sender, {"before": old, "after": new})
        if base is repo and pull.base_ref == branch and new != ZERO_SHA:
            pull.base_sha = new

    def fetch_head(self, base: Repo, pull: Pull, sha: str) -> None:
        """Point `refs/pull/N/head` of the base repository at a commit, bringing it over from a fork."""
        if pull.head_repo is not base:
            base.git.run("fetch", "-q", str(pull.head_repo.git.path), pull.head_ref)
        base.git.update_ref(f"refs/pull/{pull.number}/head", sha)
        pull.head_sha = sha

    def _push(self, repo: Repo, ref: str, old: str, new: str, sender: User) -> None:
        html, created, deleted = shapes_git.html_url(self._world, repo), old == ZERO_SHA, new == ZERO_SHA
        commits: list[str] = []
        if not deleted:
            start = repo.git.resolve(repo.default_branch) if created else old
            new_ones = repo.git.between(start, new) if start and start != new else []
            commits = new_ones if new_ones or not created else []
        rendered = [shapes_git.push_commit(self._world, repo, sha) for sha in commits[-20:]]
        forced = not created and not deleted and not repo.git.is_ancestor(old, new)
        body: Json = {
            "ref": ref,
            "before": old,
            "after": new,
            "pusher": {"name": sender.login, "email": sender.email},
            "created": created,
            "deleted": deleted,
            "forced": forced,
            "base_ref": None,
            "compare": f"{html}/compare/{old[:12]}...{new[:12]}",
            "commits": rendered,
            "head_commit": None if deleted else shapes_git.push_commit(self._world, repo, new),
        }
        self.fire("push", None, repo, sender, body)

    def pull(self, repo: Repo, pull: Pull, action: str, sender: User, extra: Json | None = None) -> None:
        shape = shapes_work.pull(self._world, repo, pull)
        if action in {"opened", "synchronize", "reopened"}:  # GitHub has not tried the merge yet
            shape |= {"mergeable": None, "rebaseable": None, "mergeable_state": "unknown"}
        self.fire("pull_request", action, repo, sender, {"number": pull.number, "pull_request": shape, **(extra or {})})
        if action in {"opened", "synchronize", "reopened"} and repo.ci == "real" and self.ci is not None:
            self.ci.start_pull(repo, pull, sender)

    def close_pull(self, repo: Repo, pull: Pull, sender: User) -> None:
        pull.issue.state, pull.issue.closed, pull.issue.closed_by = "closed", self._world.stamp(), sender
        pull.issue.updated = pull.issue.closed
        self.pull(repo, pull, "closed", sender)

    def comment(self, repo: Repo, comment: Comment, action: str, sender: User, extra: Json | None = None) -> None:
        body = {
            "issue": shapes_work.issue(self._world, repo, repo.issues[comment.number]),
            "comment": shapes_work.comment(self._world, repo, comment),
        }
        self.fire("issue_comment", action, repo, sender, {**body, **(extra or {})})

    def review(self, repo: Repo, review: Review) -> None:
        body = {
            "review": shapes_work.review(self._world, repo, review, lower=True),
            "pull_request": shapes_work.pull_simple(self._world, repo, repo.pulls[review.number]),
        }
        self.fire("pull_request_review", "submitted", repo, review.user, body)

    def review_comment(self, repo: Repo, comment: Comment) -> None:
        body = {
            "comment": shapes_work.review_comment(self._world, repo, comment),
            "pull_request": shapes_work.pull_simple(self._world, repo, repo.pulls[comment.number]),
        }
        self.fire("pull_request_review_comment", "created", repo, comment.user, body)

    def thread(self, repo: Repo, first: Comment, sender: User) -> None:
        """A thread of review comments was resolved or opened again."""
        world = self._world
        own = [c for c in repo.review_comments.values() if first.id in {c.id, c.reply_to}]
        thread = {"node_id": f"PRRT_{first.id}", "comments": [shapes_work.review_comment(world, repo, c) for c in own]}
        body = {"thread": thread, "pull_request": shapes_work.pull_simple(world, repo, repo.pulls[first.number])}
        self.fire("pull_request_review_thread", "resolved" if first.resolved_by else "unresolved", repo, sender, body)

    def labeled(self, repo: Repo, issue: Issue, name: str, sender: User, *, off: bool = False) -> None:
        action, extra = "unlabeled" if off else "labeled", {"label": shapes_work.label(self._world, repo, name)}
        if issue.number in repo.pulls:
            self.pull(repo, repo.pulls[issue.number], action, sender, extra)
        elif not off:
            self.fire("issues", action, repo, sender, {"issue": shapes_work.issue(self._world, repo, issue), **extra})

    def status(self, repo: Repo, one: Json, sender: User) -> None:
        """A commit status was set; the event names no pull request and has no action."""
        world = self._world
        heads = repo.git.refs("refs/heads").items()
        names = [name.removeprefix("refs/heads/") for name, at in heads if repo.git.is_ancestor(one["sha"], at)]
        known = {key: one[key] for key in ("id", "sha", "target_url", "context", "description", "state", "created_at")}
        body = {
            **known,
            "name": repo.full_name,
            "avatar_url": shapes.user(world, sender)["avatar_url"],
            "commit": shapes_git.commit(world, repo, one["sha"]),
            "branches": [shapes_git.short_branch(world, repo, name, one["sha"]) for name in names[:10]],
            "updated_at": one["created_at"],
        }
        self.fire("status", None, repo, sender, body)

    def suite_for(self, repo: Repo, app_id: int, sha: str, branch: str | None = None) -> Suite:
        """The suite of an App on a commit, made when it does not exist. Workflow runs have one each."""
        for known in repo.suites.values():
            if (known.app_id, known.sha) == (app_id, sha):
                return known
        return self.new_suite(repo, app_id, sha, branch or _branch_of(repo, sha))

    def new_suite(self, repo: Repo, app_id: int, sha: str, branch: str | None) -> Suite:
        stamp = self._world.stamp()
        made = Suite(self._world.id(), app_id, sha, branch, stamp, stamp)
        repo.suites[made.id] = made
        return made

    def check_run(
        self, repo: Repo, check: CheckRun, action: str, sender: User, extra: Json | None = None, only: App | None = None
    ) -> None:
        body = {"check_run": shapes_ci.check_run_event(self._world, repo, check), **(extra or {})}
        self.fire("check_run", action, repo, sender, body, only)

    def workflow_run(self, repo: Repo, run: WorkflowRun, action: str) -> None:
        body = {
            "workflow_run": shapes_ci.workflow_run(self._world, repo, run),
            "workflow": shapes_ci.workflow(self._world, repo, run.workflow),
        }
        self.fire("workflow_run", action, repo, run.actor, body)

    def workflow_job(self, repo: Repo, job: Job, action: str) -> None:
        run = repo.runs[job.run_id]
        self.fire("workflow_job", action, repo, run.actor, {"workflow_job": shapes_ci.job(self._world, repo, job)})


def _branch_of(repo: Repo, sha: str) -> str | None:
    found = [name for name, at in repo.git.refs("refs/heads").items() if at == sha]
    return found[0].removeprefix("refs/heads/") if found else None


def _organization(world: World, owner: User) -> Json:
    base = f"{world.api}/orgs/{owner.login}"
    return {
        "login": owner.login,
        "id": owner.id,
        "node_id": f"O_kgDO{owner.id}",
        "url": base,
        "repos_url": f"{base}/repos",
        "events_url": f"{base}/events",
        "hooks_url": f"{base}/hooks",
        "issues_url": f"{base}/issues",
        "members_url": f"{base}/members{{/member}}",
        "public_members_url": f"{base}/public_members{{/member}}",
        "avatar_url": f"{world.url}/avatars/u/{owner.id}?v=4",
        "description": None,
    }
