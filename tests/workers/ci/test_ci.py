"""The configs of other CI systems. Every file in `cases/` is a test: a repository's files in, the recipe out.

Form of a case: `--- job NAME` (may be empty), `--- file PATH` with its text, as often as needed, and `--- plan` with
the recipe as `described`, its environment first, or the outcome and its sentence.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.spec import Fidelity, Plan
from tests.workers.recipe.described import described
from tests.workers.recipe.test_plans import PYTHON, case, job, make
from tests.workers.recipe.trees import MemoryTree
from workers import ci, recipe
from workers.domain import JobReport
from workers.errors import Stop
from workers.repo_config import RepoConfig

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
PATHS = (".gitlab-ci.yml", ".circleci/config.yml", ".travis.yml", "azure-pipelines.yml", "Jenkinsfile")
OURS = frozenset({"CI", "RUNNER_OS", "RUNNER_ARCH", "RUNNER_NAME", "GITHUB_ACTIONS"})


def planned(files: dict[str, str], name: str = "") -> Plan:
    return recipe.plan(JobReport(name), MemoryTree(files), RepoConfig(), case(job=name))


def read(path: Path) -> tuple[str, dict[str, str], str]:
    """(job, files, plan) of a case."""
    parts = re.split(r"^--- (job|file|plan) ?(.*)\n", path.read_text(), flags=re.MULTILINE)
    told = list(zip(parts[1::3], parts[2::3], parts[3::3], strict=True))
    files = {name: text for kind, name, text in told if kind == "file"}
    return next(name for kind, name, _ in told if kind == "job"), files, told[-1][2]


def shown(files: dict[str, str], name: str) -> str:
    try:
        found = planned(files, name)
    except Stop as stop:
        return f"{stop.outcome}: {stop.detail}"
    env = " ".join(f"{key}={value}" for key, value in sorted(found.env.items()) if key not in OURS)
    steps = [f"{step.name} | {step.shell} | {step.workdir} | {step.script!r}" for step in (*found.setup, found.check)]
    return "\n".join([f"env: {env}", *steps, *described(found)])


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_config_gives_the_expected_recipe(path: Path) -> None:
    """The files of a repository in, its recipe out."""
    name, files, plan = read(path)
    assert shown(files, name) == plan.strip()


def test_every_system_has_cases() -> None:
    """No reader without an example."""
    read_by_cases = {system.title for path in CASES for system in ci.SYSTEMS for name in read(path)[1]
                     if system.path.fullmatch(name)}  # fmt: skip
    assert read_by_cases == {system.title for system in ci.SYSTEMS}


def test_a_workflow_of_github_wins_over_other_configs() -> None:
    """heal.yml, then GitHub's workflow, then another CI's config, then the files."""
    other = {**PYTHON, ".travis.yml": "language: python\nscript: tox\n"}
    both = {**other, ".github/workflows/ci.yml": job("run: make test")}
    assert planned(both).check.script == "make test"
    assert planned(other).check.script == "tox"
    assert make(files=other, config="verify: {command: ./all}").check.script == "./all"
    assert planned(PYTHON).check.script == "python -m pytest"


def test_a_config_is_close_at_best() -> None:
    """No log says what really ran."""
    assert planned({".travis.yml": "language: python\nscript: tox\n"}).fidelity is Fidelity.CLOSE


@pytest.mark.parametrize("shown_as", ["lint", "ci/circleci: lint", "project (Job lint)", "project (lint)"])
def test_a_check_names_its_job_with_words_around_it(shown_as: str) -> None:
    """Other CI systems report a job under a longer name."""
    text = "test: {script: pytest}\nlint: {script: ruff check}\n"
    assert planned({".gitlab-ci.yml": text}, shown_as).check.script == "ruff check"


def test_a_job_that_no_config_has_is_told_with_those_there_are() -> None:
    """For a person who mistyped; a check with a name of its own gets the usual job and a note."""
    tree = MemoryTree({".gitlab-ci.yml": "test: {script: pytest}\nlint: {script: ruff check}\n"})
    told = recipe.unknown_job(tree, case(job="tset"))
    assert told == ".gitlab-ci.yml has no job named 'tset', only: test, lint"
    assert recipe.unknown_job(tree, case(job="lint")) == ""
    assert "no job named 'tset'" in recipe.plan(JobReport("tset"), tree, RepoConfig(), case()).notes[1]


def test_a_config_that_is_not_understood_does_not_hide_the_files() -> None:
    """The guess from the repository's files is still made."""
    assert planned({**PYTHON, ".gitlab-ci.yml": "test: ["}).check.script == "python -m pytest"


def test_aliases_and_references_without_end_are_refused_in_time() -> None:
    """What grows with every level is no config."""
    tower = "\n".join(
        f"j{n}: {{script: [!reference [j{n + 1}, script], !reference [j{n + 1}, script]]}}" for n in range(40)
    )
    cycle = ".a: {extends: .b}\n.b: {extends: .a}\ntest: {extends: .a, script: [!reference [test, script]]}\n"
    for text in (tower, cycle):
        config = next(ci.configs(MemoryTree({".gitlab-ci.yml": text})))
        assert "no end" in config.problem


KEYS = st.sampled_from(
    ["script", "before_script", "jobs", "job", "steps", "run", "image", "docker", "extends", "variables", "env", "task",
     "matrix", "include", "language", "stages", "template", "services", "parallel", "name", "test", "python", "pool",
     "workflows", "commands", "parameters", "strategy", "when", "condition", "command", "inputs", "default", "<<"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["pytest", "$X", "<< parameters.a >>", "${{ parameters.a }}", "test", "python:3.9", "A=1 B='"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=4),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=6), st.sampled_from(PATHS[:4]))
def test_any_yaml_is_read_without_an_exception(value: dict[str, object], path: str) -> None:
    """In whatever shape values stand: a plan or a stated outcome."""
    assert shown({path: yaml.safe_dump(value)}, "")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.sampled_from(PATHS))
def test_any_text_is_read_without_an_exception(text: str, path: str) -> None:
    """Bytes that are no config at all."""
    assert shown({path: text}, "")


GROOVY = st.sampled_from(
    ["sh", "'", '"', "'''", '"""', "(", ")", "{", "}", "\\", "$", "${", "stage", "environment", "=", "A", "'x'", '"$A"',
     "script:", ",", "\n", " ", "//", "/*", "*/", "returnStatus", "agent", "docker", "dir", "withEnv", "post", "[", "]"]
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(GROOVY, max_size=40).map("".join))
def test_any_groovy_is_skimmed_without_an_exception(text: str) -> None:
    """Half strings, braces without end, calls without arguments."""
    assert shown({"Jenkinsfile": text}, "")


@pytest.mark.uncounted
@pytest.mark.parametrize("part", ["'''", '"', "sh(", "/*", "{", "sh '\\", "stage('a'){", 'sh "${'])
def test_long_groovy_takes_linear_time(part: str) -> None:
    """Read once, whatever is opened and never closed (the test's own time limit is the measure)."""
    assert shown({"Jenkinsfile": part * (100_000 // len(part))}, "")
