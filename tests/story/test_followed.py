"""What becomes of a proposed fix: the real CI goes on with it, the base moves, and the world may mend it first."""

from __future__ import annotations

from typing import Any

import pytest

from tests.story.scenes import PATH, PYTEST, RED, RIGHT, STEPS, TEST, WRONG
from tests.story.theatre import Theatre
from workers.domain import Sha
from workers.errands.model import LookAfter, Place
from workers.store.database import open_engine
from workers.store.errands import Errands

pytestmark = [pytest.mark.story, pytest.mark.engine, pytest.mark.redis]

OFFER = """\
from shop import discounted


def offer(quantity):
    price = discounted(100, quantity)
    if price < 100:
        return f"{quantity} for {pricee} each"
    return f"{quantity} pieces"
"""
TEST_OFFER = """\
import unittest

from offers import offer


class OfferTest(unittest.TestCase):
    def test_one_is_no_offer(self):
        self.assertEqual(offer(1), "1 pieces")

    def test_ten_are_told(self):
        self.assertEqual(offer(10), "10 for 95 each")
"""
_SHOP, _, _STEPS = PYTEST.partition("    steps:\n")
TWO_JOBS = (
    f"{_SHOP}    steps:\n{_STEPS.replace('pytest -q', 'pytest -q test_shop.py')}"
    f"  offers:\n    runs-on: ubuntu-latest\n    steps:\n{_STEPS.replace('pytest -q', 'pytest -q test_offers.py')}"
)


def newest(theatre: Theatre, repo: str, count: int) -> dict[str, Any]:
    """The newest of so many runs, once it waits for the repository's CI."""

    def waits() -> dict[str, Any] | None:
        runs = theatre.runs_of(repo)
        return runs[0] if len(runs) == count and runs[0]["state"] == "parked" else None

    return theatre.wait(waits, 120, f"run {count} of {repo} that waits")


def test_ci_finds_another_failure(theatre: Theatre, repo: str) -> None:
    """The fix lets another job reach what was broken there: one more commit on the same pull request mends that too,
    and when CI is green on both the draft becomes ready."""
    files = {PATH: TWO_JOBS, "shop.py": WRONG, "test_shop.py": TEST, "offers.py": OFFER, "test_offers.py": TEST_OFFER}
    theatre.hub.create_repo(repo, files=files)
    theatre.hub.finish_ci(repo, steps=STEPS)
    newest(theatre, repo, 1)
    ours = theatre.wait_for_pull(repo)["head"]["ref"]
    theatre.hub.finish_ci(repo, branch=ours, job="offers", steps=STEPS, beside=["test"])
    second = newest(theatre, repo, 2)
    (first,) = [run for run in theatre.runs_of(repo) if run["id"] != second["id"]]
    assert first["outcome"] == "UNCONFIRMED"
    told = theatre.said(repo)
    assert any(f"It goes on in [one run]({theatre.url}/runs/{second['id']})" in comment["body"] for comment in told)
    theatre.hub.finish_ci(repo, branch=ours, job="offers", conclusion="success", beside=["test"])
    assert theatre.wait_for_run(repo, 30, at_least=2)["outcome"] == "FIXED"
    (pull,) = theatre.pulls(repo)
    assert (pull["commits"], pull["draft"], pull["head"]["ref"]) == (2, False, ours)
    assert sorted(file["filename"] for file in pull["files"]) == ["offers.py", "shop.py"]
    assert "\u2705 green: [`offers`](http" in pull["body"]


@pytest.mark.fault(14)
def test_renamed_while_ci_works_on_our_fix(theatre: Theatre, repo: str) -> None:
    """Events tell the new name from then on: the run goes on under it, and a comment on its pull request is answered.
    Whoever has taken the old name gets nothing of it."""
    theatre.hub.create_repo(repo, files=RED)
    theatre.hub.set_permission(repo, "mona", "write")
    theatre.hub.finish_ci(repo, steps=STEPS)
    newest(theatre, repo, 1)
    pull = theatre.wait_for_pull(repo)
    new = theatre.hub.rename_repo(repo, f"{repo.partition('/')[2]}-new")
    theatre.hub.create_repo(repo, files=RED)
    theatre.hub.finish_ci(new, branch=pull["head"]["ref"], conclusion="success")
    run = theatre.wait_for_run(new, 60)
    assert (run["outcome"], theatre.runs_of(repo)) == ("FIXED", [])
    (fix,), (check,) = theatre.pulls(new), theatre.checks(new)
    assert (fix["number"], fix["draft"], check["status"]) == (pull["number"], False, "completed")
    assert run["published_url"] == fix["html_url"]
    theatre.hub.comment(new, "mona", pull["number"], "/heal status")
    theatre.wait(lambda: next((one for one in theatre.said(new) if run["id"] in one["body"]), None), 20, "the status")
    assert not any((theatre.checks(repo), theatre.pulls(repo), theatre.said(repo)))


def look_after(theatre: Theatre, repo: str, branch: str) -> None:
    """What the receiver sends the workers when something happened on a branch."""
    state = theatre.hub.repo(repo)
    number = state["pulls"][0]["base"]["repo"]["id"]
    place = Place(theatre.app.installation_id, number, repo)
    engine = open_engine(theatre.bot_env["HEAL_DATABASE_URL"])
    sha = Sha(state["branches"][branch])
    Errands(engine).open(LookAfter(place, branch, sha, "pushed"), f"story:{repo}:{branch}:{sha}")
    engine.dispose()


@pytest.mark.fault(26)
def test_the_base_moves_on(theatre: Theatre, repo: str) -> None:
    """A conflicting push to the base: the same pull request is made anew there, proven again. Then somebody else mends
    the base: ours is closed with a word, its branch is gone, and the run that followed it has ended."""
    theatre.hub.create_repo(repo, files=RED)
    theatre.hub.finish_ci(repo, steps=STEPS)
    newest(theatre, repo, 1)
    before = theatre.wait_for_pull(repo)
    moved = WRONG.replace("    if quantity > 10:", "    # Many are cheaper.\n    if quantity > 10:")
    sha = theatre.hub.push(repo, {"shop.py": moved.replace("def discounted", "# Prices.\ndef discounted")})
    look_after(theatre, repo, "main")
    newest(theatre, repo, 2)
    (pull,) = theatre.pulls(repo)
    assert (pull["number"], pull["commits"], pull["mergeable"]) == (before["number"], 2, True)
    commit = theatre.hub.repo(repo)["commits"][pull["head"]["sha"]]
    assert [parent["sha"] for parent in commit["parents"]] == [before["head"]["sha"], sha]
    assert "+    if quantity >= 10:" in pull["files"][0]["patch"]
    theatre.wait(
        lambda: next((run for run in theatre.runs_of(repo) if run["outcome"] == "HEAD_MOVED"), None), 60, "its end"
    )
    theatre.hub.push(repo, {"shop.py": RIGHT})
    theatre.hub.finish_ci(repo, conclusion="success")
    look_after(theatre, repo, "main")
    assert theatre.wait_for_run(repo, 30, at_least=2)["outcome"] == "CANCELLED"
    (pull,) = theatre.pulls(repo)
    assert pull["state"] == "closed"
    assert pull["head"]["ref"] not in theatre.hub.repo(repo)["branches"]
    assert any("Not needed any more" in comment["body"] for comment in theatre.said(repo))
