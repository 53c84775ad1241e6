"""Git over smart HTTP: `git http-backend` as a CGI child, behind the token's permissions.

The whole request body is read before the child starts; streaming it while answering hangs on push.
"""

from __future__ import annotations

import base64
import binascii
import os
import subprocess

from tests.hub.events import Events
from tests.hub.luck import on_request
from tests.hub.rest.dispatch import Answer, ApiError, Dispatcher, Moved, allows, injected, reaches
from tests.hub.state import ZERO_SHA, Json, Repo, Token, World

_BACKEND = "/usr/lib/git-core/git-http-backend"


class GitWeb:
    """Answers `/{owner}/{repo}.git/...`."""

    def __init__(self, world: World, events: Events, dispatcher: Dispatcher) -> None:
        self._world, self._events, self._dispatcher = world, events, dispatcher

    def answer(
        self, method: str, full_name: str, tail: str, query: str, headers: dict[str, str], body: bytes
    ) -> Answer:
        """Authenticate, run the backend, and tell what a push moved."""
        record: Json = {"method": method, "path": f"/{full_name}.git/{tail}", "query": query}
        self._world.requests.append(record)
        if fault := on_request(self._world, method, f"/{full_name}.git/{tail}"):
            if fault["kind"] == "sever":
                return injected(fault)
            return Answer(int(fault["status"]), str(fault.get("message", "")).encode(), {"Content-Type": "text/plain"})
        write = "git-receive-pack" in f"{tail} {query}"
        try:
            self._moved(full_name, f"{tail}?{query}" if query else tail)
            repo, token = self._admit(full_name, headers.get("authorization", ""), write)
            record["token"] = token.serial if token else None
        except Moved as moved:
            return Answer(moved.status, b"", {"Location": moved.target})
        except ApiError as error:
            extra = {"WWW-Authenticate": 'Basic realm="GitHub"'} if error.status == 401 else {}
            return Answer(error.status, error.message.encode(), {"Content-Type": "text/plain", **extra})
        before = repo.git.refs() if write else {}
        answer = self._backend(repo, token, method, tail, query, headers, body)
        if write and method == "POST":
            self._tell(repo, token, before)
        return answer

    def _moved(self, full_name: str, rest: str) -> None:
        """A name that a repository had before leads to its present one."""
        repo = None if self._world.repo(full_name) else self._world.former(full_name)
        if repo is not None:
            raise Moved(301, f"{self._world.url}/{repo.full_name}.git/{rest}")

    def _admit(self, full_name: str, authorization: str, write: bool) -> tuple[Repo, Token | None]:
        repo = self._world.repo(full_name)
        token = self._token(authorization)
        visible = repo is not None and not repo.gone and (not repo.private or (token and reaches(token, repo)))
        if token is None and (write or not visible):
            raise ApiError(401, "Authentication required")
        if repo is None or not visible:
            raise ApiError(404, "Repository not found.")
        need = "contents:write" if write else "contents:read"
        if token is not None and (write or repo.private) and not (reaches(token, repo) and allows(token, need)):
            raise ApiError(403, f"Permission to {full_name}.git denied to {token.installation.app.bot.login}.")
        if write and repo.archived:
            raise ApiError(403, "This repository was archived so it is read-only.")
        return repo, token

    def _token(self, authorization: str) -> Token | None:
        scheme, _, credential = authorization.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            _, _, text = base64.b64decode(credential).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise ApiError(401, "Bad credentials") from None
        return self._dispatcher.by_token(text)

    def _backend(
        self, repo: Repo, token: Token | None, method: str, tail: str, query: str, headers: dict[str, str], body: bytes
    ) -> Answer:
        env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(repo.git.path),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(repo.git.path.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{repo.git.path.name}/{tail}",
            "QUERY_STRING": query,
            "REQUEST_METHOD": method,
            "CONTENT_TYPE": headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
            "GIT_PROTOCOL": headers.get("git-protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
            "HUB_WORKFLOWS": "1" if token and allows(token, "workflows:write") else "0",
        }
        if token is not None:
            env["REMOTE_USER"] = token.installation.app.bot.login
        done = subprocess.run([_BACKEND], input=body, env=env, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode(errors="replace").split("\r\n") if ": " in line)
        status = int(fields.pop("Status", "200 OK" if head else "500").split()[0])
        return Answer(status, content, fields)

    def _tell(self, repo: Repo, token: Token | None, before: dict[str, str]) -> None:
        assert token is not None
        with self._world.lock:
            after = repo.git.refs()
            for ref in sorted({*before, *after}):
                old, new = before.get(ref, ZERO_SHA), after.get(ref, ZERO_SHA)
                if old != new and ref.startswith(("refs/heads/", "refs/tags/")):
                    self._events.ref_moved(repo, ref, old, new, token.installation.app.bot)
