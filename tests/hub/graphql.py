"""The little GraphQL the double knows: a pull request's draft state and its threads. Anything else is a violation.

Queries are validated against GitHub's schema when the reference folder is there.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
    value_from_ast_untyped,
)

from tests.hub import threads
from tests.hub.contract import REFERENCE, Contract
from tests.hub.events import Events
from tests.hub.rest.dispatch import FORBIDDEN, Dispatcher, allows, reaches
from tests.hub.state import Json, Pull, Repo, Token, World

_MUTATIONS = {"markPullRequestReadyForReview": False, "convertPullRequestToDraft": True}


class GraphQl:
    """`POST /api/graphql`."""

    def __init__(self, world: World, contract: Contract, events: Events, dispatcher: Dispatcher) -> None:
        self._world, self._contract, self._events, self._dispatcher = world, contract, events, dispatcher

    def answer(self, authorization: str, body: Json) -> Json:
        """The answer's body; raises ApiError for a missing or dead token."""
        token = self._dispatcher.by_token(authorization.partition(" ")[2])
        self._world.requests.append({"method": "POST", "path": "/api/graphql", "query": "", "body": body})
        try:
            document = parse(str(body.get("query", "")))
        except GraphQLError as error:
            return {"errors": [{"message": str(error)}]}
        if REFERENCE.is_dir():
            schema = build_schema((REFERENCE / "graphql" / "schema.graphql").read_text(), assume_valid_sdl=True)
            found = [error.message for error in validate(schema, document)]
            # Every payload of GitHub has this field; the trimmed schema beside the repository leaves it out.
            wrong = [text for text in found if "'clientMutationId'" not in text]
            self._contract.violate("request", "graphql", wrong)
        data: Json = {}
        errors: list[Json] = []
        for operation in document.definitions:
            if isinstance(operation, OperationDefinitionNode):
                for field in operation.selection_set.selections:
                    if isinstance(field, FieldNode):
                        self._field(token, field, body.get("variables") or {}, data, errors)
        return {"data": data, **({"errors": errors} if errors else {})}

    def _field(self, token: Token, field: FieldNode, variables: Json, data: Json, errors: list[Json]) -> None:
        name = field.name.value
        data[name] = None
        if name == "repository":
            with self._world.lock:
                data[name] = self._repository(token, field, variables, errors)
            return
        if name == "resolveReviewThread":
            with self._world.lock:
                data[name] = self._resolved(token, field, variables, errors)
            return
        if name not in _MUTATIONS:
            self._contract.violate("unknown path", f"graphql {name}", ["the double knows no such field"])
            errors.append({"type": "undefinedField", "path": [name], "message": f"Field '{name}' doesn't exist"})
            return
        asked = _arguments(field, variables).get("input") or {}
        with self._world.lock:
            found = self._pull(str(asked.get("pullRequestId", "")))
            if found is None or found[0].gone or (found[0].private and not reaches(token, found[0])):
                wanted = asked.get("pullRequestId")
                text = f"Could not resolve to a node with the global id of '{wanted}'"
                errors.append({"type": "NOT_FOUND", "path": [name], "message": text})
                return
            if not reaches(token, found[0]) or not allows(token, "pull_requests:write"):
                errors.append({"type": "FORBIDDEN", "path": [name], "message": FORBIDDEN})
                return
            self._draft(token, found[0], found[1], _MUTATIONS[name])
            whole = {"clientMutationId": asked.get("clientMutationId"), "pullRequest": self._shape(*found)}
            data[name] = _select(field, whole)

    def _repository(self, token: Token, field: FieldNode, variables: Json, errors: list[Json]) -> Json | None:
        """`repository { pullRequest { reviewThreads } }`, and nothing else below a repository."""
        asked = _arguments(field, variables)
        repo = self._world.repo(f"{asked.get('owner')}/{asked.get('name')}")
        if repo is None or repo.gone or not reaches(token, repo) or not allows(token, "pull_requests:read"):
            text = f"Could not resolve to a Repository with the name '{asked.get('owner')}/{asked.get('name')}'."
            errors.append({"type": "NOT_FOUND", "path": ["repository"], "message": text})
            return None
        inner = _child(field, "pullRequest")
        pull = repo.pulls.get(int(_arguments(inner, variables)["number"])) if inner else None
        if inner is None or pull is None:
            return {"pullRequest": None}
        whole = self._shape(repo, pull)
        listed = _child(inner, "reviewThreads")
        if listed is not None:
            found = threads.page(threads.of_pull(self._world, repo, pull), _arguments(listed, variables))
            comments = next((c for n in [_child(listed, "nodes")] if n for c in [_child(n, "comments")]), None)
            limit = _arguments(comments, variables) if comments else {}
            nodes = [{**one, "comments": threads.page(one["comments"], limit)} for one in found["nodes"]]
            whole["reviewThreads"] = {**found, "nodes": nodes}
        return {"pullRequest": _select(inner, whole)}

    def _resolved(self, token: Token, field: FieldNode, variables: Json, errors: list[Json]) -> Json | None:
        asked = _arguments(field, variables).get("input") or {}
        found = threads.find(self._world, str(asked.get("threadId", "")))
        if found is None or found[0].gone or (found[0].private and not reaches(token, found[0])):
            text = f"Could not resolve to a node with the global id of '{asked.get('threadId')}'"
            errors.append({"type": "NOT_FOUND", "path": [field.name.value], "message": text})
            return None
        repo, first = found
        if not reaches(token, repo) or not all(allows(token, need) for need in threads.NEEDS):
            errors.append({"type": "FORBIDDEN", "path": [field.name.value], "message": FORBIDDEN})
            return None
        repo.resolved.add(first.id)
        shown = threads.shape(self._world, repo, first)
        chosen: Json = _select(field, {"clientMutationId": asked.get("clientMutationId"), "thread": shown})
        return chosen

    def _pull(self, node_id: str) -> tuple[Repo, Pull] | None:
        for repo in self._world.repos.values():
            for pull in repo.pulls.values():
                if pull.node_id == node_id:
                    return repo, pull
        return None

    def _draft(self, token: Token, repo: Repo, pull: Pull, draft: bool) -> None:
        if pull.draft != draft:
            pull.draft = draft
            pull.issue.updated = self._world.stamp()
            action = "converted_to_draft" if draft else "ready_for_review"
            self._events.pull(repo, pull, action, token.installation.app.bot)

    def _shape(self, repo: Repo, pull: Pull) -> Json:
        return {
            "__typename": "PullRequest",
            "id": pull.node_id,
            "isDraft": pull.draft,
            "number": pull.number,
            "title": pull.issue.title,
            "state": pull.issue.state.upper(),
            "url": f"{self._world.url}/{repo.full_name}/pull/{pull.number}",
            "headRefOid": pull.head_sha,
        }


def _arguments(field: FieldNode, variables: Json) -> Json:
    return {one.name.value: value_from_ast_untyped(one.value, variables) for one in field.arguments or ()}


def _child(field: FieldNode, name: str) -> FieldNode | None:
    chosen = field.selection_set.selections if field.selection_set else ()
    return next((one for one in chosen if isinstance(one, FieldNode) and one.name.value == name), None)


def _select(field: FieldNode, value: Any) -> Any:
    if isinstance(value, list):
        return [_select(field, one) for one in value]
    if field.selection_set is None or not isinstance(value, dict):
        return value
    chosen = [one for one in field.selection_set.selections if isinstance(one, FieldNode)]
    return {one.name.value: _select(one, value.get(one.name.value)) for one in chosen}
