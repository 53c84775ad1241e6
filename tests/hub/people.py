"""What people and other CI systems do to issues, pull requests, checks and statuses, with the events that follow."""

from __future__ import annotations

from tests.hub import shapes_ci, shapes_work
from tests.hub.events import Events
from tests.hub.rest.checks import refuse
from tests.hub.rest.dispatch import ApiError
from tests.hub.rest.pulls import change_base, check_body
from tests.hub.rest.statuses import set_status
from tests.hub.state import App, CheckRun, Issue, Json, Pull, Repo, User, World


class People:
    """Verbs of the human side about single things in a repository."""

    def __init__(self, world: World, events: Events) -> None:
        self._world, self._events = world, events

    def do_label(self, asked: Json) -> Json:
        """Put a label on an issue or a pull request, or with `off` take it away."""
        repo, who = self._repo(asked), self._who(asked)
        issue, name = repo.issues[asked["number"]], asked["name"]
        issue.labels = [known for known in issue.labels if known.lower() != name.lower()]
        if not asked.get("off"):
            issue.labels.append(name)
        self._events.labeled(repo, issue, name, who, off=bool(asked.get("off")))
        return {}

    def do_edit_pull(self, asked: Json) -> Json:
        """Another title, body or base."""
        repo, who, pull = self._repo(asked), self._who(asked), self._pull(asked)
        changes: Json = {}
        for key in ("title", "body"):
            if key in asked:
                changes[key] = {"from": getattr(pull.issue, key) or ""}
                setattr(pull.issue, key, asked[key])
        if asked.get("base"):
            changes["base"] = change_base(repo, pull, asked["base"])
        pull.issue.updated = self._world.stamp()
        self._events.pull(repo, pull, "edited", who, {"changes": changes})
        return {}

    def do_set_draft(self, asked: Json) -> Json:
        """Ready for review, or back to draft."""
        repo, pull = self._repo(asked), self._pull(asked)
        pull.draft = asked["draft"]
        action = "converted_to_draft" if pull.draft else "ready_for_review"
        self._events.pull(repo, pull, action, self._who(asked))
        return {}

    def do_reopen(self, asked: Json) -> Json:
        """A closed issue or pull request is open again."""
        repo, who, issue = self._repo(asked), self._who(asked), self._issue(asked)
        issue.state, issue.closed, issue.updated = "open", None, self._world.stamp()
        self._told(repo, issue, "reopened", who)
        return {}

    def do_close_issue(self, asked: Json) -> Json:
        repo, who, issue = self._repo(asked), self._who(asked), self._issue(asked)
        issue.state, issue.closed = "closed", self._world.stamp()
        self._told(repo, issue, "closed", who)
        return {}

    def do_edit_comment(self, asked: Json) -> Json:
        """A comment gets other words; what it said before is remembered."""
        repo, who = self._repo(asked), self._who(asked)
        comment = repo.comments[asked["comment_id"]]
        changes: Json = {"body": {"from": comment.body}}
        comment.edits.append({"editedAt": self._world.stamp(), "editor": who.login, "diff": comment.body})
        check_body("IssueComment", asked["body"])
        comment.body, comment.updated = asked["body"], self._world.stamp()
        self._events.comment(repo, comment, "edited", who, {"changes": changes})
        return {}

    def do_delete_comment(self, asked: Json) -> Json:
        repo = self._repo(asked)
        self._events.comment(repo, repo.comments.pop(asked["comment_id"]), "deleted", self._who(asked))
        return {}

    def do_resolve(self, asked: Json) -> Json:
        """Resolve the thread that a review comment opened, or with `off` open it again."""
        repo, who = self._repo(asked), self._who(asked)
        first = repo.review_comments[asked["comment_id"]]
        first.resolved_by = None if asked.get("off") else who
        self._events.thread(repo, first, who)
        return {}

    def do_status(self, asked: Json) -> Json:
        """A commit status by an old CI, under its own account."""
        repo, who = self._repo(asked), self._world.user(asked.get("user") or "old-ci[bot]", "Bot")
        sha = self._sha(repo, asked)
        return shapes_ci.status(self._world, repo, set_status(self._world, self._events, repo, sha, who, asked))

    def do_finish_check(self, asked: Json) -> Json:
        """A completed check run of another App (`app`, a slug), with its output and annotations, but no log."""
        repo, app = self._repo(asked), self._other(asked.get("app", "other-ci"))
        output = asked.get("output") or {}
        refuse(output, None)
        sha, stamp = self._sha(repo, asked), self._world.stamp()
        check = CheckRun(
            id=self._world.id(),
            app_id=app.id,
            suite=self._events.suite_for(repo, app.id, sha, asked.get("branch")),
            name=asked["name"],
            sha=sha,
            status="in_progress",
            conclusion=None,
            started=stamp,
            completed=None,
            external_id=asked.get("external_id", ""),
            details_url=asked.get("details_url", "https://ci.example.com/build/7"),
        )
        repo.checks[check.id] = check
        self._events.check_run(repo, check, "created", app.bot)
        check.status, check.conclusion, check.completed = "completed", asked.get("conclusion", "failure"), stamp
        check.output = {key: output[key] for key in ("title", "summary", "text") if key in output}
        check.annotations = list(output.get("annotations") or [])
        self._events.check_run(repo, check, "completed", app.bot)
        return shapes_ci.check_run(self._world, repo, check)

    def do_rerequest_suite(self, asked: Json) -> Json:
        """A person runs all checks of an App on a commit again."""
        repo, app = self._repo(asked), self._world.apps[asked["app_id"]]
        suite = self._events.suite_for(repo, app.id, self._sha(repo, asked))
        body = {"check_suite": shapes_ci.suite_event(self._world, repo, suite)}
        self._events.fire("check_suite", "rerequested", repo, self._who(asked), body, app)
        return {}

    def _told(self, repo: Repo, issue: Issue, action: str, who: User) -> None:
        if issue.number in repo.pulls:
            self._events.pull(repo, repo.pulls[issue.number], action, who)
        else:
            self._events.fire("issues", action, repo, who, {"issue": shapes_work.issue(self._world, repo, issue)})

    def _other(self, slug: str) -> App:
        """An App that nobody here holds the key of."""
        known = next((app for app in self._world.apps.values() if app.slug == slug), None)
        if known is not None:
            return known
        world, number = self._world, self._world.id()
        made = App(
            id=number,
            slug=slug,
            name=slug,
            client_id=f"Iv23li{number:014d}",
            owner=world.user("other-maker"),
            bot=world.user(f"{slug}[bot]", "Bot"),
            public_pem="",
            secret="",
            permissions={"checks": "write", "metadata": "read"},
            events=[],
            hook_id=0,
            created=world.stamp(),
        )
        world.apps[made.id] = made
        return made

    def _repo(self, asked: Json) -> Repo:
        found = self._world.repo(asked["repo"])
        if found is None:
            raise ApiError(404, f"no repository {asked['repo']}")
        return found

    def _issue(self, asked: Json) -> Issue:
        return self._repo(asked).issues[asked["number"]]

    def _pull(self, asked: Json) -> Pull:
        return self._repo(asked).pulls[asked["number"]]

    def _who(self, asked: Json) -> User:
        return self._world.user(asked.get("user") or "octocat")

    def _sha(self, repo: Repo, asked: Json) -> str:
        return str(asked.get("sha") or repo.git.ref(f"refs/heads/{asked.get('branch') or repo.default_branch}"))
