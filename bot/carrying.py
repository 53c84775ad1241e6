"""Carries decisions out in the database and says of each, in one sentence, what came of it.

Whatever it does may be done twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import assert_never

from sqlalchemy import Engine

from bot.decisions import (
    CancelBranch,
    CancelFork,
    CancelInstallation,
    CancelRepositories,
    Decision,
    Ignore,
    NoteHead,
    NoteInstallation,
    NoteRepos,
    RenameAccount,
    Send,
    Settle,
    Start,
    Tend,
    Wake,
)
from workers.domain import Case, Outcome, RunId, Sha
from workers.errands.model import Forget, Kind, Payload, Place, Recover, RunWaits
from workers.store.errands import Errands
from workers.store.heads import Heads
from workers.store.ledger import Ledger
from workers.store.tenants import OUT_OF_REACH, Tenants
from workers.store.tending import concerns

WAIT_FOR_WORKFLOW = 300.0
"""A red job starts its run after this long even when the workflow run's own event never comes and nobody asks."""
ASK_AFTER = 120.0
"""After this long GitHub is asked what became of the workflow run."""

RECOVER_EVERY = 300.0
"""Seconds between two looks for deliveries that GitHub could not bring."""


class Carrier:
    """The database, for whoever has decided something."""

    def __init__(self, engine: Engine, ledger: Ledger, errands: Errands) -> None:
        self._engine = engine
        self._ledger = ledger
        self._errands = errands
        self._heads = Heads(engine)
        self._tenants = Tenants(engine)

    def __call__(self, decision: Decision, delivery_id: int) -> str:  # noqa: C901 - one case per kind of decision
        """Carry out one decision about a delivery."""
        match decision:
            case Start():
                return self._start(decision, delivery_id)
            case Settle():
                ended = self._ledger.settle(decision.key, Outcome.CANCELLED, decision.why, decision.working)
                return f"ended run {ended}: {decision.why}" if ended else decision.why
            case Wake():
                run = self._ledger.find_by_branch(decision.repo_id, decision.branch)
                woken = run is not None and self._ledger.wake(run)
                return f"woke run {run}" if woken else f"no run waits for {decision.branch}"
            case CancelBranch() | CancelFork() | CancelRepositories() | CancelInstallation():
                return f"cancelled {len(self._cancel(decision))} runs: {decision.why}"
            case NoteHead():
                new = self._heads.note(decision.repo_id, decision.number, decision.head, decision.moved)
                return f"#{decision.number} is at {decision.head.sha[:7]}" + ("" if new else ", known already")
            case NoteInstallation() | NoteRepos() | RenameAccount():
                return self._noted(decision)
            case Send():
                return self._send(decision, delivery_id)
            case Tend():
                if not concerns(self._engine, decision.payload.place.repo_id, decision.payload.branch):
                    return f"no open change of ours has to do with {decision.payload.branch}"
                return self._send(Send(decision.payload, decision.key), delivery_id)
            case Ignore():
                return decision.reason
            case _:
                assert_never(decision)

    def look_for_missed(self, now: float) -> None:
        """Have the workers ask GitHub for missed deliveries, once in `RECOVER_EVERY` seconds however many receivers
        there are, and not while nobody does."""
        if not self._errands.queued(Kind.RECOVER):
            self._errands.open(Recover(), f"recover:{int(now // RECOVER_EVERY)}")

    def _start(self, start: Start, delivery_id: int) -> str:
        if not self._tenants.in_reach(start.case.installation_id, start.case.repo_id):
            return f"not started: {OUT_OF_REACH}"
        case = start.case if start.case.branch else self._of_pull(start.case)
        if case is None:
            return "not started: the payload names no branch, and no pull request has this head"
        if start.instead:
            why = "A later attempt of the same workflow run took its place."
            self._ledger.settle(start.instead, Outcome.DUPLICATE, why)
        wait = WAIT_FOR_WORKFLOW if start.wait else None
        run, new = self._ledger.open_run(case, start.key, "delivery", delivery_id=delivery_id, wait=wait)
        if start.wait:
            place = Place(case.installation_id, case.repo_id, case.repo)
            self._errands.open(RunWaits(place, start.key, case.actions_run_id), f"settle:{start.key}", ASK_AFTER)
        if new:
            return f"opened run {run}" + (", waits for its workflow run" if start.wait else "")
        if not start.wait and self._ledger.release_run(start.key, case) is not None:
            return f"released run {run}"
        return f"run {run} has it already"

    def _of_pull(self, case: Case) -> Case | None:
        """The case of the pull request whose head is red: GitHub names no branch for commits of forks."""
        found = self._heads.pull_of(case.repo_id, case.head_sha)
        if found is None:
            return None
        number, head = found
        return dataclasses.replace(case, branch=f"refs/pull/{number}/head", pull_request=number, fork=head.fork)

    def _cancel(self, decision: CancelBranch | CancelFork | CancelRepositories | CancelInstallation) -> Sequence[RunId]:
        if isinstance(decision, CancelRepositories):
            return self._ledger.cancel_for_repositories(decision.installation_id, decision.repo_ids, decision.why)
        if isinstance(decision, CancelInstallation):
            return self._ledger.cancel_for_installation(decision.installation_id, decision.why)
        if isinstance(decision, CancelFork):
            cancel = partial(self._ledger.cancel_for_fork, decision.repo_id, decision.number)
        else:
            cancel = partial(self._ledger.cancel_for_branch, decision.repo_id, decision.branch)
        keep = Sha(decision.keep)
        return cancel(keep, before=decision.before, at=decision.at, outcome=decision.outcome, detail=decision.why)

    def _noted(self, decision: NoteInstallation | NoteRepos | RenameAccount) -> str:
        match decision:
            case NoteInstallation(id_, account, account_id, state, at):
                self._tenants.installation(id_, account, account_id, state, at)
                return f"installation {id_} of {account}" + (f": {state}" if state else "")
            case NoteRepos(id_, repos, state, at):
                self._tenants.repos(id_, [(repo.id, repo.full_name) for repo in repos], state, at)
                return f"noted {len(repos)} repositories" + (f": {state}" if state else "")
            case RenameAccount(id_, account, was):
                self._tenants.account_renamed(id_, account, was)
                return f"{was} is called {account} now"

    def _may_send(self, payload: Payload) -> bool:
        if isinstance(payload, Recover | Forget):
            return True
        return self._tenants.in_reach(payload.place.installation_id, payload.place.repo_id)

    def _send(self, send: Send, delivery_id: int) -> str:
        if not self._may_send(send.payload):
            return f"left alone: {OUT_OF_REACH}"
        key = f"{send.key}:{delivery_id}" if send.each else send.key
        new = self._errands.open(send.payload, key, send.after, send.fuller)
        return f"errand {key}" + ("" if new else ", known already")
