"""The few GraphQL mutations the double knows: a pull request's draft state. Anything else is a violation.

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

from tests.hub.contract import REFERENCE, Contract
from tests.hub.events import Events
from tests.hub.luck import on_request
from tests.hub.rest.dispatch import FORBIDDEN, Answer, Dispatcher, allows, injected, reaches
from tests.hub.state import Json, Pull, Repo, Token, World

_MUTATIONS = {"markPullRequestReadyForReview": False, "convertPullRequestToDraft": True}


class GraphQl:
    """`POST /api/graphql`."""

    def __init__(self, world: World, contract: Contract, events: Events, dispatcher: Dispatcher) -> None:
        self._world, self._contract, self._events, self._dispatcher = world, contract, events, dispatcher

    def handle(self, authorization: str, body: Json) -> Answer:
        """The answer, or the fault this request has; raises ApiError for a missing or dead token."""
        self._world.requests.append({"method": "POST", "path": "/api/graphql", "query": "", "body": body})
        fault = on_request(self._world, "POST", "/graphql")
        if fault is not None and not fault["after"]:
            return injected(fault)
        answer = Answer(200, self._answer(authorization, body))
        return answer if fault is None else injected(fault)

    def _answer(self, authorization: str, body: Json) -> Json:
        token = self._dispatcher.by_token(authorization.partition(" ")[2])
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
        if name not in _MUTATIONS:
            self._contract.violate("unknown path", f"graphql {name}", ["the double knows no such field"])
            errors.append({"type": "undefinedField", "path": [name], "message": f"Field '{name}' doesn't exist"})
            return
        arguments = {a.name.value: value_from_ast_untyped(a.value, variables) for a in field.arguments or ()}
        asked = arguments.get("input") or {}
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


def _select(field: FieldNode, value: Any) -> Any:
    if field.selection_set is None or not isinstance(value, dict):
        return value
    chosen = [one for one in field.selection_set.selections if isinstance(one, FieldNode)]
    return {one.name.value: _select(one, value.get(one.name.value)) for one in chosen}
