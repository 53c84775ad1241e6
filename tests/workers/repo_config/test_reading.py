"""`.github/heal.yml` is read strictly, and everything wrong with it is told at once, with its place."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.repo_config import ConfigError, RepoConfig, parse


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return list(map(str, caught.value.problems))


def test_no_file_and_an_empty_file_mean_the_defaults() -> None:
    """Zero configuration works."""
    assert parse("") == parse("# nothing\n") == parse("{}") == RepoConfig()


def test_every_section_is_read() -> None:
    """What is written is what counts."""
    config = parse(
        "version: 1\nmode: observe\ntriggers: {workflows: [CI], branches: ['release/*']}\n"
        "environment: {setup: ['pip install -e .'], env: {TZ: UTC}, timeout: 60}\n"
        "verify: {command: pytest -q, repeat: 3}\npolicy: {max_files: 2, allow_test_edits: true}\n"
        "pr: {draft: always}\nlimits: {usd_per_run: 0.5}\ninstructions: Keep 3.9.\n"
    )
    assert config.triggers.branches == ("release/*",)
    assert config.environment.setup == ("pip install -e .",)
    assert config.verify.command == "pytest -q"
    assert (config.policy.max_files, config.limits.usd_per_run, config.pr.draft) == (2, 0.5, "always")


@pytest.mark.parametrize("word", ["off", '"off"', "'off'"])
def test_off_is_a_word(word: str) -> None:
    """YAML 1.1 reads `off` as false; here it is the mode."""
    assert parse(f"mode: {word}").mode == "off"


@pytest.mark.parametrize(
    ("word", "value"), [("yes", True), ("on", True), ("true", True), ("no", False), ("off", False)]
)
def test_the_old_words_for_booleans_work_where_one_is_expected(word: str, value: bool) -> None:
    """People write `yes`; it is understood."""
    assert parse(f"policy: {{allow_test_edits: {word}}}").policy.allow_test_edits is value


@pytest.mark.fault(31)
def test_all_problems_are_told_at_once_with_their_places() -> None:
    """Nobody has to push four times to find four mistakes."""
    text = "mode: offf\nlimits:\n  usd_per_run: one\n  attempts: 99\npolicy:\n  max_flies: 3\nmoed: 1\nverify: 3\n"
    assert problems(text) == [
        ".github/heal.yml:1:1 mode - expected 'off', 'observe', 'propose' or 'push', got \"offf\"",
        '.github/heal.yml:3:3 limits.usd_per_run - expected a number between 0 and 50, got "one"',
        ".github/heal.yml:4:3 limits.attempts - expected a number between 1 and 20, got 99",
        '.github/heal.yml:6:3 policy.max_flies - unknown key. Did you mean "max_files"? '
        "Allowed: allow_dependency_changes, allow_test_edits, max_files, max_lines, protected_paths",
        '.github/heal.yml:7:1 moed - unknown key. Did you mean "mode"? '
        "Allowed: environment, flaky, fork_runs, infrastructure, instructions, limits, mode, models, notify, paths, "
        "policy, pr, publish, triggers, verify, version",
        ".github/heal.yml:8:1 verify - expected keys and values, got 3",
    ]


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mode: off\nmode: propose\n", ':2:1 key "mode" is there twice'),
        ("mode: !!python/object:os.system x\n", ":1:7 tags"),
        ("mode: !!str off\n", ":1:7 tags"),
        ("[1, 2]", "expected keys and values"),
        ("just words", 'expected keys and values, got "just words"'),
        ("a: [1, 2\nb: }", ":2:"),
        ("a: 1\n---\nb: 2\n", "more than one document"),
        ("instructions: " + "x" * 70_000, "more than the 65536 allowed"),
        ("instructions: " + "x" * 2001, "at most 2000 characters"),
        ("x: &a [1]\ny: [" + ", ".join(["*a"] * 21) + "]", "more than 20 aliases"),
        ("x: &a [*a]", "no finished anchor"),
        ("x: " + "[" * 60 + "]" * 60, "nested too deeply"),
        ("? [1]\n: 2\n", "a key must be a word"),
        ("mode: \x07", "not allow"),
        ("<<: {mode: off}", "unknown key"),
    ],
)
def test_bad_yaml_is_refused_in_one_clear_line(text: str, words: str) -> None:
    """Traps of YAML end in a sentence, not in a surprise."""
    assert words in problems(text)[0]


@pytest.mark.parametrize("piece", ["[", "{a: ", "- ", "[a, ", "a: ["])
def test_what_is_nested_too_deeply_costs_no_time(piece: str) -> None:
    """It is refused at its fortieth level: parsed to its end, 64 kB of brackets took five seconds."""
    started = time.process_time()
    assert "nested too deeply" in problems(piece * (60_000 // len(piece)))[0]
    assert time.process_time() - started < 2


@pytest.mark.fault(31)
def test_a_bomb_of_aliases_is_defused() -> None:
    """Values that grow by being repeated are counted, not built."""
    levels = [f"l{n}: &l{n} [" + ", ".join([f"*l{n - 1}"] * 2) + "]" for n in range(1, 10)]
    assert problems("l0: &l0 [" + ", ".join(["x"] * 200) + "]\n" + "\n".join(levels))[0].startswith(".github/heal.yml:")


@given(st.text(max_size=200))
def test_any_text_is_a_config_or_a_refusal(text: str) -> None:
    """Whatever stands in the file, the answer is a config or a list of problems."""
    found: list[str] = []
    try:
        parse(text)
    except ConfigError as error:
        found = list(map(str, error.problems))
    assert all(problem.startswith(".github/heal.yml:") for problem in found)


def test_hosts_of_the_check() -> None:
    """`environment.network` takes host names and suffixes, in lower case; anything else is refused in words."""
    text = "version: 1\nenvironment:\n  network: [API.example.org, '*.example.net']\n"
    assert parse(text).environment.network == ("api.example.org", "*.example.net")
    for wrong in ("localhost", "10.0.0.1", "https://example.org", "*", "*.org:443", "a b.example.org", "example.org/x"):
        with pytest.raises(ConfigError, match="expected a host name such as"):
            parse(f"version: 1\nenvironment:\n  network: ['{wrong}']\n")


SNIPPETS = [
    ("policy: {max_flies: 3}", "policy:\n  max_files: 3\n"),
    ("max_files: 3", "policy:\n  max_files: 3\n"),
    ("limits: {attempts: 99}", "limits:\n  attempts: 20\n"),
    ("limits: {attempts: '4'}", "limits:\n  attempts: 4\n"),
    ("mode: obsrve", "mode: observe\n"),
    ("mode: push\npublish: suggest", "publish: push\n"),
    ("triggers: {workflows: ci.yml}", "triggers:\n  workflows:\n  - ci.yml\n"),
    ("environment: {timeout: forever}", "environment:\n  timeout: 10m\n"),
    ("environment: {services: {pg: {imag: x, image: y}}}", "environment:\n  services:\n    pg:\n      image: x\n"),
    ("verify: 3", "verify:\n  command: auto\n"),
    ("nothing_like_it_at_all: 3", ""),
]


@pytest.mark.parametrize(("text", "snippet"), SNIPPETS)
def test_the_correction_is_shown(text: str, snippet: str) -> None:
    """Under each problem stands how it is right, in the section where it belongs."""
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert caught.value.problems[0].snippet == snippet


KEYS = st.sampled_from(
    ["mode", "modes", "policy", "max_files", "limits", "environment", "services", "image", "network", "timeout", "x"]
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 99), st.text("ab*/0g", max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_every_correction_is_right_by_itself(written: dict[str, object]) -> None:
    """Whoever copies one gets a file that can be used."""
    try:
        parse(json.dumps(written))
    except ConfigError as error:
        for problem in error.problems:
            assert str(problem).startswith(".github/heal.yml:")
            parse(problem.snippet)


def test_old_forms_stay_valid() -> None:
    """Plain numbers for times and sizes, and their words, mean the same."""
    config = parse("environment: {timeout: 1800, memory: 4}").environment
    assert config == parse("environment: {timeout: 30m, memory: 4g}").environment
    assert parse("environment: {memory: 1536m, image: auto}\nverify: {command: auto}").environment.memory == 1.5
