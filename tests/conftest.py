"""What holds for every test: those that lean on another process are marked, so the inner loop can leave them out."""

from __future__ import annotations

import pytest

from tests import installation

PROCESSES = frozenset({"hub", "hub_process", "model", "receiver", "serve", "site", "stage", "theatre", "heal"})
"""Fixtures that start a process: a double, a receiver, the command line."""


def pytest_sessionfinish() -> None:
    """Nothing of ours stays on the engine."""
    installation.remove()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if PROCESSES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("process")
