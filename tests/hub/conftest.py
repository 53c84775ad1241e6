"""Fixtures of the double's own tests: the double, a red repository, and PyGithub clients."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from github import Auth, Github, GithubIntegration
from github.Repository import Repository

from tests.hub.process import AppKeys, Hub, RepoInfo

REPO = "octo/calc"
FILES: dict[str, str | bytes | None] = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "tests/test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    ".github/workflows/ci.yml": "name: ci\non: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n"
    "    steps:\n      - uses: actions/checkout@v4\n      - run: python -m pytest -q\n",
}


@dataclass
class Setup:
    """A repository with an App installed on it."""

    hub: Hub
    keys: AppKeys
    info: RepoInfo

    def integration(self) -> GithubIntegration:
        auth = Auth.AppAuth(self.keys.app_id, self.keys.private_key)
        return GithubIntegration(
            auth=auth, base_url=self.hub.api_url, retry=None, seconds_between_requests=None,
            seconds_between_writes=None,
        )  # fmt: skip

    def token(self, permissions: dict[str, str] | None = None, repository_ids: list[int] | None = None) -> str:
        asked: dict[str, object] = {}
        if permissions is not None:
            asked["permissions"] = permissions
        if repository_ids is not None:
            asked["repository_ids"] = repository_ids
        path = f"/app/installations/{self.keys.installation_id}/access_tokens"
        with self.integration() as gi:
            _, answer = gi.requester.requestJsonAndCheck("POST", path, input=asked)
        return str(answer["token"])

    def github(self, token: str | None = None) -> Github:
        return Github(
            auth=Auth.Token(token or self.token()), base_url=self.hub.api_url, retry=None,
            seconds_between_requests=None, seconds_between_writes=None, per_page=100,
        )  # fmt: skip

    def repo(self) -> Repository:
        return self.github().get_repo(REPO)


@pytest.fixture
def setup(hub: Hub) -> Setup:
    """`octo/calc` with a red test, and an App with all permissions."""
    info = hub.create_repo(REPO, files=FILES)
    keys = hub.create_app("heal-test")
    return Setup(hub, keys, info)
