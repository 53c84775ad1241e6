"""A pull request of ours on the double of GitHub, and what the database knows of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from tests.workers.forge.conftest import scene
from tests.workers.forge.scene import PROPOSAL, REPO, Scene
from tests.workers.reviews.held import Held
from workers.store.database import db_now, open_engine, transact
from workers.store.ledger import Ledger
from workers.store.models import Change
from workers.store.schema import upgrade

__all__ = ["scene"]

EDIT: dict[str, bytes | None] = {"shop.py": b"def total(a, b):\n    return a + b\n"}
REVIEWER = "ada"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty database."""
    url = f"sqlite:///{tmp_path / 'heal.db'}"
    upgrade(url)
    made = open_engine(url)
    yield made
    made.dispose()


@pytest.fixture
def held(scene: Scene, engine: Engine) -> Held:
    """Our open pull request, with its run and its row; `ada` may write to the repository."""
    ledger = Ledger(engine)
    run, _ = ledger.open_run(scene.case, "first", "delivery")
    forge = scene.forge()
    tree = forge.tree(scene.case)
    patch = tree.diff(EDIT)
    done = forge.publish(scene.case, tree, patch, PROPOSAL)
    assert done.pull_request is not None
    row = {
        "run_id": run, "installation_id": scene.case.installation_id, "repo_id": scene.case.repo_id,
        "number": done.pull_request, "how": "pull", "branch": done.branch, "target": "main", "commit": done.commit,
        "onto": scene.case.head_sha, "patch": patch, "fingerprint": "f1", "job": "test", "state": "open",
        "created_at": db_now(), "updated_at": db_now(),
    }  # fmt: skip
    transact(engine, lambda connection: connection.execute(insert(Change).values(**row)))
    scene.hub.create_user(REVIEWER)
    scene.hub.set_permission(REPO, REVIEWER, "write")
    return Held(scene, engine, ledger, run, done.pull_request, done.commit, patch)
