"""The human side under `/_control`: what people, time and bad luck do to the double. Never part of GitHub's API."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.hub import shapes, shapes_ci, shapes_git, shapes_work
from tests.hub.contract import Contract
from tests.hub.estate import Estate
from tests.hub.events import Events
from tests.hub.gitstore import Entry, GitStore, Signature
from tests.hub.hooks import Hooks
from tests.hub.luck import Luck
from tests.hub.people import People
from tests.hub.rest.dispatch import ApiError
from tests.hub.rest.pulls import open_pull
from tests.hub.rest.reviews import add_reply, submit_review
from tests.hub.runs import Runs, plain_steps
from tests.hub.state import ZERO_SHA, App, Comment, Installation, Issue, Json, Repo, User, World

_IGNORED = {".git", "__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache"}


class Control:
    """One method per verb; each takes and returns JSON."""

    def __init__(self, world: World, contract: Contract, hooks: Hooks, events: Events, runs: Runs) -> None:
        self._world, self._contract, self._hooks, self._events, self._runs = world, contract, hooks, events, runs
        self._unlocked = {"settle", "requests", "tokens", "violations"}
        self._desks = (self, Luck(world), Estate(world, events), People(world, events))

    def call(self, verb: str, asked: Json) -> Json:
        """Run a verb; unknown ones raise LookupError."""
        found = (getattr(desk, f"do_{verb}", None) for desk in self._desks)
        method: Callable[[Json], Json] | None = next((one for one in found if one is not None), None)
        if method is None:
            raise LookupError(verb)
        if verb in self._unlocked:
            return method(asked)
        with self._world.lock:
            return method(asked)

    def _repo(self, asked: Json) -> Repo:
        repo = self._world.repo(asked["repo"])
        if repo is None:
            raise ApiError(404, f"no repository {asked['repo']}")
        return repo

    def do_signs_in(self, asked: Json) -> Json:
        """This person sits at the browser that comes to authorize an App; without a login nobody does."""
        self._world.browser = self._world.user(asked["login"]) if asked.get("login") else None
        return {}

    def do_create_user(self, asked: Json) -> Json:
        return shapes.user(self._world, self._world.user(asked["login"], asked.get("kind", "User")))

    def do_retake_login(self, asked: Json) -> Json:
        """The account gave its login up, and somebody else took it: what it wrote stays with its own id."""
        self._world.users.pop(asked["login"].lower())
        return shapes.user(self._world, self._world.user(asked["login"]))

    def do_create_app(self, asked: Json) -> Json:
        """An App with a key of its own, installed on an account (on all its repositories, or on `repos`)."""
        world, slug = self._world, asked["slug"]
        key = _key(len(world.apps))
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        number = world.id()
        app = App(
            id=number,
            slug=slug,
            name=str(asked.get("name") or slug),
            client_id=f"Iv23li{number:014d}",
            owner=world.user(asked.get("owner", "hub-admin")),
            bot=world.user(f"{slug}[bot]", "Bot"),
            public_pem=public.decode(),
            secret=asked.get("webhook_secret") or f"hub-secret-{number}",
            permissions={"metadata": "read", **asked["permissions"]},
            events=list(asked["events"]),
            hook_id=world.id(),
            hook_url=asked.get("webhook_url", ""),
            created=world.stamp(),
            client_secret=secrets.token_hex(20),
        )
        world.apps[app.id] = app
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        installation = self._install(app, asked)
        return {
            "app_id": app.id,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "slug": slug,
            "bot": app.bot.login,
            "private_key": pem.decode(),
            "webhook_secret": app.secret,
            "installation_id": installation.id,
        }

    def _install(self, app: App, asked: Json) -> Installation:
        world = self._world
        ids = None
        if asked.get("repos") is not None:
            ids = {repo.id for name in asked["repos"] if (repo := world.repo(name)) is not None}
        account = world.user(asked.get("account", "octo"), asked.get("account_kind", "User"))
        made = Installation(
            world.id(), app, account, dict(app.permissions), list(app.events), ids, created=world.stamp()
        )
        world.installations[made.id] = made
        return made

    def do_install(self, asked: Json) -> Json:
        made = self._install(self._world.apps[asked["app_id"]], asked)
        return {"installation_id": made.id}

    def do_set_webhook(self, asked: Json) -> Json:
        self._world.apps[asked["app_id"]].hook_url = asked["url"]
        return {}

    def do_set_events(self, asked: Json) -> Json:
        """Subscribe an App and its installations to other events."""
        app = self._world.apps[asked["app_id"]]
        app.events = list(asked["events"])
        for one in self._world.installations.values():
            if one.app is app:
                one.events = list(asked["events"])
        return {}

    def do_create_repo(self, asked: Json) -> Json:
        """A repository from a folder or a map of files; `ci` is off or real."""
        world = self._world
        owner_name, _, name = asked["repo"].partition("/")
        owner = world.user(owner_name, asked.get("owner_kind", "User"))
        number = world.id()
        branch = asked.get("default_branch", "main")
        repo = Repo(number, name, owner, GitStore(world.data / f"{number}.git"), world.stamp(), branch)
        repo.private, repo.ci = asked.get("private", False), "off"
        repo.git.init(branch)
        if asked.get("fork_of"):
            repo.parent = world.repo(asked["fork_of"])
            assert repo.parent is not None
            repo.git.run("fetch", "-q", str(repo.parent.git.path), "refs/heads/*:refs/heads/*")
        world.repos[number] = repo
        world.moved.pop(repo.full_name.lower(), None)  # whoever takes a name ends what led from it
        repo.permissions[owner.login.lower()] = "admin"
        sha = repo.git.ref(f"refs/heads/{branch}") or ""
        if not asked.get("fork_of"):
            author = world.user(asked.get("author") or (owner.login if owner.kind == "User" else "octocat"))
            repo.ci = asked.get("ci", "off") if asked.get("run_first", False) else "off"
            sha = self._commit(repo, branch, asked, author)
        repo.ci = asked.get("ci", "off")
        return {"id": repo.id, "full_name": repo.full_name, "sha": sha, "clone_url": f"{world.url}/{asked['repo']}.git"}

    def _commit(self, repo: Repo, branch: str, asked: Json, author: User) -> str:
        git, ref = repo.git, f"refs/heads/{branch}"
        old = git.ref(ref)
        start = old or (git.resolve(asked["start"]) if asked.get("start") else None)
        if asked.get("new_from"):
            start = git.resolve(asked["new_from"])
        if start is None and old is None and git.ref(f"refs/heads/{repo.default_branch}"):
            start = git.ref(f"refs/heads/{repo.default_branch}")
        entries = [_entry(git, path, content) for path, content in (asked.get("files") or {}).items()]
        if asked.get("folder"):
            entries += _folder(git, Path(asked["folder"]))
        tree = git.write_tree(start, entries)
        who = Signature(author.login, author.email, self._world.stamp())
        parents = [start] if start else []
        sha = git.write_commit(tree, parents, asked.get("message", "Change files"), who, who)
        git.update_ref(ref, sha)
        self._events.ref_moved(repo, ref, old or ZERO_SHA, sha, author)
        return sha

    def do_push(self, asked: Json) -> Json:
        """A person's commit on a branch; a new branch starts at the default branch, or at `new_from`."""
        author = self._world.user(asked.get("user", "octocat"))
        repo = self._repo(asked)
        return {"sha": self._commit(repo, asked.get("branch", repo.default_branch), asked, author)}

    def do_rebase(self, asked: Json) -> Json:
        """A person puts the newest commit of a branch onto another one: its author stays, its committer changes."""
        repo, who = self._repo(asked), self._world.user(asked.get("user", "octocat"))
        git, ref = repo.git, f"refs/heads/{asked['branch']}"
        old, onto = str(git.ref(ref)), str(git.resolve(asked["onto"]))
        tree = git.text("merge-tree", "--write-tree", onto, old).split()[0]
        info, committer = git.commit(old), Signature(who.login, who.email, self._world.stamp())
        sha = git.write_commit(tree, [onto], info.message, info.author, committer)
        git.update_ref(ref, sha, old)
        self._events.ref_moved(repo, ref, old, sha, who)
        return {"sha": sha}

    def do_set_permission(self, asked: Json) -> Json:
        self._world.user(asked["user"])
        self._repo(asked).permissions[asked["user"].lower()] = asked["permission"]
        return {}

    def do_set_repo(self, asked: Json) -> Json:
        """Change `ci`, `archived`, `gone`, `private`, `rules`, `unsigned`, `issues_on`, without a word to anybody;
        `gone_commit` makes a commit unreachable by API."""
        repo = self._repo(asked)
        for key in ("ci", "archived", "gone", "private", "rules", "unsigned", "issues_on"):
            if key in asked:
                setattr(repo, key, asked[key])
        if asked.get("gone_commit"):
            repo.gone_commits.add(asked["gone_commit"])
        return {}

    def do_open_issue(self, asked: Json) -> Json:
        repo, who, stamp = self._repo(asked), self._world.user(asked["user"]), self._world.stamp()
        repo.last_number += 1
        made = Issue(self._world.id(), repo.last_number, asked["title"], asked.get("body", ""), who, stamp, stamp)
        repo.issues[made.number] = made
        shape = shapes_work.issue(self._world, repo, made)
        self._events.fire("issues", "opened", repo, who, {"issue": shape})
        return shape

    def do_open_pull(self, asked: Json) -> Json:
        repo, who = self._repo(asked), self._world.user(asked["user"])
        made = open_pull(self._world, self._events, repo, who, None, asked)
        return shapes_work.pull(self._world, repo, made)

    def do_set_pull(self, asked: Json) -> Json:
        """Another base, chosen by a person; `unknown`: how often GitHub does not know yet whether it can be merged."""
        repo = self._repo(asked)
        pull = repo.pulls[asked["number"]]
        pull.unknown = asked.get("unknown", pull.unknown)
        if asked.get("base"):
            sha = str(repo.git.ref(f"refs/heads/{asked['base']}"))
            changes = {"base": {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}}
            pull.base_ref, pull.base_sha = asked["base"], sha
            self._events.pull(repo, pull, "edited", self._world.user(asked["user"]), {"changes": changes})
        return {}

    def do_close_pull(self, asked: Json) -> Json:
        repo = self._repo(asked)
        self._events.close_pull(repo, repo.pulls[asked["number"]], self._world.user(asked["user"]))
        return {}

    def do_merge_pull(self, asked: Json) -> Json:
        """A merge commit by a person."""
        repo, who = self._repo(asked), self._world.user(asked["user"])
        pull, git = repo.pulls[asked["number"]], repo.git
        ref = f"refs/heads/{pull.base_ref}"
        old = str(git.ref(ref))
        tree = git.text("merge-tree", "--write-tree", old, pull.head_sha).split()[0]
        signature = Signature(who.login, who.email, self._world.stamp())
        text = f"Merge pull request #{pull.number} from {pull.head_repo.owner.login}/{pull.head_ref}"
        sha = git.write_commit(tree, [old, pull.head_sha], text, signature, signature)
        git.update_ref(ref, sha, old)
        pull.merged, pull.merged_by, pull.merge_sha = self._world.stamp(), who, sha
        self._events.close_pull(repo, pull, who)
        self._events.ref_moved(repo, ref, old, sha, who)
        return {"sha": sha}

    def do_comment(self, asked: Json) -> Json:
        """A person's comment on an issue or pull request."""
        repo, who, stamp = self._repo(asked), self._world.user(asked["user"]), self._world.stamp()
        made = Comment(self._world.id(), asked["number"], who, asked["body"], stamp, stamp)
        repo.comments[made.id] = made
        self._events.comment(repo, made, "created", who)
        return shapes_work.comment(self._world, repo, made)

    def do_review(self, asked: Json) -> Json:
        """A person's review: `event` as in the API, `comments` on lines."""
        repo, who = self._repo(asked), self._world.user(asked["user"])
        review = submit_review(self._world, self._events, repo, repo.pulls[asked["number"]], who, asked)
        return shapes_work.review(self._world, repo, review)

    def do_reply(self, asked: Json) -> Json:
        """A person's reply in a review thread."""
        repo, who = self._repo(asked), self._world.user(asked["user"])
        first = repo.review_comments[asked["comment_id"]]
        made = add_reply(self._world, self._events, repo, first, who, asked["body"])
        return shapes_work.review_comment(self._world, repo, made)

    def do_click(self, asked: Json) -> Json:
        """A person presses a button of a check run, or with no identifier its Re-run link."""
        repo, who = self._repo(asked), self._world.user(asked["user"])
        check = repo.checks[asked["check_run_id"]]
        app, identifier = self._world.apps[check.app_id], asked.get("identifier")
        if identifier:
            extra = {"requested_action": {"identifier": identifier}}
            self._events.check_run(repo, check, "requested_action", who, extra, only=app)
        else:
            self._events.check_run(repo, check, "rerequested", who, only=app)
        return {}

    def do_finish_ci(self, asked: Json) -> Json:
        """A finished workflow run with one job, its check run and log; `beside` names jobs of it that were green. With
        `goes_on` only the job has finished."""
        repo = self._repo(asked)
        sha = asked.get("sha") or repo.git.ref(f"refs/heads/{asked.get('branch', repo.default_branch)}")
        actor = self._world.user(asked.get("user", "octocat"))
        path = asked.get("workflow", ".github/workflows/ci.yml")
        fork = self._world.repo(asked["head_repo"]) if asked.get("head_repo") else None
        run = self._runs.begin(
            repo, path, str(sha), asked.get("branch", repo.default_branch), actor, asked.get("event", "push"), fork
        )
        conclusion = asked.get("conclusion", "failure")
        job = self._runs.job(repo, run, asked.get("job", "test"))
        run.status = "in_progress"
        self._runs.start_job(repo, job)
        names = asked.get("steps") or ["Run actions/checkout@v4", "Test"]
        failing = None if conclusion == "success" else asked.get("failing_step", names[-1])
        steps = plain_steps(names, failing, self._world.stamp(), conclusion)
        self._runs.end_job(repo, job, conclusion, asked.get("log"), steps, asked.get("annotations") or [])
        for name in asked.get("beside") or []:
            self._runs.end_job(repo, self._runs.job(repo, run, name), "success", "", [], [])
        if not asked.get("goes_on"):
            self._runs.end(repo, run, conclusion)
        return {"run_id": run.id, "job_id": job.id, "check_run_id": job.id, "sha": sha}

    def do_end_ci(self, asked: Json) -> Json:
        """The end of a workflow run whose jobs had finished before; `attempt` when it was run again meanwhile."""
        repo = self._repo(asked)
        run = repo.runs[asked["run_id"]]
        run.attempt = asked.get("attempt", run.attempt)
        self._runs.end(repo, run, asked.get("conclusion", "failure"))
        return {}

    def do_run_ci(self, asked: Json) -> Json:
        """Run the repository's workflows for a commit now, whatever its `ci` is."""
        repo = self._repo(asked)
        branch = asked.get("branch", repo.default_branch)
        sha = asked.get("sha") or repo.git.ref(f"refs/heads/{branch}")
        if self._events.ci is not None:
            self._events.ci.start(repo, str(sha), branch, self._world.user(asked.get("user", "octocat")))
        return {}

    def do_settle(self, asked: Json) -> Json:
        """Wait until all deliveries are out."""
        return {"settled": self._hooks.settle(asked.get("seconds", 10))}

    def do_requests(self, asked: Json) -> Json:
        return {"requests": list(self._world.requests)}

    def do_tokens(self, asked: Json) -> Json:
        """Every installation token so far, in the order they were minted; requests name them by `serial`."""
        names = {repo.id: repo.full_name for repo in self._world.repos.values()}
        minted = [
            {
                "serial": token.serial,
                "permissions": token.permissions,
                "repos": None if token.repo_ids is None else sorted(names[id_] for id_ in token.repo_ids),
                "revoked": token.revoked,
                "expires": token.expires.timestamp(),
            }
            for token in list(self._world.tokens.values())
        ]
        return {"tokens": minted}

    def do_violations(self, asked: Json) -> Json:
        found = list(self._world.violations)
        if asked.get("take"):
            self._world.violations.clear()
        return {"violations": found}

    def do_reset(self, asked: Json) -> Json:
        """Forget everything but the address; ids go on counting, so nothing old fits again."""
        world = self._world
        for field in (world.users, world.apps, world.installations, world.tokens, world.repos, world.user_tokens):
            field.clear()
        for record in (world.deliveries, world.requests, world.faults, world.violations):
            record.clear()
        world.clock_offset = world.clock_error = timedelta()
        world.browser = None
        world.moved.clear()
        return {}

    def do_deliveries(self, asked: Json) -> Json:
        first = int(asked.get("first", 0))
        found = [shapes.delivery(self._world, d, full=True) for d in self._world.deliveries[first:]]
        return {"deliveries": found}

    def do_redeliver(self, asked: Json) -> Json:
        self._hooks.redeliver(next(d for d in self._world.deliveries if d.guid == asked["guid"]))
        return {}

    def do_state(self, asked: Json) -> Json:
        """Everything a test may want to look at, per repository, in GitHub's shapes."""
        repos = [repo for repo in self._world.repos.values() if not asked.get("repo") or repo is self._repo(asked)]
        return {"repos": {repo.full_name: self._dump(repo) for repo in repos}}

    def _dump(self, repo: Repo) -> Json:
        world = self._world
        checks = []
        for check in repo.checks.values():
            shape = shapes_ci.check_run(world, repo, check)
            checks.append({**shape, "annotations": check.annotations, "actions": check.actions})
        pulls = []
        for pull in repo.pulls.values():
            files = shapes_work.pull_files(world, repo, pull)
            pulls.append({**shapes_work.pull(world, repo, pull), "files": files})
        refs = repo.git.refs("refs/heads").items()
        comments = [
            {**shapes_work.comment(world, repo, c), "number": c.number, "reacted": c.reactions}
            for c in repo.comments.values()
        ]
        return {
            "branches": {name.removeprefix("refs/heads/"): sha for name, sha in refs},
            "pulls": pulls,
            "issues": [shapes_work.issue(world, repo, i) for i in repo.issues.values()],
            "comments": comments,
            "review_comments": [
                {**shapes_work.review_comment(world, repo, c), "reacted": c.reactions}
                for c in repo.review_comments.values()
            ],
            "threads": [
                {"path": c.path, "line": c.line, "isResolved": c.resolved_by is not None}
                for c in repo.review_comments.values()
                if c.reply_to is None
            ],
            "reviews": [shapes_work.review(world, repo, r) for r in repo.reviews.values()],
            "check_runs": checks,
            "workflow_runs": [shapes_ci.workflow_run(world, repo, r) for r in repo.runs.values()],
            "jobs": [{**shapes_ci.job(world, repo, j), "log": j.log} for j in repo.jobs.values()],
            "commits": {
                sha: shapes_git.git_commit(world, repo, repo.git.commit(sha)) for sha in {sha for _, sha in refs}
            },
        }


@cache
def _key(number: int) -> rsa.RSAPrivateKey:
    """The key of the world's nth App: a tenth of a second to make, so a world that is emptied finds the old ones."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _entry(git: GitStore, path: str, content: object) -> Entry:
    """A file of a control call: text, null to delete, or {"base64": ..., "mode": ...}."""
    if content is None:
        return Entry("100644", "blob", None, path)
    if isinstance(content, dict):
        raw = base64.b64decode(content["base64"])
        return Entry(content.get("mode", "100644"), "blob", git.write_blob(raw), path)
    return Entry("100644", "blob", git.write_blob(str(content).encode()), path)


def _folder(git: GitStore, folder: Path) -> list[Entry]:
    found = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not _IGNORED & set(inside.parts):
            mode = "100755" if path.stat().st_mode & 0o100 else "100644"
            found.append(Entry(mode, "blob", git.write_blob(path.read_bytes()), inside.as_posix()))
    return found
