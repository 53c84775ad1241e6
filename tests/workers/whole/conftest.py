"""A house on a fresh database, with a receiver that the double's deliveries go to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.conftest import Serve, database, empty_database, serve
from tests.bot.deliveries import SECRET
from tests.hub.process import Hub
from tests.workers.whole.house import House

__all__ = ["database", "empty_database", "house", "serve"]


@pytest.fixture
def house(hub: Hub, serve: Serve, database: str, tmp_path: Path) -> Iterator[House]:
    """On SQLite."""
    site = serve()
    keys = hub.create_app(account="octo", webhook_url=f"{site.url}/webhook", webhook_secret=SECRET)
    made = House(hub, keys, database, tmp_path)
    yield made
    made.close()
