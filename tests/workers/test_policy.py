"""The gate over patches: for each rule a patch that must be refused, and one that looks like it and must pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.diffs import between
from tests.workers.recipe.trees import MemoryTree
from workers.domain import Diagnosis, FailureClass, Finding
from workers.globs import matches
from workers.policy import is_test, review
from workers.repo_config import Paths, Policy

OLD = "def total(prices):\n    result = 0\n    return result\n"
OLD_TEST = (
    "import pytest\n\n\ndef test_a():\n    assert 1 == 1\n    assert 2 == 2\n\n\ndef test_b():\n    assert 3 == 3\n"
)
PYPROJECT = "[project]\nname = 'x'\ndependencies = []\n\n[tool.ruff]\nline-length = 100\n"
FILES = {
    "shop/price.py": OLD,
    "tests/test_price.py": OLD_TEST,
    "pyproject.toml": PYPROJECT,
    "run.sh": "pytest\n",
    "conftest.py": "x = 1\n",
}
TREE = MemoryTree(FILES)


def diagnosis(cls: FailureClass = FailureClass.TEST, *paths: str) -> Diagnosis:
    return Diagnosis(cls, "pytest", "f", tuple(Finding("x", path, 1) for path in paths), "", "")


def diff(path: str, new: str | None, old: str | None = None) -> str:
    return between(path, FILES.get(path) if old is None else old, new)


def source(line: str) -> str:
    """A patch that adds one line to the function."""
    return diff("shop/price.py", OLD.replace("    return", f"    {line}\n    return"))


def rules(patch: str, why: Diagnosis | None = None, policy: Policy | None = None) -> set[str]:
    return {violation.rule for violation in review(patch, TREE, why or diagnosis(), policy or Policy())}


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("pyproject.toml", True),
        ("sub/requirements-dev.txt", True),
        ("web/package.json", True),
        ("shop/price.py", False),
    ],
)
def test_dependencies_stay_where_nobody_wants_them_changed(path: str, refused: bool) -> None:
    """`policy.allow_dependency_changes: false` keeps every file that lists packages."""
    patch = diff(path, FILES.get(path, "a\n") + "x\n", FILES.get(path, "a\n"))
    strict = Policy(allow_dependency_changes=False)
    assert ("changes dependencies" in rules(patch, policy=strict)) is refused
    assert "changes dependencies" not in rules(patch)


def test_an_ignored_path_is_not_changed_under_any_name() -> None:
    """`paths.ignore`, also when the file is moved out of there."""
    ignored = Paths(ignore=("vendor/**",))
    moved = "diff --git a/vendor/a.py b/shop/b.py\nsimilarity index 90%\nrename from vendor/a.py\nrename to shop/b.py\n"
    moved += "--- a/vendor/a.py\n+++ b/shop/b.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
    for patch in (diff("vendor/a.py", "x = 2\n", "x = 1\n"), moved):
        found = review(patch, TREE, diagnosis(), Policy(), ignored)
        assert ("changes an ignored path", "vendor/**") in {(one.rule, one.quote) for one in found}
    assert "changes an ignored path" not in rules(source("x = 1"))


EDITS = Policy(allow_test_edits=True)
BAD_LINES = [
    ("skips a test", "pytest.skip('later')"),
    ("skips a test", "@pytest.mark.xfail"),
    ("skips a test", "@unittest.skipIf(True, 'x')"),
    ("silences a checker", "x = 1  # noqa: F401"),
    ("silences a checker", "x = 1  # type: ignore[attr-defined]"),
    ("silences a checker", "x = 1  # pragma: no cover"),
    ("silences a checker", "x = 1  # fmt: skip"),
    ("looks whether it is being tested", "if 'pytest' in sys.modules: result = 3"),
    ("looks whether it is being tested", "if os.environ.get('CI'): result = 3"),
    ("looks whether it is being tested", "if os.getenv('PYTEST_CURRENT_TEST'): result = 3"),
    ("ends the process", "sys.exit(0)"),
    ("ends the process", "os._exit(0)"),
    ("ends the process", "raise SystemExit"),
    ("ignores an exit code", "os.system('make || true')"),
    ("compares equal to anything", "def __eq__(self, other): return True"),
    ("replaces parts of the test's tools", "time.sleep = lambda _: None"),
    ("swallows errors", "try: x()\n    except: y()"),
    ("swallows errors", "try: x()\n    except Exception: y()"),
    ("swallows errors", "try: x()\n    except KeyError:\n        pass"),
]
GOOD_LINES = [
    "skipped = pytest_skip(later)",
    "x = mark.xfailing",
    "# type annotations are ignored here",
    "note = 'noqaville'",
    "if 'pytest' in names: result = 3",
    "if os.environ.get('CIRCLE'): result = 3",
    "code = sys.exitcode(0)",
    "self.exit()",
    "x = a or true",
    "def __eq__(self, other): return self.x == other.x",
    "start = time.time()",
    "try: x()\n    except KeyError: result = 0",
    "random.seed == 3",
]


@pytest.mark.fault(29)
@pytest.mark.parametrize(("rule", "line"), BAD_LINES)
def test_a_cheating_line_is_refused(rule: str, line: str) -> None:
    """Added lines that silence, skip, sniff or swallow are named by rule."""
    assert rules(source(line)) == {rule}


@pytest.mark.parametrize("line", GOOD_LINES)
def test_a_line_that_only_looks_alike_passes(line: str) -> None:
    """Near misses are ordinary code."""
    assert rules(source(line)) == set()


WHOLE = [
    ("changes a protected path", diff(".github/workflows/ci.yml", "on: push\n", "on: pull\n")),
    ("changes a protected path", diff("LICENSE", "mine\n", "ours\n")),
    ("changes a protected path", diff("app/migrations/0001.py", "a = 1\n", "a = 2\n")),
    ("changes the CI's own files", diff(".gitlab-ci.yml", "a: 1\n", "a: 2\n")),
    ("changes the CI's own files", diff(".pre-commit-config.yaml", "a: 1\n", "a: 2\n")),
    ("changes the settings of the checks", diff("conftest.py", "x = 2\n")),
    ("changes the settings of the checks", diff("sub/pytest.ini", "a\n", "b\n")),
    ("changes the settings of the checks", diff("tox.ini", "a\n", "b\n")),
    ("changes the settings of the checks", diff("ruff.toml", "a\n", "b\n")),
    ("changes the settings of the checks", diff("pyproject.toml", PYPROJECT.replace("100", "200"))),
    (
        "changes the settings of the checks",
        diff("pyproject.toml", PYPROJECT + "[tool.pytest.ini_options]\naddopts = '-x'\n"),
    ),
    ("changes a test", diff("tests/test_price.py", OLD_TEST.replace("2 == 2", "2 == 4"))),
    ("adds code that runs by itself", diff("x.pth", "import os\n", "a\n")),
    ("adds code that runs by itself", diff("src/sitecustomize.py", "a = 1\n", "a = 2\n")),
    ("changes generated files", diff("a/__pycache__/x.py", "a = 1\n", "a = 2\n")),
    ("adds a file nobody asked for", diff("shop/new.py", "a = 1\n")),
    ("leaves the repository", diff("../x.py", "a = 1\n", "a = 2\n")),
    ("ignores an exit code", diff("run.sh", "pytest || true\n")),
    ("is no readable diff", "--- a/x\n+++ b/x\n@@ -1,3 +1,1 @@\n-a\n"),
    ("changes nothing", ""),
    ("changes nothing", "I would change the test.\n"),
    ("holds binary data", "diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 1\nA\n"),
    (
        "makes a link or submodule",
        "diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+/etc/passwd\n",
    ),
    ("changes a file's mode", "diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n"),
    ("changes too many lines", diff("shop/price.py", OLD + "x = 1\n" * 121)),
    ("changes too many files", "".join(diff(f"f{n}.py", "a = 1\n", "a = 2\n") for n in range(6))),
]


ELSEWHERE = (
    ".npmrc", "web/.npmrc", "pip.conf", ".config/pip/pip.conf", "pip.ini", ".pypirc", "uv.toml", "poetry.toml",
    ".condarc", ".yarnrc", ".yarnrc.yml", ".yarn/releases/yarn.cjs", ".pnpmrc", ".pnpmfile.cjs", "bunfig.toml",
    ".cargo/config", "crates/a/.cargo/config.toml", ".mvn/settings.xml", "gradle/wrapper/gradle-wrapper.properties",
    "NuGet.config", ".bundle/config", ".gemrc", "go.env", ".gitmodules", ".netrc", ".curlrc",
)  # fmt: skip
"""Settings that say where packages come from, what is run for it, or who is asked with whose password."""


@pytest.mark.fault(27, 29)
@pytest.mark.parametrize("path", ELSEWHERE)
def test_where_packages_come_from_is_nobodys_fix(path: str) -> None:
    """Also where the file is there already, and whatever is changed in it."""
    assert "changes the settings of the checks" in rules(diff(path, "a = 1\n", "a = 2\n"))


@pytest.mark.parametrize(("rule", "patch"), WHOLE)
def test_a_patch_out_of_scope_is_refused(rule: str, patch: str) -> None:
    """Files, sizes and kinds of change that no fix may bring are named by rule."""
    assert rule in rules(patch)


@pytest.mark.parametrize(
    "patch",
    [
        diff("shop/price.py", OLD.replace("result = 0", "result = 1")),
        diff("pyproject.toml", PYPROJECT.replace("dependencies = []", "dependencies = ['pyyaml']")),
        diff("shop/price.py", OLD + "x = 1\n" * 120),
        "".join(diff(f"f{n}.py", "a = 1\n", "a = 2\n") for n in range(5)),
        diff("shop/tester.py", "a = 1\n", "a = 2\n"),
        diff("docs/github/x.py", "a = 1\n", "a = 2\n"),
        diff("shop/migrations.py", "a = 1\n", "a = 2\n"),
        diff("a.py", "import b\nimport c  # noqa: F401\n", "import c  # noqa: F401\nimport b\n"),
    ],
)
def test_an_honest_patch_passes(patch: str) -> None:
    """A small change of source files is nobody's cheat."""
    assert review(patch, TREE, diagnosis(), Policy()) == []


def test_tests_may_be_edited_only_when_allowed_or_named_by_a_linter() -> None:
    """A format or lint finding in a test file allows the edit of just that file."""
    patch = diff("tests/test_price.py", OLD_TEST.replace("import pytest\n\n\n", ""))
    assert rules(patch) == {"changes a test"}
    assert rules(patch, policy=EDITS) == set()
    assert rules(patch, diagnosis(FailureClass.LINT, "tests/test_price.py")) == set()
    assert rules(patch, diagnosis(FailureClass.LINT, "tests/other.py")) == {"changes a test"}
    assert rules(patch, diagnosis(FailureClass.TEST, "tests/test_price.py")) == {"changes a test"}


@pytest.mark.fault(29)
@pytest.mark.parametrize(
    ("rule", "new"),
    [
        ("removes an assertion", OLD_TEST.replace("    assert 2 == 2\n", "")),
        ("deletes a test", OLD_TEST.split("\n\n\ndef test_b")[0] + "\n"),
        ("deletes a test", None),
        ("skips a test", OLD_TEST.replace("def test_b", "@pytest.mark.skip\ndef test_b")),
    ],
)
def test_no_permission_allows_weaker_tests(rule: str, new: str | None) -> None:
    """Even where test edits are allowed, a test may not prove less than before."""
    assert rule in rules(diff("tests/test_price.py", new), policy=EDITS)


def test_a_changed_assertion_is_no_removed_one() -> None:
    """As many assertions after as before is an edit, not a loss."""
    assert rules(diff("tests/test_price.py", OLD_TEST.replace("2 == 2", "2 == 1 + 1")), policy=EDITS) == set()


def test_a_missing_import_allows_a_new_module() -> None:
    """Where something could not be imported, a new file may be the fix."""
    assert rules(diff("shop/__init__.py", "a = 1\n"), diagnosis(FailureClass.IMPORT)) == set()


def test_a_violation_quotes_its_line() -> None:
    """A person can find what is meant."""
    (found,) = review(source("sys.exit(0)"), TREE, diagnosis(), Policy())
    assert (found.path, found.line, found.quote) == ("shop/price.py", 3, "sys.exit(0)")


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    """A patch comes from a model: no text makes the gate fail, and text that is no diff is never allowed."""
    assert review(text, TREE, diagnosis(), Policy())


PIECES = ["diff --git a/x b/x", "--- a/x", "+++ b/x", "@@ -1 +1 @@", "+a", "-b", " c", "new mode 1", "\\ No"]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_any_piece_of_a_diff_is_judged(lines: list[str]) -> None:
    """Broken diffs end in a list of violations, not in an exception."""
    review("\n".join(lines), TREE, diagnosis(), Policy())


@pytest.mark.parametrize(
    ("path", "glob", "hit"),
    [
        ("a/b/c.py", "a/**", True),
        ("a", "**/a", True),
        ("LICENSE.txt", "LICENSE", False),
        ("x/migrations/a", "**/migrations/**", True),
        ("a/b.py", "*.py", False),
        (".GitHub/x", ".github/**", True),
        ("a+b.py", "a+b.py", True),
    ],
)
def test_globs_mean_what_they_mean_in_gitignore(path: str, glob: str, hit: bool) -> None:
    """`**` crosses folders, `*` does not, upper and lower case are the same."""
    assert bool(matches(path, [glob])) is hit


@pytest.mark.parametrize(
    ("path", "yes"), [("tests/a.py", True), ("a_test.go", True), ("src/latest.py", False), ("x.spec.ts", True)]
)
def test_test_files_are_known_by_their_path(path: str, yes: bool) -> None:
    """What the gate takes for a test."""
    assert is_test(path) is yes
