"""Commit statuses, the old way of CI to say what it thinks: no log, no pull requests, only a link."""

from __future__ import annotations

from tests.hub import shapes, shapes_ci, shapes_git
from tests.hub.events import Events
from tests.hub.rest.dispatch import Answer, ApiError, Call, Route, invalid
from tests.hub.rest.repos import sha_of
from tests.hub.state import Json, Repo, User, World

STATES = ("error", "failure", "pending", "success")


def set_status(world: World, events: Events, repo: Repo, sha: str, who: User, asked: Json) -> Json:
    """One more status of a commit; its context's newest one counts."""
    if asked.get("state") not in STATES:
        raise invalid("Status", "state", "invalid")
    if repo.git.kind(sha) != "commit":
        raise ApiError(422, f"No commit found for SHA: {sha}")
    made: Json = {
        "id": world.id(),
        "sha": sha,
        "state": asked["state"],
        "context": asked.get("context") or "default",
        "description": asked.get("description"),
        "target_url": asked.get("target_url"),
        "created_at": world.stamp(),
        "creator": who,
    }
    repo.statuses.append(made)
    events.status(repo, made, who)
    return made


def create(call: Call) -> Answer:
    made = set_status(call.world, call.events, call.repo, call.params["sha"], call.actor, call.body or {})
    return Answer(201, shapes_ci.status(call.world, call.repo, made))


def _of(repo: Repo, sha: str) -> list[Json]:
    return [one for one in reversed(repo.statuses) if one["sha"] == sha]


def list_statuses(call: Call) -> Answer:
    """All of them, newest first."""
    found = _of(call.repo, sha_of(call, call.params["ref"]))
    return call.page(found, lambda one: shapes_ci.status(call.world, call.repo, one))


def combined(call: Call) -> Answer:
    """The newest of each context, and what they say together."""
    world, repo, sha = call.world, call.repo, sha_of(call, call.params["ref"])
    newest: dict[str, Json] = {}
    for one in _of(repo, sha):
        newest.setdefault(one["context"].lower(), one)
    states = {one["state"] for one in newest.values()}
    bad = states & {"error", "failure"}
    together = "failure" if bad else "pending" if "pending" in states or not states else "success"
    url = shapes_git.base_url(world, repo)
    shown = call.page(list(newest.values()), lambda one: shapes_ci.simple_status(world, repo, one))
    body = {
        "state": together,
        "statuses": shown.body,
        "sha": sha,
        "total_count": len(newest),
        "repository": shapes.minimal_repository(world, repo),
        "commit_url": f"{url}/commits/{sha}",
        "url": f"{url}/commits/{sha}/status",
    }
    return Answer(200, body, shown.headers)


_R = "/repos/{owner}/{repo}"
ROUTES = (
    Route("POST", _R + "/statuses/{sha}", create, ("statuses:write",), "Status"),
    Route("GET", _R + "/commits/{ref}/status", combined, ("statuses:read",), "CombinedCommitStatus"),
    Route("GET", _R + "/commits/{ref}/statuses", list_statuses, ("statuses:read",), "[Status]"),
)
