"""Which pull request a red commit is the head of, which ones are ours, and where branches point now. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workers.domain import Case
from workers.github.api import Api, ref
from workers.github.session import Repository

OWN = "heal/"
"""Where our branches lie: nothing else is ever created, and what lies there is never healed by itself."""


@dataclass(frozen=True)
class Pull:
    """A pull request, as far as a run needs it. `fork` is also true when the head's repository is gone."""

    number: int
    open: bool
    fork: bool
    head_sha: str
    head_ref: str
    base_ref: str
    url: str
    author_id: int = 0
    """GitHub's id of who opened it."""


def resolve(api: Api, repo: Repository, case: Case) -> Pull | None:
    """The pull request of the case: the one it names, else the open one whose head is the red commit.

    GitHub does not say of a fork's commit which pull request it is in, so for one all open ones are looked through.
    """
    if case.pull_request is not None:
        return by_number(api, repo, case.pull_request)
    if case.branch == repo.default_branch and not case.fork:
        return None
    found = [_pull(data, repo) for data in api.pages(repo.path(f"/commits/{case.head_sha}/pulls"))
             if data["base"]["repo"]["id"] == repo.id]  # fmt: skip
    match = next((pull for pull in found if pull.open and pull.head_sha == case.head_sha), None)
    if match is None and case.fork:
        every = (_pull(data, repo) for data in api.pages(repo.path("/pulls"), state="open"))
        match = next((pull for pull in every if pull.fork and pull.head_sha == case.head_sha), None)
    return match


def by_number(api: Api, repo: Repository, number: int) -> Pull:
    """A pull request as it is now."""
    return _pull(api.get(repo.path(f"/pulls/{number}")), repo)


def head(api: Api, repo: Repository, branch: str) -> str | None:
    """The commit a branch points to now, None when the branch is gone."""
    found = api.find(repo.path(f"/git/ref/heads/{ref(branch)}"))
    return str(found["object"]["sha"]) if found else None


def is_current(api: Api, repo: Repository, case: Case, pull: Pull | None) -> bool:
    """The red commit is still what the branch or the pull request points to."""
    now = pull.head_sha if pull else head(api, repo, case.branch)
    return now == case.head_sha


def of_branch(api: Api, repo: Repository, branch: str) -> Iterator[Mapping[str, Any]]:
    """The pull requests of a branch of this repository as GitHub gives them, open or not, newest first."""
    for pull in api.get(repo.path("/pulls"), state="all", head=f"{repo.owner}:{branch}"):
        if pull["head"]["ref"] == branch:
            yield pull


def open_ones(api: Api, repo: Repository) -> Iterator[Mapping[str, Any]]:
    """The open pull requests of ours as GitHub gives them: those whose branch is one of ours."""
    for pull in api.pages(repo.path("/pulls"), state="open"):
        here = (pull["head"].get("repo") or {}).get("id") == repo.id
        if here and pull["head"]["ref"].startswith(OWN):
            yield pull


def _pull(data: Mapping[str, Any], repo: Repository) -> Pull:
    source = data["head"]["repo"]
    return Pull(
        number=data["number"],
        open=data["state"] == "open",
        fork=source is None or source["id"] != repo.id,
        head_sha=data["head"]["sha"],
        head_ref=data["head"]["ref"],
        base_ref=data["base"]["ref"],
        url=data["html_url"],
        author_id=(data.get("user") or {}).get("id") or 0,
    )
