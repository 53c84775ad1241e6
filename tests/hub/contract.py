"""Checks what the double says and hears against GitHub's own description, and lists what does not fit.

Two oracles: the models of `githubkit-schemas` always, and the OpenAPI description beside the repository when it is
there. Both are slow to load, so a thread loads them once the server is up, and the first check waits for it.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
import types
from pathlib import Path
from typing import Any

from tests.hub.state import Json, World

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "github"
_SLOW_EVENTS = ("pull_request", "workflow_run", "check_run", "push")
_SLASHES = {"path": ".*", "ref": ".+", "basehead": ".+", "branch": ".+"}


def path_regex(path: str) -> re.Pattern[str]:
    """The pattern of a path template; parameters that may hold slashes match them."""
    escaped = re.sub(
        r"\\\{(\w+)\\\}",
        lambda m: f"(?P<{m[1]}>{_SLASHES[m[1]]})" if m[1] in _SLASHES else f"(?P<{m[1]}>[^/]+)",
        re.escape(path),
    )
    return re.compile(f"^{escaped}$")


class OpenApi:
    """GitHub's description with the overlay, when the reference folder is there."""

    def __init__(self, folder: Path) -> None:
        import jsonpatch
        from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator

        spec = json.loads((folder / "openapi.json").read_text())
        edits = json.loads((folder / "openapi.overlay.json").read_text())["patch"]
        plain = [{key: value for key, value in edit.items() if key != "why"} for edit in edits]
        self.spec: Json = jsonpatch.apply_patch(spec, plain, in_place=True)
        contents = self.spec["paths"]["/repos/{owner}/{repo}/contents/{path}"]["get"]["responses"]["200"]
        # A discriminator says nothing about an array, and the validator then refuses every directory.
        del contents["content"]["application/json"]["schema"]["discriminator"]
        self._read, self._write = OAS30ReadValidator, OAS30WriteValidator
        self._cache: dict[tuple[str, str, str], Any] = {}

    def answer(self, method: str, template: str, status: int, body: object) -> list[str]:
        """What is wrong with an answer; empty when it is what GitHub describes."""
        operation = self.spec["paths"].get(template, {}).get(method.lower())
        if operation is None:
            return [f"{method} {template} is not in GitHub's description"]
        node = operation["responses"].get(str(status))
        if node is None:
            if status < 400:
                return [f"status {status} is not described for {method} {template}"]
            schema: Json = {"$ref": "#/components/schemas/basic-error"}
        else:
            node = self._follow(node)
            content = node.get("content", {}).get("application/json")
            if content is None and status < 400:
                return [f"{status} has no JSON body"] if body else []
            schema = content["schema"] if content else {"$ref": "#/components/schemas/basic-error"}
        return self._errors(("answer", f"{method} {template}", str(status)), schema, self._read, body)

    def request(self, method: str, template: str, body: object) -> list[str]:
        """What is wrong with a request body."""
        operation = self.spec["paths"].get(template, {}).get(method.lower(), {})
        node = self._follow(operation.get("requestBody", {}))
        content = node.get("content", {}).get("application/json")
        if content is None:
            return []
        return self._errors(("request", f"{method} {template}", ""), content["schema"], self._write, body)

    def _follow(self, node: Json) -> Json:
        while "$ref" in node:
            _, _, kind, name = node["$ref"].split("/")
            node = self.spec["components"][kind][name]
        return node

    def _errors(self, key: tuple[str, str, str], schema: Json, validator: Any, body: object) -> list[str]:
        if key not in self._cache:
            self._cache[key] = validator({"components": self.spec["components"], "allOf": [schema]})
        found = self._cache[key].iter_errors(body)
        return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in found]


class Contract:
    """Both oracles, and the list of violations they wrote into the world."""

    def __init__(self, world: World, not_copied: frozenset[str] = frozenset()) -> None:
        self._world = world
        self._not_copied = not_copied
        self._openapi: OpenApi | None = None
        self._models: Any = None
        self._webhooks: Any = None
        self._validate: Any = None
        self._ready = threading.Event()
        self._started = threading.Lock()

    def load(self) -> None:
        """Load the oracles in the background; once."""
        if self._started.acquire(blocking=False):
            threading.Thread(target=self._load, name="contract", daemon=True).start()

    def _wait(self) -> None:
        self.load()
        self._ready.wait()

    def _load(self) -> None:
        try:
            from githubkit.compat import type_validate_python
            from githubkit_schemas.v2022_11_28 import models
            from githubkit_schemas.v2022_11_28.webhooks import WebhookNamespace

            self._models, self._webhooks, self._validate = models, WebhookNamespace, type_validate_python
            if REFERENCE.is_dir():
                self._openapi = OpenApi(REFERENCE)
        finally:
            self._ready.set()
        self._warm()

    def _warm(self) -> None:
        """Models are built at their first use, that of pull requests in 3 s: no client's first call may wait for it."""
        for event in _SLOW_EVENTS:
            with contextlib.suppress(ValueError):  # only the building counts
                self._webhooks.parse(event, '{"action": "opened"}')

    def violate(self, kind: str, where: str, errors: list[str]) -> None:
        if errors:
            self._world.violations.append({"kind": kind, "where": where, "errors": errors[:10], "at": time.time()})

    def check_answer(self, method: str, template: str, status: int, body: object, model: str) -> None:
        """Record what is wrong with an answer. `model` names the githubkit model: `X`, `[X]`, `key:[X]` or empty."""
        self._wait()
        where = f"{method} {template} -> {status}"
        if self._openapi is not None and status != 304 and template not in self._not_copied:
            self.violate("answer", where, self._openapi.answer(method, template, status, body))
        if status >= 400:
            model = "BasicError" if not isinstance(body, dict) or "errors" not in body else ""
        if model and status != 304:
            self.violate("answer", where, self._model_errors(model, body))

    def check_request(self, method: str, template: str, body: object) -> None:
        """Record what is wrong with a request body."""
        self._wait()
        where = f"{method} {template} (request)"
        if template.endswith("/labels") and isinstance(body, list):
            body = {"labels": body}  # the short form: allowed by the description's text, forgotten in its schema
        if self._openapi is not None:
            self.violate("request", where, self._openapi.request(method, template, body))
        name = body_model(method, template)
        forms = [f"{name}{suffix}" for suffix in ("", "Oneof0", "Oneof1", "Anyof0", "Anyof1")]
        verdicts = [self._model_errors(form, body) for form in forms if hasattr(self._models, form)]
        if verdicts and all(verdicts):  # a body may have one of several forms; it must fit one
            self.violate("request", where, min(verdicts, key=len))

    def check_delivery(self, event: str, payload: Json) -> None:
        """Record what is wrong with a delivery's body."""
        from pydantic import ValidationError

        self._wait()
        try:
            self._webhooks.parse(event, json.dumps(payload))
        except ValidationError as error:
            where = f"delivery {event}.{payload.get('action')}"
            self.violate("delivery", where, _messages(error))

    def _model_errors(self, model: str, body: object) -> list[str]:
        from pydantic import ValidationError

        if ":" in model:
            key, model = model.split(":", 1)
            if not isinstance(body, dict) or key not in body or "total_count" not in body:
                return [f"no {key} and total_count"]
            body = body[key]
        kind: Any = getattr(self._models, model.strip("[]"))
        try:
            self._validate(types.GenericAlias(list, (kind,)) if model.startswith("[") else kind, body)
        except ValidationError as error:
            return _messages(error)
        return []


def body_model(method: str, template: str) -> str:
    """githubkit's name for the model of a request body: `ReposOwnerRepoPullsPostBody`."""
    words = re.split(r"[^A-Za-z0-9]+", template)
    return "".join(word[:1].upper() + word[1:] for word in words) + method.capitalize() + "Body"


def _messages(error: Any) -> list[str]:
    return [f"{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False, include_input=False)]
