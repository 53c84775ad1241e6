"""A red repository on the GitHub double, with the App installed, and forges for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hub.process import AppKeys, CiResult, Hub, RepoInfo
from tests.workers.forge.scene import FILES, LOG, REPO, Scene, red_case
from workers.domain import Case
from workers.github import App, GitHubForge
from workers.redact import Redactor

__all__ = ["scene"]


@pytest.fixture
def scene(hub: Hub, tmp_path: Path) -> Iterator[Scene]:
    """`main` of a private repository is red; the App sees it."""
    info: RepoInfo = hub.create_repo(REPO, files=FILES, private=True)
    keys: AppKeys = hub.create_app(account="octo")
    red: CiResult = hub.finish_ci(REPO, log=LOG, job="test")
    app = App(hub.api_url, keys.app_id, keys.private_key, pace=0)
    case = red_case(info, keys, red)
    redactor = Redactor()
    opened: list[GitHubForge] = []

    def forge(other: Case | None = None, **changes: object) -> GitHubForge:
        made = GitHubForge(replace(app, **changes), tmp_path / "mirrors", other or case, redactor)  # type: ignore[arg-type]
        opened.append(made)
        return made

    make: Callable[..., GitHubForge] = forge
    yield Scene(hub, info, keys, red, case, make, redactor, tmp_path / "mirrors")
    for one in opened:
        one.close()
