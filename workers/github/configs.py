"""The settings of a repository as GitHub has them: its own file, its organisation's, and what they come to.

Only default branches count. What stands in a file is a stranger's text and is read as data, never run.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from contextlib import closing

from workers.domain import Outcome
from workers.errors import Stop, UsageError
from workers.github.api import Api, ref
from workers.github.session import Purpose, Repository, Session
from workers.repo_config.bounds import Rules, rules
from workers.repo_config.layers import Effective, Files, merge
from workers.repo_config.model import RepoConfig
from workers.repo_config.problems import Problem
from workers.repo_config.reading import MAX_BYTES, PATH, ConfigError, read
from workers.settings import WorkerSettings

ORGANISATION = ".github"
"""The repository in which an organisation keeps what holds for all of its others."""
SHARED = (PATH, "heal.yml")
"""Where the file may stand there, the first one found counts."""

Read = tuple[RepoConfig | None, tuple[Problem, ...]]
"""A file, or what is wrong with it; neither when there is none."""


def rules_of(settings: WorkerSettings) -> Rules:
    """What the operator decided. A policy that cannot be read stops everything rather than bounding nothing."""
    try:
        return rules(settings.policy_file, settings.repositories)
    except UsageError as error:
        raise Stop(Outcome.DISABLED, f"The operator's policy cannot be used: {error}") from error


def effective(session: Session, rules: Rules, purpose: Purpose = Purpose.READ) -> Effective:
    """What counts for the repository of the session."""
    mine, problems = own(session, purpose)
    theirs, others = organisation(session)
    return merge(Files(mine, theirs, problems, others), rules, session.repository.full_name)


def own(session: Session, purpose: Purpose = Purpose.READ) -> Read:
    """The repository's file. The one that holds the organisation's may have it elsewhere, too."""
    repo = session.repository
    places = SHARED if repo.full_name.endswith(f"/{ORGANISATION}") else (PATH,)
    return _first([at(session.api(purpose), repo, repo.default_branch, path) for path in places])


def organisation(session: Session) -> Read:
    """The organisation's file, where the installation includes the repository that holds it."""
    home = session.neighbour(ORGANISATION)
    if home is None:
        return None, ()
    with closing(home):
        repo, api = home.repository, home.api(Purpose.FILES)
        return _first([at(api, repo, repo.default_branch, path, f"{repo.full_name}/{path}") for path in SHARED])


def at(api: Api, repo: Repository, commit: str, path: str = PATH, name: str = "") -> Read:
    """The file at a commit or branch. `name` is what people know it by, when that is not its path."""
    found = api.find(repo.path(f"/contents/{ref(path)}"), ref=commit)
    if not isinstance(found, dict) or found.get("type", "file") != "file":
        return None, ()
    if found.get("encoding") != "base64":  # GitHub sends no file above a megabyte
        size = f"the file has {found.get('size', 'too many')} bytes, more than the {MAX_BYTES} allowed"
        return None, (Problem(name or path, 1, 1, "", size),)
    try:
        return read(base64.b64decode(found["content"]).decode(errors="replace"), RepoConfig, name or path), ()
    except ConfigError as error:
        return None, error.problems


def _first(found: Sequence[Read]) -> Read:
    """The first file that is there, right or wrong."""
    return next((one for one in found if one[0] is not None or one[1]), (None, ()))
