"""`heal pause`, `heal resume` and `heal switches`, as an operator types them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from sqlalchemy import insert

from tests.bot.command import heal
from tests.workers.made import case
from workers.domain import Outcome, RunId
from workers.store.database import open_engine, transact
from workers.store.ledger import Ledger
from workers.store.models import Repo
from workers.store.runs import Runs
from workers.store.schema import upgrade
from workers.store.switches import Switches


def test_a_repository_is_paused_and_resumed(tmp_path: Path) -> None:
    """By its name or its id; what waits there ends, what is elsewhere goes on, and a wider switch is named."""
    url = f"sqlite:///{tmp_path / 'heal.db'}"
    upgrade(url)
    engine = open_engine(url)
    ledger = Ledger(engine)
    ledger.open_run(replace(case(), run=RunId("")), "a", "delivery")
    ledger.open_run(replace(case(repo_id=8, repo="octo/other"), run=RunId("")), "b", "delivery")
    done = heal("pause", "--repo", "Octo/Shop", "--for", "7d", "--why", "a release", HEAL_DATABASE_URL=url)
    assert done.returncode == 0
    assert done.stderr.startswith("paused repo:7 until 20")
    assert done.stderr.endswith("; 1 run ended\n")
    assert [run.outcome for run in Runs(engine, 7).of_head(case().head_sha)] == [Outcome.DISABLED]
    assert [run.done for run in Runs(engine, 8).of_head(case().head_sha)] == [False]
    shown = json.loads(heal("switches", "--json", HEAL_DATABASE_URL=url).stdout)
    assert (shown["scope"], shown["who"], shown["why"]) == ("repo:7", "operator", "a release")
    transact(engine, lambda c: c.execute(insert(Repo).values(id=9, installation_id=1, full_name="octo/new", at=1.0)))
    assert heal("pause", "--repo", "octo/new", HEAL_DATABASE_URL=url).stderr.startswith("paused repo:9 until that is")
    assert heal("pause", "--all", HEAL_DATABASE_URL=url).stderr.endswith("; 1 run ended\n")
    assert heal("resume", "--repo", "9", HEAL_DATABASE_URL=url).stderr.splitlines()[:2] == [
        "repo:9 is on again", "still off: all until that is taken back, by operator",
    ]  # fmt: skip
    for scope in (("--all",), ("--installation", "4"), ("--repo", "7")):
        heal("resume", *scope, HEAL_DATABASE_URL=url)
    assert Switches(engine).listed() == ()
    engine.dispose()


def test_what_cannot_be_done_is_one_line(tmp_path: Path) -> None:
    """No scope, two of them, a repository nobody has heard of, a duration that is none."""
    url = f"sqlite:///{tmp_path / 'heal.db'}"
    upgrade(url)
    for wrong, said in (
        ((), "say what: --all"),
        (("--all", "--repo", "7"), "say what: --all"),
        (("--repo", "octo/nothing"), "no repository octo/nothing is known here"),
        (("--all", "--for", "ever"), "ever is no duration"),
    ):
        done = heal("pause", *wrong, HEAL_DATABASE_URL=url)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
