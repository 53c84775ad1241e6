"""Job logs: what the runner printed is read exactly, and any other text does no harm."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers import logs

STAMP = "2026-11-20T10:00:00.1234567Z "
LOG = "\ufeff" + "\n".join(
    STAMP + line
    for line in (
        "Current runner version: '2.329.0'",
        "##[group]Run actions/checkout@v4",
        "with:",
        "  repository: o/r",
        "  token: ***",
        "##[endgroup]",
        "Syncing repository: o/r",
        "##[group]Run make setup",
        "\x1b[36;1mmake setup\x1b[0m",
        "\x1b[36;1m\x1b[0m",
        "\x1b[36;1m  make more\x1b[0m",
        "shell: /usr/bin/bash --noprofile --norc -e -o pipefail {0}",
        "env:",
        "  TZ: UTC",
        "  TEXT: one",
        "two",
        "##[endgroup]",
        "10 %\r50 %\r100 %",
        "\x1b[31mred\x1b[0m \u202ehidden\u200b",
        "##[group]Run away",
        "this group is the program's own",
        "##[endgroup]",
        "##[error]a.py:1 is wrong",
        "##[error]Process completed with exit code 2.",
        "Post job cleanup.",
        "bye",
    )
)


def test_a_run_step_is_read_exactly() -> None:
    """Script with its blank lines and indents, shell, environment, error lines and exit code come out as printed."""
    parsed = logs.parse(LOG)
    assert [step.title for step in parsed.steps] == ["actions/checkout@v4", "make setup"]
    step = parsed.failed
    assert step is not None
    assert step.script == "make setup\n\n  make more"
    assert step.shell == "/usr/bin/bash --noprofile --norc -e -o pipefail {0}"
    assert step.env == {"TZ": "UTC", "TEXT": "one\ntwo"}
    assert step.exit_code == 2
    assert step.errors == ("a.py:1 is wrong",)


def test_an_action_is_read_with_its_inputs() -> None:
    """A `uses:` step shows its inputs, and a hidden secret is flagged."""
    step = logs.parse(LOG).steps[0]
    assert (step.uses, step.script, step.inputs["repository"], step.masked) == (
        "actions/checkout@v4",
        None,
        "o/r",
        True,
    )


def test_output_is_clean() -> None:
    """Colours, direction marks and overwritten progress are gone; a program's own group is output, not a step."""
    output = logs.parse(LOG).steps[1].output
    assert output.startswith("100 %\nred hidden\n##[group]Run away\nthis group")
    assert "bye" not in output


def test_the_failed_step_is_the_first_with_an_exit_code() -> None:
    """An error annotation of an earlier, tolerated step does not beat the exit code."""
    text = "##[group]Run a\n\x1b[36;1ma\x1b[0m\n##[endgroup]\n##[error]odd\n"
    text += "##[group]Run b\n\x1b[36;1mb\x1b[0m\n##[endgroup]\n##[error]Process completed with exit code 1."
    failed = logs.parse(text).failed
    assert failed is not None
    assert failed.script == "b"


def test_a_log_without_marks_is_all_preamble() -> None:
    """Another CI's log has no steps."""
    assert logs.parse("hello\nworld") == logs.JobLog("hello\nworld", ())


def test_the_same_error_on_another_day_has_the_same_signature() -> None:
    """Times, numbers, addresses, roots of paths and quoted values are masked."""
    one = "2026-01-01 10:00:01 ValueError: 'a' at 0x7ffe12 in /home/ci/work/app.py:12"
    two = "2025-05-05 11:22:33 ValueError: 'bb' at 0x81 in /builds/x/app.py:99"
    assert logs.signature_lines(one) == logs.signature_lines(two) != logs.signature_lines("KeyError: 'a'")


@given(st.text(max_size=400))
def test_any_text_is_a_log(text: str) -> None:
    """Logs are written by untrusted code: nothing in them makes parsing fail or leaves control characters."""
    parsed = logs.parse(text)
    assert parsed.failed is None or parsed.failed in parsed.steps
    assert "\x1b" not in logs.clean(text)
    assert logs.clean(logs.clean(text)) == logs.clean(text) or "T" in text
    logs.signature_lines(text)


PIECES = [
    "##[group]Run x",
    "\x1b[36;1mx\x1b[0m",
    "env:",
    "  A: b",
    "with:",
    "##[endgroup]",
    "##[error]Process completed with exit code 1.",
    "Post job cleanup.",
    "shell: x",
    "",
]


@given(st.lists(st.sampled_from(PIECES), max_size=15))
def test_marks_in_any_order_are_accepted(lines: list[str]) -> None:
    """Half a header, an end without a start: still a log."""
    logs.parse("\n".join(lines))


@given(st.text(max_size=500), st.integers(min_value=0, max_value=400))
def test_an_excerpt_keeps_its_limit(text: str, limit: int) -> None:
    """Never longer than asked; short text stays whole."""
    cut = logs.excerpt(text, limit)
    assert len(cut) <= limit
    assert len(text) > limit or cut == text


def test_an_excerpt_counts_what_it_leaves_out() -> None:
    """Head and tail are shown, the middle is counted."""
    cut = logs.excerpt("a" * 1000 + "z" * 1000, 448)
    assert cut == "a" * 100 + "\n[... 1600 characters left out ...]\n" + "z" * 300
