"""Is the candidate a fix? Clean tree plus patch: the same command green, nothing that passed broken, nothing cheated,
and red again without the patch. Each question is a gate; the first that says no names itself in the verdict."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

from sandbox.spec import Ending, Result
from workers import logs, policy
from workers.domain import Candidate, Verdict
from workers.patch import PatchError
from workers.ports import Workbench
from workers.reruns import command, rerun

EXCERPT = 4000
"""Characters of failing output that go back to the fixer and onto the run page."""


def verify(candidate: Candidate, bench: Workbench, cancel: Event) -> Verdict:
    """Try the candidate in clean containers. Costs nothing when a gate that needs no container says no."""
    return _unfit(candidate, bench) or _tried(candidate, bench, cancel)


def _unfit(candidate: Candidate, bench: Workbench) -> Verdict | None:
    """The gates that only read the patch."""
    if candidate.error:
        return Verdict(False, "answer", candidate.error)
    try:
        bench.tree.apply(candidate.patch)
    except PatchError as error:
        return Verdict(False, "apply", str(error))
    violations = policy.review(candidate.patch, bench.tree, bench.diagnosis, bench.config.policy)
    if violations:
        return Verdict(False, "policy", "; ".join(f"{v.rule} at {v.path}: {v.quote}" for v in violations[:5]))
    return None


def _tried(candidate: Candidate, bench: Workbench, cancel: Event) -> Verdict:
    """The gates that run code, each in fresh containers."""
    plan, before, tree = bench.reproduction.plan, bench.reproduction.before, bench.tree.tar()
    patch = candidate.patch.encode()
    after = bench.environment.run(plan.check, tree, patch, cancel=cancel)
    if after.ending is Ending.PATCH_REJECTED:
        return Verdict(False, "apply", logs.excerpt(after.output.text, EXCERPT), after)
    if not after.green:
        return Verdict(False, "check", logs.excerpt(after.output.text, EXCERPT), after)
    broken = regressions(before, after)
    if broken:
        return Verdict(False, "regression", "; ".join(broken[:10]), after, regressions=broken)
    later: list[tuple[str, bool]] = []
    for step in plan.after:
        result = bench.environment.run(step, tree, patch, cancel=cancel)
        later.append((step.name, result.green))
        if not result.green:
            why = f"the job's next step {command(step)!r} is red: {logs.excerpt(result.output.text, EXCERPT)}"
            return Verdict(False, "later step", why, after, later_steps=tuple(later))
    again = rerun(bench.environment, plan.check, tree, patch, bench.config.verify.repeat, cancel)
    reds = sum(not result.green for result in again)
    if reds:
        why = f"green once, then red in {reds} of {len(again)} identical runs"
        return Verdict(False, "unstable", why, after, later_steps=tuple(later), reruns=len(again))
    reverse = bench.environment.run(plan.check, tree, None, cancel=cancel)
    verdict = Verdict(
        accepted=True, after=after, reverse_red=not reverse.green, reruns=len(again), later_steps=tuple(later)
    )
    if reverse.green:
        why = "without the patch the check is green as well, so the patch proves nothing"
        return replace(verdict, accepted=False, rejected_by="reverse run", why=why)
    return verdict


def regressions(before: Result, after: Result) -> tuple[str, ...]:
    """Tests that passed before and do not now, and a sentence when fewer tests ran than before."""
    now = {test.id: test.status for test in after.tests}
    lost = [
        f"{test.id} passed before and is {now.get(test.id, 'gone')} now"
        for test in before.tests
        if test.status == "passed" and now.get(test.id) != "passed"
    ]
    ran_before, ran_now = (result.count("passed", "failed", "error") for result in (before, after))
    if ran_now < ran_before:
        lost.append(f"{ran_before} tests ran before, {ran_now} now")
    return tuple(lost)
