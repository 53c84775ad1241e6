"""One model server for these tests, scripted anew by each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.model.process import Model


@pytest.fixture(scope="session")
def model() -> Iterator[Model]:
    with Model() as running:
        yield running
