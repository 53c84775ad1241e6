"""Time is pinned: which steps get which pin, and what is done without it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.spec import Fidelity, Plan, Step
from tests.workers.recipe.trees import MemoryTree
from workers import logs, pins
from workers.text_files import TextFiles

DAY = "2026-03-02T00:00:00Z"
LOCKED = {"locked.txt": "a==1\nb[x]==2.1 ; python_version > '3'  # why\n    --hash=sha256:0\n", "open.txt": "a==1\nb\n"}


def pinned(script: str, files: dict[str, str] | None = None, printed: dict[str, str] | None = None) -> dict[str, str]:
    """The pins of one step."""
    steps, _ = pins.pin(
        [Step("s", script)], {"python": printed or {}}, DAY, TextFiles(MemoryTree(files or {})), "python"
    )
    return dict(steps[-1].env)


def log(output: str) -> logs.JobLog:
    """The log of a job whose only step printed this."""
    header = "##[group]Run ./install\n\x1b[36;1m./install\x1b[0m\nshell: /usr/bin/bash -e {0}\n##[endgroup]\n"
    return logs.parse(header + output)


def test_what_steps_print_about_packages_is_read() -> None:
    """pip, uv, Poetry, `pip freeze`, tox and npm; names are normalised, the last version counts."""
    output = """\
Collecting Flask_Login
Successfully installed Flask-Login-0.6.3 a.b-1.0rc1 pytest-8.0.0
Successfully installed pytest-8.3.5
Resolved 2 packages in 3ms
 + iniconfig==2.0.0
 ~ old==1.0
 + adder==1.0 (from file:///ws)
  - Installing pluggy (1.5.0)
  - Updating attrs (23.1.0 -> 24.2.0)
frozen==3.2
py311: pip==26.3,requests==2.32.0,adder @ file:///ws/dist/adder.tar.gz
lint: ruff==0.6.0,requests==2.32.0,mypy==1.0,attrs==1.0
type: mypy==1.1
+ @angular/cli@17.0.1
+ express@4.18.2
"""
    assert pins.versions(log(output)) == {
        "python": {
            "flask-login": "0.6.3", "a-b": "1.0rc1", "pytest": "8.3.5", "iniconfig": "2.0.0", "pluggy": "1.5.0",
            "attrs": "24.2.0", "frozen": "3.2", "old": "1.0",
        },
        "tox": {"pip": "26.3", "requests": "2.32.0", "ruff": "0.6.0"},
        "npm": {"@angular/cli": "17.0.1", "express": "4.18.2"},
    }  # fmt: skip


@given(st.lists(st.text(max_size=60) | st.from_regex(r"Successfully installed [a-z =-]{0,20}|\S+: \S+==\S*")))
def test_any_output_is_read(lines: list[str]) -> None:
    """A log is written by untrusted code."""
    found = pins.versions(log("\n".join(lines)))
    steps, _ = pins.pin([Step("s", "pip install x")], found, DAY, TextFiles(MemoryTree({})), "python")
    listed = steps[0].script.split("\n")[1:-1] if len(steps) > 1 and "PIP_CONSTRAINT" in steps[-1].env else []
    assert all(re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.!+_-]+", line) for line in listed)


@pytest.mark.parametrize(
    ("script", "files", "names"),
    [
        ("pip install pytest", {}, {"PIP_UPLOADED_PRIOR_TO"}),
        ("python -m pip install -r locked.txt", LOCKED, set()),
        ("pip install -r locked.txt pytest", LOCKED, {"PIP_UPLOADED_PRIOR_TO"}),
        ("pip install -r open.txt", LOCKED, {"PIP_UPLOADED_PRIOR_TO"}),
        ("pip install --require-hashes -r missing.txt", {}, {"PIP_UPLOADED_PRIOR_TO"}),
        ("cd x && pip install -e .[dev]", {}, {"PIP_UPLOADED_PRIOR_TO"}),
        ("uv pip install pytest", {}, {"UV_EXCLUDE_NEWER"}),
        ("uv sync", {}, {"UV_EXCLUDE_NEWER"}),
        ("uv sync --locked", {"uv.lock": ""}, set()),
        ("uv sync\nuv tool install ruff", {"uv.lock": ""}, set()),  # another date makes uv doubt its lock file
        ("uvx ruff check", {"uv.lock": ""}, {"UV_EXCLUDE_NEWER"}),
        ("npm install", {}, {"npm_config_before"}),
        ("npm install", {"package-lock.json": ""}, set()),
        ("npm install --global pnpm", {"package-lock.json": ""}, {"npm_config_before"}),
        ("npm ci", {"package-lock.json": ""}, set()),
        ("tox run --notest", {}, {"PIP_UPLOADED_PRIOR_TO", "UV_EXCLUDE_NEWER"}),
        ("make gen", {}, set()),
    ],
)
def test_the_day_of_the_run_pins_what_no_lock_file_names(script: str, files: dict[str, str], names: set[str]) -> None:
    """A lock file is used as it is; nothing else is installed newer than that day."""
    found = pinned(script, files)
    assert set(found) == names
    assert set(found.values()) <= {DAY}


def test_the_versions_of_the_log_win_over_the_day() -> None:
    """As constraints, without the project itself and what builds packages; pip gets no date then."""
    printed = {"pytest": "8.3.5", "adder": "1.0", "setuptools": "70.0", "local": "1.0+cu118", "scm": "1.dev3"}
    files = TextFiles(MemoryTree({"pyproject.toml": '[project]\nname = "Adder"\n'}))
    given_steps = [
        Step("a", "pip install -e ."),
        Step("b", "uv pip install x"),
        Step("c", "pip install x", env={"A": "b"}),
    ]
    steps, notes = pins.pin(given_steps, {"python": printed}, DAY, files, "python")
    assert steps[0].script.split("\n")[1:-1] == ["pytest==8.3.5"]
    assert [sorted(step.env) for step in steps[1:]] == [["PIP_CONSTRAINT"], ["UV_CONSTRAINT"], ["A", "PIP_CONSTRAINT"]]
    assert notes == ("packages that no lock file names have the versions that CI's log prints (1 of them)",)


def test_tox_gets_the_versions_that_tox_printed() -> None:
    """Its environments are its own: what the job installed beside them says nothing of them."""
    files, steps = TextFiles(MemoryTree({})), [Step("s", "tox run --notest")]
    told, _ = pins.pin(steps, {"python": {"a": "1"}, "tox": {"b": "2"}}, DAY, files, "python")
    assert (told[-1].env["PIP_CONSTRAINT"], "b==2" in told[0].script) == ("/env/versions-of-ci.txt", True)
    silent, _ = pins.pin(steps, {"python": {"a": "1"}}, DAY, files, "python")
    assert silent[-1].env["PIP_UPLOADED_PRIOR_TO"] == DAY


def test_what_the_job_or_a_person_has_set_is_left_alone() -> None:
    """heal.yml's environment and the workflow's win, so a pin can be switched off there."""
    steps = [Step("s", "pip install x")]
    found = pins.pin(steps, {}, DAY, TextFiles(MemoryTree({})), "python", {"PIP_UPLOADED_PRIOR_TO"})
    assert found == (steps, ())


def test_pip_is_brought_that_knows_dates() -> None:
    """Into an image of ours; what a job sets itself stays."""
    files = TextFiles(MemoryTree({}))
    own = Step("s", "pip install x", env={"PIP_UPLOADED_PRIOR_TO": "2020-01-01"})
    assert pins.pin([own], {}, DAY, files, "python") == ([own], ())
    ours, _ = pins.pin([Step("s", "pip install x")], {}, DAY, files, "python")
    theirs, _ = pins.pin([Step("s", "pip install x")], {}, DAY, files, "python:3.8")
    assert (len(ours), len(theirs)) == (2, 1)
    assert "pip==26" in ours[0].script


def test_a_day_that_is_not_over_needs_no_newer_pip() -> None:
    """Nothing later exists that it could leave out; the dates stay, and after the day the pip is brought."""
    steps, _ = pins.pin([Step("s", "pip install x")], {}, DAY, TextFiles(MemoryTree({})), "python")
    plan = Plan("python", tuple(steps), Step("check", "pytest"))
    lasting = pins.while_it_lasts(plan, "2026-03-01T09:00:00Z", datetime(2026, 3, 1, 23, 59, tzinfo=UTC))
    assert [(step.name, step.env) for step in lasting.setup] == [("s", {"PIP_UPLOADED_PRIOR_TO": DAY})]
    over = datetime(2026, 3, 2, tzinfo=UTC)
    assert pins.while_it_lasts(plan, "2026-03-01T09:00:00Z", over) == plan
    assert pins.while_it_lasts(plan, "", over) == plan


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-01T10:00:00Z", DAY),
        ("2026-03-01T23:59:59-02:00", "2026-03-03T00:00:00Z"),
        ("2026-03-01", DAY),
        ("", ""),
        ("yesterday", ""),
        ("9999-12-31T10:00:00Z", ""),
    ],
)
def test_a_day_is_the_end_of_it(moment: str, day: str) -> None:
    """Runs of one day share an environment."""
    assert pins.end_of_day(moment) == day


def test_without_pins_is_the_plan_of_today() -> None:
    """When a pinned step failed; never for another one, and what the job itself set stays."""
    files = TextFiles(MemoryTree({}))
    own = Step("own", "make", env={"PIP_CONSTRAINT": "c.txt"})
    steps, _ = pins.pin([Step("s", "pip install x"), own], {"python": {"x": "1"}}, DAY, files, "python")
    plan = Plan("python", tuple(steps), Step("c", "pytest"), fidelity=Fidelity.EXACT)
    assert pins.without(plan, "own") is None
    for failed in ("s", steps[0].name):
        today = pins.without(plan, failed)
        assert today is not None
        assert today.setup == (Step("s", "pip install x"), own)
        assert (today.fidelity, today.notes) == (
            Fidelity.CLOSE,
            ("the set-up failed with the packages of the day of the run: they are of today",),
        )
        assert pins.without(today, failed) is None
