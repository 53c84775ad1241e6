"""The suites over tiny data sets of the same form: what they read, what becomes of it, and what they say when it is not
there."""

from __future__ import annotations

import ast
import io
import tarfile
import zipfile
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pytest

from sandbox.images.sources import Sources
from tests.workers import made as values
from tests.workers.git.checkouts import checkout, git
from workers.bench import refactory
from workers.bench.bugsinpy import BugsInPy, check, packages
from workers.bench.case import BenchCase, Suite
from workers.bench.differential import Differential
from workers.bench.forge import BenchForge
from workers.bench.identical import Identical, same
from workers.bench.mutants import Mutants, Package, seed_of
from workers.bench.quixbugs import QuixBugs
from workers.bench.refactory import Refactory, calls
from workers.bench.wished import mutants
from workers.errors import UsageError

WRONG, RIGHT = b"def gcd(a, b):\n    return a\n", b"def gcd(a, b):\n    return a or b\n"
PROGRAMS = {
    "conftest.py": b"",
    "python_testcases/load_testdata.py": b"",
    "python_testcases/node.py": b"",
    "python_testcases/test_gcd.py": b"def test(): ...\n",
    "json_testcases/gcd.json": b"[[17, 0], 17]\nno json\n[[13, 13], 13]\n{}\n",
    "python_programs/gcd.py": WRONG,
    "python_programs/untested.py": WRONG,
    "correct_python_programs/gcd.py": RIGHT,
    "correct_python_programs/untested.py": RIGHT,
}


def test_quixbugs_is_a_repository_per_tested_program(tmp_path: Path) -> None:
    """With its tests and nothing of the correct program, which only the judge has. A bare clone does as well."""
    checkout(tmp_path / "data", PROGRAMS)
    git(tmp_path, "clone", "--quiet", "--bare", "data", "bare")
    (case,) = QuixBugs(tmp_path / "data").cases()
    (bare,) = QuixBugs(tmp_path / "bare").cases()
    assert bare == case
    assert case.id == "gcd"
    assert case.files["python_programs/gcd.py"] == WRONG
    assert RIGHT not in case.files.values()
    assert case.check == "python -m pytest -q -p bench_limit_test --cpu-limit=2 python_testcases/test_gcd.py"
    judge = case.judge
    assert isinstance(judge, Differential)
    assert (judge.reference, judge.wanted, judge.inputs[0]) == (RIGHT, 400, ("gcd", "(17, 0)"))
    assert len(judge.inputs) > 400


def test_only_what_is_committed_is_read(tmp_path: Path) -> None:
    """What lies in the work tree may be anything."""
    checkout(tmp_path / "data", PROGRAMS)
    (tmp_path / "data" / "python_programs" / "gcd.py").write_bytes(b"import os\n")
    (case,) = QuixBugs(tmp_path / "data").cases()
    assert case.files["python_programs/gcd.py"] == WRONG


@pytest.mark.parametrize("what", ["none", "no repository", "another", "no commit"])
@pytest.mark.parametrize("suite", [QuixBugs, Refactory])
def test_missing_data_is_said_with_the_repository_to_clone(
    tmp_path: Path, what: str, suite: type[QuixBugs] | type[Refactory]
) -> None:
    """In one sentence, whatever is there instead."""
    place = tmp_path / "data"
    place.mkdir()
    if what == "another":
        checkout(place, {"README": b"x"})
    if what == "no commit":
        git(place, "init", "--quiet")
    with pytest.raises(UsageError, match=r"git clone https://github\.com/\w+/\w+, and give its folder with --dataset"):
        next(suite(None if what == "none" else place).cases())


def archive(members: dict[str, str]) -> bytes:
    """A zip file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, content in members.items():
            file.writestr(f"data/question_1/{name}", content)
    return made.getvalue()


EXERCISE = {
    "ans/input_001.txt": "search(5, (1, 5, 10))\n",
    "ans/output_001.txt": "1\n",
    "ans/input_002.txt": "search(4, [1, 5])",
    "ans/output_002.txt": "1",
    "code/global.py": "import heapq\n",
    "code/reference/reference.py": "def search(x, seq):\n    return 0\n",
    **{f"code/wrong/wrong_1_{n:03}.py": f"def search(x, seq):\n    return {n}\n" for n in range(9)},
}


def test_refactory_is_a_sample_of_programs_with_a_test_per_input(tmp_path: Path) -> None:
    """The same seed draws the same ones; what the exercise gave stands before each program and before the reference."""
    checkout(tmp_path, {"data.zip": archive(EXERCISE)})
    cases = list(Refactory(tmp_path, sample=4, seed=3).cases())
    assert cases == list(Refactory(tmp_path, sample=4, seed=3).cases())
    assert len(cases) == 4
    assert len(list(Refactory(tmp_path, sample=0).cases())) == 9
    first = cases[0]
    assert first.files["program.py"].startswith(b"import heapq\n\n\ndef search")
    assert b"assert program.search(5, (1, 5, 10)) == 1" in first.files["test_program.py"]
    assert (first.group, first.id[:20]) == ("question_1", "question_1/wrong_1_0")
    assert isinstance(first.judge, Differential)
    assert first.judge.reference.startswith(b"import heapq")


def test_an_archive_that_is_none_is_said(tmp_path: Path) -> None:
    """Such as a pointer in its place."""
    checkout(tmp_path, {"data.zip": b"version https://git-lfs"})
    with pytest.raises(UsageError, match="no zip file"):
        next(Refactory(tmp_path).cases())


def test_only_calls_with_literals_become_inputs() -> None:
    """Whatever else stands in an input file."""
    texts = ["f(1, [2])", "f(open('x'))", "f(", "1", "(" * 500, "g((1, 'a'),)"]
    made = calls(texts, 40, 1)
    assert {name for name, _ in made} == {"f", "g"}
    assert all(isinstance(ast.literal_eval(args), tuple) for _, args in made)
    assert refactory.tests([("f(1)", "2"), ("f(1) ", "2\n")]).count("def test_") == 1


BUG = {
    "projects/thefuck/project.info": b'github_url="https://github.com/nvbn/thefuck"\n',
    "projects/thefuck/bugs/2/run_test.sh": b"pytest tests/test_a.py::test_one\npytest tests/test_a.py::test_two",
    "projects/thefuck/bugs/2/bug_patch.txt": b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n",
}


def test_bugsinpy_is_the_red_commit_with_the_tests_of_the_fix(tmp_path: Path) -> None:
    """The fix itself is only in the judge's hands."""
    sources = tmp_path / "sources" / "thefuck"
    red = checkout(sources, {"a.py": b"A = 1\n", "tests/test_a.py": b"old\n"})
    (sources / "a.py").write_text("A = 2\n")
    (sources / "tests" / "test_a.py").write_text("new\n")
    git(sources, "commit", "--quiet", "--all", "--message", "Fix")
    fixed = git(sources, "rev-parse", "HEAD")
    told = f'buggy_commit_id="{red}"\nfixed_commit_id="{fixed}"\ntest_file="tests/test_a.py"'
    checkout(tmp_path / "data", {**BUG, "projects/thefuck/bugs/2/bug.info": told.encode()})
    suite = BugsInPy(tmp_path / "data", tmp_path / "sources", ("thefuck",))
    (case,) = suite.cases()
    assert (case.files["a.py"], case.files["tests/test_a.py"]) == (b"A = 1\n", b"new\n")
    assert case.judge == Identical({"a.py": b"A = 2\n"})
    assert case.check is not None
    assert case.check.endswith("-p bench_shim tests/test_a.py::test_one tests/test_a.py::test_two")
    assert ".bench/bench_shim.py" in case.files
    with pytest.raises(UsageError, match=r"git clone --bare https://github\.com/nvbn/thefuck"):
        next(BugsInPy(tmp_path / "data", None, ("thefuck",)).cases())
    with pytest.raises(UsageError, match="no project 'other'; it has thefuck"):
        next(BugsInPy(tmp_path / "data", None, ("other",)).cases())


@pytest.mark.parametrize(
    ("run", "command"),
    [
        ("tox tests/a.py::x\ntox tests/a.py::x", "tests/a.py::x"),
        ("python3 -m pytest -q 'tests/a.py::x[1 2]'", "'tests/a.py::x[1 2]'"),
        (
            "python3 -m unittest -q tests.a.X\npython3 -m unittest b",
            "python -m unittest -q tests.a.X && python -m unittest b",
        ),
        ("", ""),
        ("pytest 'unbalanced", ""),
    ],
)
def test_the_check_is_what_the_data_set_runs(run: str, command: str) -> None:
    """In one call, whatever runner it was written for."""
    assert check(run).endswith(command)


def test_packages_come_without_their_old_versions() -> None:
    """And without what the sandbox has already, or what is the project itself."""
    assert packages("lib", "attrs==19.3.0\npkg-resources==0.0.0\n# x\n-e .\nlib==1\nsix>=1") == "attrs six"


def test_equal_is_equal_but_for_form() -> None:
    """Comments and formatting are no difference; what does not parse is compared byte for byte."""
    assert same(b"a = (1)  # one\n", b"a=1\n")
    assert not same(b"a = 1\n", b"a = 2\n")
    assert not same(b"a = (", b"a = ( ")
    assert same(b"a = (", b"a = (")


def test_mutants_are_a_package_with_one_wrong_statement(tmp_path: Path) -> None:
    """Read from an archive that is known by its hash; the same seed draws the same ones, and none twice."""
    code = (
        b"def clamp(low, value, high):\n    if value < low > 0:\n        return low + 1\n    return min(value, high)\n"
    )
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, content in {"p-1/p/code.py": code, "p-1/p/tests/test_p.py": b"", "p-1/README": b"hi"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    kept = tmp_path / "images" / "p-1.tar.gz"
    kept.parent.mkdir()
    kept.write_bytes(made.getvalue())
    package = Package("p", "1", sha256(made.getvalue()).hexdigest(), "p", ("p/tests",))
    cases = list(Mutants(tmp_path, 6, seed=5, packages=(package,)).cases())
    assert cases == list(Mutants(tmp_path, 6, seed=5, packages=(package,)).cases())
    wrong = [case.files["p/code.py"] for case in cases]
    assert len(set(wrong)) == len(wrong) == 6
    assert code not in wrong
    assert all(case.judge == Identical({"p/code.py": code}) and case.files["README"] == b"hi" for case in cases)
    tree = BenchForge(cases[0], tmp_path / "repository").tree(values.case())
    assert tree.apply(cases[0].gold) == {"p/code.py": code}
    nowhere = Sources(index="http://127.0.0.1:9/simple")
    with pytest.raises(UsageError, match="needs the package index"):
        next(Mutants(tmp_path, 1, packages=(Package("q", "1", "0", "q", ()),), sources=nowhere).cases())


def test_every_release_draws_mutants_of_its_own() -> None:
    """The seed follows from the version: always the same one, and another for the next. One that is told beats it."""
    releases = [f"{major}.{minor}.{patch}" for major in range(3) for minor in range(5) for patch in range(5)]
    assert len({seed_of(release) for release in releases}) == len(releases)
    assert seed_of("0.1.0") == 865_772
    assert mutants(30, None).options["seed"] == Mutants(Path()).options["seed"] == str(seed_of(version("heal-bot")))
    assert mutants(30, 7).options["seed"] == "7"


def test_every_suite_says_what_it_is() -> None:
    """Only programs that the fixers were written with are in-sample."""
    suites: list[Suite] = [QuixBugs(None), Refactory(None), Mutants(Path()), BugsInPy(None, None, ())]
    assert {suite.name: suite.in_sample for suite in suites} == {
        "quixbugs": True, "refactory": False, "mutants": False, "bugsinpy": False,
    }  # fmt: skip
    assert all(isinstance(value, str) for suite in suites for value in suite.options.values())
    assert BenchCase("a", {}).judge is None
