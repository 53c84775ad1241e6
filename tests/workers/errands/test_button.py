"""Buttons of our check run and the label: looked at like a command, and refused without a word."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from tests.workers.errands.office import REPO, Office
from workers.domain import Case, Outcome
from workers.store.database import transact
from workers.store.models import Run
from workers.store.switches import Ignores


def crashed(office: Office) -> Case:
    """A run on the red pull request that ended by our own fault."""
    office.give("/heal")
    (case,) = office.cases
    office.ledger.cancel(case.run, Outcome.CRASHED, "our fault")
    transact(office.engine, lambda c: c.execute(update(Run).values(fingerprint="f00d")))
    return case


def test_our_own_fault_can_be_cleared(office: Office) -> None:
    """By the button, by GitHub's own Re-run, and by asking for all checks again: one more try, never two at once."""
    case = crashed(office)
    for tries, (identifier, check) in enumerate((("retry", 77), ("rerequested", 77), ("rerequested", 0)), 2):
        run = case.run if check else ""
        assert office.press(identifier, check=check, run=run) == "done: opened"
        again = office.cases[-1]
        assert len(office.cases) == tries
        assert (again.job_id, again.head_sha, again.requested_by) == (case.job_id, case.head_sha, "mona")
        assert "is already working on" in office.press(identifier, check=check, run=run)
        assert len(office.cases) == tries
        office.end()


@pytest.mark.parametrize("identifier", ["retry", "explain", "stop", "ignore"])
def test_who_may_not_gets_no_word(office: Office, identifier: str) -> None:
    """A reader may have things explained and nothing else; an unknown person not even that."""
    case = crashed(office)
    assert "may not" in office.press(identifier, "nobody", 77, case.run)
    if identifier != "explain":
        assert "may not" in office.press(identifier, "eve", 77, case.run)
    assert len(office.cases) == 1
    assert office.said == []


def test_buttons_do_what_they_say(office: Office) -> None:
    """Explained once however often it is pressed, ignored for a while; an unknown button or run does nothing."""
    case = crashed(office)
    for _ in range(2):
        assert office.press("explain", "eve", 77, case.run) == "done: explained"
    assert len(office.said) == 1
    assert f"[`{case.run[-6:]}`](http://heal.example/runs/{case.run})" in office.said[0]
    assert office.press("ignore", "ada", 77, case.run) == "done: ignored for 30 days"
    assert [one.value for one in Ignores(office.engine, office.info.id).listed()] == ["f00d"]
    assert office.press("stop", "mona", 77, case.run) == "done: over already"
    assert "no button of ours" in office.press("dance", "mona", 77, case.run)
    assert "no run of ours" in office.press("retry", "mona", 77, "01elsewhere")
    assert "no run of ours" in office.press("retry", "mona", 77, case.run, sha="b" * 40)


def test_the_label_asks_as_the_command_does(office: Office) -> None:
    """Set by somebody with write access, for the commit that they saw; nobody is told anything else."""
    assert "may not" in office.label("octocat")
    assert office.label("mona", "bug") == "done: not our label"
    assert "moved on" in office.label("mona", sha="b" * 40)
    assert office.cases == []
    assert office.label("mona") == "done: opened"
    assert "is already working on" in office.label("mona")
    assert [case.requested_by for case in office.cases] == ["mona"]
    office.hub.close_pull(REPO, "octocat", office.number)
    assert "nothing that a label can ask for" in office.label("mona")
    assert office.said == []
