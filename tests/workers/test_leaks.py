"""No secret reaches a text that leaves: what is posted, logged, asked of a model, or handed to a child process."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.settings import BotSettings
from tests.model.process import Model
from tests.model.replies import text as said
from tests.workers.made import candidate, case, diagnosis, report, reproduction, result
from workers import messages, telemetry
from workers.domain import Attempt, Finding, Outcome, Report, Verdict
from workers.errors import UsageError
from workers.hardening import forbid_core_dumps, without_secrets
from workers.llm.client import Client, Message
from workers.redact import MARK, Redactor, redact
from workers.settings import PruneSettings, WorkerSettings, secrets_in_url
from workers.store.database import open_engine

TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
PASSWORD = 'pass"wörd/with\\all'
PEM = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIE" + "x" * 60 + "\n-----END RSA PRIVATE KEY-----\n"


def leaking() -> Report:
    """A report that holds a token wherever text of others can stand."""
    red = result(1, failed=1, output=f"E   token {TOKEN}")
    verdict = Verdict(True, why=TOKEN, after=result(0, passed=1, output=TOKEN), reverse_red=True, reruns=2)
    refused = Attempt(candidate(reasoning=TOKEN), Verdict(False, "regression", TOKEN))
    return report(
        case=case(branch=f"b-{TOKEN}", job=f"test {TOKEN}"),
        diagnosis=diagnosis(summary=TOKEN, findings=(Finding(TOKEN, "calc.py", 2, TOKEN),)),
        reproduction=reproduction(before=red),
        attempts=(refused, Attempt(candidate(reasoning=TOKEN, title=TOKEN, model=TOKEN), verdict)),
        data={"log": TOKEN, "line": TOKEN, "patch": TOKEN},
    )


@pytest.mark.fault(30)
def test_every_word_of_ours_is_redacted() -> None:
    """Pull requests, commit messages, branches, comments and check runs hold no key that a log or a file held."""
    told = leaking()
    words = [
        messages.branch(told),
        messages.pull_request_title(told),
        messages.commit_message(told),
        messages.pull_request_body(told, ""),
        json.dumps(replace(messages.started(told.case, ""), annotations=()).__dict__),
        str(messages.proposed(told, "")),
        *(str(messages.ended(replace(told, outcome=outcome, detail=TOKEN), "")) for outcome in Outcome),
    ]
    for one in words:
        assert TOKEN[4:24].lower() not in one.lower()


@given(st.text(st.sampled_from("ab1:/@ `'\"-_.[]{}x|"), max_size=80))
def test_redacting_twice_changes_nothing(middle: str) -> None:
    """What is redacted before it is put into markup keeps that markup when it is redacted again on its way out."""
    once = redact(f"x-access-token:{middle} https://u:{middle}@h Bearer {middle}0000000000000000 `{TOKEN}`")
    assert redact(once) == once


def test_a_redacted_token_leaves_the_code_span_closed() -> None:
    """A secret at the end of inline code does not take the closing backtick along."""
    assert redact("`x-access-token:abcdefgh` and") == f"`x-access-token:{MARK}` and"


@pytest.mark.parametrize("form", [json.dumps, repr, lambda secret: json.dumps(secret, ensure_ascii=False)])
def test_a_secret_inside_quotes_is_found(form: object) -> None:
    """A value that JSON or a traceback writes with escapes is blanked as well."""
    assert callable(form)
    assert MARK in Redactor(PASSWORD)(f"x {form(PASSWORD)} y")
    assert "with" not in Redactor(PASSWORD)(f"x {form(PASSWORD)} y")


def test_passwords_of_addresses_are_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The passwords inside the database's and Redis' URL are registered, quoted and plain; settings never show them."""
    monkeypatch.setenv("HEAL_DATABASE_URL", "postgresql://heal:db%2Fsecret-1234@db/heal")
    monkeypatch.setenv("HEAL_REDIS_URL", "redis://:redis-secret-1234@redis/0")
    settings = WorkerSettings()
    assert {"db/secret-1234", "redis-secret-1234"} <= set(settings.secrets())
    assert "secret-1234" not in repr(settings)
    assert secrets_in_url("sqlite:////x") == ()
    assert secrets_in_url("http://[") == ()


@pytest.mark.fault(75)
@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """A private key that other users may read, or that its group may change, stops the start with the repair."""
    file = tmp_path / "app.pem"
    file.write_text(PEM)
    file.chmod(mode)
    with pytest.raises(UsageError, match="chmod 600"):
        WorkerSettings(private_key_file=file).app_key()


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440])
def test_a_key_file_of_our_own_is_read(tmp_path: Path, mode: int) -> None:
    """Also through a symbolic link, as orchestrators mount secrets: the file's own mode counts."""
    file = tmp_path / "app.pem"
    file.write_text(PEM)
    file.chmod(mode)
    (tmp_path / "link").symlink_to(file)
    key = WorkerSettings(private_key_file=tmp_path / "link").app_key()
    assert key is not None
    assert key.get_secret_value() == PEM


def test_a_key_file_that_is_no_file_is_refused(tmp_path: Path) -> None:
    """A folder or a pipe in its place ends in one clear line and does not hang."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for odd in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(UsageError, match="no regular file"):
            WorkerSettings(private_key_file=odd).app_key()


def test_wrong_settings_are_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A validation error does not repeat what was given."""
    monkeypatch.setenv("HEAL_PRIVATE_KEY", PEM)
    monkeypatch.setenv("HEAL_PRIVATE_KEY_FILE", "/nowhere")
    with pytest.raises(ValidationError) as raised:
        WorkerSettings()
    assert "MIIE" not in str(raised.value)


def test_the_model_never_sees_a_registered_value(tmp_path: Path) -> None:
    """A secret without any known shape is blanked from prompts, once the redactor knows it."""
    del tmp_path
    with Model() as model:
        model.script([said("fine")])
        client = Client("openai:test-model", SecretStr("local-key-1234"), model.url, redact=Redactor("odd one 1234"))
        client.ask([Message("user", f"odd one 1234 and {TOKEN}")], 10)
        assert model.prompts() == [f"{MARK} and {MARK}"]


def test_an_error_of_the_database_shows_no_row() -> None:
    """Failing statements are logged without their parameters, which are other people's payloads."""
    engine = open_engine("sqlite://")
    with pytest.raises(SQLAlchemyError) as raised, engine.connect() as connection:
        connection.execute(text("select * from nothing where a = :a"), {"a": TOKEN})
    engine.dispose()
    assert TOKEN not in str(raised.value)


def test_a_crash_of_the_process_is_redacted() -> None:
    """What nobody caught is logged like everything else, not printed raw by the interpreter."""
    out, hook, root = io.StringIO(), sys.excepthook, logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        telemetry.configure(Redactor(PASSWORD), stream=out)
        sys.excepthook(ValueError, ValueError(f"{PASSWORD} {TOKEN}"), None)
    finally:
        sys.excepthook, root.handlers[:] = hook, handlers
        root.setLevel(level)
    assert "ValueError" in out.getvalue()
    assert MARK in out.getvalue()
    assert TOKEN not in out.getvalue()
    assert "with" not in out.getvalue().replace("with_", "")


ALL_SETTINGS = (WorkerSettings, BotSettings, PruneSettings)


def _kinds(annotation: object) -> set[object]:
    """What a field holds, without None."""
    return set(get_args(annotation) or (annotation,)) - {type(None)}


def _secret_fields() -> Iterator[tuple[str, FieldInfo]]:
    for settings in ALL_SETTINGS:
        yield from ((name, one) for name, one in settings.model_fields.items() if SecretStr in _kinds(one.annotation))


def test_what_is_called_a_secret_is_kept_as_one() -> None:
    """A setting whose name says secret, key, token or password is a SecretStr, a file, or a number; an address, which
    may hold a password, is not shown with its object."""
    for settings in ALL_SETTINGS:
        for name, field in settings.model_fields.items():
            kinds = _kinds(field.annotation)
            if re.search("secret|key|token|password", name):
                assert kinds <= {SecretStr, Path, int, float}, name
            if name.endswith("_url") and name not in ("public_url", "github_url"):
                assert not field.repr, name


def test_every_secret_setting_is_known_to_redactor_and_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever adds one registers it: its value is blanked from all that is written, and no child inherits it."""
    given_ = {}
    for name, field in _secret_fields():
        alias = field.validation_alias
        variable = str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"HEAL_{name}".upper()
        given_[variable] = f"{name}-" + "x" * 40
    assert len(given_) >= 6
    for variable, value in given_.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("HEAL_OAUTH_CLIENT_ID", "Iv1.x")
    monkeypatch.setenv("https_proxy", "http://me:proxy-password@proxy:3128")
    receiver = BotSettings(webhook_secret=SecretStr(given_["HEAL_WEBHOOK_SECRET"]))
    assert {*WorkerSettings().secrets(), *receiver.secrets()} == {*given_.values(), "proxy-password"}
    assert without_secrets(given_) == {}


def test_children_without_need_get_no_secret() -> None:
    """The process beside a worker starts without the App's key and the model's key."""
    given_ = {"PATH": "/bin", "HEAL_PRIVATE_KEY": PEM, "OPENAI_API_KEY": "k", "HEAL_OPENAI_API_KEY": "k",
              "HEAL_WEBHOOK_SECRET": "s", "HEAL_DASHBOARD_TOKEN": "t", "HEAL_PRIVATE_KEY_FILE": "/x",
              "HEAL_REDIS_URL": "redis://"}  # fmt: skip
    assert without_secrets(given_) == {"PATH": "/bin", "HEAL_REDIS_URL": "redis://"}


def test_a_crash_leaves_no_core() -> None:
    """The kernel writes no image of a process that holds keys."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    forbid_core_dumps()
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
