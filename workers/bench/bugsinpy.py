"""BugsInPy (github.com/soarsmu/BugsInPy): real bugs of Python projects, with the tests and fixes of their developers.

Each becomes a repository of the red commit with the tests of the fix. The projects are old, so a plugin gives them back
what Python has lost since. What is identical to the developers' fix is right; anything else is unjudged.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workers.bench.case import BenchCase
from workers.bench.dataset import found, opened, text
from workers.bench.identical import Identical
from workers.domain import Sha
from workers.errors import UsageError
from workers.git.command import Command, GitFailed
from workers.git.tree import MirrorTree

REPOSITORY = "soarsmu/BugsInPy"
_SHIM = Path(__file__).with_name("inside") / "bench_shim.py"
_SHIM_FOLDER = ".bench"
_PYTEST = "pytest==7.4.4"
_PACKAGES = {
    "PySnooper": "python-toolbox decorator future six",
    "cookiecutter": "binaryornot jinja2 click poyo jinja2-time requests future whichcraft python-slugify freezegun "
    "pytest-mock PyYAML",
    "thefuck": "psutil colorama six decorator pyte mock pytest-mock pexpect",
    "tqdm": "nose",
}
"""What the tests of a project import, in today's versions: those that its bugs were recorded with are too old."""
_LEFT_OUT = frozenset({"pkg-resources", "pytest", "pip", "setuptools", "wheel", "tox"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")
_FIELD = re.compile(r'^(\w{1,40})="([^"\n]{0,2000})"', re.MULTILINE)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_CHANGED = re.compile(r"^diff --git a/(\S{1,500}) b/", re.MULTILINE)


@dataclass(frozen=True)
class BugsInPy:
    """`workers.bench.case.Suite` over a clone of the repository and, in `sources`, clones of the projects."""

    dataset: Path | None
    sources: Path | None
    projects: tuple[str, ...]
    name: str = "bugsinpy"
    in_sample: bool = False

    @property
    def options(self) -> Mapping[str, str]:
        """The projects decide which bugs there are."""
        return {"projects": ",".join(self.projects)}

    def cases(self) -> Iterator[BenchCase]:
        """The bugs of each project, by number. Raises `UsageError` for a project that is not there."""
        data = opened(self.dataset, REPOSITORY, ("projects/thefuck/project.info",))
        known = {path.split("/")[1] for path in data.paths() if path.startswith("projects/")}
        for project in self.projects:
            if project not in known:
                raise UsageError(f"{REPOSITORY} has no project '{project}'; it has {', '.join(sorted(known))}")
        sources = {project: self._source(data, project) for project in self.projects}
        for project, git in sources.items():
            for number in _numbers(data, project):
                yield _case(_Bug.read(data, project, number), git)

    def _source(self, data: MirrorTree, project: str) -> Command:
        """The project's repository among the sources."""
        url = _fields(text(data, f"projects/{project}/project.info")).get("github_url", "")
        wanted = Sha(_Bug.read(data, project, _numbers(data, project)[0]).red)
        places = sorted(self.sources.glob("*")) + sorted(self.sources.glob("*/*")) if self.sources else []
        for place in places:
            git = found(place) if place.is_dir() else None
            if git is not None and project.lower() in str(place).lower() and _holds(git, wanted):
                return git
        raise UsageError(
            f"the sources of {project} are not there: git clone --bare {url} into a folder, and give it with --sources"
        )


@dataclass(frozen=True)
class _Bug:
    """What the data set says of a bug."""

    project: str
    number: int
    red: str
    fixed: str
    test_files: tuple[str, ...]
    run: str
    gold: str
    requirements: str

    @classmethod
    def read(cls, data: MirrorTree, project: str, number: int) -> _Bug:
        folder = f"projects/{project}/bugs/{number}"
        told = _fields(text(data, f"{folder}/bug.info"))
        red, fixed = (told.get(f"{which}_commit_id", "") for which in ("buggy", "fixed"))
        if not _COMMIT.fullmatch(red) or not _COMMIT.fullmatch(fixed):
            raise UsageError(f"{folder}/bug.info names no commits.")
        return cls(
            project,
            number,
            red,
            fixed,
            tuple(filter(None, told.get("test_file", "").split(";"))),
            text(data, f"{folder}/run_test.sh"),
            text(data, f"{folder}/bug_patch.txt"),
            (data.read(f"{folder}/requirements.txt") or b"").decode(errors="replace"),
        )


def _case(bug: _Bug, git: Command) -> BenchCase:
    """The red commit with the tests of the fix."""
    before, after = MirrorTree(git, Sha(bug.red)), MirrorTree(git, Sha(bug.fixed))
    files = _files(before)
    files |= {path: content for path in bug.test_files if (content := after.read(path)) is not None}
    files[f"{_SHIM_FOLDER}/{_SHIM.name}"] = _SHIM.read_bytes()
    right = {path: content for path in _CHANGED.findall(bug.gold) if (content := after.read(path)) is not None}
    return BenchCase(
        f"{bug.project}/{bug.number}",
        files,
        check(bug.run),
        image="python",
        setup=(f"python -m pip install {_PYTEST} {packages(bug.project, bug.requirements)}".strip(),),
        group=bug.project,
        gold=bug.gold,
        judge=Identical(right),
    )


def check(run: str) -> str:
    """The tests of `run_test.sh` in one call of pytest with the plugin; with unittest it is left as it is."""
    tests: list[str] = []
    others: list[str] = []
    for line in run.splitlines():
        words = _words(line)
        named = [word for word in words if ".py" in word and not word.startswith("-")]
        if named and ("pytest" in words or "tox" in words or "py.test" in words):
            tests += [word for word in named if word not in tests]
        elif words:
            others.append(shlex.join(["python" if word == "python3" else word for word in words]))
    if not tests:
        return " && ".join(others)
    plugin = _SHIM.name.removesuffix(".py")
    return f"PYTHONPATH={_SHIM_FOLDER}:. python -m pytest -q -o addopts= -p {plugin} {shlex.join(tests)}"


def packages(project: str, requirements: str) -> str:
    """What has to be installed: from the table, else the names that the data set has, without their old versions."""
    if project in _PACKAGES:
        return _PACKAGES[project]
    names = [match[0] for line in requirements.splitlines() if (match := _NAME.match(line.strip()))]
    left_out = _LEFT_OUT | {project.lower()}
    return " ".join(dict.fromkeys(name for name in names if name.lower() not in left_out))


def _files(tree: MirrorTree) -> dict[str, bytes]:
    return {path: content for path in tree.paths() if (content := tree.read(path)) is not None}


def _fields(lines: str) -> dict[str, str]:
    return dict(_FIELD.findall(lines))


def _numbers(data: MirrorTree, project: str) -> list[int]:
    found_here = re.compile(rf"projects/{re.escape(project)}/bugs/(\d{{1,4}})/bug\.info")
    return sorted(int(match[1]) for path in data.paths() if (match := found_here.fullmatch(path)))


def _holds(git: Command, sha: Sha) -> bool:
    try:
        git.run("cat-file", "-e", f"{sha}^{{tree}}")
    except GitFailed:
        return False
    return True


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return []
