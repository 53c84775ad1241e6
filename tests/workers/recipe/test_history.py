"""Who gets a repository: those whose steps ask git, by themselves or through the tools they run."""

from __future__ import annotations

import pytest

from sandbox.spec import Step
from tests.workers.recipe.trees import MemoryTree
from workers.history import note


@pytest.mark.parametrize(
    ("script", "path", "text"),
    [
        ("git diff --exit-code", "", ""),
        ("export SHA=$(git rev-parse HEAD)\npytest", "", ""),
        ("make && test -z \"$(git -C . status --porcelain)\"", "", ""),
        ("pre-commit run --all-files", "", ""),
        ("make check", "Makefile", "check:\n\tblack . && git diff --exit-code\n"),
        ("nox -s lint", "noxfile.py", 'files = session.run("git", "ls-files", silent=True)\n'),
        ("pytest", "pyproject.toml", '[build-system]\nrequires = ["setuptools", "setuptools_scm>=8"]\n'),
        ("pytest", "pyproject.toml", '[tool.hatch.build]\nrequires = ["hatchling", "hatch-vcs"]\n'),
        ("pytest", "pyproject.toml", '[tool.pdm.version]\nsource = "scm"\n'),
        ("pip install -e .", "setup.cfg", "[options]\nsetup_requires = pbr\n"),
        ("npm test", "package.json", '{"scripts": {"test": "jest --since $(git merge-base HEAD main)"}}'),
    ],
)  # fmt: skip
def test_who_asks_git_gets_a_repository(script: str, path: str, text: str) -> None:
    """The note says that there is no history, and who wanted it."""
    told = note([Step("check", script)], MemoryTree({path: text} if path else {}))
    assert "without history and tags" in told
    assert (path or "'check'") in told


@pytest.mark.parametrize(
    ("script", "path", "text"),
    [
        ("pytest", "pyproject.toml", '[project]\nurls.Source = "git+https://github.com/o/r"\n'),
        ("apt-get install -y git curl\n# git diff\npytest", "", ""),
        ("pip install git+https://github.com/o/r", "", ""),
        ("git config --global user.name x\ngit clone https://host/other", "", ""),
        ("pytest", "tests/test_git.py", 'run(["git", "log"], cwd=tmp_path)\n'),
        ("pytest", "vendor/Makefile", "x:\n\tgit describe\n"),
    ],
)
def test_others_do_not(script: str, path: str, text: str) -> None:
    """Fetching by git, other repositories and tests that make their own need none."""
    assert note([Step("check", script)], MemoryTree({path: text} if path else {})) == ""
