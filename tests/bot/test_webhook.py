"""POST /webhook on a real server and a real database: what is believed, what is stored, what is answered."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from bot.signature import digest_in, is_valid, sign
from tests.bot.conftest import Serve, Site, rows
from tests.bot.deliveries import SECRET, encoded, headers, payload
from workers.store.packing import Packed, unpack

BODY = encoded(payload("push", ref="refs/tags/v1"))
REFUSED = 'heal_deliveries_total{event="",result="bad_signature"}'


def test_githubs_own_vector() -> None:
    """The signature is GitHub's: secret and digest from its documentation."""
    secret, body = b"It's a Secret to Everybody", b"Hello, World!"
    header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign(body, secret) == header
    assert is_valid(body, digest_in(header) or "", [b"x" * 32, secret])


def test_signed_delivery_is_stored_before_the_answer(site: Site, engine: Engine) -> None:
    """202 with the delivery's id, and the row is there, byte for byte by its hash."""
    answer = site.client.post("/webhook", content=BODY, headers=headers("push", BODY, "g-1"))
    assert (answer.status_code, answer.json()) == (202, {"delivery": "g-1", "duplicate": False})
    (row,) = rows(engine, "delivery")
    assert (row["guid"], row["event"]) == ("g-1", "push")
    assert site.metric('heal_deliveries_total{event="push",result="stored"}') == 1


GOOD = sign(BODY, SECRET.encode())


@pytest.mark.fault(1, 2)
@pytest.mark.parametrize(
    "signature",
    [
        None,
        b"",
        b"sha256=",
        GOOD[:-1].encode(),
        b"sha1=" + GOOD[7:47].encode(),
        GOOD[7:].encode(),
        b"sha256=" + GOOD[7:].upper().encode(),
        b"sha256=" + b"0" * 64,
        (GOOD + " ").replace(" ", "0").encode(),
        "sha256=é".encode() + GOOD[9:].encode(),
        ("sha256=" + "٣" * 64).encode(),
    ],
)
def test_bad_signature(site: Site, engine: Engine, signature: bytes | None) -> None:
    """Missing, malformed, non-ASCII or wrong: 401 with one constant body, counted, nothing stored."""
    sent: dict[bytes, bytes] = {k.encode(): v.encode() for k, v in headers("push", BODY).items()}
    del sent[b"X-Hub-Signature-256"]
    if signature is not None:
        sent[b"X-Hub-Signature-256"] = signature
    answer = site.client.post("/webhook", content=BODY, headers=list(sent.items()))
    assert (answer.status_code, answer.json()) == (401, {"error": "signature missing or wrong"})
    assert rows(engine, "delivery") == []
    assert site.metric(REFUSED) == 1


@pytest.mark.fault(3)
@pytest.mark.parametrize("body", [BODY + b" ", BODY[:-1], json.dumps(json.loads(BODY), indent=1).encode(), b""])
def test_altered_body(site: Site, engine: Engine, body: bytes) -> None:
    """The signature covers the raw bytes: one byte more or less, or the same JSON written anew, is refused."""
    answer = site.client.post("/webhook", content=body, headers=headers("push", BODY))
    assert answer.status_code == 401
    assert rows(engine, "delivery") == []


@pytest.mark.fault(8)
def test_both_secrets_while_one_is_rotated(serve: Serve) -> None:
    """The previous secret counts while it is set, and no longer."""
    new = "f" * 40
    rotating, rotated = serve(webhook_secret=new, webhook_secret_previous=SECRET), serve(webhook_secret=new)
    old = headers("push", BODY)
    assert rotating.client.post("/webhook", content=BODY, headers=old).status_code == 202
    assert rotating.client.post("/webhook", content=BODY, headers=headers("push", BODY, secret=new)).status_code == 202
    assert rotated.client.post("/webhook", content=BODY, headers=old).status_code == 401


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-GitHub-Event", None),
        ("X-GitHub-Delivery", None),
        ("X-GitHub-Event", ""),
        ("X-GitHub-Delivery", "a b"),
        ("X-GitHub-Delivery", "x" * 65),
        ("X-GitHub-Event", "../push"),
    ],
)
def test_headers_that_github_always_sends(site: Site, engine: Engine, name: str, value: str | None) -> None:
    """No event or delivery header, or a malformed one: 400, nothing stored."""
    sent = headers("push", BODY)
    del sent[name]
    answer = site.client.post("/webhook", content=BODY, headers={**sent, **({} if value is None else {name: value})})
    assert answer.status_code == 400
    assert rows(engine, "delivery") == []


@pytest.mark.fault(10)
def test_methods_paths_and_media_types(site: Site) -> None:
    """Only a POST of JSON to this path is looked at."""
    assert site.client.get("/webhook").status_code == 405
    assert site.client.put("/webhook", content=BODY, headers=headers("push", BODY)).status_code == 405
    assert site.client.post("/webhooks", content=BODY, headers=headers("push", BODY)).status_code == 404
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        sent = {**headers("push", BODY), "Content-Type": kind}
        assert site.client.post("/webhook", content=BODY, headers=sent).status_code == 415
    sent = {**headers("push", BODY), "Content-Type": "application/json; charset=utf-8"}
    assert site.client.post("/webhook", content=BODY, headers=sent).status_code == 202


def test_ping(site: Site, engine: Engine) -> None:
    """A ping is answered with 200 and not kept."""
    assert site.client.post("/webhook", content=b"{}", headers=headers("ping", b"{}")).status_code == 200
    assert rows(engine, "delivery") == []


def test_unknown_event(site: Site, engine: Engine) -> None:
    """An event that means nothing to us: 204, counted under one name, not stored."""
    for event in ("star", "made_up"):
        assert site.client.post("/webhook", content=b"{}", headers=headers(event, b"{}")).status_code == 204
    assert rows(engine, "delivery") == []
    assert site.metric('heal_deliveries_total{event="unknown",result="unknown_event"}') == 2


def test_delivery_for_another_app(serve: Serve, engine: Engine) -> None:
    """With an App id set, another App's deliveries are dropped; a repository's hook has other ids and is not."""
    site = serve(app_id=7)

    def post(target: str, kind: str) -> int:
        extra = {"X-GitHub-Hook-Installation-Target-ID": target, "X-GitHub-Hook-Installation-Target-Type": kind}
        return site.client.post("/webhook", content=BODY, headers={**headers("push", BODY), **extra}).status_code

    assert [post("8", "integration"), post("7", "integration"), post("8", "repository")] == [204, 202, 202]
    assert len(rows(engine, "delivery")) == 2


@pytest.mark.fault(4, 5)
def test_same_delivery_twice(site: Site, engine: Engine) -> None:
    """The first is kept; a repetition is told so, and one with another body is counted apart."""
    other = encoded(payload("push"))
    for body, duplicate in ((BODY, False), (BODY, True), (other, True)):
        answer = site.client.post("/webhook", content=body, headers=headers("push", body, "same"))
        assert (answer.status_code, answer.json()["duplicate"]) == (202, duplicate)
    assert len(rows(engine, "delivery")) == 1
    assert site.metric('heal_deliveries_total{event="push",result="altered"}') == 1


async def _post_at_once(site: Site, guids: list[str]) -> list[httpx.Response]:
    async with httpx.AsyncClient(base_url=site.url, timeout=20) as client:
        posts = (client.post("/webhook", content=BODY, headers=headers("push", BODY, guid)) for guid in guids)
        return list(await asyncio.gather(*posts))


@pytest.mark.fault(4)
def test_fifty_at_once_with_one_id(site: Site, engine: Engine) -> None:
    """Fifty concurrent deliveries of one id make one row; exactly one answer calls it new."""
    answers = asyncio.run(_post_at_once(site, ["one"] * 50))
    assert Counter(answer.json()["duplicate"] for answer in answers) == {False: 1, True: 49}
    assert len(rows(engine, "delivery")) == 1


def test_many_at_once_are_all_kept(site: Site, engine: Engine) -> None:
    """Deliveries that share a commit are all there."""
    guids = [f"many-{n}" for n in range(200)]
    answers = asyncio.run(_post_at_once(site, guids))
    assert {answer.status_code for answer in answers} == {202}
    assert {row["guid"] for row in rows(engine, "delivery")} == set(guids)


@pytest.mark.fault(11)
@pytest.mark.parametrize("body", [b"not json", b"\xff\xfe\x00", b"", b"[" * 100_000, b'{"action":"completed"}'])
def test_signed_but_broken(site: Site, engine: Engine, body: bytes) -> None:
    """A signed body is accepted whatever it is; reading it is the dispatcher's business."""
    assert site.client.post("/webhook", content=body, headers=headers("check_run", body)).status_code == 202
    assert len(rows(engine, "delivery")) == 1


def _raw(site: Site, head: str, *parts: bytes) -> bytes:
    """What a bare socket gets for a request in parts."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode())
        try:
            for part in parts:
                connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was cut off, as it should be
        try:
            return connection.recv(65536)
        except ConnectionResetError:
            return b"reset"


HEAD = (
    "POST /webhook HTTP/1.1\nHost: x\nContent-Type: application/json\nX-GitHub-Event: push\nX-GitHub-Delivery: g\n"
    f"X-Hub-Signature-256: sha256={'0' * 64}\n"
)


@pytest.mark.fault(6)
@pytest.mark.parametrize("length", [str(25 * 1024 * 1024 + 1), "9" * 15])
def test_declared_too_large(site: Site, length: str) -> None:
    """A declared size over 25 MB is refused before a byte of the body is sent."""
    assert b" 413 " in _raw(site, f"{HEAD}Content-Length: {length}\n\n")[:20]


@pytest.mark.fault(6)
def test_endless_chunks(site: Site) -> None:
    """A body that does not say its size is cut off at 25 MB, not read on."""
    megabyte = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    answer = _raw(site, f"{HEAD}Transfer-Encoding: chunked\n\n", *[megabyte] * 40)
    assert b" 413 " in answer[:20] or answer == b"reset"
    assert site.metric('heal_deliveries_total{event="",result="too_large"}') == 1


@pytest.mark.fault(6)
def test_largest_body_is_taken(site: Site, engine: Engine) -> None:
    """Exactly 25 MB is still a delivery."""
    body = b'"' + b"x" * (25 * 1024 * 1024 - 2) + b'"'
    assert site.client.post("/webhook", content=body, headers=headers("push", body)).status_code == 202
    assert len(rows(engine, "delivery")) == 1


def test_a_body_in_many_pieces(site: Site, engine: Engine) -> None:
    """A signed body is kept byte for byte, however it is cut on its way."""
    body = encoded(payload("push", ref="refs/tags/v1", filler="é" * 40_000))
    cuts = [0, 1, 2, 700, 70_000, len(body)]
    pieces = [body[start:end] for start, end in pairwise(cuts)]
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
    head = HEAD.replace(f"sha256={'0' * 64}", sign(body, SECRET.encode())) + "Transfer-Encoding: chunked\n\n"
    assert b" 202 " in _raw(site, head, *chunks, b"0\r\n\r\n")[:20]
    (row,) = rows(engine, "delivery")
    assert unpack(Packed(row["body"], row["sha256"])) == body


@pytest.mark.fault(62)
def test_database_away(serve: Serve, tmp_path: Path) -> None:
    """No 202 without a commit: 503 with a time to come back, for pages too, and the receiver itself stays up."""
    site = serve(database_url=f"sqlite:///{tmp_path / 'missing.db'}")
    answer = site.client.post("/webhook", content=BODY, headers=headers("push", BODY))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert site.client.get("/healthz").status_code == 200
    page, listed = site.client.get("/"), site.client.get("/api/runs")
    assert {(one.status_code, "The database does not answer" in one.text) for one in (page, listed)} == {(503, True)}
    ready = site.client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["migrations"]["ok"]) == (503, False)
    assert "heal db upgrade" in ready.json()["checks"]["migrations"]["seen"]
