"""Fixtures of the store: every test that asks for `url` or `engine` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from tests.workers.store.servers import postgresql
from workers.domain import Case, RunId, Sha
from workers.store.database import open_engine
from workers.store.ledger import Ledger
from workers.store.schema import upgrade

_numbers = itertools.count(1)
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest schema, to copy from: migrating once is enough."""
    file = tmp_path_factory.mktemp("migrated") / "heal.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_template(cluster: str) -> str:
    """The same as a PostgreSQL database."""
    upgrade(_create(cluster, "heal_migrated"))
    return "heal_migrated"


def _create(cluster: str, name: str, template: str = "template1") -> str:
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return cluster.rsplit("/", 1)[0] + "/" + name


@pytest.fixture(params=BOTH)
def backend(request: pytest.FixtureRequest) -> str:
    """Which database."""
    name: str = request.param
    return name


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path / 'heal.db'}"
    return _create(request.getfixturevalue("cluster"), f"heal_{next(_numbers)}")


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database at the newest schema."""
    if backend == "sqlite":
        shutil.copy(request.getfixturevalue("migrated"), tmp_path / "heal.db")
        return f"sqlite:///{tmp_path / 'heal.db'}"
    template = request.getfixturevalue("migrated_template")
    return _create(request.getfixturevalue("cluster"), f"heal_{next(_numbers)}", template)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine, lease_seconds=60.0)


@pytest.fixture
def case() -> Case:
    return Case(RunId(""), "octo/red", 7, 9, Sha("a" * 40), "main", job="test", pull_request=3)
