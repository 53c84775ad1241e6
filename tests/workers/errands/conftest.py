"""A red pull request on the double, with people of every role, and a database of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.process import Hub
from tests.workers.errands.office import FILES, REPO, Office
from tests.workers.store.conftest import migrated
from workers.errands.process import Counter
from workers.github.session import App
from workers.redact import Redactor
from workers.settings import WorkerSettings
from workers.store.database import open_engine
from workers.store.errands import Errands
from workers.store.ledger import Ledger

__all__ = ["migrated", "office"]


@pytest.fixture
def office(hub: Hub, migrated: Path, tmp_path: Path) -> Iterator[Office]:
    """`change` is red and has a pull request, whose head was seen long before anybody comments."""
    shutil.copy(migrated, tmp_path / "heal.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'heal.db'}")
    info = hub.create_repo(REPO, files=FILES, private=True)
    keys = hub.create_app(account="octo")
    settings = WorkerSettings(
        state_dir=tmp_path / "state", database_url=str(engine.url), github_api_url=hub.api_url,
        public_url="http://heal.example", model="openai:gpt-5",
    )  # fmt: skip
    redactor = Redactor()
    app = App(hub.api_url, keys.app_id, keys.private_key, pace=0)
    errands, ledger = Errands(engine, redactor), Ledger(engine, 60.0, redactor)
    counter = Counter(settings, errands, ledger, app, redactor)
    made = Office(hub, keys, info, engine, counter, ledger, errands)
    for user, role in (("mona", "write"), ("ada", "maintain"), ("eve", "read"), ("octocat", "read")):
        hub.set_permission(REPO, user, role)
    made.sha = hub.push(REPO, {"shop.py": "x = 2\n"}, branch="change", new_from="main")
    made.number = hub.open_pull(REPO, "octocat", "change")["number"]
    made.red = hub.finish_ci(REPO, branch="change", event="pull_request")
    made.saw(made.sha, 1000.0)
    yield made
    counter.close()
    engine.dispose()
