"""What GitHub says to the App's key before anything is asked of it: who it is, and what time it is there.

One request, without the retries and the errors of a run: whoever asks wants to know what is wrong.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from github import Auth, GithubIntegration

from workers.github.api import API_VERSION
from workers.github.session import App

PATIENCE_S = 10
_NOT_ACCEPTED = (401, 404)
"""What GitHub answers to a key that it does not know, and to an App that is none."""


class Unwell(OSError):  # noqa: N818 - a state of GitHub's
    """GitHub answered something that says nothing of the App; the text is its status."""


@dataclass(frozen=True)
class Greeting:
    """`name` is the App's, empty when GitHub does not accept its key: `said` is why.

    `ahead` is by how many seconds this machine's clock is ahead of GitHub's, negative behind it; 0.0 when the answer
    took long enough to explain a difference, None when GitHub told no time.
    """

    name: str
    said: str
    ahead: float | None


def greet(app: App) -> Greeting:
    """Ask who the App is. Raises OSError when GitHub does not answer, and `Unwell` when it is in trouble or wants to be
    left alone. The key has to be a sound one."""
    client = GithubIntegration(
        auth=Auth.AppAuth(app.app_id, app.private_key),
        base_url=app.api_url,
        timeout=PATIENCE_S,
        retry=None,
        api_version=API_VERSION,
    )
    try:
        before = time.time()
        status, headers, body = client.requester.requestJson("GET", "/app")
        after = time.time()
    finally:
        client.close()
    if status != 200 and status not in _NOT_ACCEPTED:
        raise Unwell(str(status))
    answer = _object(body)
    name = str(answer.get("slug", "")) if status == 200 else ""
    return Greeting(name, "" if name else f"{status} {answer.get('message', '')}", _ahead(headers, before, after))


def _ahead(headers: Mapping[str, object], before: float, after: float) -> float | None:
    """The least difference that the answer proves: GitHub wrote it between the two times, and leaves out fractions."""
    try:
        theirs = parsedate_to_datetime(str(headers.get("date"))).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, before - theirs - 1) + min(0.0, after - theirs)


def _object(body: str) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
