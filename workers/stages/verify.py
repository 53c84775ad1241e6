"""Is the candidate a fix? Clean tree plus patch: the same command green, nothing that passed broken, nothing cheated,
nothing new for the repository's checkers, and red again without the patch. Each question is a gate; the first that says
no names itself in the verdict. Last it is seen which of the changed lines the tests execute: that rejects nothing, but
may make the class low."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Event

from sandbox.spec import Ending
from workers import cheats, granted, logs, policy, spared
from workers.critic import Critic
from workers.domain import REVIEW, Candidate, Change, Experience, Verdict
from workers.gates import suite
from workers.gates.checkers import checked
from workers.gates.lines import covered
from workers.gates.lost import no_proof, regressions, unmended, worse
from workers.patch import PatchError, essence, lint, undoes
from workers.ports import Workbench
from workers.reruns import apart, command, limits, rerun

EXCERPT = 4000
"""Characters of failing output that go back to the fixer and onto the run page."""


def verify(candidate: Candidate, bench: Workbench, cancel: Event, critic: Critic | None = None) -> Verdict:
    """Try the candidate in clean containers. Costs nothing when a gate that needs no container says no.

    A critic, where there is one, looks at a model's patch last, and can only reject it.
    """
    change = _change(candidate, bench)
    if isinstance(change, Verdict):
        return change
    verdict = _unfit(candidate, change, bench) or _tried(candidate, change, bench, cancel)
    if not verdict.accepted or candidate.model is None or critic is None:
        return verdict
    opinion = critic.opinion(candidate, bench)
    looked = replace(verdict, usage=opinion.usage)
    return replace(looked, accepted=False, rejected_by=REVIEW, why=opinion.veto) if opinion.veto else looked


@dataclass(frozen=True)
class _Change:
    """The changed files after the patch, and git's own words for it, however it is written."""

    edits: Mapping[str, bytes | None]
    canonical: str


def _change(candidate: Candidate, bench: Workbench) -> _Change | Verdict:
    """What the patch does to the files, or why it does nothing."""
    if candidate.error:
        return Verdict(False, "answer", candidate.error)
    try:
        edits = bench.tree.apply(candidate.patch)
        return _Change(edits, bench.tree.diff(edits))
    except PatchError as error:
        return Verdict(False, "apply", str(error))


def _unfit(candidate: Candidate, change: _Change, bench: Workbench) -> Verdict | None:
    """The gates that only read the patch."""
    edits, canonical = change.edits, change.canonical
    if refused := _refused(canonical, bench.experience):
        return Verdict(False, "rejected before", refused)
    if bench.keep and undoes(canonical, bench.keep):
        return Verdict(False, "undoes the fix", "it takes back what mends the failure that came before this one")
    violations = [
        violation
        for text in dict.fromkeys((candidate.patch, canonical))
        for violation in policy.review(text, bench.tree, bench.diagnosis, bench.config.policy, bench.config.paths)
    ]
    if not violations and policy.names(canonical) != frozenset(edits):
        violations = [policy.Violation("is no readable diff", "", 0, "it changes other files than it names")]
    violations += cheats.review(
        edits,
        bench.tree,
        bench.diagnosis,
        bench.reproduction.plan,
        allow_test_edits=bench.config.policy.allow_test_edits,
    )
    facts = granted.Facts(bench.diagnosis, bench.since().moved if candidate.change is Change.BOUND else ())
    violations = granted.left(violations, candidate.change, edits, bench.tree, facts, bench.config.policy)
    if violations:
        return Verdict(False, "policy", "; ".join(f"{v.rule} at {v.path}: {v.quote}" for v in violations[:5]))
    try:
        lint.gate(edits, bench.tree)
    except PatchError as error:
        return Verdict(False, "static check", str(error))
    return None


def _refused(canonical: str, experience: Experience) -> str:
    """What people did not want once is not offered to them again."""
    change = essence(canonical)
    known = next((lesson for lesson in experience.rejected if essence(lesson.patch) == change), None)
    return f"this very change was turned down in #{known.number}" if known else ""


def _tried(candidate: Candidate, change: _Change, bench: Workbench, cancel: Event) -> Verdict:
    """The gates that run code, each in fresh containers."""
    plan, before, tree = bench.reproduction.plan, bench.reproduction.before, bench.tree.tar()
    patch = candidate.patch.encode()
    bench.environment.warm(tree, 1 + len(plan.after) + bench.config.verify.repeat + 1, limits(plan))
    after = bench.environment.run(plan.check, tree, patch, limits(plan), cancel=cancel)
    if after.ending is Ending.PATCH_REJECTED:
        return Verdict(False, "apply", logs.excerpt(after.output.text, EXCERPT), after)
    if not after.green:
        return Verdict(False, "check", logs.excerpt(after.output.text, EXCERPT), after)
    if broken := regressions(before, after):
        return Verdict(False, "regression", "; ".join(broken[:10]), after, regressions=broken)
    verdict = Verdict(True, after=after)
    for gate in (_later, _steady, _checked, _suite, _reverse):
        verdict = gate(verdict, patch, change, bench, cancel)
        if not verdict.accepted:
            return verdict
    return replace(verdict, covered=covered(change.edits, change.canonical, bench, cancel, verdict.beside))


def _later(verdict: Verdict, patch: bytes, _: _Change, bench: Workbench, cancel: Event) -> Verdict:
    """The job's steps after the failing one."""
    plan, tree = bench.reproduction.plan, bench.tree.tar()
    for step in plan.after:
        result = bench.environment.run(step, tree, patch, limits(plan), cancel=cancel)
        failing = unmended(result)
        green = result.green and not failing
        verdict = replace(verdict, later_steps=(*verdict.later_steps, (step.name, green)))
        if not green:
            said = "; ".join(failing[:10]) if result.green else logs.excerpt(result.output.text, EXCERPT)
            return _no(verdict, "later step", f"the job's next step {command(step)!r} is red: {said}")
    return verdict


def _steady(verdict: Verdict, patch: bytes, _: _Change, bench: Workbench, cancel: Event) -> Verdict:
    """Green more than once."""
    plan, before, times = bench.reproduction.plan, bench.reproduction.before, bench.config.verify.repeat
    again = rerun(bench.environment, plan, bench.tree.tar(), patch, times, cancel, apart(before.output.text))
    verdict = replace(verdict, reruns=len(again))
    reds = sum(not result.green or bool(regressions(before, result)) for result in again)
    if reds:
        why = f"green once, then red or with fewer tests in {reds} of {len(again)} identical runs"
        return _no(verdict, "unstable", why)
    return verdict


def _checked(verdict: Verdict, patch: bytes, change: _Change, bench: Workbench, cancel: Event) -> Verdict:
    """What the repository's linters and type checkers newly find."""
    found = checked(change.edits, patch, bench, cancel)
    verdict = replace(verdict, checkers=found.compared, unchecked=found.absent)
    return _no(verdict, "lint", "; ".join(found.new[:10])) if found.new else verdict


def _suite(verdict: Verdict, patch: bytes, _: _Change, bench: Workbench, cancel: Event) -> Verdict:
    """The whole suite with the patch, where the check is a part of it, and what it loses: seen in two runs, because
    once may be chance."""
    beside = suite.baseline(bench, cancel)
    if beside is None:
        return verdict
    owns = bench.witness.owns if bench.witness is not None else lambda _: False
    result = suite.run(beside.step, patch, bench, cancel)
    lost = worse(beside.before, result, owns)
    if lost:
        result = suite.run(beside.step, patch, bench, cancel)
        again = worse(beside.before, result, owns)
        lost = tuple(sentence for sentence in lost if sentence in again)
    verdict = replace(verdict, suite=result, beside=beside, regressions=lost)
    return _no(verdict, "suite", "; ".join(lost[:10])) if lost else verdict


def _reverse(verdict: Verdict, _: bytes, __: _Change, bench: Workbench, cancel: Event) -> Verdict:
    """Red again, in the same way, without the patch."""
    plan, before = bench.reproduction.plan, bench.reproduction.before
    step, beside = spared.repeated(plan.check, before)
    reverse = bench.environment.run(step, bench.tree.tar(), None, limits(plan), beside, cancel)
    verdict = replace(verdict, reverse_red=not reverse.green)
    why = no_proof(before, reverse)
    return _no(verdict, "reverse run", why) if why else verdict


def _no(verdict: Verdict, gate: str, why: str) -> Verdict:
    return replace(verdict, accepted=False, rejected_by=gate, why=why)
