"""A base that is red: healed once, however many pull requests have its failure, and its culprit named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.story.scenes import RED, RIGHT, STEPS
from tests.story.theatre import Theatre

pytestmark = [pytest.mark.story, pytest.mark.engine, pytest.mark.redis]


def test_one_fix_for_all_victims(theatre: Theatre, repo: str) -> None:
    """Nobody heard of the red base; two pull requests have its failure. One run heals it, both are led to it, and its
    pull request names the commit that broke it, found between the last green commit and the red one."""
    hub = theatre.hub
    hub.create_repo(repo, files={**RED, "shop.py": RIGHT})
    hub.finish_ci(repo, conclusion="success")
    hub.push(repo, {"README.md": "A shop.\n"}, message="Say what it is")
    broke = hub.push(repo, {"shop.py": RED["shop.py"]}, message="Count from eleven", user="ada")
    hub.drop_deliveries(times=50)
    hub.finish_ci(repo, steps=STEPS)
    hub.settle()
    hub.clear_faults()
    for name in ("one", "two"):
        hub.push(repo, {f"{name}.txt": name}, branch=name)
        hub.open_pull(repo, "octocat", name)
        hub.finish_ci(repo, branch=name, event="pull_request", steps=STEPS)

    def settled() -> dict[str, Any] | None:
        runs = theatre.runs_of(repo)
        return {"runs": runs} if sorted(run["state"] for run in runs) == ["done", "done", "parked"] else None

    runs = theatre.wait(settled, 120, "two victims and the base's run")["runs"]
    (healing,) = (run for run in runs if run["state"] == "parked")
    assert all(run["outcome"] == "BASE_ALREADY_RED" for run in runs if run is not healing)
    (pull,) = theatre.pulls(repo)
    assert pull["base"]["ref"] == "main"
    assert f"**It came with `{broke[:7]}` (`Count from eleven`, by `ada`, " in pull["body"]
    victims = [comment["body"] for comment in theatre.said(repo) if "base branch is red as well" in comment["body"]]
    assert len(victims) == 2
    assert all(f"/runs/{healing['id']})" in body for body in victims)
    hub.finish_ci(repo, branch=pull["head"]["ref"], conclusion="success")
    theatre.wait_for_run(repo, at_least=3)
