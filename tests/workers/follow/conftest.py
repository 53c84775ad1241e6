"""A red repository on the double with a fix of ours proposed, and an own database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.process import Hub
from tests.workers.follow.stage import FILES, REPO, Stage
from tests.workers.store.conftest import migrated
from workers.store.database import open_engine
from workers.store.ledger import Ledger

__all__ = ["migrated", "stage"]


@pytest.fixture
def stage(hub: Hub, migrated: Path, tmp_path: Path) -> Iterator[Stage]:
    info = hub.create_repo(REPO, files=FILES, private=True)
    keys = hub.create_app(account="octo")
    red = hub.finish_ci(REPO, job="test")
    shutil.copy(migrated, tmp_path / "heal.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'heal.db'}")
    yield Stage(hub, info, keys, red, engine, Ledger(engine, 60.0), tmp_path / "mirrors")
    engine.dispose()
