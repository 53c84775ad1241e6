"""What a run of our own red repositories is handed: log and workflow as GitHub reports them, and the commit before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from workers.bench.ci.red import WORKFLOW
from workers.bench.ci.suite import Ci
from workers.bench.forge import BenchForge
from workers.domain import Moved, Since
from workers.patch import Executable
from workers.ports import Light
from workers.since import since

CASES = {case.id: case for case in Ci().cases()}


def test_the_job_is_reported_as_github_would(tmp_path: Path) -> None:
    """With its name, its log and its workflow; the gold patch and the hidden tests are nowhere among the files."""
    forge = BenchForge(CASES["name-typo"], tmp_path)
    run = forge.bench_case("ci")
    job = forge.job(run)
    assert (job.name, job.workflow_path) == ("test", WORKFLOW)
    assert job.workflow is not None
    assert job.workflow.startswith("name: ci\n")
    assert job.log.failed is not None
    assert "NameError" in job.log.failed.output
    assert sorted(forge.tree(run).paths()) == [WORKFLOW, "mean.py", "requirements-dev.txt", "test_mean.py"]
    assert forge.base(run) is None
    assert forge.last_green(run) is None


def test_the_base_of_a_pull_request_is_red_with_its_own_files(tmp_path: Path) -> None:
    """It is the commit before, and CI calls it red."""
    forge = BenchForge(CASES["trap-base-red"], tmp_path)
    run = forge.bench_case("ci")
    base = forge.base(run)
    assert base is not None
    assert (base.head_light, base.fork_light) == (Light.RED, Light.RED)
    before = forge.tree(replace(run, head_sha=base.head))
    assert before.read("note.py") != forge.tree(run).read("note.py")
    assert before.read("half.py") == forge.tree(run).read("half.py")


def test_the_green_commit_before_is_in_the_history(tmp_path: Path) -> None:
    """What was changed since is the case's own change and nothing else."""
    forge = BenchForge(CASES["snapshot-syrupy"], tmp_path)
    run = forge.bench_case("ci")
    good = forge.last_green(run)
    assert good is not None
    line = forge.lineage(run, good)
    assert line is not None
    assert len(line.commits) == 2
    assert line.diff(0, 1).count("diff --git") == 1


def test_the_green_log_and_a_script_without_its_bit(tmp_path: Path) -> None:
    """What CI installed when it was green is told by its log; a script is executable unless the case says otherwise."""
    forge = BenchForge(CASES["upstream-release"], tmp_path / "log")
    run = forge.bench_case("ci")
    told = since(forge.job(run), lambda: forge.green_job(run))
    assert told == Since((Moved("itsdangerous", "2.0.1", "2.1.0"),), "2026-09-17", "2026-09-18")
    other = BenchForge(CASES["executable-bit"], tmp_path / "bit")
    tree = other.tree(other.bench_case("ci"))
    assert other.green_job(other.bench_case("ci")) is None
    script = tree.read("scripts/check.sh") or b""
    assert "new mode 100755" in tree.diff({"scripts/check.sh": Executable(script)})
