"""Tenants with everything the same but the ids and one word: what a store holds of an installation, as rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, or_, select

from tests.workers.made import PATCH, candidate, diagnosis, report, reproduction
from workers import run_key
from workers.domain import (
    Blame,
    Case,
    Diagnosis,
    Finding,
    JobReport,
    Published,
    RunId,
    Sha,
    Sighting,
    StageName,
    Usage,
    Verdict,
)
from workers.errands.model import CommandGiven, Place
from workers.llm.budgets import Purpose, Use, Worst
from workers.llm.exchange import Call
from workers.llm.purse import Asked, Paid
from workers.store.changes import Changes
from workers.store.errands import Errands
from workers.store.heads import Head, Heads
from workers.store.lease import Lease
from workers.store.ledger import Ledger
from workers.store.lessons import Lessons
from workers.store.models import InstallationState, RepoState, Table
from workers.store.switches import Ignores
from workers.store.tenants import Tenants
from workers.wishes import Kind as Ignorable

SHA, COMMIT, BRANCH, OUR_BRANCH, PRINT = Sha("a" * 40), Sha("c" * 40), "main", "heal/test-1", "f" * 64
NUMBER, OURS = 3, 12
TESTS = ("tests/test_calc.py::test_add",)
USE = Use(40.0, 3)
ASKED = Asked(Purpose.FIXER, "openai", "gpt-5", Worst(5_000, 0.4))


@dataclass(frozen=True)
class Tenant:
    """An installation with one repository. `mark` stands in every text of its own; `run` is over and
    `lease` holds another."""

    installation: int
    repo: int
    mark: str
    run: RunId
    lease: Lease
    change: int
    lesson: int
    case: Case

    @property
    def sees(self) -> frozenset[int]:
        """What somebody of this tenant may see on the pages."""
        return frozenset({self.repo})

    def is_in(self, told: object) -> bool:
        """Something of this tenant stands in an answer: a text of its own, or the id of a run or of itself."""
        ids = (self.mark, self.run, self.lease.run, str(self.repo), str(self.installation))
        return re.search(rf"\b({'|'.join(map(re.escape, ids))})\b", repr(told)) is not None


def case_of(installation: int, repo: int, mark: str, **more: Any) -> Case:
    made = Case(RunId(""), f"{mark}/calc", repo, installation, SHA, BRANCH, job="test", pull_request=NUMBER)
    return replace(made, **more)


def settled(engine: Engine, installation: int, repo: int, mark: str) -> Tenant:
    """A tenant that has healed a run, and has everything that can be had: lessons, switches, heads, bills, errands."""
    ledger = Ledger(engine)
    Tenants(engine).installation(installation, mark, installation, InstallationState.ACTIVE)
    Tenants(engine).repos(installation, [(repo, f"{mark}/calc")], RepoState.ACTIVE)
    case = case_of(installation, repo, mark, actions_run_id=40)
    run, _ = ledger.open_run(case, run_key.run_key(case), "command:1")
    healed = ledger.claim(run, "host:1/1")
    assert healed is not None
    found: Diagnosis = replace(diagnosis(), fingerprint=PRINT, summary=f"It fails for {mark}.", tool="pytest")
    tried = candidate(reasoning=f"Because of {mark}.", patch=f"{PATCH}# {mark}\n")
    published = Published(OURS, f"https://github.example/{mark}", OUR_BRANCH, COMMIT, 1.0, target=BRANCH, patch=mark)
    with healed:
        for stage, value in (
            (StageName.ADMIT, True), (StageName.CHECKOUT, JobReport("test", annotations=(Finding(mark),))),
            (StageName.REPRODUCE, reproduction()), (StageName.DIAGNOSE, found), (StageName.BLAME, Blame(SHA)),
            (StageName.LOCATE, found), (StageName.PROPOSE, tried), (StageName.VERIFY, Verdict(True)),
            (StageName.PUBLISH, published),
        ):  # fmt: skip
            healed.record(stage, 0, value, 0.1)
        healed.sighted([Sighting(TESTS[0], 4, 2)])
        purse = healed.purse(())
        purse.reserve("key", ASKED)
        purse.set_aside("verify:0", USE, USE)
        purse.used("verify:0", USE)
        purse.settle("key", Paid(mark, Usage(900, 80, 0.45), Call(mark, "stop"), 1.0))
        healed.finish(replace(report(), case=replace(case, run=run), detail=f"Fixed for {mark}."))
    line = Changes(engine).by_run(run)
    assert line is not None
    Lessons(engine).learn(line, accepted=True, words=mark, who=mark)
    (lesson,) = Lessons(engine).listed(repo)
    Heads(engine).note(repo, NUMBER, Head(SHA, False, 1.0))
    Ignores(engine, repo).add(Ignorable.TEST, TESTS[0], mark)
    place = Place(installation, repo, f"{mark}/calc", mark, 5)
    Errands(engine).open(CommandGiven(place, NUMBER, True, 1, mark, 1.0), f"command:{repo}", after=900.0)
    second = replace(case, actions_run_id=41)
    at_work, _ = ledger.open_run(second, run_key.run_key(second), "delivery")
    lease = ledger.claim(at_work, "host:1/2")
    assert lease is not None
    lease.record(StageName.DIAGNOSE, 0, found, 0.1)
    return Tenant(installation, repo, mark, run, lease, line.id, lesson.id, replace(case, run=run))


def rows_of(engine: Engine, one: Tenant) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that is this tenant's, in every table that has any."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table in Table.metadata.sorted_tables:
        known = (
            ("installation_id", one.installation), ("repo_id", one.repo), ("run_id", one.run),
            ("run_id", one.lease.run), ("scope", f"repo:{one.repo}"),
        )  # fmt: skip
        which = [table.c[name] == value for name, value in known if name in table.c]
        own = {"installation": one.installation, "repo": one.repo}.get(table.name)
        which += [] if own is None else [table.c["id"] == own]
        if which:
            with engine.connect() as connection:
                found[table.name] = [tuple(row) for row in connection.execute(select(table).where(or_(*which)))]
    return found
