"""Messages fit into what GitHub takes, whatever is in them, and what was proven is the last thing to go."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.spec import Skipped, Step
from tests.workers.made import candidate, case, diagnosis, report, reproduction, result
from workers import messages
from workers.domain import Attempt, Finding, Outcome, Report, Suspect, Verdict
from workers.messages.markup import LIMIT, details, fence, plain
from workers.messages.room import OUTPUT, Part, Worth, assemble, clipped, in_bytes, shorten
from workers.ports import Notice

NASTY = st.sampled_from(
    ["a", "\n", "```\n", "````", "<details>", "</details>", "`", "|", "\U0001f600", "\u20ac", "\\", "*", "/heal\n",
     "@all ", "x" * 300, " "]
)  # fmt: skip
TEXTS = st.lists(NASTY, max_size=40).map("".join)
SIZES = st.sampled_from([len, in_bytes])


def is_whole(text: str) -> bool:
    """Every fence and every folded section of ours that is opened is closed, in the right order."""
    open_fence, folds = "", 0
    for line in text.split("\n"):
        if open_fence:
            open_fence = "" if line == open_fence else open_fence
        elif found := re.fullmatch(r"(`{3,})[a-z]*", line):
            open_fence = found[1]
        else:
            folds += line.startswith("<details>")
            folds -= line == "</details>"
            assert folds >= 0
    return not open_fence and folds == 0


def blocks(texts: list[str]) -> str:
    return "\n\n".join(details("Log", f"{plain(text)}\n\n{fence(text)}") for text in texts)


@given(st.lists(TEXTS, min_size=1, max_size=4), st.integers(80, 3_000), SIZES)
def test_what_is_cut_is_still_whole(texts: list[str], limit: int, size: object) -> None:
    """Within the limit in characters or bytes, with every fence and fold closed; nothing is lost where all fits."""
    measure = in_bytes if size is in_bytes else len
    text = blocks(texts)
    assert is_whole(text)
    cut = shorten(text, limit, measure)
    assert measure(cut) <= limit
    assert is_whole(cut)
    assert shorten(text, measure(text), measure) == text


@given(st.lists(st.tuples(st.sampled_from(Worth), TEXTS), max_size=8), st.integers(300, 4_000), SIZES)
def test_the_least_worthy_gives_way_first(given: list[tuple[Worth, str]], limit: int, size: object) -> None:
    """Any parts fit; a part is gone only when every less worthy one that can go is gone."""
    measure = in_bytes if size is in_bytes else len
    parts = [Part(worth, (f"part {n}:\n\n{fence(text)}", "")) for n, (worth, text) in enumerate(given)]
    text = assemble(parts, limit, measure)
    assert measure(text) <= limit
    assert is_whole(text)
    left = {n for n in range(len(parts)) if f"part {n}:\n" in text}
    lowest = min((parts[n].worth for n in left), default=Worth.PROOF)
    assert all(parts[n].worth <= lowest for n in range(len(parts)) if n not in left)


@given(st.lists(TEXTS, min_size=2, max_size=6), st.integers(400, 3_000))
def test_parts_that_cannot_go_are_all_cut(texts: list[str], limit: int) -> None:
    """Where nothing may be left out, the longest are cut."""
    text = assemble([Part(Worth.PROOF, (blocks([one]),)) for one in texts], limit)
    assert len(text) <= limit
    assert is_whole(text)


@given(st.text(max_size=60), st.integers(0, 80))
def test_clipped_tears_no_character(text: str, most: int) -> None:
    """At most so many bytes, and a beginning of the text."""
    shown = clipped(text, most)
    assert in_bytes(shown) <= most
    assert text.encode(errors="replace").decode().startswith(shown)


def swollen(unit: str) -> Report:
    """A report with everything in it as long and as hostile as it can be."""
    text = unit * SWOLLEN
    before = result(1, passed=3, failed=1, output=text)
    many = Attempt(candidate(reasoning=text, patch=f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+{text[:100_000]}\n"),
                   Verdict(False, "regression", text))  # fmt: skip
    held = Attempt(candidate(reasoning=text), Verdict(True, after=result(0, passed=1, output=text),
                   later_steps=tuple((text, True) for _ in range(80))))  # fmt: skip
    plan = replace(
        reproduction().plan,
        setup=tuple(Step(text, text) for _ in range(9)),
        skipped=tuple(Skipped(text, text, weakens_proof=True) for _ in range(40)),
        notes=tuple(text for _ in range(40)),
        env={f"N{n}{unit}": "x" for n in range(400)},
    )
    return report(
        case=case(branch=text, job=text),
        diagnosis=diagnosis(
            summary=text,
            evidence=tuple(text for _ in range(30)),
            findings=tuple(Finding(text, text, 3) for _ in range(40)),
            suspects=tuple(Suspect(text, 3, (text,), 1.0) for _ in range(9)),
        ),
        reproduction=reproduction(before=before, plan=plan),
        attempts=(*[many] * 9, held),
    )


SWOLLEN = 400
UNITS = ["x", "\U0001f600", "```\n", "</details>\n", "| ` |", "@all #1 ", "\n/heal\n"]


@pytest.mark.uncounted
@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_the_evidence_survives_any_report(unit: str) -> None:
    """The body stays within GitHub's limit and whole; the table, the confidence and the mark of the run are there."""
    body = messages.pull_request_body(swollen(unit), "http://heal.example/runs/r1")
    assert len(body) <= LIMIT
    assert is_whole(body)
    for kept in ("| the same, repeated |", "| once more without the patch |", "**Confidence:", "<!-- heal:run="):
        assert kept in body


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_notices_fit_in_bytes_and_characters(unit: str) -> None:
    """Summary and text in bytes, the comment in characters, all of them whole."""
    text = unit * 20_000
    data = {"ci": text, "here": text, "log": text, "patch": text, "tests": text}
    notice: Notice = messages.ended(
        replace(swollen(unit), outcome=Outcome.NOT_REPRODUCED, detail=text, data=data), "http://h/runs/1"
    )
    assert notice.comment is not None
    assert max(in_bytes(notice.summary), in_bytes(notice.text)) <= OUTPUT
    assert len(notice.comment) <= LIMIT
    assert is_whole(notice.summary)
    assert is_whole(notice.text)
    assert is_whole(notice.comment)
    assert "reruns red" in notice.comment


def test_reasoning_goes_before_the_evidence() -> None:
    """When there is no room for both, what was thought is shortened and what was proven stays."""
    thought = Attempt(candidate(reasoning="because " * 370), report().attempts[-1].verdict)
    full = messages.pull_request_body(report(attempts=(thought,)), "")
    parts = [Part(Worth.REASONING, ("because " * 370, "short", "")), Part(Worth.PROOF, ("| table |",))]
    assert full.count("because") > 300
    assert assemble(parts, 100) == "short\n\n| table |"
    assert assemble(parts, 12) == "| table |"
