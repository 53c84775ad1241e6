"""The App's own calls (by JWT): installations, tokens, hook deliveries; and people by name."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import timedelta

from tests.hub import shapes
from tests.hub.rest.dispatch import NOT_FOUND, Answer, ApiError, Call, Route
from tests.hub.state import Delivery, Installation, Json, Token, World

_LEVELS = {"read": 1, "write": 2, "admin": 3}


def get_app(call: Call) -> Answer:
    assert call.app is not None
    count = sum(i.app is call.app for i in call.world.installations.values())
    return Answer(200, {**shapes.app(call.world, call.app), "installations_count": count})


def list_installations(call: Call) -> Answer:
    mine = [i for i in call.world.installations.values() if i.app is call.app]
    return call.page(mine, lambda one: shapes.installation(call.world, one))


def get_installation(call: Call) -> Answer:
    return Answer(200, shapes.installation(call.world, _installation(call)))


def repo_installation(call: Call) -> Answer:
    for one in call.world.installations_of(call.repo):
        if one.app is call.app:
            return Answer(200, shapes.installation(call.world, one))
    raise ApiError(404, NOT_FOUND)


def _installation(call: Call) -> Installation:
    found = call.world.installations.get(call.number("installation_id"))
    if found is None or found.app is not call.app:
        raise ApiError(404, NOT_FOUND)
    return found


def create_token(call: Call) -> Answer:
    world, installation, asked = call.world, _installation(call), call.body or {}
    if installation.suspended:
        raise ApiError(403, "This installation has been suspended")
    repo_ids = asked.get("repository_ids")
    if asked.get("repositories"):
        named = [world.repo(f"{installation.account.login}/{name}") for name in asked["repositories"]]
        repo_ids = [repo.id if repo else -1 for repo in named]
    if repo_ids is not None:
        for repo_id in repo_ids:
            repo = world.repos.get(repo_id)
            if repo is None or repo.gone or installation not in world.installations_of(repo):
                raise ApiError(422, "There is at least one repository that does not exist or is not accessible to "
                               "the parent installation.")  # fmt: skip
    permissions = asked.get("permissions") or dict(installation.permissions)
    for name, level in permissions.items():
        if _LEVELS.get(level, 9) > _LEVELS.get(installation.permissions.get(name, ""), 0):
            raise ApiError(422, "The permissions requested are not granted to this installation.")
    token = mint(world, installation, permissions, set(repo_ids) if repo_ids is not None else None)
    body: Json = {
        "token": token.text,
        "expires_at": token.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "permissions": token.permissions,
        "repository_selection": "all" if token.repo_ids is None and installation.repo_ids is None else "selected",
    }
    if token.repo_ids is not None:
        body["repositories"] = [shapes.repository(world, world.repos[i]) for i in sorted(token.repo_ids)]
    return Answer(201, body)


def mint(world: World, installation: Installation, permissions: dict[str, str], repo_ids: set[int] | None) -> Token:
    """A token in the long form of 2026, valid for one hour."""
    expires = (world.now() + timedelta(hours=1)).replace(microsecond=0)
    claims = {"iss": "hub", "sub": installation.id, "exp": int(expires.timestamp()), "jti": secrets.token_hex(16)}
    parts = [_b64({"alg": "RS256", "typ": "JWT"}), _b64(claims), secrets.token_urlsafe(256)]
    text = f"ghs_{installation.app.id}_{'.'.join(parts)}"
    token = Token(
        text, installation, {"metadata": "read", **permissions}, repo_ids, expires, serial=len(world.tokens) + 1
    )
    world.tokens[text] = token
    return token


def _b64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def revoke_token(call: Call) -> Answer:
    assert call.token is not None
    call.token.revoked = True
    return Answer(204)


def installation_repositories(call: Call) -> Answer:
    assert call.token is not None
    token = call.token
    seen = [
        repo
        for repo in call.world.repos.values()
        if token.installation in call.world.installations_of(repo)
        and not repo.gone
        and (token.repo_ids is None or repo.id in token.repo_ids)
    ]
    answer = call.page(seen, lambda repo: shapes.repository(call.world, repo), "repositories")
    answer.body["repository_selection"] = "all" if token.repo_ids is None else "selected"
    return answer


def list_deliveries(call: Call) -> Answer:
    mine = [d for d in reversed(call.world.deliveries) if d.app is call.app and d.status != "pending"]
    if cursor := call.query.get("cursor"):
        mine = [d for d in mine if d.id < int(cursor)]
    size = min(int(call.query.get("per_page", "30")), 100)
    shown = mine[:size]
    headers = {}
    if len(mine) > size:
        target = f"{call.world.api}{call.path}?per_page={size}&cursor={shown[-1].id}"
        headers["Link"] = f'<{target}>; rel="next"'
    return Answer(200, [shapes.delivery(call.world, one) for one in shown], headers)


def get_delivery(call: Call) -> Answer:
    return Answer(200, shapes.delivery(call.world, _delivery(call), full=True))


def redeliver(call: Call) -> Answer:
    call.events.redeliver(_delivery(call))
    return Answer(202, {})


def _delivery(call: Call) -> Delivery:
    for one in call.world.deliveries:
        if one.id == call.number("delivery_id") and one.app is call.app:
            return one
    raise ApiError(404, NOT_FOUND)


def get_user(call: Call) -> Answer:
    found = call.world.users.get(call.params["username"].lower())
    if found is None:
        raise ApiError(404, NOT_FOUND)
    return Answer(200, shapes.public_user(call.world, found))


def get_app_by_slug(call: Call) -> Answer:
    for one in call.world.apps.values():
        if one.slug == call.params["app_slug"]:
            return Answer(200, shapes.app(call.world, one))
    raise ApiError(404, NOT_FOUND)


def rate_limit(call: Call) -> Answer:
    reset = int(call.world.now().timestamp()) + 3600
    core = {"limit": 5000, "remaining": 4999, "reset": reset, "used": 1}
    search = {"limit": 30, "remaining": 30, "reset": reset, "used": 0}
    return Answer(200, {"resources": {"core": core, "search": search}, "rate": core})


def meta(call: Call) -> Answer:
    return Answer(200, {"verifiable_password_authentication": False, "hooks": ["127.0.0.0/8"]})


ROUTES = (
    Route("GET", "/app", get_app, model="Integration", auth="jwt"),
    Route("GET", "/app/installations", list_installations, model="[Installation]", auth="jwt"),
    Route("GET", "/app/installations/{installation_id}", get_installation, model="Installation", auth="jwt"),
    Route("POST", "/app/installations/{installation_id}/access_tokens", create_token, model="InstallationToken",
          auth="jwt"),
    Route("GET", "/repos/{owner}/{repo}/installation", repo_installation, model="Installation", auth="jwt"),
    Route("DELETE", "/installation/token", revoke_token),
    Route("GET", "/installation/repositories", installation_repositories, model="repositories:[Repository]"),
    Route("GET", "/app/hook/deliveries", list_deliveries, model="[HookDeliveryItem]", auth="jwt"),
    Route("GET", "/app/hook/deliveries/{delivery_id}", get_delivery, model="HookDelivery", auth="jwt"),
    Route("POST", "/app/hook/deliveries/{delivery_id}/attempts", redeliver, auth="jwt"),
    Route("GET", "/users/{username}", get_user, model="PublicUser"),
    Route("GET", "/apps/{app_slug}", get_app_by_slug, model="Integration"),
    Route("GET", "/rate_limit", rate_limit, model="RateLimitOverview"),
    Route("GET", "/meta", meta, auth="none"),
)  # fmt: skip
