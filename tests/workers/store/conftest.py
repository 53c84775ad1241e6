"""Fixtures of the store: every test that asks for `url` or `engine` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
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


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'heal.db'}"
    cluster: str = request.getfixturevalue("cluster")
    name = f"heal_{next(_numbers)}"
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return cluster.rsplit("/", 1)[0] + "/" + name


@pytest.fixture
def url(empty_url: str) -> str:
    """A database at the newest schema."""
    upgrade(empty_url)
    return empty_url


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
