"""`POST /api/graphql`: finds the token, reads the operation, and picks the asked fields out of what the resolvers give.

Queries are validated against GitHub's schema when the reference folder is there. A field that no resolver knows is a
violation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    parse,
    validate,
    value_from_ast_untyped,
)

from tests.hub.contract import REFERENCE, Contract
from tests.hub.events import Events
from tests.hub.graphql_fields import FIELDS, Ask, GraphQlError
from tests.hub.luck import on_request
from tests.hub.rest.dispatch import Answer, ApiError, Dispatcher, injected
from tests.hub.state import Json, Token, World


class GraphQl:
    """The endpoint."""

    def __init__(self, world: World, contract: Contract, events: Events, dispatcher: Dispatcher) -> None:
        self._world, self._contract, self._events, self._dispatcher = world, contract, events, dispatcher

    def handle(self, authorization: str, body: Json) -> Answer:
        """The answer, or the fault this request has; raises ApiError for a missing or dead token."""
        record: Json = {"method": "POST", "path": "/api/graphql", "query": "", "body": body}
        self._world.requests.append(record)
        fault = on_request(self._world, "POST", "/graphql")
        if fault is not None and not fault["after"]:
            return injected(fault)
        answer = Answer(200, self._answer(authorization, body, record))
        return answer if fault is None else injected(fault)

    def _answer(self, authorization: str, body: Json, record: Json) -> Json:
        token = self._dispatcher.by_token(authorization.partition(" ")[2])
        record["token"] = token.serial
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
        fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
        picking = _Picking(fragments, body.get("variables") or {})
        data: Json = {}
        errors: list[Json] = []
        for operation in document.definitions:
            if isinstance(operation, OperationDefinitionNode):
                for field in picking.fields(operation.selection_set, ""):
                    self._field(token, field, picking, data, errors)
        return {"data": data, **({"errors": errors} if errors else {})}

    def _field(self, token: Token, field: FieldNode, picking: _Picking, data: Json, errors: list[Json]) -> None:
        name, key = field.name.value, _key(field)
        data[key] = None
        resolver = FIELDS.get(name)
        if resolver is None:
            self._contract.violate("unknown path", f"graphql {name}", ["the double knows no such field"])
            errors.append({"type": "undefinedField", "path": [name], "message": f"Field '{name}' doesn't exist"})
            return
        ask = Ask(self._world, self._events, token, picking.arguments(field))
        try:
            with self._world.lock:
                data[key] = picking.picked(field, resolver(ask))
        except GraphQlError as error:
            errors.append({"type": error.kind, "path": [name], "message": str(error)})
        except ApiError as error:
            errors.append({"type": "UNPROCESSABLE", "path": [name], "message": error.message})


class _Picking:
    """Takes what was asked for out of values that hold more. Fields with arguments may be functions of them."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode], variables: Json) -> None:
        self._fragments, self._variables = fragments, variables

    def arguments(self, field: FieldNode) -> Json:
        return {one.name.value: value_from_ast_untyped(one.value, self._variables) for one in field.arguments or ()}

    def picked(self, field: FieldNode, value: Any) -> Any:
        if callable(value):
            value = value(self.arguments(field))
        if isinstance(value, list):
            return [self.picked(field, one) for one in value]
        if field.selection_set is None or not isinstance(value, dict):
            return value
        chosen = self.fields(field.selection_set, str(value.get("__typename", "")))
        return {_key(one): self.picked(one, value.get(one.name.value)) for one in chosen}

    def fields(self, selection: SelectionSetNode, kind: str) -> Iterator[FieldNode]:
        """The fields of a selection for a value of this type, fragments unfolded."""
        for one in selection.selections:
            if isinstance(one, FieldNode):
                yield one
            elif isinstance(one, InlineFragmentNode):
                if one.type_condition is None or one.type_condition.name.value == kind:
                    yield from self.fields(one.selection_set, kind)
            elif isinstance(one, FragmentSpreadNode):
                yield from self.fields(self._fragments[one.name.value].selection_set, kind)


def _key(field: FieldNode) -> str:
    return field.alias.value if field.alias else field.name.value
