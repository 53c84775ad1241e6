"""What reviewers are told: one reply to each remark, true to what was done, and inert whatever others wrote."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.workers.hostile import HOSTILE
from tests.workers.made import GREEN, candidate, case, report
from tests.workers.reviews.benches import remark, suggest
from tests.workers.test_injection import about, assert_inert
from workers import messages
from workers.domain import Aim, Attempt, Candidate, Confidence, Ours, Outcome, Remark, Report, RunId, Said, Sha, Verdict
from workers.messages import reviews

RUN_URL = "http://heal.example/runs/r1"
OURS = Ours(12, "heal/test-1", Sha("c" * 40), "main", Sha("a" * 40), "", RunId("r0"))


def revised(remarks: list[Remark], *attempts: Attempt, **changes: Any) -> Report:
    """The report of a revision."""
    return report(case=case(aim=Aim.REVISE, ours=OURS, remarks=tuple(remarks)), attempts=attempts, **changes)


def held(*meets: int, **more: Any) -> Attempt:
    """The candidate that was verified."""
    return Attempt(candidate(meets=meets, **more), Verdict(True, after=GREEN, reverse_red=True, reruns=2))


def turned_down(why: str, *meets: int, **more: Any) -> Attempt:
    """A candidate that was not."""
    return Attempt(candidate(meets=meets, **more), Verdict(False, "check", why))


def told(found: Report, *said: Said) -> list[tuple[str, bool]]:
    """The replies' words, and whether their threads are closed."""
    return [(one.text, one.solved) for one in messages.review_replies(found, said, RUN_URL)]


def test_what_was_changed_is_told_with_its_proof_and_closes_its_thread() -> None:
    """The commit, the check, the numbers, the evidence; the review's own text has no thread to close."""
    remarks = [suggest("x\n"), remark("Please add it.", 6), remark("And simplify.", path="")]
    words = told(revised(remarks, held(0, 1, 2)))
    assert words[0] == (
        "Applied as you suggested in bbbbbbb, and all of it verified again: `python -m pytest -q` is red without the "
        "change and green with it (0 failed, 4 passed). [Evidence](http://heal.example/runs/r1)",
        True,
    )
    assert words[1][0].startswith("Changed in bbbbbbb, and all of it")
    assert [solved for _, solved in words] == [True, True, False]


def test_what_was_not_changed_is_told_why_and_stays_open() -> None:
    """Each for its own reason: red with it, not there any more, no model, other lines."""
    remarks = [suggest("x\n"), suggest("y\n", 6), suggest("z\n", line=0), remark("Please add it.")]
    found = revised(remarks, turned_down("both are red", 0, 1), turned_down("it is red", 1), held(0))
    assert [text for text, solved in told(found) if not solved] == [
        "I did not apply this: with it the change does not pass (check: it is red).",
        "I did not apply this: its lines are not part of the change any more.",
        "I have no model, so I can only apply suggestion blocks, as they are: a person has to make this change.",
    ]
    by_model = revised([remark("Please add it."), remark("This too.", 6)], held(1, model="m"))
    assert "leaves these as they are, so I leave this open" in told(by_model)[0][0]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.NO_FIX_FOUND, "I tried 2 times and nothing held, so nothing was changed. The last one: still red."),
        (Outcome.NOT_REPRODUCED, "Nothing was changed for this. It is green here."),
        (Outcome.HEAD_MOVED, "Nothing was changed for this. It is green here."),
        (Outcome.CRASHED, "Nothing was changed for this. It is green here."),
    ],
)
def test_a_run_that_changes_nothing_says_so(outcome: Outcome, words: str) -> None:
    """In every thread, with the reason the run ended for."""
    tried = (turned_down("red", model="m"), turned_down("still red", model="m"))
    found = revised([remark("Please add it.")], *tried, outcome=outcome, detail="It is green here.", published=None)
    assert told(found) == [(words, False)]


def test_a_run_that_somebody_ended_says_nothing() -> None:
    """Who stops a run knows why."""
    assert told(revised([remark("Please add it.")], outcome=Outcome.CANCELLED, published=None)) == []


def test_answers_name_who_gives_them() -> None:
    """A model's words are marked as such and tamed; what is read off the evidence is our own."""
    remarks = [remark("Why?"), remark("How?"), remark("Who?"), remark("Hm.")]
    attempt = turned_down("no edit", said=(Said(3, "I would not.", "gpt"),))
    said = (Said(0, "@octocat wrote `-`, see #3", "gpt"), Said(1, "I ran `pytest`."))
    words = [text for text, _ in told(revised(remarks, attempt, outcome=Outcome.NO_FIX_FOUND, published=None), *said)]
    assert words[0].endswith("\n\n*Answered by the model `gpt`; nothing was run for it.*")
    assert "@octocat" not in words[0]
    assert words[1] == "I ran `pytest`."
    assert words[2] == "I cannot answer this from what I ran, so a person has to."
    assert words[3].startswith("I would not.")


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How do you know it works?", "I ran `python -m pytest -q`: red before (1 failed, 3 passed), green with"),
        ("Which command did you run?", "I ran `python -m pytest -q`"),
        ("Is this safe?", "Confidence high: the evidence leaves no room"),
        ("Why was it red?", "I ran `python -m pytest -q`"),
        ("Why is this needed?", "The failure that this mends: add(1, 2) gives -1 (seen at `calc.py:2`)."),
        ("What is the cause?", "What was done about it: `-` became `+` at calc.py:2."),
        ("Did an AI write this?", "This change was made by `search`, without a model."),
        ("Hm?", ""),
    ],
)
def test_without_a_model_the_evidence_answers_what_it_can(question: str, words: str) -> None:
    """Chosen by the question's words; what it does not say is left to people."""
    found = messages.from_evidence(question, report())
    assert (words in found) if words else (found == "")
    assert messages.from_evidence(question, None) == ""


@pytest.mark.uncounted
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_replies_hold_no_markup_of_others(text: str) -> None:
    """Whatever a remark, a model, a tool or a name says."""
    base = about(text)
    remarks = (
        Remark(text, f"```suggestion\n{text}\n```", 1, 9, "x.py", 2, None, 1),
        Remark(text, f"Why {text}?", 2, 9, text, 2, None, 2),
        Remark(text, f"Please {text}", 3, 9, text, 2, None, 3),
    )
    base = replace(base, case=replace(base.case, aim=Aim.REVISE, ours=OURS, remarks=remarks, requested_by=text))
    failed = Candidate("suggestion", "", text, Confidence.HIGH, error=text, meets=(0,))
    said = (Said(1, text, text),)
    unproven = (Attempt(failed, Verdict(False, "check", text)),)
    for attempts, outcome in (
        (base.attempts, Outcome.FIXED),
        (unproven, Outcome.NO_FIX_FOUND),
        ((), Outcome.UNSUPPORTED),
    ):
        found = replace(base, attempts=attempts, outcome=outcome)
        for one in messages.review_replies(found, said, RUN_URL):
            assert_inert(one.text)
        assert_inert(messages.ended(found, RUN_URL).summary)
    for question in ("who", "tested", "why"):
        assert_inert(messages.from_evidence(question, base))
    assert_inert(messages.attempt_rejected(text))
    assert_inert(messages.started(base.case, RUN_URL).summary)


@pytest.mark.parametrize(
    ("remarks", "outcome", "title"),
    [
        ([remark("Please add it.")], Outcome.FIXED, "Revised after a review"),
        ([remark("Please add it.")], Outcome.NO_FIX_FOUND, "Not revised"),
        ([remark("Why?")], Outcome.NO_FIX_FOUND, "Answered, nothing changed"),
        ([remark("Please add it.")], Outcome.NOT_REPRODUCED, "Not reproduced"),
    ],
)
def test_the_check_run_says_what_became_of_the_review(remarks: list[Remark], outcome: Outcome, title: str) -> None:
    """And no comment does: a review is answered in its threads."""
    notice = messages.ended(revised(remarks, held(0), outcome=outcome), RUN_URL)
    assert (notice.title, notice.comment, notice.final) == (title, None, True)
    assert messages.proposed(revised(remarks, held(0)), RUN_URL).comment is None
    assert reviews.ending(report()) is None
