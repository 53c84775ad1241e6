"""Check runs, annotations and check suites."""

from __future__ import annotations

from typing import Any

from tests.hub import shapes_ci
from tests.hub.rest.dispatch import FORBIDDEN, NOT_FOUND, Answer, ApiError, Call, Route, invalid
from tests.hub.rest.repos import sha_of
from tests.hub.state import CheckRun, Json

_LIMIT = 65_535
_TITLE = 255
_LONG = 64 * 1024
_BUTTON = {"label": 20, "description": 40, "identifier": 20}


def create(call: Call) -> Answer:
    asked, repo = call.body or {}, call.repo
    sha = asked.get("head_sha", "")
    if repo.git.kind(sha) != "commit" or sha in repo.gone_commits:
        raise ApiError(422, f"No commit found for SHA: {sha}")
    assert call.app is not None
    world = call.world
    check = CheckRun(
        id=world.id(),
        app_id=call.app.id,
        suite=call.events.suite_for(repo, call.app.id, sha),
        name=asked["name"],
        sha=sha,
        status="queued",
        conclusion=None,
        started=world.stamp(),
        completed=None,
    )
    _change(call, check, asked)
    repo.checks[check.id] = check
    call.events.check_run(repo, check, "created", call.actor)
    if check.status == "completed":
        call.events.check_run(repo, check, "completed", call.actor)
    return Answer(201, shapes_ci.check_run(world, repo, check))


def update(call: Call) -> Answer:
    check = _check(call)
    if call.app is None or check.app_id != call.app.id:
        number = call.app.id if call.app else 0
        text = f"Invalid app_id `{number}` - check run can only be modified by the GitHub App that created it."
        raise ApiError(403, text)
    before = check.status
    _change(call, check, call.body or {})
    if check.status == "completed" and before != "completed":
        call.events.check_run(call.repo, check, "completed", call.actor)
    return Answer(200, shapes_ci.check_run(call.world, call.repo, check))


_FIELDS = {
    "name": "name",
    "external_id": "external_id",
    "details_url": "details_url",
    "status": "status",
    "started_at": "started",
    "completed_at": "completed",
}


def refuse(output: Json, actions: list[Json] | None) -> None:
    """422 for what GitHub does not take. Texts are measured in characters by the description and in bytes by GitHub
    itself (github/docs#35252): both hold here."""
    notes = output.get("annotations") or []
    if len(notes) > 50:
        raise invalid("CheckRun", "annotations", "invalid", "Only 50 annotations can be sent in a request.")
    if actions is not None and len(actions) > 3:
        raise invalid("CheckRun", "actions", "invalid", "Only 3 actions are allowed.")
    for key in ("summary", "text"):
        text = output.get(key) or ""
        if len(text) > _LIMIT:
            said = f"Only {_LIMIT} characters are allowed; {len(text)} were supplied."
            raise invalid("CheckRun", key, "invalid", said)
        if len(text.encode()) > _LIMIT:
            raise invalid("CheckRun", key, "custom", f"{key} exceeds a maximum bytesize of {_LIMIT}")
    _fit("CheckRun", [output], {"title": _TITLE})
    _fit("CheckAnnotation", notes, {"title": _TITLE, "message": _LONG, "raw_details": _LONG})
    _fit("CheckAction", actions or [], _BUTTON)


def _fit(resource: str, things: list[Json], most: dict[str, int]) -> None:
    for thing in things:
        for key, limit in most.items():
            if len((thing.get(key) or "").encode()) > limit:
                raise invalid(resource, key, "custom", f"{key} is too long (maximum is {limit} characters)")


def _change(call: Call, check: CheckRun, asked: Json) -> None:
    output, actions = asked.get("output") or {}, asked.get("actions")
    refuse(output, actions)
    for key, attribute in _FIELDS.items():
        if asked.get(key) is not None:
            setattr(check, attribute, asked[key])
    if asked.get("conclusion"):
        check.conclusion, check.status = asked["conclusion"], "completed"
    if check.status != "completed":
        check.conclusion = check.completed = None
    elif check.conclusion is None:
        raise invalid("CheckRun", "conclusion", "missing_field")
    else:
        check.completed = check.completed or call.world.stamp()
    check.output |= {key: output[key] for key in ("title", "summary", "text") if key in output}
    check.annotations += output.get("annotations") or []
    if actions is not None:
        check.actions = actions


def _check(call: Call) -> CheckRun:
    found = call.repo.checks.get(call.number("check_run_id"))
    if found is None:
        raise ApiError(404, NOT_FOUND)
    return found


def get(call: Call) -> Answer:
    return Answer(200, shapes_ci.check_run(call.world, call.repo, _check(call)))


def list_annotations(call: Call) -> Answer:
    check = _check(call)
    return call.page(check.annotations, lambda raw: shapes_ci.annotation(call.world, call.repo, check, raw))


def rerequest(call: Call) -> Answer:
    check = _check(call)
    if call.app is None or check.app_id != call.app.id:
        raise ApiError(403, FORBIDDEN)
    call.events.check_run(call.repo, check, "rerequested", call.actor, only=call.app)
    return Answer(201, {})


def _chosen(call: Call, checks: list[CheckRun]) -> list[CheckRun]:
    wanted: list[tuple[str, Any]] = [("check_name", "name"), ("status", "status")]
    for key, field in wanted:
        if value := call.query.get(key):
            checks = [c for c in checks if getattr(c, field) == value]
    if app_id := call.query.get("app_id"):
        checks = [c for c in checks if c.app_id == int(app_id)]
    if call.query.get("filter", "latest") == "latest":
        latest = {(c.app_id, c.suite.id, c.name): c for c in sorted(checks, key=lambda c: c.id)}
        checks = list(latest.values())
    return sorted(checks, key=lambda c: -c.id)


def for_ref(call: Call) -> Answer:
    sha = sha_of(call, call.params["ref"])
    found = _chosen(call, [c for c in call.repo.checks.values() if c.sha == sha])
    return call.page(found, lambda c: shapes_ci.check_run(call.world, call.repo, c), "check_runs")


def for_suite(call: Call) -> Answer:
    found = _chosen(call, [c for c in call.repo.checks.values() if c.suite.id == call.number("check_suite_id")])
    return call.page(found, lambda c: shapes_ci.check_run(call.world, call.repo, c), "check_runs")


def suites(call: Call) -> Answer:
    sha = sha_of(call, call.params["ref"])
    found = [s for s in call.repo.suites.values() if s.sha == sha]
    return call.page(found, lambda s: shapes_ci.suite(call.world, call.repo, s), "check_suites")


def get_suite(call: Call) -> Answer:
    found = call.repo.suites.get(call.number("check_suite_id"))
    if found is None:
        raise ApiError(404, NOT_FOUND)
    return Answer(200, shapes_ci.suite(call.world, call.repo, found))


_R = "/repos/{owner}/{repo}"
_READ, _WRITE = ("checks:read",), ("checks:write",)
ROUTES = (
    Route("POST", _R + "/check-runs", create, _WRITE, "CheckRun"),
    Route("GET", _R + "/check-runs/{check_run_id}", get, _READ, "CheckRun"),
    Route("PATCH", _R + "/check-runs/{check_run_id}", update, _WRITE, "CheckRun"),
    Route("GET", _R + "/check-runs/{check_run_id}/annotations", list_annotations, _READ, "[CheckAnnotation]"),
    Route("POST", _R + "/check-runs/{check_run_id}/rerequest", rerequest, _WRITE),
    Route("GET", _R + "/commits/{ref}/check-runs", for_ref, _READ, "check_runs:[CheckRun]"),
    Route("GET", _R + "/commits/{ref}/check-suites", suites, _READ, "check_suites:[CheckSuite]"),
    Route("GET", _R + "/check-suites/{check_suite_id}", get_suite, _READ, "CheckSuite"),
    Route("GET", _R + "/check-suites/{check_suite_id}/check-runs", for_suite, _READ, "check_runs:[CheckRun]"),
)
