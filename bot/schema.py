"""Serves the JSON Schema of `heal.yml` to editors: the same for everybody, so public and cacheable."""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workers.repo_config.schema import NAME, schema_text

_DAY = 86_400


class Schema:
    """The text is made once, at the first question."""

    def __init__(self) -> None:
        self._text = ""
        self._tag = ""

    async def show(self, request: Request) -> Response:
        """The schema, or 304 for who has it already."""
        if not self._text:
            self._text = schema_text()
            self._tag = f'"{hashlib.sha256(self._text.encode()).hexdigest()[:32]}"'
        headers = {
            "cache-control": f"public, max-age={_DAY}",
            "etag": self._tag,
            "access-control-allow-origin": "*",
            "cross-origin-resource-policy": "cross-origin",
        }
        if self._tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(self._text, media_type="application/schema+json", headers=headers)

    def routes(self) -> list[Route]:
        """Where it is served."""
        return [Route(f"/schema/{NAME}", self.show, methods=["GET"])]
