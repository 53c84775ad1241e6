"""What holds for every test: those that lean on another process are marked, so the inner loop can leave them out."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests import installation
from tests.counting import adds, uncounted
from tests.hub.fixtures import hub, hub_process

if TYPE_CHECKING:
    from xdist.remote import Producer

    from tests.scheduling import Scheduling

__all__ = ["hub", "hub_process"]

settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)  # neither a busy machine nor luck is a finding: new inputs are what `make fuzz` is for
settings.load_profile("steady")

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.set_exc_info,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)  # its own choice draws each traceback as a page with the values of all variables, which takes two thirds of a second

PROCESSES = frozenset({"hub", "hub_process", "model", "receiver", "serve", "site", "stage", "theatre", "heal"})
"""Fixtures that start a process: a double, a receiver, the command line."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Whole files, in an order of ours; any other way to share out tests stays as it is."""
    from tests.scheduling import Scheduling

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Set-up and end of a test are counted for coverage, or not, as the test is."""
    with nullcontext() if adds(mark.name for mark in item.iter_markers()) else uncounted():
        return (yield)


def pytest_sessionfinish() -> None:
    """Nothing of ours stays on the engine."""
    installation.remove()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if PROCESSES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("process")
