"""Three of the red repositories through the real pipeline and sandbox: two are mended, one is left alone."""

from __future__ import annotations

import uuid
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from sandbox.environments import DockerSandbox
from sandbox.reaper import remove_all
from tests.sandbox.conftest import CA_BUNDLE, PRIVATE_HOSTS, STATE
from workers.bench.ci import suite
from workers.bench.ci.suite import Ci
from workers.bench.results import Results
from workers.bench.runner import Means, healed, measure


@pytest.mark.engine
def test_log_and_workflow_lead_to_a_right_patch_or_to_an_honest_no(tmp_path: Path) -> None:
    """A misspelt name is put right by the static fixer, as the hidden tests confirm; what is red on the base as well
    is nobody's to mend here; and unittest alone, in an environment without pytest, is enough for the offline search,
    which does not let the failing tests skip themselves."""
    owner = f"tests-{uuid.uuid4().hex[:12]}"
    sandbox = DockerSandbox(None, owner, ca_bundle=CA_BUNDLE, state_dir=STATE, private_hosts=PRIVATE_HOSTS)
    cases = [case for case in Ci().cases() if case.id in ("name-typo", "trap-base-red", "trap-unittest-skip")]
    heal = partial(healed, "ci", means=Means(sandbox, "offline", lambda _: None, Event()))
    try:
        with Results(tmp_path / "rows.jsonl", {}) as results:
            assert measure(cases, heal, results)
    finally:
        sandbox.close()
        remove_all(sandbox.engine, owner)
    rows = results.rows
    assert (rows["name-typo"].outcome, rows["name-typo"].tier, rows["name-typo"].correct) == ("FIXED", "static", True)
    units = rows["trap-unittest-skip"]
    assert (units.outcome, units.tier, units.correct) == ("FIXED", "search", True)
    assert rows["trap-base-red"].outcome == "BASE_ALREADY_RED"
    assert all(suite.right_tier(row) and suite.right_outcome(row) for row in rows.values())
