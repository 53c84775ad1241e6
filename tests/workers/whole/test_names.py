"""Branch names that a shell, an argument list, a URL or a file system would stumble over, through a whole run."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.workers.whole.house import FILES, RIGHT, WRONG, House

pytestmark = pytest.mark.uncounted

REPO = "octo/odd"
HEADS = ("--upload-pack=touch${IFS}x", "a;touch${IFS}x|y&z/it's`id`$(id)<\">%2e%2e#!" + "x" * 201)
TARGETS = ("-rf", "naïve/ветка-分支-🚀no\u00a0break\u202eesrever")
"""Git takes no space, so the no-break one stands for it."""


def red_branches(house: House, names: Sequence[str], event: str) -> None:
    """Each is red on top of a green `main`, all in different ways."""
    house.hub.create_repo(REPO, files={**FILES, "calc.py": RIGHT})
    house.hub.finish_ci(REPO, conclusion="success")
    for n, name in enumerate(names):
        house.hub.push(REPO, {"calc.py": WRONG, "n.txt": f"{n}\n"}, branch=name, new_from="main")
        if event == "pull_request":
            house.hub.open_pull(REPO, "octocat", name)
        house.hub.finish_ci(REPO, branch=name, event=event)


@pytest.mark.fault(20)
def test_a_red_pull_request_of_any_branch_is_mended(house: House) -> None:
    """The fix is pushed to that very branch, and to no other one; CI there ends the run."""
    red_branches(house, HEADS, "pull_request")
    before = house.hub.repo(REPO)["branches"]
    assert set(before) == {"main", *HEADS}
    assert max(map(len, HEADS)) == 244
    house.work(lambda: house.all_are(REPO, "parked", len(HEADS)))
    after = house.hub.repo(REPO)["branches"]
    assert {run["branch"] for run in house.runs(REPO)} == set(HEADS)
    assert {name for name in after if after[name] != before.get(name)} == set(HEADS)
    for name in HEADS:
        house.hub.finish_ci(REPO, branch=name, event="pull_request", conclusion="success")
    house.work(lambda: house.all_are(REPO, "done", len(HEADS)))
    assert [run["outcome"] for run in house.runs(REPO)] == ["FIXED"] * len(HEADS)


@pytest.mark.fault(20)
def test_a_fix_goes_to_any_branch(house: House) -> None:
    """Where nobody has a pull request, ours is opened against the branch that is red, by its name."""
    red_branches(house, TARGETS, "push")
    house.heal(REPO, len(TARGETS))
    assert [run["outcome"] for run in house.runs(REPO)] == ["FIXED"] * len(TARGETS)
    assert sorted(pull["base"]["ref"] for pull in house.pulls(REPO)) == sorted(TARGETS)
    assert all(pull["head"]["ref"].startswith("heal/") for pull in house.pulls(REPO))
