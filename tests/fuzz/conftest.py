"""How many inputs a property gets here: in the suite a few that never change, in `make fuzz` as many as time allows."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci", max_examples=25, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Properties keep the profile that is loaded while their module is imported; other folders keep theirs."""
    before = settings.get_current_profile_name()
    if not collector.config.pluginmanager.has_plugin("tests.fuzz.deep"):
        settings.load_profile("ci")
    try:
        return (yield)
    finally:
        settings.load_profile(before)
