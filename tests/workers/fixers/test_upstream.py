"""A package that moved between two runs of CI and that the failure is about is kept from its new release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from sandbox.spec import Step
from tests.workers.fixers.test_from_tools import bench
from tests.workers.histories import Line
from workers import logs
from workers.domain import Attempt, Blame, Change, Confidence, FailureClass, Finding, JobReport, Since, Verdict
from workers.fixers import Upstream
from workers.ports import Workbench
from workers.since import since

GREEN = "Successfully installed jinja2-3.0.3 markupsafe-2.0.1 pytest-8.4.1 six-1.17.0 tool-1.0.1"
RED = "Successfully installed Jinja2-3.0.3 MarkupSafe-2.1.0 pytest-8.4.2 six-1.16.0 tool-1.0.2"
NAMED = "ImportError: cannot import name 'soft_unicode' from 'markupsafe' (/x/site-packages/markupsafe/__init__.py)"
DEEP = (
    "shop/page.py:3: in render\n/x/lib/python3.11/site-packages/jinja2/filters.py:13: in <module>\n"
    "/x/lib/python3.11/site-packages/tool/of.py:1: in of\nE   TypeError: of() takes 1 argument\n"
)
LISTS = {"requirements.txt": "Jinja2\nMarkupSafe>=2.0\ntool\n", "shop/page.py": "import jinja2\n"}
SETUP = (Step("Deps", "pip install -r requirements.txt"),)


def job(said: str, day: str = "") -> JobReport:
    lines = (
        "##[group]Run pip install x",
        "\x1b[36;1mpip install x\x1b[0m",
        "shell: /usr/bin/bash -e {0}",
        "##[endgroup]",
        said,
    )
    text = "".join(f"2026-11-20T07:00:00.0000000Z {line}\n" for line in lines)
    return JobReport("test", logs.parse(text), started_at=day)


MOVED = since(job(RED, "2026-11-26T07:00:00Z"), lambda: job(GREEN, "2026-11-20T07:00:00Z"))


def work(
    output: str, files: Mapping[str, str] | None = None, moved: Since = MOVED, cls: FailureClass = FailureClass.ERROR
) -> Workbench:
    made, _ = bench(files or LISTS, "pytest", cls, "pytest", (Finding("it fails"),), output, setup=SETUP)
    return replace(made, since=lambda: moved)


def test_what_moved_is_read_off_two_logs() -> None:
    """By normal names, with the days of both runs; what was not there before did not move."""
    assert [(one.name, one.before, one.after) for one in MOVED.moved] == [
        ("markupsafe", "2.0.1", "2.1.0"), ("pytest", "8.4.1", "8.4.2"), ("six", "1.17.0", "1.16.0"),
        ("tool", "1.0.1", "1.0.2"),
    ]  # fmt: skip
    assert (MOVED.green_at, MOVED.red_at) == ("2026-11-20", "2026-11-26")
    assert since(job(RED), lambda: None) == Since()


def test_the_green_job_is_not_asked_for_in_vain() -> None:
    """A red log that names no package has nothing to be compared with."""
    asked: list[int] = []
    assert since(job("nothing"), lambda: asked.append(1)) == Since()
    assert not asked


@pytest.mark.parametrize(
    ("output", "lines"),
    [
        (NAMED, ["MarkupSafe>=2.0,<2.1.0", "MarkupSafe>=2.0,!=2.1.0"]),
        ("AttributeError: module 'markupsafe' has no attribute 'soft_unicode'", ["MarkupSafe>=2.0,<2.1.0"]),
        (DEEP, ["tool!=1.0.2", "tool<1.0.2"]),
        (f"{DEEP}{NAMED}", ["MarkupSafe>=2.0,<2.1.0", "tool!=1.0.2"]),
        ("shop 1.0 requires markupsafe<2.1, but you have markupsafe 2.1.0 which is incompatible.",
         ["MarkupSafe>=2.0,<2.1.0"]),
        ("/x/site-packages/_pytest/python.py:500: in importtestmodule\nE   ValueError", []),
        ("/x/site-packages/six.py:1: in f\nE   ValueError", []),
        ("/x/site-packages/jinja2/x.py:1: in f\nE   ValueError", []),
        ("E   assert 1 == 2", []),
    ],
    ids=["import", "attribute", "traceback", "what is named comes first", "resolver", "the tests' runner",
         "moved back", "not moved", "nothing installed"],
)  # fmt: skip
def test_the_package_that_the_failure_is_about_is_bounded(output: str, lines: list[str]) -> None:
    """One package, one bound; both versions and both days are told."""
    seen: list[str] = []
    tried: list[Attempt] = []
    one, fixer = work(output), Upstream()
    assert fixer.applies(one.diagnosis)
    while candidate := fixer.propose(one, tried):
        assert (candidate.change, candidate.confidence) == (Change.BOUND, Confidence.MEDIUM)
        assert all(word in candidate.reasoning for word in ("2026-11-20", "2026-11-26"))
        seen += [line[1:] for line in candidate.patch.split("\n") if line.startswith("+") and line[1] != "+"]
        tried.append(Attempt(candidate, Verdict(False, "check")))
    assert seen[: len(lines)] == lines
    assert len(seen) <= 2
    assert bool(seen) is bool(lines)


@pytest.mark.parametrize(
    ("files", "path", "line"),
    [
        ({"requirements.txt": "jinja2\n"}, "requirements.txt", "+MarkupSafe<2.1.0"),
        ({"requirements.txt": "jinja2\n", "constraints.txt": "markupsafe\n"}, "constraints.txt", "+markupsafe<2.1.0"),
        ({"requirements.txt": "jinja2\nmarkupsafe==2.1.0\n"}, None, ""),
        ({"pyproject.toml": '[project]\nname = "a"\ndependencies = ["jinja2"]\n', "uv.lock": ""}, None, ""),
        ({"setup.py": "setup(install_requires=['MarkupSafe>=2.0'])\n"}, "setup.py",
         "+setup(install_requires=['MarkupSafe>=2.0,<2.1.0'])"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\nmarkupsafe = "^2.0"\n'}, "pyproject.toml",
         '+markupsafe = "^2.0,<2.1.0"'),
        ({"page.py": "import jinja2\n"}, None, ""),
    ],
    ids=["brought by another", "a constraint file", "pinned", "locked", "setup.py", "Poetry", "no list"],
)  # fmt: skip
def test_the_bound_goes_where_the_package_is_listed(files: dict[str, str], path: str | None, line: str) -> None:
    """Else beside what brings it; not where the repository itself says which version, or a lock does."""
    candidate = Upstream().propose(work(NAMED, files), [])
    assert (candidate is None) is (path is None)
    if candidate:
        assert f"--- a/{path}" in candidate.patch
        assert line.lower() in candidate.patch.lower().split("\n")


def test_a_name_that_only_a_log_knows_is_not_listed() -> None:
    """Anybody's code may print that it installed something."""
    assert Upstream().propose(work(DEEP, {"requirements.txt": "jinja2\n"}), []) is None
    assert Upstream().propose(work(DEEP, {"requirements.txt": "jinja2\ntool\n"}), []) is not None


def test_nothing_is_bounded_that_a_commit_explains() -> None:
    """Where an earlier commit is green with the same packages, no release is at fault."""
    commit = Line(1, 2).commits[0]
    one = replace(work(NAMED), blame=Blame(suspects=(commit,), count=1))
    assert Upstream().propose(one, []) is None
    assert Upstream().propose(work(NAMED, moved=Since()), []) is None
