"""Pull requests: list, open, change, and what they contain."""

from __future__ import annotations

from tests.hub import shapes, shapes_git, shapes_work
from tests.hub.events import Events
from tests.hub.rest.dispatch import NOT_FOUND, Answer, ApiError, Call, Route, invalid
from tests.hub.state import App, Issue, Json, Pull, Repo, User, World

BODY_LIMIT = 65_536
TITLE_LIMIT = 256


def check_body(resource: str, body: str | None) -> None:
    """422 when a text is longer than GitHub takes."""
    if body is not None and len(body) > BODY_LIMIT:
        raise invalid(resource, "body", "custom", f"body is too long (maximum is {BODY_LIMIT} characters)")


def check_title(resource: str, title: str | None) -> None:
    """422 when a title is longer than GitHub takes."""
    if title is not None and len(title) > TITLE_LIMIT:
        raise invalid(resource, "title", "custom", f"title is too long (maximum is {TITLE_LIMIT} characters)")


def find_pull(call: Call) -> Pull:
    found = call.repo.pulls.get(call.number("pull_number"))
    if found is None:
        raise ApiError(404, NOT_FOUND)
    return found


def list_pulls(call: Call) -> Answer:
    found = sorted(call.repo.pulls.values(), key=lambda p: -p.number)
    state = call.query.get("state", "open")
    if state != "all":
        found = [p for p in found if p.issue.state == state]
    if base := call.query.get("base"):
        found = [p for p in found if p.base_ref == base]
    if ":" in (head := call.query.get("head", "")):
        owner, _, ref = head.partition(":")
        found = [p for p in found if p.head_repo.owner.login.lower() == owner.lower() and p.head_ref == ref]
    if call.query.get("direction") == "asc":
        found.reverse()
    return call.page(found, lambda pull: shapes_work.pull_simple(call.world, call.repo, pull))


def get_pull(call: Call) -> Answer:
    """Asking is what makes GitHub work out whether it can be merged."""
    found = find_pull(call)
    shape = shapes_work.pull(call.world, call.repo, found)
    found.unknown = max(0, found.unknown - 1)
    return Answer(200, shape)


def open_pull(world: World, events: Events, repo: Repo, who: User, app: App | None, asked: Json) -> Pull:
    """Open a pull request as anyone may: the rules are the same for people and Apps."""
    owner, colon, ref = str(asked["head"]).rpartition(":")
    head_repo = repo
    if colon and owner.lower() != repo.owner.login.lower():
        forks = (r for r in world.repos.values() if r.parent is repo and r.owner.login.lower() == owner.lower())
        fork = next(forks, None)
        if fork is None:
            raise invalid("PullRequest", "head", "invalid")
        head_repo = fork
    head, base = head_repo.git.ref(f"refs/heads/{ref}"), repo.git.ref(f"refs/heads/{asked['base']}")
    if head is None:
        raise invalid("PullRequest", "head", "invalid")
    if base is None:
        raise invalid("PullRequest", "base", "invalid")
    label = f"{head_repo.owner.login}:{ref}"
    for pull in repo.pulls.values():
        if (pull.head_repo, pull.head_ref, pull.base_ref, pull.issue.state) == (head_repo, ref, asked["base"], "open"):
            raise invalid("PullRequest", message=f"A pull request already exists for {label}.")
    if head_repo is repo and not repo.git.between(base, head):
        raise invalid("PullRequest", message=f"No commits between {asked['base']} and {ref}")
    check_body("Issue", asked.get("body"))
    check_title("Issue", asked["title"])
    repo.last_number += 1
    stamp = world.stamp()
    issue = Issue(world.id(), repo.last_number, asked["title"], asked.get("body"), who, stamp, stamp, app=app)
    made = Pull(
        id=world.id(),
        issue=issue,
        head_repo=head_repo,
        head_ref=ref,
        head_sha=head,
        base_ref=asked["base"],
        base_sha=base,
        draft=bool(asked.get("draft")),
    )
    repo.issues[issue.number], repo.pulls[issue.number] = issue, made
    events.fetch_head(repo, made, head)
    events.pull(repo, made, "opened", who)
    return made


def create_pull(call: Call) -> Answer:
    asked = call.body or {}
    for key in ("head", "base", "title"):
        if not asked.get(key):
            raise invalid("PullRequest", key, "missing_field")
    made = open_pull(call.world, call.events, call.repo, call.actor, call.app, asked)
    return Answer(201, shapes_work.pull(call.world, call.repo, made))


def update_pull(call: Call) -> Answer:
    pull, asked, repo = find_pull(call), call.body or {}, call.repo
    check_body("Issue", asked.get("body"))
    check_title("Issue", asked.get("title"))
    changes: Json = {}
    if asked.get("title") is not None and asked["title"] != pull.issue.title:
        changes["title"] = {"from": pull.issue.title}
        pull.issue.title = asked["title"]
    if "body" in asked and asked["body"] != pull.issue.body:
        changes["body"] = {"from": pull.issue.body or ""}
        pull.issue.body = asked["body"]
    if asked.get("base") and asked["base"] != pull.base_ref:
        changes["base"] = change_base(repo, pull, asked["base"])
    pull.issue.updated = call.world.stamp()
    if changes:
        call.events.pull(repo, pull, "edited", call.actor, {"changes": changes})
    if asked.get("state") == "closed" and pull.issue.state == "open":
        call.events.close_pull(repo, pull, call.actor)
    elif asked.get("state") == "open" and pull.issue.state == "closed":
        if pull.merged:
            raise invalid("PullRequest", "state", "invalid", "state cannot be changed. The pull request was merged.")
        pull.issue.state, pull.issue.closed, pull.issue.closed_by = "open", None, None
        call.events.pull(repo, pull, "reopened", call.actor)
    return Answer(200, shapes_work.pull(call.world, repo, pull))


def change_base(repo: Repo, pull: Pull, base: str) -> Json:
    """Point a pull request at another branch; what it was before, as the event tells it."""
    sha = repo.git.ref(f"refs/heads/{base}")
    if sha is None:
        raise invalid("PullRequest", "base", "invalid")
    before: Json = {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}
    pull.base_ref, pull.base_sha = base, sha
    return before


def request_reviewers(call: Call) -> Answer:
    """People who are no collaborators are refused, and nobody is asked then."""
    pull, repo = find_pull(call), call.repo
    names = list((call.body or {}).get("reviewers") or [])
    strangers = [name for name in names if name.lower() not in repo.permissions]
    if strangers or any(name.lower() == pull.issue.user.login.lower() for name in names):
        text = "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the repository."  # noqa: E501
        raise ApiError(422, text)
    for name in names:
        who = call.world.user(name)
        if who not in pull.reviewers:
            pull.reviewers.append(who)
            extra = {"requested_reviewer": shapes.user(call.world, who)}
            call.events.pull(repo, pull, "review_requested", call.actor, extra)
    return Answer(201, shapes_work.pull_simple(call.world, repo, pull))


def list_files(call: Call) -> Answer:
    return call.page(shapes_work.pull_files(call.world, call.repo, find_pull(call)), lambda one: one)


def list_commits(call: Call) -> Answer:
    pull, git = find_pull(call), call.repo.git
    shas = git.between(pull.base_sha, pull.head_sha)
    return call.page(shas, lambda sha: shapes_git.commit(call.world, call.repo, sha))


def is_merged(call: Call) -> Answer:
    if find_pull(call).merged:
        return Answer(204)
    raise ApiError(404, NOT_FOUND)


_P = "/repos/{owner}/{repo}/pulls"
_READ, _WRITE = ("pull_requests:read",), ("pull_requests:write",)
ROUTES = (
    Route("GET", _P, list_pulls, _READ, "[PullRequestSimple]"),
    Route("POST", _P, create_pull, _WRITE, "PullRequest"),
    Route("GET", _P + "/{pull_number}", get_pull, ("pull_requests:read", "contents:read"), "PullRequest"),
    Route("PATCH", _P + "/{pull_number}", update_pull, _WRITE, "PullRequest"),
    Route("GET", _P + "/{pull_number}/files", list_files, _READ, "[DiffEntry]"),
    Route("GET", _P + "/{pull_number}/commits", list_commits, _READ, "[Commit]"),
    Route("GET", _P + "/{pull_number}/merge", is_merged, _READ),
    Route("POST", _P + "/{pull_number}/requested_reviewers", request_reviewers, _WRITE, "PullRequestSimple"),
)
