"""Issues, their comments, reactions and labels; pull requests are issues too."""

from __future__ import annotations

from tests.hub import shapes_work
from tests.hub.rest.dispatch import FORBIDDEN, NOT_FOUND, Answer, ApiError, Call, Route, invalid
from tests.hub.rest.pulls import check_body, check_title
from tests.hub.rest.reviews import add_reaction
from tests.hub.state import Comment, Issue, Json

LABEL_LIMIT = 50


def _issue(call: Call) -> Issue:
    found = call.repo.issues.get(call.number("issue_number"))
    if found is None:
        raise ApiError(404, NOT_FOUND)
    return found


def _switched_on(call: Call) -> None:
    if not call.repo.issues_on:
        raise ApiError(410, "Issues are disabled for this repo")


def list_issues(call: Call) -> Answer:
    _switched_on(call)
    state = call.query.get("state", "open")
    found = [i for i in sorted(call.repo.issues.values(), key=lambda i: -i.number) if state in {"all", i.state}]
    if names := call.query.get("labels"):
        found = [i for i in found if set(names.split(",")) <= set(i.labels)]
    if creator := call.query.get("creator"):
        found = [i for i in found if i.user.login == creator]
    return call.page(found, lambda i: shapes_work.issue(call.world, call.repo, i))


def create_issue(call: Call) -> Answer:
    asked, world, repo = call.body or {}, call.world, call.repo
    _switched_on(call)
    check_body("Issue", asked.get("body"))
    check_title("Issue", asked.get("title"))
    repo.last_number += 1
    stamp = world.stamp()
    made = Issue(world.id(), repo.last_number, str(asked["title"]), asked.get("body"), call.actor, stamp, stamp,
                 labels=list(asked.get("labels") or []), app=call.app)  # fmt: skip
    repo.issues[made.number] = made
    shape = shapes_work.issue(world, repo, made)
    call.events.fire("issues", "opened", repo, call.actor, {"issue": shape})
    return Answer(201, shape)


def get_issue(call: Call) -> Answer:
    return Answer(200, shapes_work.issue(call.world, call.repo, _issue(call)))


def update_issue(call: Call) -> Answer:
    issue, asked = _issue(call), call.body or {}
    check_body("Issue", asked.get("body"))
    check_title("Issue", asked.get("title"))
    issue.title = asked.get("title") or issue.title
    if "body" in asked:
        issue.body = asked["body"]
    if "labels" in asked:
        issue.labels = [raw if isinstance(raw, str) else raw["name"] for raw in asked["labels"]]
    if asked.get("state") in {"open", "closed"}:
        issue.state = asked["state"]
        issue.closed = call.world.stamp() if issue.state == "closed" else None
        issue.closed_by = call.actor if issue.closed else None
    issue.updated = call.world.stamp()
    return get_issue(call)


def list_comments(call: Call) -> Answer:
    number = _issue(call).number
    since = call.query.get("since", "")
    found = [c for c in call.repo.comments.values() if c.number == number and c.updated >= since]
    return call.page(found, lambda c: shapes_work.comment(call.world, call.repo, c))


def create_comment(call: Call) -> Answer:
    issue, body = _issue(call), (call.body or {}).get("body")
    if not body:
        raise invalid("IssueComment", "body", "missing_field")
    check_body("IssueComment", body)
    stamp = call.world.stamp()
    made = Comment(call.world.id(), issue.number, call.actor, body, stamp, stamp, app=call.app)
    call.repo.comments[made.id] = made
    call.events.comment(call.repo, made, "created", call.actor)
    return Answer(201, shapes_work.comment(call.world, call.repo, made))


def _comment(call: Call) -> Comment:
    found = call.repo.comments.get(call.number("comment_id"))
    if found is None:
        raise ApiError(404, NOT_FOUND)
    return found


def get_comment(call: Call) -> Answer:
    return Answer(200, shapes_work.comment(call.world, call.repo, _comment(call)))


def update_comment(call: Call) -> Answer:
    comment, body = _comment(call), (call.body or {}).get("body", "")
    if comment.user is not call.actor:
        raise ApiError(403, FORBIDDEN)
    check_body("IssueComment", body)
    changes: Json = {"body": {"from": comment.body}}
    comment.body, comment.updated = body, call.world.stamp()
    call.events.comment(call.repo, comment, "edited", call.actor, {"changes": changes})
    return get_comment(call)


def delete_comment(call: Call) -> Answer:
    comment = _comment(call)
    if comment.user is not call.actor:
        raise ApiError(403, FORBIDDEN)
    del call.repo.comments[comment.id]
    call.events.comment(call.repo, comment, "deleted", call.actor)
    return Answer(204)


def comment_reactions(call: Call) -> Answer:
    found = _comment(call).reactions
    if content := call.query.get("content"):
        found = [r for r in found if r["content"] == content]
    return call.page(found, lambda raw: shapes_work.reaction(call.world, raw))


def react_to_comment(call: Call) -> Answer:
    return add_reaction(call, _comment(call).reactions)


def react_to_issue(call: Call) -> Answer:
    return add_reaction(call, _issue(call).reactions)


def unreact_comment(call: Call) -> Answer:
    return _unreact(call, _comment(call).reactions)


def unreact_issue(call: Call) -> Answer:
    return _unreact(call, _issue(call).reactions)


def _unreact(call: Call, reactions: list[Json]) -> Answer:
    wanted = call.number("reaction_id")
    if not any(r["id"] == wanted for r in reactions):
        raise ApiError(404, NOT_FOUND)
    reactions[:] = [r for r in reactions if r["id"] != wanted]
    return Answer(204)


def issue_labels(call: Call) -> Answer:
    return call.page(_issue(call).labels, lambda name: shapes_work.label(call.world, call.repo, name))


def add_labels(call: Call) -> Answer:
    issue, asked = _issue(call), call.body
    raw = asked.get("labels", []) if isinstance(asked, dict) else asked or []
    names = [one if isinstance(one, str) else one["name"] for one in raw]
    _check_labels(names)
    new = [name for name in names if name.lower() not in {known.lower() for known in issue.labels}]
    issue.labels += new
    for name in new:
        call.events.labeled(call.repo, issue, name, call.actor)
    return Answer(200, [shapes_work.label(call.world, call.repo, name) for name in issue.labels])


def _check_labels(names: list[str]) -> None:
    if any(len(name) > LABEL_LIMIT for name in names):
        raise invalid("Label", "name", "custom", f"name is too long (maximum is {LABEL_LIMIT} characters)")


def remove_label(call: Call) -> Answer:
    issue, name = _issue(call), call.params["name"].lower()
    if name not in {known.lower() for known in issue.labels}:
        raise ApiError(404, "Label does not exist")
    issue.labels = [known for known in issue.labels if known.lower() != name]
    return Answer(200, [shapes_work.label(call.world, call.repo, one) for one in issue.labels])


def assign(call: Call) -> Answer:
    """Who cannot push is ignored silently."""
    issue = _issue(call)
    for name in (call.body or {}).get("assignees") or []:
        may = call.repo.permissions.get(str(name).lower()) in {"admin", "maintain", "write"}
        if may and (who := call.world.user(name)) not in issue.assignees:
            issue.assignees.append(who)
    return Answer(201, shapes_work.issue(call.world, call.repo, issue))


def repo_labels(call: Call) -> Answer:
    return call.page(list(call.repo.labels), lambda name: shapes_work.label(call.world, call.repo, name))


def create_label(call: Call) -> Answer:
    asked = call.body or {}
    _check_labels([asked["name"]])
    if asked["name"].lower() in call.repo.labels:
        raise invalid("Label", "name", "already_exists")
    call.repo.labels[asked["name"].lower()] = {
        "id": call.world.id(),
        "name": asked["name"],
        "color": asked.get("color") or "ededed",
        "description": asked.get("description"),
        "default": False,
    }
    return Answer(201, shapes_work.label(call.world, call.repo, asked["name"]))


def get_label(call: Call) -> Answer:
    if call.params["name"].lower() not in call.repo.labels:
        raise ApiError(404, NOT_FOUND)
    return Answer(200, shapes_work.label(call.world, call.repo, call.params["name"]))


_I = "/repos/{owner}/{repo}/issues"
_L = "/repos/{owner}/{repo}/labels"
_READ = ("issues:read", "pull_requests:read")
_WRITE = ("issues:write", "pull_requests:write")
ROUTES = (
    Route("GET", _I, list_issues, ("issues:read",), "[Issue]"),
    Route("POST", _I, create_issue, ("issues:write",), "Issue"),
    Route("GET", _I + "/{issue_number}", get_issue, ("issues:read",), "Issue"),
    Route("PATCH", _I + "/{issue_number}", update_issue, _WRITE, "Issue"),
    Route("GET", _I + "/{issue_number}/comments", list_comments, _READ, "[IssueComment]"),
    Route("POST", _I + "/{issue_number}/comments", create_comment, _WRITE, "IssueComment"),
    Route("GET", _I + "/comments/{comment_id}", get_comment, _READ, "IssueComment"),
    Route("PATCH", _I + "/comments/{comment_id}", update_comment, _WRITE, "IssueComment"),
    Route("DELETE", _I + "/comments/{comment_id}", delete_comment, _WRITE),
    Route("GET", _I + "/comments/{comment_id}/reactions", comment_reactions, ("issues:read",), "[Reaction]"),
    Route("POST", _I + "/comments/{comment_id}/reactions", react_to_comment, ("issues:write",), "Reaction"),
    Route("DELETE", _I + "/comments/{comment_id}/reactions/{reaction_id}", unreact_comment, ("issues:write",)),
    Route("POST", _I + "/{issue_number}/reactions", react_to_issue, ("issues:write",), "Reaction"),
    Route("DELETE", _I + "/{issue_number}/reactions/{reaction_id}", unreact_issue, ("issues:write",)),
    Route("POST", _I + "/{issue_number}/assignees", assign, _WRITE, "Issue"),
    Route("GET", _I + "/{issue_number}/labels", issue_labels, _READ, "[Label]"),
    Route("POST", _I + "/{issue_number}/labels", add_labels, _WRITE, "[Label]"),
    Route("DELETE", _I + "/{issue_number}/labels/{name}", remove_label, _WRITE, "[Label]"),
    Route("GET", _L, repo_labels, _READ, "[Label]"),
    Route("POST", _L, create_label, _WRITE, "Label"),
    Route("GET", _L + "/{name}", get_label, _READ, "Label"),
)
