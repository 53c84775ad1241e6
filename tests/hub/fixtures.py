"""The double as pytest fixtures, for every test: there is one in each process of tests, which holds 170 MB."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.hub.process import ContractViolationError, Hub


@pytest.fixture(scope="session")
def hub_process() -> Iterator[Hub]:
    """One double for the whole session; use `hub`, which empties it for each test."""
    with Hub() as running:
        yield running


@pytest.fixture
def hub(hub_process: Hub) -> Iterator[Hub]:
    """An empty double. The test fails when anything it made the double hear or say was off contract."""
    hub_process.reset()
    yield hub_process
    hub_process.settle()
    found = hub_process.violations(take=True)
    if found:
        raise ContractViolationError(json.dumps(found, indent=1)[:8000])
