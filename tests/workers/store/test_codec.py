"""Promises of the stored form of values."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.spec import Ending, Evidence, Output, Plan, Result, Skipped, Step, TestCase
from workers.domain import (
    Attempt,
    Candidate,
    Case,
    Confidence,
    Diagnosis,
    FailureClass,
    Finding,
    Outcome,
    Report,
    Reproduction,
    RunId,
    Sha,
    Usage,
    Verdict,
)
from workers.redact import Redactor
from workers.store.codec import clean, from_json, to_json

text = st.text(max_size=12)
numbers = st.floats(allow_nan=False, width=32)
maps = st.dictionaries(text, text, max_size=2)
steps = st.builds(Step, text, text, text, maps, text)
plans = st.builds(
    Plan,
    text,
    st.tuples(steps),
    steps,
    env=maps,
    manifests=maps,
    skipped=st.tuples(st.builds(Skipped, text, text, st.booleans())),
    notes=st.tuples(text),
)
results = st.builds(
    Result,
    ending=st.sampled_from(Ending),
    exit_code=st.none() | st.integers(-255, 255),
    output=st.builds(Output, text, st.integers(0)),
    tests=st.lists(st.builds(TestCase, text, text, numbers, text), max_size=2).map(tuple),
    report=st.binary(max_size=40),
    wall_s=numbers,
    peak_memory=st.integers(0, 1 << 40),
    evidence=st.builds(Evidence, text, text, text, text, text, st.tuples(text)),
)
verdicts = st.builds(
    Verdict,
    st.booleans(),
    text,
    text,
    st.none() | results,
    regressions=st.tuples(text),
    later_steps=st.tuples(st.tuples(text, st.booleans())),
)
candidates = st.builds(
    Candidate, text, text, text, st.sampled_from(Confidence), usage=st.builds(Usage, cost_usd=st.none() | numbers)
)
reproductions = st.builds(Reproduction, plans, results, st.integers(0, 9), st.integers(0, 9))
diagnoses = st.builds(
    Diagnosis,
    st.sampled_from(FailureClass),
    text,
    text,
    st.tuples(st.builds(Finding, text, st.none() | text, st.none() | st.integers(1, 9))),
    text,
    text,
)
reports = st.builds(
    Report,
    st.just(Case(RunId("r"), "o/r", 1, 2, Sha("s"), "b")),
    st.sampled_from(Outcome),
    text,
    reproduction=st.none() | reproductions,
    diagnosis=st.none() | diagnoses,
    attempts=st.lists(st.builds(Attempt, candidates, verdicts), max_size=2).map(tuple),
    seconds=st.dictionaries(text, numbers, max_size=2),
)


@settings(max_examples=60, deadline=None)
@given(st.one_of(reproductions, verdicts, candidates, diagnoses, reports))
def test_values_come_back_equal(value: object) -> None:
    """What is stored of a run's values comes back equal: any bytes, enums, mappings, nested tuples."""
    assert from_json(clean(to_json(Redactor().scrub(value))), type(value)) == value


def test_undecodable_text_is_stored() -> None:
    """A lone surrogate in captured output becomes a question mark instead of an error."""
    kept = Redactor().scrub(Output("a\udcffb"))
    assert from_json(to_json(kept), Output) == Output("a?b")
