"""What a fix has to fit into: the free branch, the habit of the newest commits, people, and a pull request's own diff.

Reads only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from workers.domain import Case, How, Outcome, Sha
from workers.errors import Stop
from workers.github.api import Api, ref
from workers.github.pulls import Pull, of_branch, open_ones
from workers.github.session import Purpose, Repository, Session, web_url
from workers.ports import Ground, Wish

_SUBJECTS = 50
_MOST_TRIES = 20
"""Pull requests for one job on one commit that people closed, before no other is opened."""
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")


def survey(session: Session, case: Case, wish: Wish, pull: Pull | None) -> Ground:
    """The answer to the wish. A fix for a fork gets no branch, and nothing is committed for it."""
    api, repo = session.api(Purpose.READ), session.repository
    if case.fork or (pull is not None and pull.fork):
        return Ground("", hunks=_hunks(api, repo, pull) if pull else {})
    branch, closed = _branch(api, repo, case, wish.branch)
    return Ground(
        branch=branch,
        subjects=_subjects(api, repo, case.head_sha),
        asked_by=_person(api, session, case.requested_by) if case.requested_by else "",
        signed_by=_person(api, session, session.bot) if wish.signoff else "",
        hunks=_hunks(api, repo, pull) if pull and wish.how is How.SUGGEST else {},
        closed=closed,
    )


def _branch(api: Api, repo: Repository, case: Case, family: str) -> tuple[str, tuple[tuple[int, Sha], ...]]:
    """The branch of the open pull request of this family; else a new name, with what was closed on earlier ones."""
    for pull in open_ones(api, repo):
        name = str(pull["head"]["ref"])
        if name == family or name.startswith(f"{family}-"):
            return name, ()
    closed: list[tuple[int, Sha]] = []
    for n in range(1, _MOST_TRIES + 1):
        name = f"{family}-{case.head_sha[:7]}" + (f"-{n}" if n > 1 else "")
        found = list(of_branch(api, repo, name))
        if not found:
            return name, tuple(closed)
        closed += [(int(pull["number"]), Sha(pull["head"]["sha"])) for pull in found]
    raise Stop(Outcome.DUPLICATE, f"{_MOST_TRIES} pull requests for this job on this commit were closed.")


def _subjects(api: Api, repo: Repository, sha: Sha) -> tuple[str, ...]:
    found = api.find(repo.path("/commits"), sha=sha, per_page=_SUBJECTS) or ()
    return tuple(str(commit["commit"]["message"]).partition("\n")[0] for commit in found)


def _person(api: Api, session: Session, login: str) -> str:
    """How a commit names somebody, by the address that GitHub keeps for it; empty for whom it does not know."""
    if not _LOGIN.fullmatch(login.removesuffix("[bot]")):
        return ""
    user = api.find(f"/users/{ref(login)}")
    if not user:
        return ""
    host = urlsplit(web_url(session.app.api_url)).hostname
    return f"{user['login']} <{user['id']}+{user['login']}@users.noreply.{host}>"


def _hunks(api: Api, repo: Repository, pull: Pull) -> Mapping[str, str]:
    """What a pull request changes, per path; files too large for GitHub to show have none."""
    files = api.pages(repo.path(f"/pulls/{pull.number}/files"))
    return {str(file["filename"]): str(file.get("patch") or "") for file in files}
