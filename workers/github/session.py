"""The App's key and what it opens for one run: tokens narrowed to one repository and one purpose, revoked at the end.

Knows how GitHub's addresses hang together; nothing of what the tokens are used for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from github import Auth, Github, GithubIntegration
from github.Requester import Requester

from workers.domain import Outcome
from workers.errors import Retryable, Stop
from workers.fencing import Guard, unfenced
from workers.github.api import API_VERSION, READS_ONLY, Api, Refused
from workers.redact import Redactor
from workers.settings import WorkerSettings

RENEW_BEFORE_S = 300.0


@dataclass(frozen=True)
class App:
    """The GitHub App, from the settings. `pace` is the least seconds between two writes: GitHub asks for one."""

    api_url: str
    app_id: int
    private_key: str = field(repr=False)
    pace: float = 1.0
    timeout_s: int = 20

    @classmethod
    def of(cls, settings: WorkerSettings) -> App:
        """The one that the settings name. Raises as `WorkerSettings.app`."""
        app_id, key = settings.app()
        return cls(settings.github_api_url, app_id, key.get_secret_value(), settings.github_pace)


class Purpose(Enum):
    """What a token is for: the permissions it asks for, never more."""

    READ = "read"
    FILES = "files"
    TELL = "tell"
    PUBLISH = "publish"
    AMEND = "amend"
    RERUN = "rerun"
    STATUS = "status"
    CONVERSE = "converse"
    ROLES = "roles"
    SUGGEST = "suggest"
    ISSUE = "issue"

    @property
    def permissions(self) -> Mapping[str, str]:
        """Permission to access, as GitHub names them."""
        return _PERMISSIONS[self]


_PERMISSIONS: Mapping[Purpose, Mapping[str, str]] = {
    Purpose.READ: {
        "metadata": "read",
        "contents": "read",
        "actions": "read",
        "checks": "read",
        "pull_requests": "read",
    },
    Purpose.FILES: {"metadata": "read", "contents": "read"},
    Purpose.TELL: {"metadata": "read", "checks": "write", "issues": "write"},
    Purpose.ISSUE: {"metadata": "read", "issues": "read"},
    Purpose.RERUN: {"metadata": "read", "actions": "write"},
    Purpose.STATUS: {"metadata": "read", "statuses": "read"},
    Purpose.CONVERSE: {"metadata": "read", "pull_requests": "write"},
    Purpose.ROLES: {"metadata": "read", "contents": "write"},
    Purpose.SUGGEST: {"metadata": "read", "pull_requests": "write"},
    # A label that the repository does not have yet is made by setting it, which asks for `issues` as well.
    Purpose.AMEND: {"metadata": "read", "pull_requests": "write", "issues": "write"},
    Purpose.PUBLISH: {"metadata": "read", "contents": "write", "pull_requests": "write", "issues": "write"},
}


@dataclass(frozen=True)
class Repository:
    """The repository by its id, whatever it is called today."""

    id: int
    full_name: str
    owner: str
    default_branch: str
    archived: bool

    def path(self, rest: str) -> str:
        """The API path of something in it."""
        return f"/repos/{self.full_name}{rest}"


@dataclass
class _Token:
    value: str = field(repr=False)
    expires: float
    client: Github
    api: Api


class Session:
    """What one run may do on GitHub. Tokens are minted when first needed; `close` revokes them."""

    def __init__(self, app: App, installation_id: int, repo_id: int, redactor: Redactor, guard: Guard) -> None:
        # At DEBUG, PyGithub logs the answer that holds a fresh token.
        logging.getLogger("github").setLevel(logging.WARNING)
        self.app = app
        self.repo_id = repo_id
        self._installation_id = installation_id
        self._redactor = redactor
        self._guard = guard
        self._tokens: dict[Purpose, _Token] = {}
        self._outlived: list[_Token] = []
        self._repository: Repository | None = None
        self._bot = ""

    def api(self, purpose: Purpose) -> Api:
        """The API with the least token for the purpose."""
        return self._get(purpose).api

    def token(self, purpose: Purpose) -> str:
        """The bare token, for git."""
        return self._get(purpose).value

    def renewed_token(self, purpose: Purpose) -> str:
        """Another bare token, for git too, when GitHub does not accept the present one any more."""
        self._renewed(purpose)
        return self._tokens[purpose].value

    @property
    def repository(self) -> Repository:
        """Asked once. A token narrowed to one repository sees exactly that one, under its present name."""
        if self._repository is None:
            found = self.api(Purpose.READ).get("/installation/repositories")["repositories"]
            data = next((one for one in found if one["id"] == self.repo_id), None)
            if data is None:
                raise Stop(Outcome.DISABLED, "Heal is not installed on this repository any more.")
            self._repository = _repository(data)
        return self._repository

    def clean(self, text: str) -> str:
        """The text without secrets, for what is shown to others."""
        return self._redactor(text)

    def neighbour(self, name: str) -> Session | None:
        """Another repository of the same owner by its name, to read its files; None when the installation does not
        include it. The caller closes it."""
        try:
            token, answer = self._grant({"repositories": [name]}, Purpose.FILES)
        except Refused as refused:
            if refused.status == 422:
                return None
            raise Stop(Outcome.DISABLED, _why_no_token(refused)) from refused
        data = (answer.get("repositories") or [None])[0]
        other = Session(self.app, self._installation_id, data["id"] if data else 0, self._redactor, self._guard)
        other._keep(Purpose.FILES, token)
        if data is None:
            other.close()
            return None
        other._repository = _repository(data)
        return other

    @property
    def bot(self) -> str:
        """The login under which the App writes. Asked once, with the App's own key."""
        if not self._bot:
            with as_app(self.app) as api:
                self._bot = f"{api.get('/app')['slug']}[bot]"
        return self._bot

    @property
    def clone_url(self) -> str:
        """Where git reads the repository."""
        return f"{web_url(self.app.api_url)}/{self.repository.full_name}.git"

    def close(self) -> None:
        """Revoke every token, also those that were followed by a newer one. What cannot be revoked dies within the
        hour."""
        for token in (*self._tokens.values(), *self._outlived):
            token.api.renew = None  # one that is over already needs no other to be ended
            try:
                token.api.delete("/installation/token")
            except (Stop, Retryable):
                logging.getLogger(__name__).info("a token could not be revoked")
            token.client.close()
        self._tokens.clear()
        self._outlived.clear()

    def _get(self, purpose: Purpose) -> _Token:
        token = self._tokens.get(purpose)
        if token is None or token.expires - time.time() < RENEW_BEFORE_S:
            if token is not None:
                self._outlived.append(token)
            token = self._keep(purpose, self._mint(purpose))
        return token

    def _keep(self, purpose: Purpose, token: _Token) -> _Token:
        token.api.renew = lambda: self._renewed(purpose)
        self._tokens[purpose] = token
        return token

    def _renewed(self, purpose: Purpose) -> Requester:
        """GitHub does not accept the token any more: another one takes its place behind the same `Api`."""
        token, fresh = self._tokens[purpose], self._mint(purpose)
        token.client.close()
        token.value, token.expires, token.client = fresh.value, fresh.expires, fresh.client
        return token.client.requester

    def _mint(self, purpose: Purpose) -> _Token:
        try:
            return self._grant({"repository_ids": [self.repo_id]}, purpose)[0]
        except Refused as refused:
            if refused.status == 401 and any(claim in str(refused) for claim in ("('exp')", "('iat')")):
                raise Retryable(_CLOCK, blame="clock", after=60) from refused
            nobody_hears = {} if refused.status == 422 else {"silent": True}  # with 422 a smaller token may be had
            raise Stop(Outcome.DISABLED, _why_no_token(refused), **nobody_hears) from refused

    def _grant(self, selection: Mapping[str, object], purpose: Purpose) -> tuple[_Token, Mapping[str, Any]]:
        """A token for the repositories of the selection, with GitHub's whole answer. Raises `Refused`."""
        with as_app(self.app) as api:
            answer = api.send(
                "POST",
                f"/app/installations/{self._installation_id}/access_tokens",
                {**selection, "permissions": dict(purpose.permissions)},
                expect=(401, 403, 404, 422),
            )
        expires = datetime.fromisoformat(answer["expires_at"]).timestamp()
        self._redactor.add(answer["token"], until=expires)
        reader = Github(
            auth=Auth.Token(answer["token"]),
            base_url=self.app.api_url,
            timeout=self.app.timeout_s,
            retry=READS_ONLY,
            seconds_between_requests=self.app.pace / 4 or None,
            seconds_between_writes=self.app.pace or None,
            api_version=API_VERSION,
        )
        return _Token(answer["token"], expires, reader, Api(reader.requester, self._guard)), answer


@contextmanager
def as_app(app: App, guard: Guard = unfenced) -> Iterator[Api]:
    """The API with the App's own key, for what is no repository's: tokens, installations, its webhook, itself."""
    client = GithubIntegration(
        auth=Auth.AppAuth(app.app_id, lambda: _read_key(app.private_key)),  # type: ignore[arg-type, return-value]
        base_url=app.api_url,
        timeout=app.timeout_s,
        retry=READS_ONLY,
        seconds_between_requests=None,
        seconds_between_writes=None,
        api_version=API_VERSION,
    )
    try:
        yield Api(client.requester, guard)
    finally:
        client.close()


@lru_cache(maxsize=4)
def _read_key(pem: str) -> PrivateKeyTypes:
    """Once per process: to read a key and check its numbers takes 30 ms, and each request for a token is signed. What
    signs them takes a key that was read as well as its text."""
    return load_pem_private_key(pem.encode(), password=None)


def named(app: App, full_name: str, redactor: Redactor) -> Session:
    """A session for `owner/name`, to read its files, wherever the App is installed. Raises `Stop` where it is not."""
    with as_app(app) as api:
        installation = api.find(f"/repos/{full_name}/installation")
    found = None
    if installation is not None:
        found = Session(app, int(installation["id"]), 0, redactor, unfenced).neighbour(full_name.split("/")[1])
    if found is None:
        raise Stop(Outcome.DISABLED, f"Heal is not installed on {full_name}.")
    return found


def _repository(data: Mapping[str, Any]) -> Repository:
    return Repository(
        id=data["id"],
        full_name=data["full_name"],
        owner=data["owner"]["login"],
        default_branch=data["default_branch"],
        archived=bool(data.get("archived")),
    )


def web_url(api_url: str) -> str:
    """The address people and git use, from the API's: github.com, GitHub Enterprise Server, or a ghe.com tenant."""
    parts = urlsplit(api_url.rstrip("/"))
    if parts.path.endswith("/api/v3"):
        return f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/api/v3')}"
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"


_CLOCK = "GitHub does not accept the App's signature: the clock of this machine is minutes off. Set it, by NTP say."


def _why_no_token(refused: Refused) -> str:
    if refused.status == 401:
        return "GitHub does not accept the App's key: check HEAL_APP_ID and HEAL_PRIVATE_KEY."
    if refused.status == 422:
        return f"The installation does not grant what Heal needs: {refused}"
    return f"The installation is gone or suspended: {refused}"
