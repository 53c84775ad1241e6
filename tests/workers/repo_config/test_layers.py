"""Which layer decides what: organisation, repository, then the operator, who can only tighten."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.errors import UsageError
from workers.repo_config import RepoConfig
from workers.repo_config.bounds import Bounds, Rules, rules
from workers.repo_config.layers import Effective, Files, Source, changes, merge
from workers.repo_config.problems import Problem
from workers.repo_config.reading import read

WRONG = (Problem(".github/heal.yml", 3, 1, "modus", "unknown key."),)


def decide(repository: str | None = None, organisation: str | None = None, policy: str = "") -> Effective:
    """What the three files come to."""
    own, shared = (None if text is None else read(text, RepoConfig) for text in (repository, organisation))
    return merge(Files(own, shared), Rules(bounds=read(policy, Bounds)), "octo/calc")


def sources(settings: Effective) -> dict[str, Source]:
    """Who decided what is not a default."""
    return {value.key: value.source for value in settings.values if value.source is not Source.DEFAULT}


def test_without_any_file_all_is_default() -> None:
    """Zero configuration works."""
    settings = decide()
    assert settings.config == RepoConfig()
    assert (sources(settings), settings.note) == ({}, "")


def test_the_nearer_layer_decides_key_by_key() -> None:
    """A section in the repository's file does not hide the organisation's other keys of it."""
    settings = decide(
        "limits: {attempts: 3}\npr: {labels: [ours]}", "limits: {attempts: 5, rounds: 1}\npr: {labels: [a, b]}"
    )
    assert (settings.config.limits.attempts, settings.config.limits.rounds) == (3, 1)
    assert settings.config.pr.labels == ("ours",)
    assert sources(settings) == {
        "limits.attempts": Source.REPOSITORY,
        "limits.rounds": Source.ORGANISATION,
        "pr.labels": Source.REPOSITORY,
    }


@pytest.mark.parametrize(
    ("repository", "organisation", "expected"),
    [
        ("mode: push", None, ("propose", "push")),
        (None, "mode: push", ("propose", "push")),
        ("mode: propose", "mode: push", ("propose", "stacked")),
        ("publish: suggest", "mode: push", ("propose", "suggest")),
        ("mode: push", "publish: suggest", ("propose", "push")),
        ("mode: observe", "publish: push", ("observe", "push")),
    ],
)
def test_push_is_short_for_two_keys(
    repository: str | None, organisation: str | None, expected: tuple[str, str]
) -> None:
    """Whoever is nearer has the last word on mode and way, in whichever form it was said."""
    config = decide(repository, organisation).config
    assert (config.mode, config.publish) == expected


TIGHTENED = [
    ("mode: propose", "mode: observe", "mode", "observe"),
    ("mode: off", "mode: observe", "mode", "off"),
    ("mode: push", "mode: propose", "publish", "stacked"),
    ("publish: push", "publish: suggest", "publish", "suggest"),
    ("publish: suggest", "publish: stacked", "publish", "suggest"),
    ("fork_runs: always", "fork_runs: on_command", "fork_runs", "on_command"),
    ("fork_runs: never", "fork_runs: on_command", "fork_runs", "never"),
    ("limits: {usd_per_run: 20}", "limits: {usd_per_run: 2}", "limits.usd_per_run", 2.0),
    ("limits: {usd_per_run: 1}", "limits: {usd_per_run: 2}", "limits.usd_per_run", 1.0),
    ("", "limits: {sandbox_seconds_per_run: 600}", "limits.sandbox_seconds_per_run", 600),
    (
        "limits: {sandbox_seconds_per_day: 9}",
        "limits: {sandbox_seconds_per_day: 60}",
        "limits.sandbox_seconds_per_day",
        9,
    ),
    ("limits: {candidates_per_run: 9}", "limits: {candidates_per_run: 5}", "limits.candidates_per_run", 5),
    ("", "limits: {candidates_per_day: 500}", "limits.candidates_per_day", 500),
    ("", "limits: {runs_per_day: 5}", "limits.runs_per_day", 5),
    ("policy: {allow_test_edits: true}", "policy: {allow_test_edits: false}", "policy.allow_test_edits", False),
    ("policy: {allow_test_edits: false}", "policy: {allow_test_edits: true}", "policy.allow_test_edits", False),
    ("policy: {protected_paths: [a]}", "policy: {protected_paths: [b, a]}", "policy.protected_paths", ("a", "b")),
    ("flaky: {rerun: true}", "flaky: {rerun: false}", "flaky.rerun", False),
    ("environment: {timeout: 1h}", "environment: {timeout: 10m}", "environment.timeout", 600),
    ("", "models: {propose: none}", "models.propose", "none"),
    ("models: {agent: true}", "models: {agent: false}", "models.agent", False),
]


@pytest.mark.fault(73)
@pytest.mark.parametrize(("repository", "policy", "key", "expected"), TIGHTENED)
def test_the_operator_only_tightens(repository: str, policy: str, key: str, expected: object) -> None:
    """A bound lowers, forbids or adds protection, and never gives more than was asked for."""
    value = next(one for one in decide(repository, policy=policy).values if one.key == key)
    assert value.value == expected


@pytest.mark.fault(73)
def test_who_was_overruled_is_told() -> None:
    """A value that a file asked for and did not get is known with what counts instead."""
    overruled = decide("limits: {attempts: 20}", policy="limits: {attempts: 4}").overruled
    assert [(one.key, one.value, one.wanted, one.source) for one in overruled] == [
        ("limits.attempts", 4, 20, Source.OPERATOR)
    ]
    assert decide(policy="limits: {attempts: 4}").overruled == ()  # a default asked for nothing


NUMBERS = st.fixed_dictionaries(
    {}, optional={"attempts": st.integers(1, 20), "usd_per_run": st.floats(0, 50), "bisect": st.integers(0, 3600)}
)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_no_layer_gets_past_a_bound(
    repository: dict[str, float], org: dict[str, float], bound: dict[str, float]
) -> None:
    """Whatever the files say, no number is above the operator's."""
    own, shared = (RepoConfig.model_validate({"limits": one}) for one in (repository, org))
    settings = merge(Files(own, shared), Rules(bounds=Bounds.model_validate({"limits": bound})), "octo/calc")
    for key, most in bound.items():
        assert getattr(settings.config.limits, key) <= most


@pytest.mark.fault(31)
def test_a_file_that_cannot_be_used_means_observing_and_says_so() -> None:
    """Never silence, and never more than telling."""
    settings = merge(Files(None, read("publish: push", RepoConfig), WRONG), Rules(), "octo/calc")
    assert (settings.config.mode, settings.config.publish) == ("observe", "push")
    assert settings.note == (
        "`.github/heal.yml` on the default branch cannot be used, so Heal only observes: line 3, modus - unknown key."
    )
    assert sources(settings)["mode"] is Source.INVALID


@pytest.mark.parametrize("organisation", ["mode: off", "mode: observe"])
def test_a_broken_file_wakes_nobody(organisation: str) -> None:
    """What the organisation switched off stays off."""
    settings = merge(Files(None, read(organisation, RepoConfig), WRONG), Rules(), "octo/calc")
    assert settings.config.mode == organisation.removeprefix("mode: ")


@pytest.mark.parametrize(
    ("repositories", "mode"),
    [((), "propose"), (("octo/*",), "propose"), (("OCTO/Calc",), "propose"), (("octo/c", "other/*"), "off")],
)
def test_repositories_take_part_by_setting(repositories: tuple[str, ...], mode: str) -> None:
    """By patterns over the whole name; what is not named is off, whatever its file says."""
    settings = merge(Files(RepoConfig(mode="propose")), Rules(repositories=repositories), "octo/calc")
    assert settings.config.mode == mode
    assert ("HEAL_REPOSITORIES" in settings.note) is (mode == "off")


@pytest.mark.parametrize(
    ("files", "mode"),
    [
        (Files(), "off"),
        (Files(None, RepoConfig()), "off"),
        (Files(RepoConfig()), "propose"),
        (Files(None, None, WRONG), "observe"),
    ],
)
def test_a_file_of_its_own_can_be_asked_for(files: Files, mode: str) -> None:
    """The organisation's file is no consent of the repository; a broken one is, and is told."""
    assert merge(files, Rules(bounds=Bounds(require_config=True)), "octo/calc").config.mode == mode


def test_changes_are_told_value_by_value() -> None:
    """Only what would be another value, not what would be decided by somebody else."""
    now, then = decide("limits: {attempts: 8}"), decide("limits: {attempts: 9, rounds: 2}")
    assert [(old.key, old.value, new.value) for old, new in changes(now, then)] == [("limits.attempts", 8, 9)]


@pytest.mark.parametrize("text", ["limits: {attempts: 99}", "modus: off", "[1]"])
def test_a_policy_that_cannot_be_used_is_never_taken_as_none(tmp_path: Path, text: str) -> None:
    """The operator is told; nothing runs without bounds instead."""
    file = tmp_path / "policy.yml"
    file.write_text(text)
    with pytest.raises(UsageError, match="HEAL_POLICY_FILE"):
        rules(file, ())
    with pytest.raises(UsageError, match="HEAL_POLICY_FILE"):
        rules(tmp_path / "none.yml", ())
