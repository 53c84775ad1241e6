"""Runs for the pages to show, written through the real ledger and lease: a healed one, and one at work."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Engine

from sandbox.spec import Ending, Evidence, Fidelity, Output, Plan, Result, Service, Skipped, Step, TestCase
from workers import logs
from workers.domain import (
    Attempt,
    Blame,
    Candidate,
    Case,
    Commit,
    Confidence,
    Diagnosis,
    FailureClass,
    Finding,
    JobReport,
    Outcome,
    Published,
    Report,
    Reproduction,
    RunId,
    Sha,
    StageName,
    Suspect,
    Usage,
    Verdict,
)
from workers.llm.budgets import Purpose, Use, Worst
from workers.llm.exchange import Call
from workers.llm.purse import Asked, Paid
from workers.store.lease import Lease
from workers.store.ledger import Ledger

PATCH = """--- a/calc/core.py
+++ b/calc/core.py
@@ -4,7 +4,7 @@ def total(values: list[int]) -> int:
     result = 0
     for value in values:
-        result -= value
+        result += value
     return result
"""
WORSE = """--- a/tests/test_core.py
+++ b/tests/test_core.py
@@ -1,3 +1,2 @@
 def test_total():
-    assert total([1, 2]) == 3
+    pass
"""
CULPRIT = Commit(Sha("f" * 40), author="Ada", at="2026-11-21T05:00:00Z", subject="Subtract <b>faster</b>", login="ada")
SUSPECTS = (
    Suspect("calc/core.py", 7, ("raised here", "at a change since the last green commit"), 2.0),
    Suspect("calc/<i>.py", None, ("imported by the failing test",), 0.1),
    *(Suspect(f"calc/m{n}.py") for n in range(9)),
)
EVIDENCE = Evidence(image="sha256:" + "1" * 64, environment="e", tree="t", patch="p", runtime="runc")


def result(*, green: bool, text: str) -> Result:
    """One run of the check."""
    tests = (TestCase("test_total", "passed" if green else "failed"), TestCase("test_mean", "passed"))
    ending, code = (Ending.PASSED, 0) if green else (Ending.FAILED, 1)
    return Result(ending, code, Output(text, 0 if green else 12345), tests, b"", 0.62, 1 << 20, EVIDENCE)


def healed(engine: Engine, name: str = "unit (3.12)", log: str = "", repo: str = "octo/calc", n: int = 1) -> RunId:
    """A run that ended as FIXED; `name` and `log` are what strangers control."""
    ledger = Ledger(engine)
    case = Case(RunId(""), repo, 7001, 501, Sha("a" * 40), "main", job=name, job_id=9001, actions_run_id=8000 + n)
    run, _ = ledger.open_run(case, f"actions:7001:{8000 + n}:1", "delivery")
    lease = ledger.claim(run, "host:1/2")
    assert lease is not None
    report = full_report(lease.case, name, log)
    assert report.reproduction is not None
    assert report.diagnosis is not None
    with lease:
        _stage(lease, StageName.ADMIT, 0, True, 0.21)
        _stage(lease, StageName.CHECKOUT, 0, report.job, 0.48)
        _stage(lease, StageName.REPRODUCE, 0, report.reproduction, 3.1)
        _stage(lease, StageName.DIAGNOSE, 0, report.diagnosis, 0.02)
        _asked(lease)
        for n_, attempt in enumerate(report.attempts):
            _stage(lease, StageName.PROPOSE, n_, attempt.candidate, 0.3)
            _stage(lease, StageName.VERIFY, n_, attempt.verdict, 1.9)
        _stage(lease, StageName.PUBLISH, 0, report.published, 0.9)
        _stage(lease, StageName.FOLLOW, 0, "green", 41.0)
        lease.finish(report)
    return run


def _asked(lease: Lease) -> None:
    """Calls of a model: one of known and one of unknown price, one that nobody answered, and one under way."""
    purse, fixer = lease.purse(()), Asked(Purpose.FIXER, "openai", "tiny", Worst(9_000, 0.5))
    ends = (
        Paid("tiny<i>", Usage(900, 80, None), Call("r1", "stop", 300, 20, estimated=True), 2.0),
        Paid("tiny", Usage(1_100, 20, 0.25), Call("r2", "length"), 3.0),
        Paid(seconds=1.0, error="Retryable"),
    )
    for key, end in zip("abc", ends, strict=True):
        purse.reserve(key, fixer)
        purse.settle(key, end)
    for stage, use in (("reproduce:0", Use(64.0)), ("verify:0", Use(9.5, 1))):
        purse.set_aside(stage, use, use)
        purse.used(stage, use)
    purse.set_aside("verify:1", Use(600.0, 1), Use(1.0, 1))
    purse.reserve("d", replace(fixer, purpose=Purpose.CRITIC))


def at_work(engine: Engine, repo: str = "octo/calc") -> RunId:
    """A run that somebody holds and that is reproducing."""
    ledger = Ledger(engine)
    case = Case(RunId(""), repo, 7002, 501, Sha("b" * 40), "topic/with-a-name", job="lint", actions_run_id=1)
    run, _ = ledger.open_run(case, f"check:{repo}", "delivery")
    lease = ledger.claim(run, "host:1/2")
    assert lease is not None
    with lease:
        _stage(lease, StageName.ADMIT, 0, True, 0.2)
        lease.event("stage", "checkout", state="started", n=0)
    return run


def cancelled(engine: Engine, name: str) -> RunId:
    """A run that was cancelled before it began."""
    ledger = Ledger(engine)
    case = Case(RunId(""), "octo/calc", 7001, 501, Sha("a" * 40), "main", job=name)
    run, _ = ledger.open_run(case, f"check:{name}", "delivery")
    ledger.cancel(run, Outcome.CANCELLED, "Somebody said stop.")
    return run


def _stage(lease: Lease, stage: StageName, n: int, value: object, seconds: float) -> None:
    lease.event("stage", stage, state="started", n=n)
    lease.record(stage, n, value, seconds)


def full_report(case: Case, name: str, log: str) -> Report:
    """Everything a healed run found out."""
    check = Step("Run tests", "python -m pytest -q")
    plan = Plan(
        image="python",
        setup=(Step("Install", "pip install -e .[test]", workdir="app"),),
        check=check,
        env={"CI": "true", "DATABASE_URL": "postgresql://word@postgres/test"},
        services=(Service("postgres", "postgres:16", ports=(5432,)),),
        notes=("CI used Python 3.12, the sandbox has 3.11", name),
        fidelity=Fidelity.CLOSE,
        skipped=(Skipped("Upload coverage", "needs a secret", weakens_proof=False),),
    )
    text = log or "F.\n=== FAILURES ===\nE   assert -3 == 3\n1 failed, 1 passed in 0.02s\n"
    before, after = result(green=False, text=text), result(green=True, text="..\n2 passed in 0.02s\n")
    before = replace(before, evidence=replace(before.evidence, network=("api.example.org",)))
    why = "`total` subtracts each value instead of adding it."
    rejected = Attempt(
        Candidate("llm", WORSE, "Remove the assertion.", Confidence.LOW, "openai:tiny", Usage(900, 80, None)),
        Verdict(accepted=False, rejected_by="weakened_tests", why="The patch removes an assertion from a test."),
    )
    accepted = Attempt(
        Candidate("search", PATCH, why, Confidence.HIGH),
        Verdict(accepted=True, after=after, reverse_red=True, reruns=2),
    )
    finding = Finding("assert -3 == 3", path="calc/core.py", line=7, test="tests/test_core.py::test_total")
    cls = FailureClass.TEST
    return Report(
        case=case,
        outcome=Outcome.FIXED,
        detail=why,
        blame=Blame(Sha("e" * 40), (CULPRIT,), 1, 77, PATCH, span=64, runs=11),
        job=JobReport(
            name,
            logs.parse(log or "##[group]Run python -m pytest -q\n\x1b[31mFAILED\x1b[0m test_total\n"),
            annotations=(Finding("total is wrong", "calc/core.py", 7),),
        ),
        reproduction=Reproduction(plan, before, reruns=2, red_reruns=2),
        diagnosis=Diagnosis(cls, "pytest", "f" * 40, (finding,), why, text, SUSPECTS),
        attempts=(rejected, accepted),
        published=Published(12, "https://github.test/octo/calc/pull/12", "heal/x", "c" * 40),
        seconds={"reproduce": 3.1},
    )
