"""Programs of GitHub's machines that the sandbox's images lack are brought by the set-up, and that is said."""

from __future__ import annotations

import pytest

from sandbox.spec import Step
from tests.workers.recipe.test_plans import job, make
from workers import runner_programs

NOTHING = {"README": ""}


@pytest.mark.parametrize(
    ("script", "env", "brought"),
    [
        ("cmake -B build && cmake --build build", {}, "python -m pip install 'cmake==3.31.*'"),
        ("cd build\nctest -V", {}, "python -m pip install 'cmake==3.31.*'"),
        ("cmake -G Ninja .\nninja", {}, "python -m pip install 'cmake==3.31.*' ninja"),
        ("./autogen.sh", {}, "apt-get install -y --no-install-recommends autoconf automake libtool"),
        ("CC=clang make", {}, "apt-get install -y --no-install-recommends clang"),
        ("make", {"CXX": "clang++"}, "apt-get install -y --no-install-recommends clang"),
        ("sudo timeout 60 valgrind ./a", {}, "apt-get install -y --no-install-recommends valgrind"),
        ("PGPASSWORD=x psql -h localhost", {}, "apt-get install -y --no-install-recommends postgresql-client"),
        ("CC=clang-18 make", {}, ""),  # not Debian's: what CI installs for it is the job's own step
        ("echo cmake", {}, ""),
        ("sudo apt-get install -y lcov ccache\nlcov -c", {}, ""),  # the job brings it
        ("pytest", {}, ""),
    ],
)
def test_what_a_script_calls_is_brought(script: str, env: dict[str, str], brought: str) -> None:
    """By the commands' names, and by the compiler that a script or the job's environment names."""
    steps, notes = runner_programs.added((Step("Build", script),), env, "python")
    assert [step.script.split("\n")[-1] for step in steps] == ([brought] if brought else [])
    assert bool(notes) == bool(brought)


def test_a_job_of_cmake_has_it_before_its_own_steps() -> None:
    """The recipe says what was added, and that the version may differ."""
    found = make(job("run: pip install -r requirements.txt\nrun: cmake -B build"), NOTHING)
    assert [step.name for step in found.setup] == [
        "programs of GitHub's machines (wheels)", "Run pip install -r requirements.txt",
    ]  # fmt: skip
    assert "programs of GitHub's machines are added, maybe in other versions: cmake" in found.notes


def test_a_strangers_image_is_left_as_it_is() -> None:
    """A job's container has what it has."""
    found = make(job("run: cmake .", "runs-on: ubuntu-latest\n    container: gcc:13"), NOTHING)
    assert found.setup == ()
