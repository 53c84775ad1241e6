"""One model for all roles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.model.process import Model


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with Model() as running:
        yield running
