"""Our own pull requests as people left them: where one stands, who pushed, who closed it, and taking it back.

Everything said or done here is looked for first, so doing it twice does it once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workers.domain import Sha
from workers.github.api import Refused, ref
from workers.github.notices import find_own
from workers.github.pulls import head
from workers.github.session import Purpose, Session


@dataclass(frozen=True)
class Standing:
    """A pull request of ours now. `mergeable` is None while GitHub has not worked it out; `bot` is our own account,
    which opened it."""

    number: int
    open: bool
    merged: bool
    head: Sha
    branch: str
    target: str
    mergeable: bool | None
    bot: Mapping[str, Any]
    merged_by: str = ""


def standing(session: Session, number: int) -> Standing:
    """Asked anew each time."""
    pull = session.api(Purpose.READ).get(session.repository.path(f"/pulls/{number}"))
    return Standing(
        number=number,
        open=pull["state"] == "open",
        merged=bool(pull["merged"]),
        head=Sha(pull["head"]["sha"]),
        branch=str(pull["head"]["ref"]),
        target=str(pull["base"]["ref"]),
        mergeable=pull["mergeable"],
        bot=pull["user"] or {},
        merged_by=str((pull.get("merged_by") or {}).get("login") or ""),
    )


def went_on(session: Session, branch: str, commit: Sha) -> Sha | None:
    """The commit a branch holds now, when it is another one than ours; None also for a branch that is gone.

    Asked of the branch: a pull request may name its old head for a while.
    """
    now = head(session.api(Purpose.READ), session.repository, branch)
    return Sha(now) if now and now != commit else None


def is_by(session: Session, commit: Sha, bot: Mapping[str, Any]) -> bool:
    """GitHub knows the commit's author as this account. Anybody may write our address into a commit, so this decides
    who is told about it, never what may be overwritten."""
    found = session.api(Purpose.READ).find(session.repository.path(f"/commits/{commit}")) or {}
    return bool(bot) and (found.get("author") or {}).get("id") == bot.get("id")


def already_in(session: Session, number: int, target: str) -> bool:
    """Every file of the pull request is on its target as the pull request has it: there is nothing left to merge."""
    api, repo = session.api(Purpose.READ), session.repository
    files = list(api.pages(repo.path(f"/pulls/{number}/files")))
    return bool(files) and all(_there(api.find(_content(session, one), ref=target), one) for one in files)


def closed_by(session: Session, number: int) -> Mapping[str, Any]:
    """Who closed it, {} when GitHub does not say."""
    found = session.api(Purpose.ISSUE).find(session.repository.path(f"/issues/{number}")) or {}
    return found.get("closed_by") or {}


def say_once(session: Session, number: int, words: str, marker: str) -> None:
    """A comment of ours, unless one with this marker is there."""
    api, repo = session.api(Purpose.TELL), session.repository
    hidden = f"<!-- heal:{marker} -->"
    if find_own(api, repo, number, session.app.app_id, lambda body: hidden in body) is None:
        api.send("POST", repo.path(f"/issues/{number}/comments"), {"body": f"{words}\n\n{hidden}"})


def withdraw(session: Session, number: int, commit: Sha, words: str) -> None:
    """Say why, close it, and delete its branch while that still holds our commit."""
    api, repo = session.api(Purpose.PUBLISH), session.repository
    now = standing(session, number)
    if now.open:
        say_once(session, number, words, "withdrawn")
        api.send("PATCH", repo.path(f"/pulls/{number}"), {"state": "closed"})
    delete_branch(session, now.branch, commit)


def delete_branch(session: Session, branch: str, commit: Sha) -> bool:
    """Delete a branch of ours that nobody else pushed to. False when it is gone or holds something else."""
    api, repo = session.api(Purpose.PUBLISH), session.repository
    if not branch.startswith("heal/") or head(session.api(Purpose.READ), repo, branch) != commit:
        return False
    try:
        api.send("DELETE", repo.path(f"/git/refs/heads/{ref(branch)}"), {}, expect=(403, 404, 422))
    except Refused:  # somebody was faster, or a rule keeps it
        return False
    return True


def _content(session: Session, file: Mapping[str, Any]) -> str:
    return session.repository.path(f"/contents/{ref(str(file['filename']))}")


def _there(found: Any, file: Mapping[str, Any]) -> bool:
    """`found` is what the target has under the file's name, None for nothing."""
    if file["status"] == "removed":
        return found is None
    return isinstance(found, dict) and found.get("sha") == file["sha"]
