"""Steps that fetch from hosts the sandbox does not reach by itself say so before anything is spent."""

from __future__ import annotations

import pytest

from tests.workers.recipe.test_plans import job, make

NOTHING = {"README": ""}
SETUP = "which set-up reaches where HEAL_SETUP_HOSTS names it"


@pytest.mark.parametrize(
    ("script", "host"),
    [
        ("git clone https://github.com/o/r.git", "github.com"),
        ("wget http://user@Example.org/a && ./a", "example.org"),
        ("echo see https://example.org", ""),
        ("git config --global url.https://github.com/.insteadOf git://", ""),
        ("curl http://localhost:8080/health", ""),
    ],
)
def test_a_check_that_fetches_is_named_with_its_host(script: str, host: str) -> None:
    """By the address in its command; addresses that are only shown, and the job's own services, are none."""
    found = [note for note in make(job(f"{{name: Get, run: '{script}'}}"), NOTHING).notes if "fetches from" in note]
    assert found == ([f"'Get' fetches from {host}, and a check has no network"] if host else [])


@pytest.mark.parametrize(
    ("script", "host"),
    [("pip install git+https://github.com/o/r", "github.com"), ("pip install -i https://pypi.org/simple x", "")],
)
def test_a_set_up_that_fetches_from_elsewhere_needs_the_operators_word(script: str, host: str) -> None:
    """Package indexes are reached without one."""
    found = [note for note in make(job(f"run: {script}\nrun: pytest"), NOTHING).notes if "fetches from" in note]
    assert found == ([f"'Run {script}' fetches from {host}, {SETUP}"] if host else [])


def test_hooks_of_pre_commit_come_from_their_repositories() -> None:
    """Each of them is a repository of its own, on a host that set-up does not reach by itself."""
    hooks = "repos:\n- repo: https://github.com/psf/black\n  rev: 1\n- repo: local\n- repo: 'https://gitlab.com/a/b'\n"
    found = make(job("run: pre-commit run --all-files"), {".pre-commit-config.yaml": hooks})
    assert f"'Run pre-commit run --all-files (prime)' fetches from github.com, gitlab.com, {SETUP}" in found.notes


def test_local_hooks_need_no_host() -> None:
    """They are in the repository."""
    found = make(job("run: pre-commit run --all-files"), {".pre-commit-config.yaml": "repos:\n- repo: local\n"})
    assert not any("fetches from" in note for note in found.notes)
