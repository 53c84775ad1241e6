"""Two installations with everything the same but the ids: whatever one of them asks for or does, by any id or name of
the other, nothing of the other is told and nothing of the other changes."""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

import workers.store
from sandbox.spec import Plan, Step
from tests.workers.made import PATCH, diagnosis
from tests.workers.store.tenants import (
    ASKED,
    BRANCH,
    COMMIT,
    NUMBER,
    OUR_BRANCH,
    OURS,
    PRINT,
    SHA,
    TESTS,
    USE,
    Tenant,
    case_of,
    rows_of,
    settled,
)
from workers import run_key
from workers.domain import (
    Aim,
    Ours,
    Outcome,
    Sighting,
    Usage,
)
from workers.errands.model import Kind
from workers.errors import Stop
from workers.git import mirrors
from workers.llm.budgets import OF_SANDBOX, Limit, Span, Unit, Use
from workers.llm.purse import Paid
from workers.recipe import trust_domain
from workers.store import changes, heals, lessons, sightings, tenants, tending
from workers.store.changes import Changes
from workers.store.errands import Errands
from workers.store.forgetting import Forgetting
from workers.store.heads import Head, Heads
from workers.store.ledger import Ledger
from workers.store.lessons import Lessons
from workers.store.models import InstallationState, RepoState
from workers.store.pages import Pages
from workers.store.rounds import Rounds
from workers.store.runs import Runs
from workers.store.switches import Ignores, RepoWishes, Switches
from workers.store.tenants import Tenants
from workers.wishes import Kind as Ignorable
from workers.wishes import Reach, Scope

MONTH = (Limit(Span.INSTALLATION_MONTH, Unit.USD, 0.5, "some"), Limit(Span.REPO_DAY, Unit.USD, 0.5, "some"))


@dataclass(frozen=True)
class Two:
    """Who asks, and whose ids are asked for."""

    engine: Engine
    me: Tenant
    them: Tenant

    def runs(self) -> Runs:
        return Runs(self.engine, self.me.repo)

    def ledger(self) -> Ledger:
        return Ledger(self.engine)

    def own_keys(self) -> Iterator[str]:
        """The keys of my runs, as an event or a command of mine would make them for the very same numbers."""
        for actions, job in ((40, 0), (41, 0), (0, 5), (0, 0)):
            yield run_key.run_key(replace(self.me.case, actions_run_id=actions, job_id=job))

    def mine(self) -> Ours:
        """A change of mine that names a run of theirs."""
        return Ours(OURS, OUR_BRANCH, COMMIT, BRANCH, SHA, PATCH, self.them.run)


def _uses(t: Two) -> object:
    """My day and my month have room for what I used, and not for what both did."""
    spans = (Span.REPO_DAY, Span.INSTALLATION_MONTH)
    mine = tuple(Limit(span, unit, 1.5 * USE.of(unit)) for span in spans for unit in OF_SANDBOX)
    try:
        t.me.lease.purse(mine).set_aside("again", Use(1.0, 1), Use(1.0, 1))
    except Stop:
        return t.them.mark
    return None


def _spends(t: Two) -> object:
    """My month and my day have room for what I spent, and not for what both did."""
    try:
        t.me.lease.purse(tuple(replace(one, most=0.9) for one in MONTH)).reserve("again", ASKED)
    except Stop:
        return t.them.mark
    return None


Question = Callable[[Two], object]
QUESTIONS: Mapping[str, Question] = {
    "Runs.about": lambda t: [t.runs().about(number) for number in (NUMBER, OURS)],
    "Runs.at_work": lambda t: [t.runs().at_work(key) for key in _theirs(t)],
    "Runs.tries": lambda t: [t.runs().tries(key) for key in _theirs(t)] == [0] * len(_theirs(t)) or t.them.mark,
    "Runs.keys_of": lambda t: t.runs().keys_of("command:1"),
    "Runs.of_head": lambda t: t.runs().of_head(SHA),
    "Runs.key": lambda t: t.runs().key(t.them.run),
    "Runs.case": lambda t: t.runs().case(t.them.run),
    "Runs.published": lambda t: t.runs().published(t.them.run),
    "Pages.runs": lambda t: [Pages(t.engine).runs(sees=t.me.sees, repo=repo) for repo in (None, f"{t.them.mark}/calc")],
    "Pages.visible": lambda t: Pages(t.engine).visible(t.them.run, t.me.sees) and t.them.mark,
    "Pages.run": lambda t: Pages(t.engine).run(t.them.run, t.me.sees),
    "Changes.by_pull": lambda t: Changes(t.engine).by_pull(t.me.repo, OURS),
    "Changes.by_commit": lambda t: Changes(t.engine).by_commit(t.me.repo, COMMIT),
    "Changes.open_for_target": lambda t: Changes(t.engine).open_for_target(t.me.repo, BRANCH),
    "Changes.open_on_branch": lambda t: Changes(t.engine).open_on_branch(t.me.repo, OUR_BRANCH),
    "changes.held": lambda t: _in(t, lambda c: changes.held(c, t.me.repo, t.them.run)),
    "Rounds.first_case": lambda t: Rounds(t.engine).first_case(t.me.repo, t.them.run),
    "Rounds.so_far": lambda t: Rounds(t.engine).so_far(t.me.repo, t.them.run),
    "Rounds.unfinished": lambda t: Rounds(t.engine).unfinished(t.me.repo, OURS),
    "Rounds.at_work": lambda t: Rounds(t.engine).at_work(t.me.repo, OURS) and t.them.mark,
    "Heads.newest": lambda t: Heads(t.engine).newest(t.me.repo, NUMBER),
    "Heads.newest_before": lambda t: Heads(t.engine).newest_before(t.me.repo, NUMBER, 9.0),
    "Heads.pull_of": lambda t: Heads(t.engine).pull_of(t.me.repo, SHA),
    "Heads.note": lambda t: Heads(t.engine).note(t.me.repo, NUMBER, Head(COMMIT, False, 2.0)),
    "heals.lately": lambda t: (
        _in(t, lambda c: heals.lately(c, replace(t.me.case, run=t.me.lease.run), PRINT)) == 1 or t.them.mark
    ),
    "lessons.about": lambda t: [
        _in(t, lambda c: lessons.about(c, repo, PRINT, t.me.installation, accepted=True))  # noqa: B023 - called at once
        for repo in (t.me.repo, t.them.repo)
    ],
    "lessons.similar": lambda t: [
        _in(t, lambda c: lessons.similar(c, repo, replace(diagnosis(), fingerprint=PRINT), t.me.installation))  # noqa: B023
        for repo in (t.me.repo, t.them.repo)
    ],
    "Lessons.accepted": lambda t: [Lessons(t.engine).accepted(r, PRINT, t.me.installation) for r in _repos(t)],
    "Lessons.rejected": lambda t: [Lessons(t.engine).rejected(r, PRINT, t.me.installation) for r in _repos(t)],
    "sightings.past": lambda t: _in(t, lambda c: sightings.past(c, t.me.lease.run, t.me.repo, TESTS)),
    "tending.concerns": lambda t: tending.concerns(t.engine, t.me.repo, f"{t.them.mark}-only"),
    "Switches.over": lambda t: Switches(t.engine).over(t.me.installation, t.me.repo),
    "Switches.off": lambda t: Switches(t.engine).off(Scope(Reach.REPO, t.me.repo), "me"),
    "Switches.on": lambda t: Switches(t.engine).on(Scope(Reach.REPO, t.me.repo)),
    "Ignores.listed": lambda t: Ignores(t.engine, t.me.repo).listed(),
    "Ignores.match": lambda t: Ignores(t.engine, t.me.repo).match("test", TESTS, PRINT),
    "Ignores.add": lambda t: Ignores(t.engine, t.me.repo).add(Ignorable.JOB, "test", "me"),
    "Ignores.remove": lambda t: Ignores(t.engine, t.me.repo).remove(Ignorable.TEST, TESTS[0]),
    "RepoWishes.off": lambda t: RepoWishes(t.engine, t.me.installation, t.me.repo).off(),
    "RepoWishes.ignored": lambda t: RepoWishes(t.engine, t.me.installation, t.me.repo).ignored("test", TESTS, PRINT),
    "Errands.given_lately": lambda t: (
        Errands(t.engine).given_lately(t.me.repo, None, 900.0, Kind.COMMAND) == 1 or t.them.mark
    ),
    "RunPurse.reserve": _spends,
    "RunPurse.set_aside": _uses,
    "RunPurse.used": lambda t: t.me.lease.purse(()).used("verify:0", Use(9.0, 9)),
    "RunPurse.settle": lambda t: t.me.lease.purse(()).settle("key", Paid("mine", Usage(1, 1, 9.0))),
    "Ledger.open_run": lambda t: [t.ledger().open_run(t.me.case, key, "again") for key in t.own_keys()],
    "Ledger.release_run": lambda t: [t.ledger().release_run(key) for key in t.own_keys()],
    "Ledger.waiting": lambda t: [t.ledger().waiting(key) for key in t.own_keys()],
    "Ledger.hold": lambda t: [t.ledger().hold(key, 900.0) for key in t.own_keys()],
    "Ledger.find_by_branch": lambda t: t.ledger().find_by_branch(t.me.repo, OUR_BRANCH),
    "Lease.admitted_today": lambda t: t.me.lease.admitted_today() == 1 or t.them.mark,
    "Lease.heals_lately": lambda t: t.me.lease.heals_lately(t.me.lease.case, PRINT) == 1 or t.them.mark,
    "Lease.past": lambda t: t.me.lease.past(TESTS),
    "Lease.so_far": lambda t: t.me.lease.so_far(t.mine().run),
    "Lease.experience": lambda t: t.me.lease.experience(PRINT),
    "Lease.similar": lambda t: t.me.lease.similar(replace(diagnosis(), fingerprint=PRINT)),
    "Lease.made": lambda t: t.me.lease.made(COMMIT),
    "Lease.held": lambda t: t.me.lease.held(t.mine().run),
    "Lease.sighted": lambda t: t.me.lease.sighted([Sighting(TESTS[0], 4, 1)]),
    "Lease.lead_to": lambda t: [
        t.me.lease.lead_to(replace(t.me.case, actions_run_id=n, aim=Aim.CHECK)) for n in (40, 41, 42)
    ],
    "Lease.purse": lambda t: t.me.lease.purse(MONTH).case,
    "Lessons.learn": lambda t: Lessons(t.engine).learn(_line(t), accepted=False, words="mine"),
    "Tenants.repos": lambda t: Tenants(t.engine).repos(
        t.me.installation, [(t.them.repo, "me/taken")], RepoState.REMOVED
    ),
    "Tenants.account_renamed": lambda t: Tenants(t.engine).account_renamed(t.me.installation, "x", t.them.mark),
    "Tenants.in_reach": lambda t: Tenants(t.engine).in_reach(t.me.installation, t.me.repo),
    "tenants.in_reach": lambda t: _in(t, lambda c: tenants.in_reach(c, t.me.installation, t.me.repo)),
    "Tenants.installation": lambda t: Tenants(t.engine).installation(
        t.me.installation, t.them.mark, 0, InstallationState.ACTIVE
    ),
    "Ledger.settle": lambda t: [t.ledger().settle(key, Outcome.CANCELLED, "", working=True) for key in t.own_keys()],
    "Ledger.cancel_for_branch": lambda t: t.ledger().cancel_for_branch(t.me.repo, BRANCH, COMMIT, before=SHA, at=9e9),
    "Ledger.cancel_for_fork": lambda t: t.ledger().cancel_for_fork(t.me.repo, NUMBER, COMMIT, before=SHA, at=9e9),
    "Ledger.cancel_for_repositories": lambda t: t.ledger().cancel_for_repositories(t.me.installation, _repos(t), ""),
    "Ledger.cancel_for_change": lambda t: t.ledger().cancel_for_change(
        t.me.repo, OURS, OUR_BRANCH, Outcome.CANCELLED, ""
    ),
    "Ledger.cancel_for_installation": lambda t: t.ledger().cancel_for_installation(t.me.installation, ""),
    "Ledger.cancel_for_scope": lambda t: [
        t.ledger().cancel_for_scope(scope, Outcome.DISABLED, "")
        for scope in (Scope(Reach.REPO, t.me.repo), Scope(Reach.INSTALLATION, t.me.installation))
    ],
    "Ledger.cancel_for_number": lambda t: t.ledger().cancel_for_number(t.me.repo, NUMBER, Outcome.CANCELLED, ""),
    "Forgetting.repositories": lambda t: Forgetting(t.engine, t.me.installation).repositories(),
    "Forgetting.wipe": lambda t: [
        Forgetting(t.engine, t.me.installation, which).wipe("e") for which in ((t.them.repo,), ())
    ],
}
"""Every way to ask or to change something by an id, a name, a number or a key: asked as one tenant, for what is the
other's. Those that give a number tell `them.mark` when it counts the other's."""

OF_THE_HOUSE: Mapping[str, str] = {
    "Ledger.due Ledger.turns Ledger.rung Ledger.claim Ledger.cancel Ledger.case Ledger.wake "
    "Ledger.release_worker": "a worker's or a dispatcher's: the run's id was read from a row, of the "
    "same repository, never from outside",
    "Lease.recall Lease.record Lease.seconds Lease.ours Lease.answered Lease.publishing Lease.event Lease.guard "
    "Lease.finish Lease.park Lease.retry Lease.crashed Lease.give_back RunPurse.bound Reservation.spent "
    "Reservation.dated Reservation.keep Reservation.settle": "of the lease's own run alone",
    "Changes.by_run Changes.mark changes.keep changes.ours calls.of_run sandbox_use.of_run opening.lead "
    "opening.append_event opening.open_run sightings.keep Pages.newest Pages.events lessons.about": "called with a "
    "row, or a run, that was asked for by its repository before",
    "Errands.open Errands.begun Errands.queued Errands.prune Errands.claim Errands.done Errands.dead Errands.again "
    "Errands.held Errands.counts errands.put errands.owe_farewell": "the queue's own: no id from outside leads to one",
    "Inbox.add Inbox.add_many Inbox.store Inbox.take Inbox.mark Inbox.mark_many Inbox.known "
    "Inbox.counts": "before anybody's",
    "Pages.figures calls.figures sandbox_use.total Switches.listed Lessons.listed Lessons.forget": "the operator's, "
    "behind the operator's token or a shell",
    "Tenants.gone": "says of ids which are gone, and asks for no more",
    "Ledger.follow_clock clock.follow Roster.seen Roster.gone Roster.alive Retention.prune Retention.hold "
    "Retention.size Retention.compact "
    "retention.kept backup.back_up runs.about reservations.alone Kind.counted "
    "sandbox_use.set_aside sandbox_use.settle": "about the service, not about a tenant; or a part of a query",
}
"""What no tenant's id leads to, and why."""

_NO_DATA = ("schema", "codec", "database", "memory", "models", "migrations", "packing")


def _repos(t: Two) -> tuple[int, int]:
    return t.me.repo, t.them.repo


def _theirs(t: Two) -> tuple[str, ...]:
    return tuple(run_key.run_key(replace(t.them.case, actions_run_id=n)) for n in (40, 41))


def _in(t: Two, ask: Callable[[Any], object]) -> object:
    with t.engine.connect() as connection:
        return ask(connection)


def _line(t: Two) -> Any:
    return Changes(t.engine).by_pull(t.me.repo, OURS)


@pytest.mark.fault(70)
def test_nothing_crosses(engine: Engine) -> None:
    """Not a word, an id or a count of the other tenant is told, and none of its rows changes, whoever came first."""
    pairs = [  # seven digits, so that no time and no count looks like an id
        (settled(engine, n, n + 5_000_000, f"alpha{n}"), settled(engine, n + 1, n + 6_000_000, f"omega{n}"))
        for n in (1_501_001, 1_502_001)
    ]
    for one in itertools.chain(*pairs):
        _has_something_everywhere(engine, one)
    crossed: list[tuple[str, object]] = []
    for me, them in (pairs[0], pairs[1][::-1]):
        Switches(engine).off(Scope(Reach.REPO, them.repo), them.mark, them.mark)
        before = rows_of(engine, them)
        for name, asked in QUESTIONS.items():
            told, now = asked(Two(engine, me, them)), rows_of(engine, them)
            crossed += [(name, told)] if them.is_in(told) else []
            crossed += [(name, table) for table, rows in before.items() if now[table] != rows]
            before = now
    assert crossed == []


def _has_something_everywhere(engine: Engine, one: Tenant) -> None:
    """What is not there cannot cross: a tenant has rows in every table, and answers about itself hold its own words."""
    assert {table for table, rows in rows_of(engine, one).items() if not rows} <= {"delivery", "switch"}
    assert one.is_in(Pages(engine).run(one.run, one.sees))
    assert one.is_in(Lessons(engine).accepted(one.repo, PRINT, one.installation))
    assert one.is_in(Rounds(engine).so_far(one.repo, one.run))
    assert one.is_in(Runs(engine, one.repo).about(NUMBER))
    assert one.is_in(one.lease.experience(PRINT))
    assert one.is_in(one.lease.held(one.run))


def test_mirrors_and_environments_are_nobody_elses(tmp_path: Path) -> None:
    """Each repository has a mirror of its own, and the same set-up of two repositories is two environments and two
    caches: their keys hold the trust domain."""
    one, two = (case_of(n, n, "same") for n in (501, 602))
    assert mirrors.mirror(tmp_path, one.repo_id) != mirrors.mirror(tmp_path, two.repo_id)
    plan = Plan("python", (Step("Install", "pip install x"),), Step("Test", "pytest"))
    keys = {replace(plan, trust=trust_domain(case)).env_key("sha256:1") for case in (one, two)}
    assert len(keys) == 2


def test_no_method_of_the_store_was_left_out() -> None:
    """Whoever adds one to the store says here how the other tenant is kept out of it, or why nobody gets there."""
    said = {*QUESTIONS, *itertools.chain.from_iterable(names.split() for names in OF_THE_HOUSE)}
    assert said == set(_methods())


def _methods() -> Iterator[str]:
    for module in pkgutil.iter_modules(workers.store.__path__):
        if module.name in _NO_DATA:
            continue
        found = importlib.import_module(f"workers.store.{module.name}")
        for name, thing in vars(found).items():
            if name.startswith("_") or getattr(thing, "__module__", "") != found.__name__:
                continue
            if inspect.isfunction(thing):
                yield f"{module.name}.{name}"
            elif inspect.isclass(thing) and name != "Removed":
                yield from (f"{name}.{one}" for one, made in vars(thing).items() if _public(one, made))


def _public(name: str, made: object) -> bool:
    return inspect.isfunction(made) and not name.startswith("_")
