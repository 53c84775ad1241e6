"""What the repository's own tools are asked for besides their findings: locks, generated files, one requirement more.

The sandbox is a double that answers what the real tools have written; that they do is shown by `test_fresh_packages`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace

import pytest

from sandbox.errors import SetupFailed
from sandbox.spec import Environment, Plan, Step
from tests.workers.fixers.benches import Memory
from tests.workers.fixers.trees import MemoryTree
from tests.workers.made import RED, ScriptedEnvironment, result
from workers.domain import (
    Attempt,
    Blame,
    Change,
    Confidence,
    Diagnosis,
    FailureClass,
    Finding,
    Reproduction,
    Suspect,
    Verdict,
)
from workers.fixers import Autofix, Generated, Locks, Requirement, Whitespace
from workers.ports import Workbench
from workers.recipe import IN_SETUP
from workers.repo_config import RepoConfig

OLD = '[[package]]\nname = "six"\nversion = "1.16.0"\n\n[[package]]\nname = "idna"\nversion = "3.4"\n'
NEW = OLD.replace("3.4", "3.7") + '\n[[package]]\nname = "attrs"\nversion = "25.1"\n'


def bench(
    files: Mapping[str, str],
    check: str,
    cls: FailureClass,
    tool: str,
    findings: tuple[Finding, ...],
    output: str = "",
    *,
    report: bytes = b"",
    written: Mapping[int, str] | None = None,
    setup: tuple[Step, ...] = (),
    fails: bool = False,
) -> tuple[Workbench, list[Plan]]:
    """A bench whose check environment reports `report`, and whose further ones hold the files `written`."""
    plans: list[Plan] = []
    lines = "".join(f"{n} {base64.b64encode(text.encode()).decode()}\n" for n, text in (written or {}).items())

    def prepared(plan: Plan) -> Environment:
        plans.append(plan)
        if fails:
            raise SetupFailed("the lock file", 1, "no network")
        return ScriptedEnvironment(lambda step, patch, n: replace(result(0), report=lines.encode()))

    plan = Plan("python", setup, Step("check", check))
    before = replace(RED, output=replace(RED.output, text=output))
    return Workbench(
        tree=MemoryTree(files),
        diagnosis=Diagnosis(cls, tool, "f", findings, "", ""),
        reproduction=Reproduction(plan, before, 2, 2),
        environment=ScriptedEnvironment(lambda step, patch, n: replace(result(0), report=report)),
        config=RepoConfig(),
        once=Memory(),
        prepared=prepared,
    ), plans  # fmt: skip


def drift(path: str | None, text: str, rule: str | None = "lock-drift") -> Finding:
    return Finding(text, path, None, None, rule)


DRIFTS = [
    ("uv", "uv.lock", "uv sync --locked", "uv lock", drift("uv.lock", "The lockfile at `uv.lock` needs to be updated")),
    ("poetry", "poetry.lock", "poetry install", "poetry lock", drift("poetry.lock", "poetry.lock is not up to date")),
    ("pdm", "pdm.lock", "pdm install", "pdm lock --update-reuse", drift(None, "Lock file hash doesn't match")),
    ("npm", "package-lock.json", "npm ci", "npm install --package-lock-only",
     drift("package-lock.json", "Missing: is-even@1.0.0 from lock file", "EUSAGE")),
    ("pnpm", "pnpm-lock.yaml", "pnpm i --frozen-lockfile", "pnpm install --lockfile-only",
     drift("pnpm-lock.yaml", "Cannot install with", "OUTDATED_LOCKFILE")),
    ("yarn", "yarn.lock", "yarn --immutable", "yarn install", drift("yarn.lock", "lockfile would have been modified")),
    ("cargo", "Cargo.lock", "cargo build --locked", "cargo update --workspace",
     drift("Cargo.lock", "cannot update the lock file /ws/Cargo.lock because --locked", None)),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "path", "check", "command", "finding"), DRIFTS, ids=[row[0] for row in DRIFTS])
def test_a_drifted_lock_is_written_by_its_own_tool(
    tool: str, path: str, check: str, command: str, finding: Finding
) -> None:
    """In a set-up of its own, before the check that is red there; only the lock comes back, as such a change."""
    before = (Step("Get it", "pip install it"), Step("check" + IN_SETUP, check), Step("Late", "true"))
    work, plans = bench(
        {path: OLD, "a.py": "x = 1\n"}, check, FailureClass.RESOLUTION, tool, (finding,), written={0: NEW, 7: "stray"},
        setup=before,
    )  # fmt: skip
    fixer = Locks()
    assert fixer.applies(work.diagnosis)
    candidate = fixer.propose(work, [])
    assert candidate is not None
    assert (candidate.change, candidate.confidence) == (Change.LOCK, Confidence.MEDIUM)
    assert work.tree.apply(candidate.patch) == {path: NEW.encode()}
    assert command in candidate.reasoning
    assert [step.name for step in plans[0].setup] == ["Get it", "the lock file"]
    assert command.split()[0] in plans[0].setup[-1].script
    assert fixer.propose(work, [Attempt(candidate, Verdict(False, "check"))]) is None


def test_the_moves_of_a_lock_are_told() -> None:
    """Whoever reads the pull request sees which packages came and which moved."""
    _, path, check, _, finding = DRIFTS[0]
    work, _ = bench({path: OLD}, check, FailureClass.RESOLUTION, "uv", (finding,), written={0: NEW})
    candidate = Locks().propose(work, [])
    assert candidate is not None
    assert candidate.reasoning.endswith("anew from the manifests: `+ attrs 25.1`, `idna 3.4 -> 3.7`.")


@pytest.mark.parametrize(
    ("written", "fails"),
    [({0: OLD}, False), ({}, False), ({0: NEW}, True)],
    ids=["the same again", "nothing", "the command fails"],
)
def test_no_new_lock_is_no_candidate(written: dict[int, str], fails: bool) -> None:
    """Nothing is made up where the tool has nothing else to say."""
    _, path, check, _, finding = DRIFTS[0]
    work, _ = bench({path: OLD}, check, FailureClass.RESOLUTION, "uv", (finding,), written=written, fails=fails)
    assert Locks().propose(work, []) is None


def test_a_lock_that_is_not_there_is_not_begun() -> None:
    """Whether a repository locks its packages is its own decision."""
    finding = Finding("Unable to find lockfile at `uv.lock`", "uv.lock", None, None, "lock-drift")
    work, _ = bench({"a.py": ""}, "uv sync --locked", FailureClass.RESOLUTION, "uv", (finding,))
    assert not Locks().applies(work.diagnosis)


def test_compiled_requirements_are_compiled_as_the_check_does() -> None:
    """`pip-compile` and a look by git: the check's own commands, without git's."""
    head = "#\n# This file is autogenerated by pip-compile with Python 3.11\n#\n"
    work, plans = bench(
        {"requirements.txt": head + "six==1.16\n", "requirements.in": "six\nattrs\n"},
        "pip-compile -q requirements.in && git diff --exit-code", FailureClass.SNAPSHOT, "shell",
        (Finding("requirements.txt"),), written={0: head + "attrs==25.1\nsix==1.16\n"},
    )  # fmt: skip
    candidate = Locks().propose(work, [])
    assert candidate is not None
    assert candidate.patch.count("\n+") == 2  # the header, and one line
    assert "pip-compile -q requirements.in" in plans[0].setup[-1].script
    assert "git diff" not in plans[0].setup[-1].script


GONE = Finding("ModuleNotFoundError: No module named 'yaml'", "shop/load.py", 1)
SHOP = {"shop/load.py": "import yaml\n", "tests/test_load.py": "import shop.load\n"}
INSTALLED = (Step("Deps", "pip install -r requirements.txt -r requirements-dev.txt"),)


@pytest.mark.parametrize(
    ("files", "setup", "place", "line"),
    [
        ({**SHOP, "requirements.txt": "six\n", "requirements-dev.txt": "pytest\n"},
         INSTALLED, "requirements.txt", "+PyYAML"),
        ({"tests/test_load.py": "import yaml\n", "requirements.txt": "six\n", "requirements-dev.txt": "pytest\n"},
         INSTALLED, "requirements-dev.txt", "+PyYAML"),
        ({**SHOP, "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["six"]\n', "requirements.txt": "six\n"},
         (Step("Deps", "pip install -e ."),), "pyproject.toml", '+dependencies = ["six", "PyYAML"]'),
        ({"tests/test_a.py": "import yaml\n",
          "pyproject.toml": '[project]\nname = "a"\ndependencies = []\n[dependency-groups]\ndev = ["pytest"]\n'},
         (Step("Deps", "uv sync"),), "pyproject.toml", '+dev = ["pytest", "PyYAML"]'),
        ({**SHOP, "pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.11"\n'},
         (Step("Deps", "poetry install"),), "pyproject.toml", '+PyYAML = "*"'),
    ],
)  # fmt: skip
def test_a_missing_package_goes_where_it_belongs(
    files: dict[str, str], setup: tuple[Step, ...], place: str, line: str
) -> None:
    """With what needs it at run time, or with the tests' own; in a list that the job installs from."""
    work, _ = bench(files, "pytest", FailureClass.DEPENDENCY, "pytest", (GONE,), setup=setup)
    fixer = Requirement()
    assert fixer.applies(work.diagnosis)
    candidate = fixer.propose(work, [])
    assert candidate is not None
    assert (candidate.change, candidate.confidence) == (Change.REQUIREMENT, Confidence.MEDIUM)
    assert list(work.tree.apply(candidate.patch)) == [place]
    assert line in candidate.patch.split("\n")


def test_the_lock_follows_its_manifest() -> None:
    """The lock is written from the patched manifest; where it cannot be, nothing is proposed."""
    files = {**SHOP, "pyproject.toml": '[project]\nname = "a"\ndependencies = ["six"]\n', "uv.lock": OLD}
    work, plans = bench(
        files, "uv run pytest", FailureClass.DEPENDENCY, "pytest", (GONE,), setup=(Step("Deps", "uv sync"),),
        written={0: NEW},
    )  # fmt: skip
    candidate = Requirement().propose(work, [])
    assert candidate is not None
    assert sorted(work.tree.apply(candidate.patch)) == ["pyproject.toml", "uv.lock"]
    assert plans[0].setup[0].name == "the patch"
    work, _ = bench(files, "uv run pytest", FailureClass.DEPENDENCY, "pytest", (GONE,), fails=True)
    assert Requirement().propose(work, []) is None


@pytest.mark.parametrize(
    ("files", "finding"),
    [
        ({"shop/load.py": "import leftpadder\n", "requirements.txt": ""}, Finding("No module named 'leftpadder'")),
        ({"shop/load.py": "import yaml\n", "yaml/x.py": "", "requirements.txt": ""}, GONE),
        ({"shop/load.py": "import six\n", "requirements.txt": ""}, GONE),
        ({"shop/load.py": "import yaml\n", "requirements.txt": "pyyaml==6\n"}, GONE),
        ({"shop/load.py": "import yaml\n"}, GONE),
    ],
    ids=["an unknown name", "the repository's own", "nothing here imports it", "listed already", "no list"],
)
def test_nothing_is_added_that_is_not_known_and_needed(files: dict[str, str], finding: Finding) -> None:
    """A name that no table knows may be anybody's package."""
    work, _ = bench(files, "pytest", FailureClass.DEPENDENCY, "pytest", (finding,), setup=INSTALLED)
    assert Requirement().propose(work, []) is None


def test_types_go_with_the_checkers() -> None:
    """What mypy has no types of gets them, beside mypy."""
    finding = Finding('Library stubs not installed for "yaml"', "shop/load.py", 1, None, "import-untyped")
    files = {"shop/load.py": "import yaml\n", "requirements.txt": "PyYAML\n", "requirements-dev.txt": "mypy\n"}
    work, _ = bench(files, "mypy .", FailureClass.DEPENDENCY, "mypy", (finding,), setup=INSTALLED)
    candidate = Requirement().propose(work, [])
    assert candidate is not None
    assert work.tree.apply(candidate.patch) == {"requirements-dev.txt": b"mypy\ntypes-PyYAML\n"}


def test_other_findings_are_no_missing_package() -> None:
    """A type error beside it would be red all the same."""
    seen = Diagnosis(FailureClass.TYPE, "mypy", "f", (GONE, Finding("Incompatible types")), "", "")
    assert not Requirement().applies(seen)


API = {"api.md": "old\n", "gen.sh": "x\n", "b.py": "y = 1\n"}
DIFF = MemoryTree(API).diff({"api.md": b"new\n", "b.py": b"y = 2\n"})
SAID = "diff --git a/api.md b/api.md\n--- a/api.md\n+++ b/api.md\n"


@pytest.mark.parametrize(
    ("check", "said", "changed"),
    [
        ("make generate\ngit diff --exit-code", SAID, ["api.md"]),
        ("go generate ./... && git diff --exit-code", SAID, ["api.md"]),
        ("npm run build\ntest -z \"$(git status --porcelain)\"", " M api.md\n M b.py\n", ["api.md", "b.py"]),
        ("git diff --exit-code", SAID, []),
        ("make generate && git diff --exit-code", "", []),
        ("uv lock && git diff --exit-code", SAID, []),
    ],
)  # fmt: skip
def test_what_git_found_changed_is_generated_anew(check: str, said: str, changed: list[str]) -> None:
    """By the step's own commands, and only the files that git named."""
    work, _ = bench(API, check, FailureClass.SNAPSHOT, "shell", (Finding("api.md"),), said, report=DIFF.encode())
    candidate = Generated().propose(work, [])
    assert (candidate is not None) is bool(changed)
    if candidate:
        assert sorted(work.tree.apply(candidate.patch)) == changed
        assert (candidate.change, candidate.confidence) == (Change.GENERATED, Confidence.MEDIUM)


@pytest.mark.parametrize("touched", ["shop/page.py", "README.md", "tests/test_page.py"])
def test_a_snapshot_is_told_where_a_commit_changed_what_is_rendered(touched: str) -> None:
    """Low: nobody is shown a snapshot as a fix without having looked at it; without such a commit there is none."""
    snap = "tests/__snapshots__/test_page.ambr"
    files = {"shop/page.py": "x = 1\n", "tests/test_page.py": "", snap: "old\n", "README.md": ""}
    diff = MemoryTree(files).diff({snap: b"new\n", "shop/page.py": b"x = 2\n"})
    work, _ = bench(
        files, "python -m pytest -q", FailureClass.SNAPSHOT, "pytest", (Finding("snapshot"),), "1 snapshot failed",
        report=diff.encode(),
    )  # fmt: skip
    seen = replace(work.diagnosis, suspects=(Suspect("shop/page.py", 1), Suspect("tests/test_page.py", 2)))
    work = replace(work, diagnosis=seen, blame=Blame(diff=f"--- a/{touched}\n+++ b/{touched}\n@@ -1 +1 @@\n-a\n+b\n"))
    candidate = Generated().propose(work, [])
    assert (candidate is not None) is (touched == "shop/page.py")
    if candidate:
        assert candidate.confidence is Confidence.LOW
        assert list(work.tree.apply(candidate.patch)) == [snap]


@pytest.mark.parametrize(
    ("tool", "path", "rule", "line", "before", "after", "sure"),
    [
        ("flake8", "a.py", "W291", 1, "x = 1  \ny = 2 \n", "x = 1\ny = 2 \n", True),
        ("flake8", "a.py", "W293", 2, "def f():\n    \n    return 1\n", "def f():\n\n    return 1\n", True),
        ("flake8", "a.py", "W291", 2, "x = '''\na \n'''\n", "x = '''\na\n'''\n", False),
        ("flake8", "a.py", "W292", 2, "x = 1\ny = 2", "x = 1\ny = 2\n", True),
        ("flake8", "a.py", "W391", 2, "x = 1\n\n\n", "x = 1\n", True),
        ("pylint", "a.py", "missing-final-newline", 1, "x = 1", "x = 1\n", True),
        ("pylint", "a.py", "trailing-whitespace", 1, "x = 1\t\r\ny = 2\r\n", "x = 1\r\ny = 2\r\n", True),
        ("yamllint", "a.yml", "new-line-at-end-of-file", 1, "a: 1", "a: 1\n", False),
        ("yamllint", "a.yml", "new-lines", 1, "a: 1\r\nb: 2\r\n", "a: 1\nb: 2\n", False),
        ("yamllint", "a.yml", "trailing-spaces", 9, "a: 1\n", None, False),
    ],
)
def test_ends_of_lines_are_put_right_as_the_rule_says(
    tool: str, path: str, rule: str, line: int, before: str, after: str | None, sure: bool
) -> None:
    """Where a rule leaves one way to obey it; high where the syntax tree is seen to be the same."""
    finding = Finding("says so", path, line, None, rule)
    work, _ = bench({path: before, "b.py": "y = 1 \n"}, tool, FailureClass.LINT, tool, (finding,))
    fixer = Whitespace()
    assert fixer.applies(work.diagnosis)
    candidate = fixer.propose(work, [])
    assert (candidate is None) is (after is None)
    if candidate and after is not None:
        assert work.tree.apply(candidate.patch) == {path: after.encode()}
        assert candidate.confidence is (Confidence.HIGH if sure else Confidence.MEDIUM)


def test_another_finding_beside_it_is_for_others() -> None:
    """With an unused import left, the check would stay red."""
    found = (Finding("w", "a.py", 1, None, "W291"), Finding("unused", "a.py", 1, None, "F401"))
    assert not Whitespace().applies(Diagnosis(FailureClass.LINT, "flake8", "f", found, "", ""))


@pytest.mark.parametrize(
    ("rules", "said", "command"),
    [
        (
            ("F841", "C408"),
            "2 unsafe fixes available with",
            "ruff check --fix --unsafe-fixes --select C408,F841 -- a.py",
        ),
        (("F841",), "[*] 1 fixable", None),
        (("T201",), "1 hidden fix", None),
    ],
)
def test_an_unsafe_fix_is_made_for_rules_of_a_list(rules: tuple[str, ...], said: str, command: str | None) -> None:
    """Medium, and where ruff says that it hid one; a rule whose fix takes code away is not on the list."""
    files = {"a.py": "import os\n"}
    diff = MemoryTree(files).diff({"a.py": b"\n"})
    found = tuple(Finding("x", "a.py", 1, None, rule) for rule in rules)
    work, _ = bench(files, "ruff check .", FailureClass.LINT, "ruff", found, said, report=diff.encode())
    candidate = Autofix().propose(work, [])
    assert candidate is not None
    assert ("--unsafe-fixes" in candidate.reasoning) is (command is not None)
    assert candidate.confidence is (Confidence.MEDIUM if command else Confidence.HIGH)
    assert command is None or f"`{command}`" in candidate.reasoning


@pytest.mark.parametrize(
    ("manifest", "rule", "command"),
    [
        ('[tool.autoflake]\n', "F401", "python -m autoflake --in-place --remove-all-unused-imports -- a.py"),
        ('[tool.autopep8]\n', "E225", "python -m autopep8 --in-place -- a.py"),
        ('[tool.black]\n', "F401", None),
        ('[tool.autoflake]\n', "E225", None),
    ],
)  # fmt: skip
def test_a_tool_that_only_finds_is_helped_by_one_that_mends(manifest: str, rule: str, command: str | None) -> None:
    """Only one that the repository has, for the rules it mends, called as the finding tool is; never as sure."""
    files = {"a.py": "import os\n", "pyproject.toml": manifest}
    diff = MemoryTree(files).diff({"a.py": b"\n"})
    finding = Finding("x", "a.py", 1, None, rule)
    work, _ = bench(files, "python -m flake8 .", FailureClass.LINT, "flake8", (finding,), report=diff.encode())
    candidate = Autofix().propose(work, [])
    assert (candidate is None) is (command is None)
    if candidate and command:
        assert f"`{command}`" in candidate.reasoning
        assert candidate.confidence is Confidence.MEDIUM
