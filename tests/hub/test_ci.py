"""The double's CI: what it reads of workflow files, and the log of a real run in a container."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.hub.conftest import FILES, REPO
from tests.hub.process import Hub
from tests.hub.remote import Json
from tests.hub.workflow_file import parse

WORKFLOW = """
name: ci
on:
  push:
    branches: [main, "heal/**"]
env:
  LEVEL: whole
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ["3.11", "3.12"]
    steps:
      - uses: actions/checkout@v4
      - name: Test
        run: |
          python -m pytest -q
          echo ${{ matrix.python }}
        env:
          COLOR: 1
      - run: echo never
  after:
    needs: test
    steps:
      - run: "true"
"""
STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ")
RED = """name: ci
on: push
env:
  LEVEL: whole
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 1
      - name: Look
        run: |
          ls calc.py
          false
          echo not reached
      - run: echo never
"""


def test_a_workflow_file_is_read() -> None:
    """Matrix, names, environment, expressions and branch filters are understood."""
    plan = parse(WORKFLOW, "x.yml", {})
    assert plan is not None
    assert [job.name for job in plan.jobs] == ["test (3.11)", "test (3.12)", "after"]
    assert plan.jobs[0].steps[1].run.endswith("echo 3.11\n")
    assert plan.jobs[0].env == {"LEVEL": "whole"}
    assert plan.jobs[2].needs == ("test",)
    assert plan.runs_on_push("heal/1")
    assert not plan.runs_on_push("other")
    assert parse("a: [", "x.yml", {}) is None


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """An image with bash in it, made from the host's own files."""
    import io
    import tarfile

    client = docker.from_env()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as tar:
        for path in _files_of("bash", "ls", "mkdir", "sleep", "timeout", "true", "false"):
            tar.add(path, arcname=path.lstrip("/"))
        for folder in ("tmp", "root", "home", "etc", "usr/bin"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
    name = f"heal-hub-ci-test:{os.getpid()}"
    repository, tag = name.split(":")
    client.api.import_image_from_data(packed.getvalue(), repository, tag, ["ENV PATH=/usr/bin:/bin"])
    yield name
    client.images.remove(name, force=True)
    client.close()


def _files_of(*programs: str) -> list[str]:
    import shutil
    import subprocess

    found: set[str] = set()
    for program in programs:
        path = shutil.which(program)
        assert path is not None
        found.add(f"/usr/bin/{Path(path).name}")
        listed = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
        found.update(re.findall(r"(/\S+)", listed))
    return sorted(found)


def _steps(job: Json) -> list[tuple[str, str]]:
    return [(step["name"], step["conclusion"]) for step in job["steps"]]


@pytest.mark.engine
def test_closing_ends_running_jobs(image: str) -> None:
    """A job that still runs when the double ends leaves no container behind."""
    client = docker.from_env()
    with Hub(ci_image=image) as hub:
        endless = RED.replace("false", "sleep 600")
        hub.create_repo(REPO, files={**FILES, ".github/workflows/ci.yml": endless}, ci="real", run_first=True)
        (mine,) = hub.wait(lambda: _running(client, image), 30, "a container")["ids"]
    assert mine not in {one.id for one in client.containers.list(all=True, ignore_removed=True)}
    client.close()


def _running(client: docker.DockerClient, image: str) -> Json | None:
    found = [one.id for one in client.containers.list(filters={"ancestor": image})]
    return {"ids": found} if found else None


@pytest.mark.engine
def test_a_push_runs_the_real_thing(image: str) -> None:
    """A red script ends its job; log, steps, annotation and conclusions are what GitHub would record."""
    with Hub(ci_image=image) as hub:
        hub.create_app("heal-test")
        hub.create_repo(REPO, files={**FILES, ".github/workflows/ci.yml": RED}, ci="real")
        sha = hub.push(REPO, {"notes.txt": "x\n"})
        run = hub.wait_ci(REPO, sha)
        assert (run["conclusion"], run["name"], run["event"]) == ("failure", "ci", "push")
        (job,) = hub.repo(REPO)["jobs"]
        assert "runner broke" not in job["log"], job["log"]
        assert _steps(job) == [
            ("Set up job", "success"),
            ("Run actions/checkout@v4", "success"),
            ("Look", "failure"),
            ("Run echo never", "skipped"),
            ("Complete job", "success"),
        ]
        check = hub.repo(REPO)["check_runs"][0]
        assert check["annotations"][-1]["message"] == "Process completed with exit code 1."
        hub.push(REPO, {".github/workflows/ci.yml": RED.replace("false", "true")}, branch="heal/1")
        green = hub.push(REPO, {"notes.txt": "y\n"}, branch="heal/1")
        assert hub.wait_ci(REPO, green)["conclusion"] == "success"
        both = RED.replace("on: push", "on: {push: {branches: [main]}, pull_request: {}}").replace("false", "true")
        other = hub.push(REPO, {".github/workflows/ci.yml": both}, branch="heal/2")
        hub.open_pull(REPO, "octo", "heal/1")
        hub.open_pull(REPO, "octo", "heal/2")
        assert hub.wait_ci(REPO, other)["conclusion"] == "success"
        state = hub.repo(REPO)
    assert [r["event"] for r in state["workflow_runs"]].count("pull_request") == 1
    assert job["log"].startswith("\ufeff")
    lines = job["log"].removeprefix("\ufeff").splitlines()
    assert all(STAMP.match(line) for line in lines)
    plain = [STAMP.sub("", line) for line in lines]
    start = plain.index("##[group]Run ls calc.py")
    assert plain[start : start + 11] == [
        "##[group]Run ls calc.py",
        "\x1b[36;1mls calc.py\x1b[0m",
        "\x1b[36;1mfalse\x1b[0m",
        "\x1b[36;1mecho not reached\x1b[0m",
        "shell: /usr/bin/bash -e {0}",
        "env:",
        "  LEVEL: whole",
        "##[endgroup]",
        "calc.py",
        "##[error]Process completed with exit code 1.",
        "Cleaning up orphan processes",
    ]
    assert plain[plain.index("##[group]Run actions/checkout@v4") + 1 :][:2] == ["with:", "  fetch-depth: 1"]
