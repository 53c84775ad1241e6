"""Promises of the redactor. Every canary is made up, and put together here so that no scanner finds a key."""

from __future__ import annotations

import base64
import time
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sandbox.spec import Plan, Step
from workers.domain import Finding
from workers.redact import MARK, Redactor, redact, without_key_blocks
from workers.spectrum.evidence import Failure, Trace

BODY = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
PEM_BODY = "\n".join(["MIIEowIBAAKCAQEA" + "x" * 48] * 3)
CANARIES = {
    "ghp": "ghp_" + BODY,
    "gho": "gho_" + BODY,
    "ghs, long": "ghs_" + BODY + ".eyJ-" + BODY * 8,
    "ghu": "ghu_" + BODY,
    "ghr": "ghr_" + BODY,
    "fine-grained": "github_pat_" + BODY + "_" + BODY,
    "openai": "sk-" + BODY,
    "openai project": "sk-proj-" + BODY,
    "anthropic": "sk-ant-api03-" + BODY,
    "aws": "AKIA" + "ABCDEFGHIJKLMNOP",
    "slack": "xoxb-" + "123456789012-" + BODY,
    "slack app": "xapp-1-" + BODY,
    "gitlab": "glpat-" + BODY,
    "google": "AIza" + BODY[:35],
    "google client": "GOCSPX-" + BODY,
    "google token": "ya29." + BODY,
    "npm": "npm_" + BODY,
    "pypi": "pypi-AgE" + BODY * 2,
    "docker": "dckr_pat_" + BODY,
    "hugging face": "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
    "digital ocean": "dop_v1_" + "0123456789abcdef" * 4,
    "stripe": "sk_live_" + BODY,
    "sendgrid": "SG." + BODY[:22] + "." + BODY + BODY[:7],
    "jwt": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0." + BODY,
    "pem": "-----BEGIN RSA PRIVATE KEY-----\n" + PEM_BODY + "\n-----END RSA PRIVATE KEY-----",
    "pgp": "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n" + PEM_BODY + "\n-----END PGP PRIVATE KEY BLOCK-----",
    "pem, cut off": "-----BEGIN PRIVATE KEY-----\n" + PEM_BODY,
}


@pytest.mark.fault(30)
@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
@pytest.mark.parametrize("around", ["{}", "key={} x", 'token: "{}"', "{}\n", "(\u202e{}", ".F{}", "\x1b[31m{}"])
def test_known_shapes_go(canary: str, around: str) -> None:
    """A key of a known shape is blanked wherever it stands."""
    shown = redact(around.format(canary))
    assert MARK in shown
    assert canary not in shown
    assert canary[10:30] not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:hunter2@host/x", f"https://me:{MARK}@host/x"),
        ("https://x-access-token:abc@github.com/o/r", f"https://x-access-token:{MARK}@github.com/o/r"),
        ("Authorization: Bearer abcdefgh12345678", f"Authorization: Bearer {MARK}"),
        ("authorization: basic YWxhZGRpbjpvcGVu0000", f"authorization: basic {MARK}"),
        (f"AWS_SECRET_ACCESS_KEY: {BODY}abcd", f"AWS_SECRET_ACCESS_KEY: {MARK}"),
        (f"aws_session_token = '{BODY * 9}=='", f"aws_session_token = '{MARK}'"),
        (f"AccountName=x;AccountKey={BODY * 2}==;Suffix=y", f"AccountName=x;AccountKey={MARK};Suffix=y"),
        (f"//registry.npmjs.org/:_authToken={BODY}", f"//registry.npmjs.org/:_authToken={MARK}"),
        (f'{{"auths": {{"ghcr.io": {{"auth": "{BODY}"}}}}}}', f'{{"auths": {{"ghcr.io": {{"auth": "{MARK}"}}}}}}'),
        (f"https://hooks.slack.com/services/T0/B0/{BODY}", f"https://hooks.slack.com/services/{MARK}"),
    ],
)
def test_credentials_in_their_places_go(text: str, shown: str) -> None:
    """Passwords in URLs and headers are blanked, what is around them stays."""
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "E   assert add(1, 2) == 3",
        "the token expired and the bearer came late",
        "https://github.com/o/r/pull/1",
        "task-sk-1 and disk-usage",
        "git@github.com:o/r.git",
        "token = tokenize(unexpected_identifier_here)",
        "a" * 40,
        "client_secret = settings.read_the_client_secret_from(Environment.PRODUCTION_2)",
        'session_token: str = "".join(Random(7).choice(LETTERS) for _ in range(40))',
        "client_secret: abcdefghijklmnopqrstuvwxyz0123456789",
        "npm_config_registry and hf_hub and SG.2 in sk_live_test",
        "tests/test_mood.py::test_sighs_when_there_is_no_money_left_in_the_purse",
        "task-management-without-any-number-in-it",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    """What CI logs are full of is not touched."""
    assert redact(text) == text


@pytest.mark.uncounted
@pytest.mark.parametrize(
    "beginning",
    [
        *(
            "eyJ",
            "sk-",
            "ghp_",
            "sk-ghp_eyJ",
            "-----BEGIN ",
            "token ",
            "a://b:",
            "bearer\t",
            "_auth=",
            "npm_",
            "ya29.a",
        ),
        *("client_secret = a1B", "SG.aaaaaaaaaaaaaaaa", "pypi-AgE", "https://hooks.slack.com/services/"),
    ],
)
def test_text_of_nothing_but_beginnings_takes_no_longer_than_other_text(beginning: str) -> None:
    """Every place may be the start of a key, and none is: what is looked at ahead of each is bounded."""
    started = time.process_time()
    redact(beginning * (300_000 // len(beginning)))
    assert time.process_time() - started < 5


KEY_LINES = ["MIIEowIBAAKCAQEA1" + "Xy7" * 14 + "z"] * 4
BEGIN, END = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("lines", "inside", "shown"),
    [
        (["a", BEGIN, *KEY_LINES, "Xq==", END, "b"], False, ["a", MARK, MARK, "b"]),
        (["a", f"E   | {BEGIN}", *(f"E   | {line}" for line in KEY_LINES), f"E   | {END}", "b"], False,
         ["a", f"E   | {MARK}", MARK, "b"]),
        (["a", BEGIN, "Proc-Type: 4,ENCRYPTED", "", *KEY_LINES, "b", "c", "d", "e"], False, ["a", MARK, "e"]),
        (["a", BEGIN, "b", "c", "d", "e", "f"], False, ["a", MARK, "b", "c", "d", "e", "f"]),
        (["a", BEGIN, "b"], False, ["a", MARK, "b"]),
        ([f"x {BEGIN}\\n{KEY_LINES[0]}\\n{END} y", "b"], False, [f"x {MARK} y", "b"]),
        ([f"x {BEGIN}\\n{KEY_LINES[0]}", "b"], False, [f"x {MARK}", "b"]),
        ([*KEY_LINES, "Xq==", END, "b"], True, [MARK, "b"]),
        ([*KEY_LINES, "b", "c", "d", "e"], True, ["e"]),
        (["a", "/home/runner/work/shop/shop/" + "folder/" * 9, "b"], True, None),
        (["c" * 64, "0123456789abcdef" * 4, "ASentenceInOneWordThatIsVeryLongIndeedAndHasNoDigitInIt"], True, None),
        (["a", *KEY_LINES, "b"], False, None),
    ],
)  # fmt: skip
def test_a_key_of_many_lines_goes_and_nothing_else(lines: list[str], inside: bool, shown: list[str] | None) -> None:
    """Whatever stands before it in each line, however it ends, and where its beginning is missing."""
    assert list(without_key_blocks(lines, inside=inside)) == (lines if shown is None else shown)


@pytest.mark.fault(30)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=0x24F), min_size=8, max_size=40))
def test_registered_values_go_in_every_form(secret: str) -> None:
    """A registered secret is blanked as it is, URL-quoted, in base64, and in base64 inside `user:secret`."""
    assume(secret not in MARK)
    redactor = Redactor(secret)
    for form in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
        assert form not in redactor(f"<{form}>")
    for user in ("a:", "ab:", "abc:"):
        packed = base64.b64encode(f"{user}{secret}".encode()).decode()
        assert redactor(packed) != packed


def test_each_line_of_a_key_goes() -> None:
    """One line of a registered private key is as secret as all of it."""
    key = CANARIES["pem"]
    assert Redactor(key)(f"oops {PEM_BODY.splitlines()[1]}") == f"oops {MARK}"
    assert "MIIE" not in Redactor(key)(key.replace("\n", "\\n"))


def test_secrets_may_be_added_later_and_short_ones_are_ignored() -> None:
    """A token minted during a run is registered then; a word of a few letters never blanks the text."""
    redactor = Redactor("", "x")
    assert redactor("minted-token x") == "minted-token x"
    redactor.add("minted-token")
    assert redactor("minted-token x") == f"{MARK} x"


def test_a_dead_token_is_let_go_of() -> None:
    """A process that mints tokens for weeks carries only those that may still open something; others stay for ever."""
    redactor, now = Redactor("for-ever-secret"), time.time()
    redactor.add("token-of-yesterday", until=now - 86_400)
    redactor.add("token-of-today", until=now + 3600)
    redactor.add("for-ever-secret", until=now - 86_400)
    assert redactor("for-ever-secret token-of-yesterday token-of-today") == f"{MARK} token-of-yesterday {MARK}"


def test_the_longer_of_two_values_goes_whole() -> None:
    """A value that another one begins with leaves nothing of that one."""
    assert Redactor("minted-token", "minted-token-and-more")("minted-token-and-more minted-token") == f"{MARK} {MARK}"


def test_a_plan_keeps_working() -> None:
    """What a resumed run executes keeps its own test credentials; logs lose keys; registered values go everywhere."""
    url = "postgres://postgres:postgres@localhost/test"
    redactor = Redactor("registered-value")
    plan = Plan("python", (), Step("t", "true", env={"DATABASE_URL": url, "X": "registered-value"}))
    assert redactor.scrub(plan).check.env == {"DATABASE_URL": url, "X": MARK}
    assert redactor.scrub(Finding(f"a {CANARIES['ghp']}")).message == f"a {MARK}"
    assert redactor.publish(plan).check.env["DATABASE_URL"] == f"postgres://postgres:{MARK}@localhost/test"
    assert redactor.scrub({"report": b"\xff registered-value"}) == {"report": b"\xff " + MARK.encode()}


def test_what_a_sandbox_reported_is_no_exception() -> None:
    """Values that were read from untrusted text have a type of their own, and are looked through all the same."""
    failure = Failure(type="AssertionError", message=f"{CANARIES['ghp']} is not registered-value")
    trace = Trace(
        failed={"test_key[registered-value]": 0.1}, passed={}, counts={"a.py": {1: (1, 0)}}, exceptions={"x": failure}
    )
    kept = Redactor("registered-value").scrub(trace)
    assert kept.exceptions["x"].message == f"{MARK} is not {MARK}"
    assert list(kept.failed) == [f"test_key[{MARK}]"]
    assert kept.counts == trace.counts
