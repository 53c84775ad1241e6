"""What CI said, over GitHub's own ways: logs of any size, and annotations where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.workers.forge.scene import REPO, Scene
from workers import logs
from workers.domain import Case, Finding
from workers.github.session import Purpose

STAMP = "2026-11-21T04:00:00.0000000Z "


def printed(*lines: str) -> str:
    return "\ufeff" + "".join(f"{STAMP}{line}\n" for line in lines)


def step(script: str, *output: str) -> tuple[str, ...]:
    header = (f"##[group]Run {script}", f"\x1b[36;1m{script}\x1b[0m", "shell: /usr/bin/bash -e {0}", "##[endgroup]")
    return (*header, *output)


def annotation(level: str, path: str, message: str, **more: object) -> dict[str, object]:
    return {"annotation_level": level, "path": path, "start_line": 3, "end_line": 3, "message": message, **more}


def red(scene: Scene, **more: Any) -> Case:
    """The case of a job that ended like this."""
    done = scene.hub.finish_ci(REPO, **more)
    return replace(scene.case, job_id=done.job_id, actions_run_id=done.run_id)


def test_the_first_steps_of_a_long_log_are_known(scene: Scene) -> None:
    """A log of megabytes comes through with its beginning, its end, and the step that the job API says failed."""
    chatter = [f"tests/test_{at}.py::test_it PASSED" for at in range(80_000)]
    said = step("pytest", "first", *chatter, "last", "##[error]Process completed with exit code 1.")
    lint = step("lint || true", "##[error]Process completed with exit code 3.")
    text = printed(
        "Current runner version: '2.329.0'", *step("pip install x", "Successfully installed x-1.2"), *lint, *said
    )
    case = red(scene, log=text, steps=["Install", "Lint", "Test"], failing_step="Test")
    job = scene.forge(case).job(case)
    assert len(text) > 4 << 20
    assert [one.script for one in job.log.steps] == ["pip install x", "lint || true", "pytest"]
    assert job.log.failed is job.log.steps[2]
    assert job.log.steps[2].output.startswith("first\n")
    assert "\nlast\n" in job.log.steps[2].output
    assert job.log.steps[2].left_out > 10_000
    assert logs.versions(job.log) == {"pypi": {"x": "1.2"}}
    assert logs.machine(job.log).runner == "2.329.0"
    assert job.annotations == ()


def test_a_job_without_a_log_is_told_by_its_annotations(scene: Scene) -> None:
    """All pages of them; what the runner says of every red step is none; the runner's own words have no place."""
    told = [annotation("failure", "a.py", f"E{at}: wrong", title=f"E{at}") for at in range(120)]
    noise = annotation("failure", ".github", "Process completed with exit code 1.")
    lost = annotation("failure", ".github", "The hosted runner lost communication with the server.")
    warning = annotation("warning", "b.py", "not what made it red")
    case = red(scene, log=None, annotations=[*told, noise, lost, warning])
    job = scene.forge(case).job(case)
    assert not job.log
    assert job.annotations == (
        *(Finding(f"E{at}: wrong", "a.py", 3) for at in range(120)),
        Finding("The hosted runner lost communication with the server."),
    )


def test_warnings_stand_in_where_nothing_failed(scene: Scene) -> None:
    """Also beside a log that knows no failing step. A title that the message does not say is kept, secrets are not."""
    secret = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
    case = red(
        scene,
        log="nothing that tells\n",
        annotations=[
            annotation("warning", ".github", "Node.js 16 actions are deprecated."),
            annotation("notice", "a.py", "for your information"),
            annotation("warning", "a.py", f"\x1b[31mno {secret} here", title="S105"),
        ],
    )
    assert scene.forge(case).job(case).annotations == (Finding("S105: no [redacted] here", "a.py", 3),)


def test_another_ci_is_told_by_its_text_and_its_annotations(scene: Scene) -> None:
    """A check run of another App has no log: title, summary and text stand for it, and what it points at."""
    keys = scene.hub.create_app("other-ci", account="octo")
    other = scene.forge(
        replace(scene.case, installation_id=keys.installation_id), app_id=keys.app_id, private_key=keys.private_key
    )
    output = {
        "title": "1 problem",
        "summary": "Style is red",
        "text": "a.py:3 is odd",
        "annotations": [annotation("failure", "a.py", "odd")],
    }
    body = {
        "name": "style", "head_sha": scene.case.head_sha, "status": "completed", "conclusion": "failure",
        "output": output,
    }  # fmt: skip
    run = other._session.api(Purpose.TELL).send("POST", f"/repos/{REPO}/check-runs", body)
    case = replace(scene.case, job="style", job_id=run["id"], actions_run_id=0)
    job = scene.forge(case).job(case)
    assert (job.name, job.log.text) == ("style", "1 problem\nStyle is red\na.py:3 is odd")
    assert job.annotations == (Finding("odd", "a.py", 3),)
