"""People who log in with an App: consent, the code, the token for it, and what that token sees.

The way through the browser follows GitHub's documentation of the web application flow; the lists are in the models of
githubkit, but not in the copy of GitHub's description beside the repository.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import timedelta
from urllib.parse import urlencode

from tests.hub import shapes
from tests.hub.rest.dispatch import NOT_FOUND, Answer, ApiError, Call, Route
from tests.hub.rest.repos import role_of
from tests.hub.state import App, Installation, Repo, User, UserToken, World


def authorize(world: World, query: dict[str, str]) -> Answer:
    """`GET /login/oauth/authorize` in the browser of whoever is logged in there: they agree, and are sent back."""
    app = _app(world, query.get("client_id", ""))
    if app is None or world.browser is None:
        return Answer(404, {"message": NOT_FOUND})
    made = UserToken(
        text="ghu_" + secrets.token_urlsafe(27),
        user=world.browser,
        app=app,
        expires=world.now() + timedelta(hours=8),
        code=secrets.token_hex(10),
        back=query.get("redirect_uri", ""),
        challenge=query.get("code_challenge", ""),
    )
    world.user_tokens[made.text] = made
    back = urlencode({"code": made.code, "state": query.get("state", "")})
    return Answer(302, None, {"Location": f"{made.back}?{back}"})


def access_token(world: World, form: dict[str, str]) -> Answer:
    """`POST /login/oauth/access_token`: a code is good once, for the App and the address it was made for."""
    app = _app(world, form.get("client_id", ""))
    if app is None or not secrets.compare_digest(app.client_secret, form.get("client_secret", "")):
        return Answer(200, {"error": "incorrect_client_credentials"})
    known = (one for one in world.user_tokens.values() if one.code and one.code == form.get("code") and one.app is app)
    found = next(known, None)
    if found is None:
        return Answer(200, {"error": "bad_verification_code"})
    if found.back != form.get("redirect_uri"):
        return Answer(200, {"error": "redirect_uri_mismatch"})
    proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
    if found.challenge and proof.decode() != found.challenge:
        return Answer(200, {"error": "bad_verification_code"})
    found.code = ""
    return Answer(200, {"access_token": found.text, "expires_in": 28800, "token_type": "bearer", "scope": ""})


def me(call: Call) -> Answer:
    return Answer(200, shapes.public_user(call.world, _holder(call).user))


def installations(call: Call) -> Answer:
    """Those of the App in which the person can see at least one repository."""
    holder = _holder(call)
    mine = [
        one
        for one in call.world.installations.values()
        if one.app is holder.app and (one.account is holder.user or _seen(call.world, one, holder.user))
    ]
    return call.page(mine, lambda one: shapes.installation(call.world, one), "installations")


def repositories(call: Call) -> Answer:
    holder = _holder(call)
    one = call.world.installations.get(call.number("installation_id"))
    if one is None or one.app is not holder.app:
        raise ApiError(404, NOT_FOUND)
    seen = _seen(call.world, one, holder.user)
    return call.page(seen, lambda repo: shapes.repository(call.world, repo), "repositories")


def give_back(call: Call) -> Answer:
    """`DELETE /applications/{client_id}/token`, with the App's client id and secret."""
    app = _app(call.world, call.params["client_id"])
    given = call.headers.get("authorization", "").removeprefix("Basic ")
    if app is None or base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode() != given:
        raise ApiError(404, NOT_FOUND)
    found = call.world.user_tokens.get(str((call.body or {}).get("access_token")))
    if found is None or found.app is not app:
        raise ApiError(404, NOT_FOUND)
    found.revoked = True
    return Answer(204)


def _app(world: World, client_id: str) -> App | None:
    return next((one for one in world.apps.values() if one.client_id == client_id), None)


def _holder(call: Call) -> UserToken:
    _, _, text = call.headers.get("authorization", "").partition(" ")
    found = call.world.user_tokens.get(text)
    if found is None or found.revoked or found.code or found.expires <= call.world.now():
        raise ApiError(401, "Bad credentials")
    return found


def _seen(world: World, installation: Installation, user: User) -> list[Repo]:
    """What both the App and the person can read."""
    return [
        repo
        for repo in world.repos.values()
        if installation in world.installations_of(repo) and not repo.gone and role_of(repo, user.login) != "none"
    ]


ROUTES = (
    Route("GET", "/user", me, model="PublicUser", auth="none"),
    Route("GET", "/user/installations", installations, model="installations:[Installation]", auth="none"),
    Route("GET", "/user/installations/{installation_id}/repositories", repositories,
          model="repositories:[Repository]", auth="none"),
    Route("DELETE", "/applications/{client_id}/token", give_back, auth="none"),
)  # fmt: skip
NOT_COPIED = frozenset(route.template for route in ROUTES)
"""Operations that the copy of GitHub's description leaves out."""
