"""What the forge's tests share: the red repository's files, and what a test gets to work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hub.process import AppKeys, CiResult, Hub, RepoInfo
from workers.domain import Case, RunId, Sha
from workers.github import GitHubForge
from workers.ports import Notice, Proposal
from workers.redact import Redactor

REPO = "octo/shop"
LOG = "2026-11-21T04:00:00.0000000Z ##[group]Run pytest\nE   assert 1 == 2\n##[error]Process completed.\n"
WORKFLOW = "name: CI\non: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: pytest\n"
FILES: dict[str, str | bytes | None] = {
    "shop.py": "def total(a, b):\n    return a - b\n",
    "old.py": "gone = True\n",
    "run.sh": {"base64": "ZWNobyAxCg==", "mode": "100755"},  # type: ignore[dict-item]
    ".github/workflows/ci.yml": WORKFLOW,
    ".gitattributes": "* export-ignore\n",
}
EDITS: dict[str, bytes | None] = {
    "shop.py": b"def total(a, b):\n    return a + b\n",
    "old.py": None,
    "run.sh": b"echo 2\n",
    "new.py": "caf\xe9 = 1\n".encode(),
}
PROPOSAL = Proposal(
    branch="heal/shop-test-1a2b3c4d",
    target="main",
    title="fix: total adds",
    body="Because.\n\n<!-- heal:run=run-1 kind=pr v=1 -->",
    commit_message="fix: total adds\n\nProven.\n",
    draft=True,
    labels=("heal",),
)
STARTED = Notice("Looking", "Reproducing the failure.")


def red_case(info: RepoInfo, keys: AppKeys, red: CiResult) -> Case:
    """The run for the red `main` of that repository."""
    return Case(
        run=RunId("run-1"),
        repo=REPO,
        repo_id=info.id,
        installation_id=keys.installation_id,
        head_sha=Sha(info.sha),
        branch="main",
        job="test",
        job_id=red.job_id,
        actions_run_id=red.run_id,
    )


@dataclass(frozen=True)
class Scene:
    """The double, what was made on it, the case, and `forge()` that makes a fresh forge as a new worker would."""

    hub: Hub
    info: RepoInfo
    keys: AppKeys
    red: CiResult
    case: Case
    forge: Callable[..., GitHubForge]
    redactor: Redactor
    mirrors: Path

    @property
    def state(self) -> Any:
        """The repository as the double remembers it."""
        return self.hub.repo(REPO)

    def asked(self, method: str, path: str = "") -> list[Any]:
        """The API requests so far with this method whose path ends so."""
        return [one for one in self.hub.requests() if one["method"] == method and one["path"].endswith(path)]

    @property
    def own_checks(self) -> list[Any]:
        """Our check runs."""
        return [run for run in self.state["check_runs"] if run["name"] == "heal"]
