"""POST /webhook: prove that GitHub sent it, commit it, answer. No JSON is parsed and no Redis is asked on this path.

The checks, cheapest first: declared size 413, media type 415, signature header 401, event and delivery headers 400,
then the body (408 when slow, 413 when long, 503 while other large ones hold the room), then the HMAC 401. A signature
header is asked for before the other headers, so an unsigned request learns nothing but 401. Only a signed delivery of
an event we know is stored.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.bodies import SMALL_BODY, Refused, Room, Share, read_pieces
from bot.metrics import Metrics
from bot.reading import KNOWN_EVENTS
from bot.signature import Proof, digest_in, sign
from bot.writer import StoreUnavailable, Writer
from workers.store.inbox import PackedRow
from workers.store.packing import pack

PATH = "/webhook"
LARGEST_BODY = 25 * 1024 * 1024
"""GitHub does not send more."""
COMMIT_SECONDS = 8.0
"""GitHub counts a delivery as failed after 10 s; our own 503 by then tells it why."""

AGAIN = {"retry-after": "30"}

_GUID = re.compile(r"[A-Za-z0-9-]{1,64}")
_EVENT = re.compile(r"[a-z_]{1,64}")


def signed_headers(secret: str, event: str, body: bytes, guid: str = "") -> dict[str, str]:
    """The headers GitHub would send with the body; `heal deliver` posts saved payloads with them."""
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid or str(uuid.uuid4()),
        "X-Hub-Signature-256": sign(body, secret.encode()),
    }


@dataclass(frozen=True)
class Receiver:
    """The endpoint, an ASGI application. `secrets` are the current and the previous webhook secret; `app_id` 0 accepts
    every App's."""

    secrets: Sequence[bytes]
    writer: Writer
    metrics: Metrics
    app_id: int = 0
    room: Room = field(default_factory=Room)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one webhook request."""
        answer = await self._answer(scope, receive)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        started = time.perf_counter()
        # Of headers that were sent twice the last one counts.
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            with self.room.reading() as share:
                return await self._receive(headers, receive, share, started)
        except Refused as refusal:
            self.metrics.deliveries.labels("", refusal.result).inc()
            if refusal.status == 401:
                self.metrics.signature_failures.inc()
            # What is left of the body is not read: without `close` it would be taken for the next request.
            headers = {"connection": "close", **(AGAIN if refusal.status == 503 else {})}
            return JSONResponse({"error": refusal.message}, status_code=refusal.status, headers=headers)

    async def _receive(self, headers: Mapping[str, str], receive: Receive, share: Share, started: float) -> Response:
        _check_size_and_type(headers)
        digest = digest_in(headers.get("x-hub-signature-256"))
        if digest is None:
            raise _wrong_signature()
        guid, event = headers.get("x-github-delivery", ""), headers.get("x-github-event", "")
        if not _GUID.fullmatch(guid) or not _EVENT.fullmatch(event):
            raise Refused(400, "bad_headers", "X-GitHub-Event and X-GitHub-Delivery are required")
        proof = Proof(self.secrets)
        pieces = await read_pieces(receive, share, LARGEST_BODY, proof.update)
        if not proof.holds(digest):
            raise _wrong_signature()
        if event == "ping":
            self.metrics.deliveries.labels(event, "ping").inc()
            return JSONResponse({"pong": True})
        if event not in KNOWN_EVENTS:
            self.metrics.deliveries.labels("unknown", "unknown_event").inc()
            return Response(status_code=204)
        target = headers.get("x-github-hook-installation-target-id", "")[:64]
        if self._foreign(target, headers.get("x-github-hook-installation-target-type", "")):
            self.metrics.deliveries.labels(event, "other_app").inc()
            return Response(status_code=204)
        # A large one takes a tenth of a second to pack, in which others are served.
        body = pack(pieces) if share.size <= SMALL_BODY else await asyncio.to_thread(pack, pieces)
        return await self._store(PackedRow(guid, event, body, target), started)

    def _foreign(self, target: str, kind: str) -> bool:
        return self.app_id > 0 and kind == "integration" and target != str(self.app_id)

    async def _store(self, row: PackedRow, started: float) -> Response:
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                stored = await self.writer.add(row)
        except (StoreUnavailable, TimeoutError):
            self.metrics.deliveries.labels(row.event, "not_stored").inc()
            answer = {"error": "the delivery could not be stored; deliver it again later"}
            return JSONResponse(answer, status_code=503, headers=AGAIN)
        result = "altered" if stored.altered else "duplicate" if stored.duplicate else "stored"
        self.metrics.deliveries.labels(row.event, result).inc()
        self.metrics.ack.observe(time.perf_counter() - started)
        # not by JSONResponse, which makes an encoder for each answer
        told = json.dumps({"delivery": row.guid, "duplicate": stored.duplicate})
        return Response(told, status_code=202, media_type="application/json")


class Shortcut:
    """ASGI middleware: deliveries go past the framework's routing, which costs more than to prove them."""

    def __init__(self, app: ASGIApp, receiver: Receiver) -> None:
        self._app, self._receiver = app, receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, one way or the other."""
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            await self._receiver(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _wrong_signature() -> Refused:
    return Refused(401, "bad_signature", "signature missing or wrong")


def _too_large() -> Refused:
    return Refused(413, "too_large", "more than 25 MB")


def _check_size_and_type(headers: Mapping[str, str]) -> None:
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > LARGEST_BODY:
        raise _too_large()
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused(415, "media_type", "set the webhook's content type to application/json")
