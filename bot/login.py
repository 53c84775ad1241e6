"""The ways in and out of the pages: the operator's token, or GitHub, which decides what a person may see."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bot.access import COOKIE, HOW_TO_OPEN, SESSION_SECONDS, Door, Entry, safe_path, same_origin
from bot.bodies import Refused, Room, read_body
from bot.github_login import LOGIN_SECONDS, GitHubAwayError, GitHubLogin, LoginRefusedError
from bot.github_login import SESSION_SECONDS as PERSON_SECONDS
from bot.metrics import Metrics
from bot.rendering import Render
from bot.throttle import Throttle, address

WAY_COOKIE = "heal_login"
PERSON_COOKIE = "heal_person"
BACK = "/login/github/done"
LARGEST_FORM = 4096


@dataclass(frozen=True)
class Visitor:
    """Who looks at the pages. The operator, who has the token or sits at the machine, sees every repository (None)."""

    login: str = ""
    sees: frozenset[int] | None = None


class Turned(Exception):  # noqa: N818 - an answer, not an error
    """A request that gets no page: 401 nobody yet, 403 closed, 503 GitHub or our database is away."""

    def __init__(self, status: int, title: str = "", text: str = "") -> None:
        super().__init__(title)
        self.status, self.title, self.text = status, title, text


@dataclass
class Login:
    """Everything about who somebody is, for one app. `github` is None where nobody can log in that way."""

    door: Door
    github: GitHubLogin | None
    metrics: Metrics
    secure: bool
    """Cookies travel by https only, also where a proxy speaks http to us."""
    page: Render
    tries: Throttle
    """How often one address may try to log in."""

    def routes(self) -> list[BaseRoute]:
        """The routes, in order."""
        return [
            Route("/login", self.form, methods=["GET"]),
            Route("/login", self.by_token, methods=["POST"]),
            Route("/login/github", self.to_github, methods=["GET"]),
            Route(BACK, self.from_github, methods=["GET"]),
            Route("/logout", self.leave, methods=["POST"]),
        ]

    async def visitor(self, request: Request) -> Visitor:
        """Who asks. Raises `Turned`."""
        entry = self.door.entry(request)
        if entry is Entry.OPEN:
            return Visitor()
        person = None
        if self.github is not None:
            try:
                person = await self.github.person(request.cookies.get(PERSON_COOKIE, ""))
            except GitHubAwayError:
                text = "GitHub does not answer, so what you may see is not known. Please try again in a minute."
                raise Turned(503, "GitHub cannot be asked", text) from None
        if person is not None:
            return Visitor(person.login, person.sees)
        raise Turned(401) if entry is Entry.LOGIN else Turned(403, "These pages are closed", HOW_TO_OPEN)

    # Handlers

    async def form(self, request: Request) -> Response:
        """What can be used to log in."""
        if not self.door.token and self.github is None:
            return RedirectResponse("/", status_code=303)
        return self._form(200, safe_path(request.query_params.get("next", "/")))

    async def by_token(self, request: Request) -> Response:
        """Check the operator's token and give a session."""
        try:
            with Room().reading() as share:
                body = await read_body(request, share, LARGEST_FORM)
        except Refused as refusal:
            return self._message(refusal.status, "Not read", f"The form holds a token and nothing else: {refusal}.")
        if refused := self._refused(request):
            return refused
        form = parse_qs(body.decode("utf-8", "replace"))
        target = safe_path(form.get("next", ["/"])[0])
        if not self.door.knows(form.get("token", [""])[0].strip()):
            self.metrics.logins_refused.inc()
            return self._form(403, target, "That is not the token.")
        answer = RedirectResponse(target, status_code=303)
        self._give(answer, request, COOKIE, self.door.session(time.time()), SESSION_SECONDS)
        return answer

    async def to_github(self, request: Request) -> Response:
        """Send somebody to GitHub."""
        if self.github is None:
            return self._nowhere()
        if not self._may_try(request):
            return self._too_many()
        where, way = self.github.leave(safe_path(request.query_params.get("next", "/")))
        answer = RedirectResponse(where, status_code=303)
        self._give(answer, request, WAY_COOKIE, way, LOGIN_SECONDS)
        return answer

    async def from_github(self, request: Request) -> Response:
        """Somebody comes back."""
        if self.github is None:
            return self._nowhere()
        if not self._may_try(request):
            return self._too_many()
        try:
            session, target = await self.github.arrive(request.query_params, request.cookies.get(WAY_COOKIE, ""))
        except LoginRefusedError as error:
            self.metrics.logins_refused.inc()
            return self._form(403, "/", str(error))
        except GitHubAwayError:
            return self._message(503, "GitHub cannot be asked", "Please try again in a minute.")
        answer = RedirectResponse(target, status_code=303)
        self._give(answer, request, PERSON_COOKIE, session, PERSON_SECONDS)
        answer.delete_cookie(WAY_COOKIE)
        return answer

    async def leave(self, request: Request) -> Response:
        """Forget the session in this browser, and at GitHub."""
        if not same_origin(request):
            return self._foreign()
        if self.github is not None:
            await self.github.forget(request.cookies.get(PERSON_COOKIE, ""))
        answer = RedirectResponse("/login", status_code=303)
        for cookie in (COOKIE, PERSON_COOKIE, WAY_COOKIE):
            answer.delete_cookie(cookie)
        return answer

    def turned(self, request: Request, error: Turned) -> Response:
        """The page for a request that gets none."""
        if error.status != 401:
            answer = self._message(error.status, error.title, error.text)
            if error.status == 503:
                answer.headers["retry-after"] = "30"
            return answer
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?{urlencode({'next': target})}", status_code=303)

    # Parts

    def _refused(self, request: Request) -> Response | None:
        if not same_origin(request):
            return self._foreign()
        return None if self._may_try(request) else self._too_many()

    def _may_try(self, request: Request) -> bool:
        return self.tries.allows(address(request))

    def _nowhere(self) -> HTMLResponse:
        return self._message(404, "There is no login with GitHub here", "The operator has not set it up.")

    def _too_many(self) -> HTMLResponse:
        return self._message(429, "Too many tries", "Please wait a minute.")

    def _foreign(self) -> HTMLResponse:
        return self._message(403, "Not from here", "The form was posted from another site.")

    def _form(self, status: int, target: str, wrong: str = "") -> HTMLResponse:
        token, github = bool(self.door.token), self.github is not None
        return self.page("login.html", status, next=target, wrong=wrong, token=token, github=github)

    def _message(self, status: int, title: str, text: str) -> HTMLResponse:
        return self.page("message.html", status, title=title, text=text)

    def _give(self, answer: Response, request: Request, name: str, value: str, seconds: int) -> None:
        secure = self.secure or request.url.scheme == "https"
        answer.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=secure)
