"""`heal fix` on the sample repositories: what it prints, what it changes, how it ends, its process included."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from sandbox.engine import Engine
from tests.bot.command import HEAL, commit, environment, heal, one_object, process, sample
from tests.installation import NAME
from tests.model.answers import NO_OBJECTION, search_replace
from tests.model.process import Model
from tests.model.replies import text
from tests.workers.git.checkouts import git

pytestmark = pytest.mark.engine

KEYS = {"outcome", "run", "check", "failure", "patch", "reasoning", "fixer", "model", "evidence", "attempts", "tokens",
        "cost_usd", "seconds"}  # fmt: skip
EVIDENCE = {"image", "before", "after", "regressions", "reruns", "skipped_steps"}
RED = "    cost = 0 if subtotal > FREE_FROM else STANDARD"
DEAD_SOCKET = "unix:///nonexistent/docker.sock"


def test_json_is_the_object_of_the_contract() -> None:
    """One JSON object on standard output with every key of the contract, the proof in it, and exit code 0. --check
    beats the workflow's command; --branch makes one commit beside HEAD and leaves the work tree alone."""
    place = sample("wrong-operator")
    head = git(place, "rev-parse", "HEAD")
    more = ("--branch", "heal/fix", "--check", "python -m pytest -q tests", "--engine", "offline")
    done = heal("fix", place, *more, "--json")
    found = one_object(done)
    assert done.returncode == 0, done.stderr
    assert set(found) >= KEYS
    assert (found["outcome"], found["check"]) == ("FIXED", "python -m pytest -q tests")
    assert set(found["evidence"]) >= EVIDENCE
    assert found["evidence"]["image"].startswith("sha256:")
    first = found["failure"]["places"][0]
    assert first["path"] == "shipping/rates.py"
    assert first["reasons"][0].startswith("executed by every failing test and by")
    assert found["evidence"]["before"]["failed"] == 3
    assert found["evidence"]["after"] | {"seconds": 0} == {"exit_code": 0, "passed": 7, "failed": 0, "seconds": 0}
    assert set(found["failure"]) >= {"class", "tool", "fingerprint", "findings"}
    assert set(found["failure"]["findings"][0]) >= {"path", "line", "test", "message"}
    assert (found["fixer"], found["model"], found["cost_usd"]) == ("search", None, 0.0)
    assert set(found["tokens"]) == {"input", "output"}
    assert set(found["seconds"]) >= {"reproduce", "propose", "verify"}
    assert git(place, "rev-parse", "heal/fix^", "HEAD").split() == [head, head]
    assert git(place, "diff", "HEAD", "heal/fix").strip() == found["patch"].strip()
    assert git(place, "status", "--porcelain") == ""
    taken = heal("fix", place, "--branch", "heal/fix")
    assert (taken.returncode, taken.stdout) == (2, "")
    assert "exists already" in taken.stderr


def test_the_patch_alone_is_on_standard_output() -> None:
    """Without --json the patch can be piped into `git apply`; the story, stages and gaps go to standard error."""
    place = sample("lint-findings")
    done = process("fix", place)
    assert done.returncode == 0, done.stderr
    subprocess.run(["git", "apply", "--check", "-"], cwd=place, input=done.stdout, text=True, check=True)
    assert done.stdout.startswith("diff --git ")
    for word in ("admit", "reproduce", "verify", "FIXED", "fix        autofix", "not proven"):
        assert word in done.stderr
    assert git(place, "status", "--porcelain") == ""


def test_apply_makes_the_check_green() -> None:
    """--apply writes the verified patch into the work tree, here the import that was missing; committed, the check is
    green in the sandbox."""
    place = sample("missing-import")
    done = heal("fix", place, "--apply", "--json")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\+(from math import|import math)", one_object(done)["patch"], re.MULTILINE)
    assert one_object(done)["patch"].strip() == git(place, "diff").strip()
    commit(place, "Heal it")
    again = heal("fix", place, "--json")
    assert (again.returncode, one_object(again)["outcome"]) == (1, "NOT_REPRODUCED")
    assert "green here in 6 of 6 runs" in one_object(again)["detail"]


def test_a_flaky_check_is_not_patched() -> None:
    """The honest no: exit code 1, outcome FLAKY with its numbers, no patch."""
    done = heal("fix", sample("flaky-order"), "--json")
    found = one_object(done)
    assert (done.returncode, found["outcome"], found["patch"]) == (1, "FLAKY", None)
    assert "identical runs" in found["detail"]


def test_the_commit_that_broke_it_is_named() -> None:
    """--good names an earlier commit that was green: the one that broke it is found between the two."""
    place = sample("wrong-operator")
    file = place / "shipping" / "rates.py"
    red = file.read_text()
    (place / ".github" / "heal.yml").write_text("mode: observe\n")  # a fix is not what this is about
    file.write_text(red.replace(RED, RED.replace(">", ">=")))
    good = commit(place, "Green")
    shas = []
    for message, text_ in (("Note one", None), ("Simplify the limit", red), ("Note two", None)):
        (place / "NOTES").write_text(message)
        file.write_text(text_ or file.read_text())
        shas.append(commit(place, message))
    done = heal("fix", place, "--good", good, "--json")
    assert (done.returncode, one_object(done)["outcome"]) == (1, "REFUSED_BY_POLICY")
    failure = one_object(done)["failure"]
    assert (failure["culprit"]["commit"], failure["culprit"]["subject"]) == (shas[1], "Simplify the limit")
    assert (failure["suspects"]["good"], failure["suspects"]["searched"]) == (shas[0], 3)
    assert heal("fix", place, "--good", "HEAD").returncode == 2


def test_a_model_alone() -> None:
    """--engine llm asks the endpoint of the environment and nobody else; its patch passes the same gates, and a second
    look."""
    place = sample("wrong-operator")
    answer = search_replace("shipping/rates.py", RED, RED.replace(">", ">="))
    with Model() as model:
        model.script([text(answer), text(NO_OBJECTION)])
        done = heal(
            *("fix", place, "--engine", "llm", "--json"),
            HEAL_MODEL="openai:tiny",
            OPENAI_BASE_URL=model.url,
            OPENAI_API_KEY="sk-test",
        )
        asked = len(model.requests())
    assert done.returncode == 0, done.stderr
    found = one_object(done)
    assert (found["fixer"], found["model"], asked) == ("llm", "tiny", 2)
    assert found["tokens"]["input"] > 0


def test_a_bug_report_in_a_file(tmp_path: Path) -> None:
    """Its examples become a failing test, and the patch holds both; without an example one thing is asked for."""
    place, report = sample("wrong-operator"), tmp_path / "report.md"
    report.write_text(
        "# Orders of 50 euros pay for shipping\n\n- `shipping_cost(5000, 500)` returns `490`, expected `0`\n"
        "- `total(5000, 12000)` returns `5840`, expected `5350`\n"
    )
    done = heal("fix", place, "--report", str(report), "--engine", "offline", "--json")
    found = one_object(done)
    assert done.returncode == 0, done.stderr
    assert found["test"]["path"] == "tests/test_report.py"
    assert found["check"] == "python -m pytest tests/test_report.py"
    subprocess.run(["git", "apply", "--check", "-"], cwd=place, input=found["patch"], text=True, check=True)
    assert found["patch"].count("diff --git") == 2
    report.write_text("It is too expensive.\n")
    done = heal("fix", place, "--report", str(report), "--engine", "offline", "--json")
    found = one_object(done)
    assert (done.returncode, found["outcome"], found["question"]["missing"]) == (1, "QUESTION", "steps")


def test_ctrl_c_leaves_nothing_behind() -> None:
    """SIGINT in the middle of a run: exit code 130, one line, and no container of the run on the engine."""
    place = sample("wrong-operator")
    command = [HEAL, "fix", str(place), "--check", "sleep 60; false"]
    child = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    engine = Engine()
    try:
        before = _containers(engine)
        ours = _until_new(engine, before, child)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
        assert (child.returncode, out) == (130, ""), err
        assert err.splitlines()[-1] == "heal: stopped"
        assert not ours & _containers(engine)
    finally:
        child.kill()
        child.wait()
        engine.close()


def _containers(engine: Engine) -> set[str]:
    found = engine.containers("heal.role=check")
    return {name for name, labels in found.items() if labels["heal.owner"].startswith(f"{NAME}/fix-")}


def _until_new(engine: Engine, before: set[str], child: subprocess.Popen[str]) -> set[str]:
    deadline = time.monotonic() + 60
    while not (new := _containers(engine) - before):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline, "no container came up"
        time.sleep(0.1)
    return new


def refused(code: int, words: str, *arguments: str | Path, **more: str) -> None:
    """It ends with the code; the last line on standard error says why; nothing is on standard output."""
    done = heal("fix", *arguments, **more)
    last = done.stderr.strip().splitlines()[-1]
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert words in last, done.stderr
    assert last.startswith(("heal: ", "Error: "))


def test_wrong_use(tmp_path: Path) -> None:
    """No repository, no commit, changes not committed, an unknown job, option or model: one line, exit code 2."""
    refused(2, "not inside a git repository", tmp_path)
    refused(2, "is not a folder", tmp_path / "nowhere")
    git(tmp_path, "init", "--quiet")
    refused(2, "has no commit yet", tmp_path)
    place, empty = sample("wrong-operator"), tmp_path / "empty.md"
    empty.touch()
    refused(2, "has no job named 'nope', only: test", place, "--job", "nope")
    refused(2, "No such option: --nope", place, "--nope")
    refused(2, "exclude each other", place, "--apply", "--branch", "x")
    refused(2, "pass --model or set HEAL_MODEL", place, "--engine", "llm")
    refused(2, "is empty: a bug report has a title", place, "--report", str(empty))
    refused(2, "names no model", place, "--model", "nonsense")
    refused(2, "HEAL_APP_ID", place, HEAL_APP_ID="seven")
    (place / "shipping" / "rates.py").write_text("changed\n")
    refused(2, "not committed (shipping/rates.py)", place)


def test_something_is_missing() -> None:
    """No engine: one line with the command that repairs it, exit code 3."""
    place = sample("wrong-operator")
    refused(3, "repair: deploy/bootstrap services", place, HEAL_DOCKER_HOST=DEAD_SOCKET)
    refused(3, "(Connection refused); repair: deploy/bootstrap", place, HEAL_DOCKER_HOST="tcp://127.0.0.1:1")
