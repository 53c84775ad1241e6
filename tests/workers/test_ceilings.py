"""The limits that follow from the operator's settings and from heal.yml."""

from __future__ import annotations

import pytest

from workers import ceilings
from workers.llm.budgets import OF_SANDBOX, Limit, Span, Unit
from workers.repo_config import RunLimits
from workers.repo_config.bounds import LimitBounds
from workers.settings import WorkerSettings

RUN, MONTH = Span.RUN, Span.INSTALLATION_MONTH


@pytest.mark.parametrize(
    ("variable", "limit"),
    [
        ("HEAL_SANDBOX_SECONDS_PER_RUN", Limit(RUN, Unit.SANDBOX_SECONDS, 90, "HEAL_SANDBOX_SECONDS_PER_RUN")),
        ("HEAL_CANDIDATES_PER_RUN", Limit(RUN, Unit.CANDIDATES, 90, "HEAL_CANDIDATES_PER_RUN")),
        (
            "HEAL_INSTALLATION_SANDBOX_SECONDS_PER_MONTH",
            Limit(MONTH, Unit.SANDBOX_SECONDS, 90, "HEAL_INSTALLATION_SANDBOX_SECONDS_PER_MONTH"),
        ),
        (
            "HEAL_INSTALLATION_CANDIDATES_PER_MONTH",
            Limit(MONTH, Unit.CANDIDATES, 90, "HEAL_INSTALLATION_CANDIDATES_PER_MONTH"),
        ),
    ],
)
def test_the_operator_bounds_the_sandbox(monkeypatch: pytest.MonkeyPatch, variable: str, limit: Limit) -> None:
    """By a variable each; none is set by default. A run without a database is held to those of one run."""
    assert not [one for one in ceilings.of_operator(WorkerSettings()) if one.unit in OF_SANDBOX]
    monkeypatch.setenv(variable, "90")
    assert limit in ceilings.of_operator(WorkerSettings())
    assert (limit in ceilings.of_run(WorkerSettings())) is (limit.span is Span.RUN)


def test_the_repository_bounds_the_sandbox_by_run_and_day() -> None:
    """Each limit is a key of heal.yml that the operator's policy can lower, and by default more than runs can use."""
    found = {(one.span, one.unit): one for one in ceilings.of_repository(RunLimits()) if one.unit in OF_SANDBOX}
    assert set(found) == {(span, unit) for span in (RUN, Span.REPO_DAY) for unit in OF_SANDBOX}
    for limit in found.values():
        name = limit.setting.removeprefix("limits.")
        assert getattr(RunLimits(), name) == limit.most
        assert name in LimitBounds.model_fields
    longest = WorkerSettings().run_seconds * 2 * RunLimits().runs_per_day  # commands run two at a time
    assert found[RUN, Unit.SANDBOX_SECONDS].most > WorkerSettings().run_seconds * 2
    assert found[Span.REPO_DAY, Unit.SANDBOX_SECONDS].most > longest
