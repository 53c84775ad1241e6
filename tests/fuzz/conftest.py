"""How many inputs a property gets here: in the suite a few that never change, else as many as time allows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci", max_examples=25, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="package", autouse=True)
def profile(request: pytest.FixtureRequest) -> Iterator[None]:
    """This folder's profile, unless the runner of `make fuzz` has set its own; other folders keep theirs."""
    before = settings.get_current_profile_name()
    if not request.config.pluginmanager.has_plugin("tests.fuzz.deep"):
        settings.load_profile("ci")
    yield
    settings.load_profile(before)
