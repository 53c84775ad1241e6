"""`heal plan` on sample repositories: what it prints and how it ends, with no engine anywhere."""

from __future__ import annotations

import json
from pathlib import Path

from sandbox.spec import Fidelity, Plan
from tests.bot.command import commit, heal, one_object, sample
from tests.workers.git.checkouts import git
from workers.store.codec import from_json

DEAD = {"HEAL_DOCKER_HOST": "unix:///nonexistent/docker.sock"}
LOG = """\
2026-11-25T10:00:00.0000000Z ##[group]Run python -m pip install -r requirements.txt
2026-11-25T10:00:00.0000000Z \x1b[36;1mpython -m pip install -r requirements.txt\x1b[0m
2026-11-25T10:00:00.0000000Z ##[endgroup]
2026-11-25T10:00:01.0000000Z ##[group]Run python -m pytest -q -k one
2026-11-25T10:00:01.0000000Z \x1b[36;1mpython -m pytest -q -k one\x1b[0m
2026-11-25T10:00:01.0000000Z ##[endgroup]
2026-11-25T10:00:02.0000000Z ##[error]Process completed with exit code 1.
"""
WORKFLOW = """\
on: push
jobs:
  test: {runs-on: ubuntu-latest, steps: [{run: make test}]}
  docs: {runs-on: ubuntu-latest, services: {db: "postgres:15"}, steps: [{uses: me/magic@v1}, {run: "make \\e[31mdocs"}]}
  mac: {runs-on: macos-14, steps: [{run: make test}]}
"""


def test_the_plan_is_readable_and_needs_no_engine() -> None:
    """Image, set-up, check, what follows, environment and notes on standard output."""
    done = heal("plan", sample("lint-findings"), **DEAD)
    assert done.returncode == 0, done.stderr
    for words in (
        *("image  python", "fidelity  close: ", "set-up, with network", "python -m pip install -r requirements.txt"),
        *("check, without network", "ruff check .", "what follows it in the job", "CI=true", "notes"),
    ):
        assert words in done.stdout
    assert done.stderr == ""


def test_json_is_the_plan_itself() -> None:
    """One object, which is read back as the value that a run works with."""
    done = heal("plan", sample("wrong-operator"), "--json", **DEAD)
    found = from_json(json.dumps(one_object(done)), Plan)
    assert (done.returncode, found.image, found.check.script) == (0, "python", "python -m pytest -q")


def test_a_log_says_what_ran(tmp_path: Path) -> None:
    """With the log of the red job its scripts are planned, not the file's."""
    log = tmp_path / "job.log"
    log.write_text(LOG)
    done = heal("plan", sample("wrong-operator"), "--job", "test", "--log", log, "--json", **DEAD)
    assert one_object(done)["check"]["script"] == "python -m pytest -q -k one"


def test_a_job_of_several_and_one_that_cannot_run_here(tmp_path: Path) -> None:
    """Without a name the others are told; services and left out steps are shown; a refusal is exit code 1, a job that
    is not there 2. The workflow file need not be committed, and what is not committed is said."""
    place, file = sample("wrong-operator"), tmp_path / "new.yml"
    file.write_text(WORKFLOW)
    (place / "conftest.py").write_text("changed = True\n")
    first = heal("plan", place, "--workflow", file, **DEAD)
    assert "make test" in first.stdout
    assert first.stderr.splitlines() == [
        "jobs: test, docs, mac. Choose one with --job NAME.",
        "note: the plan is of HEAD; changes that are not committed are not in it.",
    ]
    docs = heal("plan", place, "--workflow", file, "--job", "docs", **DEAD)
    assert "db: postgres:15" in docs.stdout
    assert "Run me/magic@v1: the sandbox does not know this action (weakens the proof)" in docs.stdout
    assert "\x1b[31m" not in docs.stdout
    refused = heal("plan", place, "--workflow", file, "--job", "mac", "--json", **DEAD)
    assert (refused.returncode, one_object(refused)["outcome"]) == (1, "UNSUPPORTED")
    wrong = heal("plan", place, "--workflow", file, "--job", "moc", **DEAD)
    assert (wrong.returncode, "only: test, docs, mac" in wrong.stderr) == (2, True)
    assert heal("plan", place, "--log", tmp_path / "none", **DEAD).returncode == 2


def test_another_ci_is_planned_for_the_day_of_its_commit() -> None:
    """No workflow, no log: the job of the other config, with packages no newer than the commit."""
    place = sample("wrong-operator")
    git(place, "rm", "--quiet", "-r", ".github")
    (place / ".gitlab-ci.yml").write_text("image: python:3.11\nunit:\n  script: [pip install pytest, pytest -q]\n")
    commit(place, "Move to GitLab")
    day = git(place, "log", "-1", "--format=%cd", "--date=format:%Y")
    found = from_json(heal("plan", place, "--json", **DEAD).stdout, Plan)
    assert (found.image, found.fidelity, found.check.script) == ("python:3.11", Fidelity.CLOSE, "pytest -q")
    assert found.setup[-1].env["PIP_UPLOADED_PRIOR_TO"][:3] == day[:3]
