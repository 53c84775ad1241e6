"""A proposed fix on the GitHub double, kept in a database, and errands that look after it as a worker's would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from tests.hub.process import AppKeys, CiResult, Hub, RepoInfo
from workers.domain import Case, Diagnosis, FailureClass, How, Published, RunId, Sha
from workers.errands.desk import Desk
from workers.errands.handlers import HANDLERS
from workers.errands.model import KINDS, LookAfter, Payload, Place, PullClosed
from workers.github import App, GitHubForge
from workers.ports import Proposal
from workers.redact import Redactor
from workers.settings import WorkerSettings
from workers.store.changes import ChangeLine, Changes
from workers.store.errands import Errands
from workers.store.lease import Lease
from workers.store.ledger import Ledger
from workers.store.lessons import Lessons

REPO = "octo/shop"
WRONG, RIGHT = "def total(a, b):\n    return a - b\n", "def total(a, b):\n    return a + b\n"
WORKFLOW = "name: CI\non: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: pytest\n"
FILES: Mapping[str, str] = {"shop.py": WRONG, "other.py": "x = 1\n", ".github/workflows/ci.yml": WORKFLOW}
BRANCH = "heal/test-1a2b3c4d"
PROPOSAL = Proposal(BRANCH, "main", "fix: total adds", "Because.", "fix: total adds\n", draft=True, labels=("heal",))
FOUND = Diagnosis(FailureClass.TEST, "pytest", "f1", (), "it fails", "E assert")


@dataclass
class Stage:
    """The double with a red `main`, the App, the database, and what was made on them."""

    hub: Hub
    info: RepoInfo
    keys: AppKeys
    red: CiResult
    engine: Engine
    ledger: Ledger
    mirrors: Path
    opened: int = 0

    @property
    def place(self) -> Place:
        return Place(self.keys.installation_id, self.info.id, REPO)

    @property
    def app(self) -> App:
        return App(self.hub.api_url, self.keys.app_id, self.keys.private_key, pace=0)

    @property
    def case(self) -> Case:
        """The red job of `main`."""
        return Case(
            RunId(""), REPO, self.info.id, self.keys.installation_id, Sha(self.info.sha), "main", job="test",
            job_id=self.red.job_id, actions_run_id=self.red.run_id,
        )  # fmt: skip

    @property
    def state(self) -> Any:
        return self.hub.repo(REPO)

    @property
    def changes(self) -> Changes:
        return Changes(self.engine)

    def lessons(self, accepted: bool) -> tuple[Any, ...]:
        """What was learned about the failure."""
        asked = self.info.id, "f1", self.keys.installation_id
        kept = Lessons(self.engine)
        return kept.accepted(*asked) if accepted else kept.rejected(*asked)

    def lease(self, case: Case, key: str = "one") -> Lease:
        """The run of a case, claimed."""
        run, _ = self.ledger.open_run(case, key, "delivery")
        lease = self.ledger.claim(run, "host:1/2")
        assert lease is not None
        return lease

    def forge(self, case: Case) -> GitHubForge:
        return GitHubForge(self.app, self.mirrors, case, Redactor())

    def publish(self, lease: Lease, edits: Mapping[str, bytes | None], proposal: Proposal = PROPOSAL) -> Published:
        """What a run does with a proven fix: on GitHub, then its checkpoints."""
        case = lease.case
        with self.forge(case) as forge:
            tree = forge.tree(case)
            patch = tree.diff(edits)
            done = forge.publish(case, tree, patch, replace(proposal, ours=case.ours))
        done = replace(done, onto=case.head_sha, patch=patch)
        lease.record("diagnose", 0, FOUND, 0.1)
        lease.record("publish", 0, done, 0.1)
        return done

    def proposed(self) -> tuple[Lease, ChangeLine]:
        """A run that has proposed the fix of `main` and waits for CI."""
        lease = self.lease(self.case)
        done = self.publish(lease, {"shop.py": RIGHT.encode()})
        line = self.changes.by_pull(self.info.id, done.pull_request or 0)
        assert line is not None
        assert line.how is How.PULL
        lease.park(3600.0, "waits for CI")
        return lease, line

    def told(self, line: ChangeLine) -> ChangeLine:
        """The change as it is kept now."""
        found = self.changes.by_pull(line.repo_id, line.number)
        assert found is not None
        return found

    def pull(self, line: ChangeLine) -> Any:
        """Its pull request on the double."""
        return next(one for one in self.state["pulls"] if one["number"] == line.number)

    def said(self, line: ChangeLine) -> list[str]:
        """Comments on its pull request."""
        return [one["body"] for one in self.state["comments"] if one["number"] == line.number]

    def do(self, payload: Payload) -> str:
        """The errand, as its process would do it: opened, claimed, handled."""
        self.opened += 1
        errands = Errands(self.engine)
        errands.open(payload, f"test:{self.opened}")
        claimed = errands.claim("host:1/1")
        assert claimed is not None
        settings = WorkerSettings.model_construct()
        desk = Desk(settings, self.engine, Redactor(), self.ledger, errands, self.app, claimed)
        answer = HANDLERS[KINDS[type(payload)]](desk)
        errands.done(claimed, answer)
        return answer

    def look_after(self, branch: str) -> str:
        """Something happened on a branch."""
        return self.do(LookAfter(self.place, branch, Sha(self.state["branches"].get(branch, "")), "test"))

    def closed(self, line: ChangeLine, merged: bool = False) -> str:
        """The event of a closed pull request."""
        return self.do(PullClosed(self.place, line.number, line.branch, merged))
