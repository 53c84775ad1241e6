"""The receiver's endpoints as an OpenAPI document: what each takes and every answer that it may give.

It is not served. `create_app(...).openapi()` makes it, and the tests hold every endpoint to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter

from workers.domain import Outcome
from workers.repo_config.schema import NAME
from workers.store.models import RunState
from workers.store.pages import RunLine, RunPage

Json = dict[str, Any]
_REF = "#/components/schemas/{model}"

HTML, TEXT, JSON = "text/html; charset=utf-8", "text/plain; charset=utf-8", "application/json"
EVENTS = "text/event-stream; charset=utf-8"
SCHEMA = "application/schema+json"
METRICS = "text/plain; version=0.0.4; charset=utf-8"
_CHECK = {
    "type": "object",
    "required": ["ok", "seen", "age_seconds"],
    "properties": {"ok": {"type": "boolean"}, "seen": {"type": "string"}, "age_seconds": {"type": "number"}},
}
_READY = {
    "type": "object",
    "required": ["status", "checks"],
    "properties": {
        "status": {"enum": ["ready", "degraded", "unready"]},
        "checks": {"type": "object", "additionalProperties": _CHECK},
    },
}
_OBJECT = {"type": "object"}
_EVENT = {
    "type": "object",
    "required": ["id", "event", "data"],
    "properties": {"id": {"type": "string"}, "event": {"enum": ["line", "done"]}, "data": {"type": "string"}},
}
_LIST = {
    "type": "object",
    "required": ["runs", "total", "page"],
    "properties": {
        "runs": {
            "type": "array",
            "items": {
                "allOf": [
                    {"$ref": _REF.format(model="RunLine")},
                    {"type": "object", "required": ["href"], "properties": {"href": {"type": "string"}}},
                ]
            },
        },
        "total": {"type": "integer", "minimum": 0},
        "page": {"type": "integer", "minimum": 1},
    },
}


def description(version: str) -> Json:
    """The whole document, OpenAPI 3.1."""
    schemas: Json = {}
    for kind in (RunLine, RunPage):
        schema = TypeAdapter(kind).json_schema(mode="serialization", ref_template=_REF)
        schemas |= schema.pop("$defs", {})
        schemas[kind.__name__] = schema
    schemas["Error"] = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Heal", "version": version},
        "paths": _paths(),
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "The dashboard token."}},
        },
    }


def _paths() -> Json:
    return {
        "/webhook": {"post": _webhook()},
        "/healthz": {"get": _operation("The process answers.", {200: _body(TEXT)})},
        "/readyz": {"get": _operation("May it be sent traffic?", {200: _body(JSON, _READY), 503: _body(JSON, _READY)})},
        "/metrics": {"get": _operation("For Prometheus.", {200: _body(METRICS), 403: _body(TEXT)}, open_=False)},
        f"/schema/{NAME}": {"get": _operation("The schema of heal.yml.", {200: _body(SCHEMA, _OBJECT), 304: {}})},
        "/": {"get": _page("The list of runs.", {200: _body(HTML)}, _FILTER)},
        "/runs/{run}": {"get": _page("One run.", {200: _body(HTML), 404: _body(HTML, or_=JSON)}, _RUN)},
        "/runs/{run}/events": {"get": _data("Its timeline, live.", {200: _body(EVENTS, _EVENT),
                                            404: _error(), 503: _error()}, (*_RUN, *_AFTER))},
        "/api/runs": {"get": _data("The list of runs.", {200: _body(JSON, _LIST)}, _FILTER)},
        "/api/runs/{run}": {"get": _data("One run.", {200: _body(JSON, {"$ref": _REF.format(model="RunPage")}),
                                         404: _error()}, _RUN)},
        "/login": {"get": _operation("What can be used to log in.", {200: _body(HTML), 303: _SENT}, _NEXT),
                   "post": _login()},
        "/login/github": {"get": _operation("The way to GitHub.",
                                            {303: _SENT, 404: _body(HTML), 429: _body(HTML, or_=TEXT)}, _NEXT)},
        "/login/github/done": {"get": _operation("The way back.", {303: _SENT, 403: _body(HTML), 503: _body(HTML),
                                                                   429: _body(HTML, or_=TEXT)}, _BACK)},
        "/logout": {"post": _operation("End the session.", {303: _SENT, 403: _body(HTML)})},
    }  # fmt: skip


def _operation(
    summary: str, answers: Mapping[int, Json], parameters: tuple[Json, ...] = (), *, open_: bool = True
) -> Json:
    """An operation that also answers 429 to whoever asks too often, and 400 for a host that is not ours."""
    always = {429: _body(TEXT), 400: _body(TEXT)}
    responses = {
        str(status): {"description": HTTPStatus(status).phrase, **answer} for status, answer in answers.items()
    }
    for status, answer in always.items():
        responses.setdefault(str(status), {"description": HTTPStatus(status).phrase, **answer})
    found: Json = {"summary": summary, "responses": responses, "parameters": list(parameters)}
    return found if open_ else {**found, "security": [{"token": []}, {}]}


def _page(summary: str, answers: Mapping[int, Json], parameters: tuple[Json, ...]) -> Json:
    """A page: who may not see it is sent to the login, or told that it is closed."""
    turned = {303: _SENT, 403: _body(HTML), 503: _body(HTML)}
    return _operation(summary, {**turned, **answers}, parameters, open_=False)


def _data(summary: str, answers: Mapping[int, Json], parameters: tuple[Json, ...]) -> Json:
    turned = {401: _error(), 403: _error(), 404: _error(), 503: _error()}
    return _operation(summary, {**turned, **answers}, parameters, open_=False)


def _webhook() -> Json:
    names = ("X-Hub-Signature-256", "X-GitHub-Event", "X-GitHub-Delivery")
    pong = {"type": "object", "required": ["pong"], "properties": {"pong": {"const": True}}}
    stored = {
        "type": "object",
        "required": ["delivery", "duplicate"],
        "properties": {"delivery": {"type": "string"}, "duplicate": {"type": "boolean"}},
    }
    refused = {status: _error() for status in (400, 401, 408, 413, 415, 503)}
    answers = {200: _body(JSON, pong), 202: _body(JSON, stored), 204: {}, **refused}
    parameters = tuple(_parameter(name, {"type": "string"}, "header") for name in names)
    taken = {"requestBody": {"content": {JSON: {"schema": {"type": "object"}}}, "required": True}}
    return {**_operation("A delivery of GitHub's, signed.", answers, parameters), **taken}


def _login() -> Json:
    form = {"type": "object", "properties": {"token": {"type": "string"}, "next": {"type": "string"}}}
    answers = {303: _SENT, 403: _body(HTML), 413: _body(HTML), 429: _body(HTML, or_=TEXT)}
    taken = {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": form}}}}
    return {**_operation("Log in with the dashboard token.", answers), **taken}


def _body(media: str, schema: Json | None = None, or_: str = "") -> Json:
    kinds = {media: {"schema": schema or {"type": "string"}}} | ({or_: {"schema": {}}} if or_ else {})
    return {"content": kinds}


def _error() -> Json:
    return _body(JSON, {"$ref": _REF.format(model="Error")})


def _parameter(name: str, schema: Json, place: str = "query") -> Json:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


_SENT: Json = {"headers": {"location": {"required": True, "schema": {"type": "string"}}}}
_TEXT: Json = {"type": "string"}
_RUN = (_parameter("run", _TEXT, "path"),)
_AFTER = (_parameter("after", _TEXT), _parameter("Last-Event-ID", _TEXT, "header"))
_NEXT = (_parameter("next", _TEXT),)
_BACK = (_parameter("state", _TEXT), _parameter("code", _TEXT))
_FILTER = (
    _parameter("repo", _TEXT),
    _parameter("outcome", {"anyOf": [{"enum": [one.value for one in Outcome]}, _TEXT]}),
    _parameter("state", {"anyOf": [{"enum": [one.value for one in RunState]}, _TEXT]}),
    _parameter("page", {"anyOf": [{"type": "integer"}, _TEXT]}),
)
