"""The forge's contract, asserted through the port alone: against the double, and against GitHub where it is set up.

`GITHUB_LIVE_APP_ID`, `_PRIVATE_KEY_FILE`, `_INSTALLATION_ID`, `_REPO` (owner/name), `_REPO_ID`, `_BRANCH`, `_SHA` (its
head, with a failed Actions run) and `_RUN_ID` name a scratch repository. It has never been run where github.com is
out of reach.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.workers.forge.scene import Scene
from workers.domain import Case, RunId, Sha
from workers.github import App, GitHubForge
from workers.ports import CI, Forge, Notice, Proposal

LIVE = os.environ.get("GITHUB_LIVE_APP_ID")


@dataclass(frozen=True)
class Place:
    """A red commit somewhere, and forges to it."""

    case: Case
    forge: Callable[[], Forge]


def live(tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    """The scratch repository at GitHub."""
    given = {name.removeprefix("GITHUB_LIVE_"): value for name, value in os.environ.items() if "GITHUB_LIVE_" in name}
    case = Case(
        RunId(f"live-{uuid.uuid4().hex[:8]}"), given["REPO"], int(given["REPO_ID"]), int(given["INSTALLATION_ID"]),
        Sha(given["SHA"]), given["BRANCH"], actions_run_id=int(given["RUN_ID"]),
    )  # fmt: skip
    app = App("https://api.github.com", int(given["APP_ID"]), Path(given["PRIVATE_KEY_FILE"]).read_text())

    def forge() -> GitHubForge:
        made = GitHubForge(app, tmp_path / "mirrors", case)
        request.addfinalizer(made.close)
        return made

    return Place(case, forge)


@pytest.fixture(params=["double", *(["live"] if LIVE else [])])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each place the contract is asserted at."""
    if request.param == "live":
        return live(tmp_path, request)
    scene: Scene = request.getfixturevalue("scene")
    case = replace(scene.case, job="", job_id=0)
    return Place(case, lambda: scene.forge(case))


def test_from_admission_to_the_pull_request(place: Place) -> None:
    """A red commit is admitted, its job and files are read, notices are shown, and one pull request comes of it."""
    case, forge = place.case, place.forge()
    admission = forge.admission(case)
    assert admission.head_is_current
    forge.tell(case, Notice("Looking", "Reproducing."))
    job = forge.job(case)
    assert job.name
    assert job.log
    tree = forge.tree(case)
    assert job.workflow_path in tree.paths()
    patch = tree.diff({"heal-contract.txt": f"{case.run}\n".encode()})
    words = Proposal(
        f"heal/contract-{case.run}", admission.target, "fix: contract", "Body", "fix: contract\n", draft=True
    )
    first = forge.publish(case, tree, patch, words)
    again = place.forge().publish(case, place.forge().tree(case), patch, words)
    assert (again.pull_request, again.commit) == (first.pull_request, first.commit)
    assert forge.ci(case, first).state in {CI.NONE, CI.PENDING, CI.GREEN, CI.RED}
    forge.confirm(case, first, "Confirmed", ready=False)
    forge.tell(case, Notice("Fixed", "Done.", comment="Done.", final=True), first)
