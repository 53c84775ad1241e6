"""One requirement more, in the style of each kind of list, and nothing else; and which package a module asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.fixers.trees import MemoryTree
from workers.domain import Finding
from workers.requirements import Missing, distribution, missing, wanted
from workers.requirements.lists import Place, added, names, places, with_one

PYPROJECT = "pyproject.toml"
PROJECT, DEV = ("project", "dependencies"), ("dependency-groups", "dev")
POETRY = ("tool", "poetry", "dependencies")
CASES = {
    "sorted": ("requirements.txt", (), "attrs==1\nsix>=1\n", "attrs==1\nPyYAML\nsix>=1\n"),
    "unsorted": ("requirements.txt", (), "six\nattrs\n", "six\nattrs\nPyYAML\n"),
    "with comments": ("requirements/dev.in", (), "# tools\n-r base.in\npytest\n",
                      "# tools\n-r base.in\npytest\nPyYAML\n"),
    "no last line end": ("requirements.txt", (), "attrs\nsix", "attrs\nPyYAML\nsix"),
    "empty": ("requirements.txt", (), "", "PyYAML\n"),
    "inline": (PYPROJECT, PROJECT, '[project]\nname = "a"\ndependencies = ["attrs", "six"]\n',
               '[project]\nname = "a"\ndependencies = ["attrs", "PyYAML", "six"]\n'),
    "inline, quoted otherwise": (PYPROJECT, PROJECT, "[project]\ndependencies = ['six']\n",
                                 "[project]\ndependencies = ['six', 'PyYAML']\n"),
    "none yet": (PYPROJECT, PROJECT, "[project]\ndependencies = []\n", '[project]\ndependencies = ["PyYAML"]\n'),
    "many lines": (PYPROJECT, PROJECT, '[project]\ndependencies = [\n  "attrs",  # why\n  "six>=1",\n]\n[tool.x]\n',
                   '[project]\ndependencies = [\n  "attrs",  # why\n  "PyYAML",\n  "six>=1",\n]\n[tool.x]\n'),
    "at the end": (PYPROJECT, DEV, '[dependency-groups]\ndev = [\n    "mypy",\n    "black"  # last\n]\n',
                   '[dependency-groups]\ndev = [\n    "mypy",\n    "black",  # last\n    "PyYAML"\n]\n'),
    "before the end with a comma": (PYPROJECT, DEV, '[dependency-groups]\ndev = [\n    "mypy",\n    "black",\n]\n',
                                    '[dependency-groups]\ndev = [\n    "mypy",\n    "black",\n    "PyYAML",\n]\n'),
    "brackets in strings": (PYPROJECT, PROJECT, '[project]\ndependencies = ["celery[redis]", "six"]\n',
                            '[project]\ndependencies = ["celery[redis]", "PyYAML", "six"]\n'),
    "poetry": (PYPROJECT, POETRY, '[tool.poetry.dependencies]\npython = "^3.11"\nattrs = "^25"\nsix = "*"\n\n[x]\n',
               '[tool.poetry.dependencies]\npython = "^3.11"\nattrs = "^25"\nPyYAML = "*"\nsix = "*"\n\n[x]\n'),
    "poetry's group": (PYPROJECT, ("tool", "poetry", "group", "dev", "dependencies"),
                       '[tool.poetry.group.dev.dependencies]\npytest = "^8"\n',
                       '[tool.poetry.group.dev.dependencies]\npytest = "^8"\nPyYAML = "*"\n'),
    "setup.cfg": ("setup.cfg", ("options", "install_requires"),
                  "[metadata]\nname = a\n[options]\ninstall_requires =\n    attrs\n    six\n[x]\ny = 1\n",
                  "[metadata]\nname = a\n[options]\ninstall_requires =\n    attrs\n    PyYAML\n    six\n[x]\ny = 1\n"),
    "an extra": ("setup.cfg", ("options.extras_require", "test"), "[options.extras_require]\ntest =\n  pytest\n",
                 "[options.extras_require]\ntest =\n  pytest\n  PyYAML\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_list_gets_one_more(case: tuple[str, tuple[str, ...], str, str]) -> None:
    """In its order where it has one, with its quotes and its commas; what differs is read back as just that."""
    path, keys, before, after = case
    place = Place(path, keys)
    made = with_one(place, before.encode(), "PyYAML")
    assert made is not None
    assert made.decode() == after
    assert place in places(path, before.encode())
    assert names(place, made) - names(place, before.encode()) == {"pyyaml"}
    assert added(path, before.encode(), made) == frozenset({"pyyaml"})


@pytest.mark.parametrize(
    ("place", "before"),
    [
        (Place(PYPROJECT, PROJECT), '[project]\nname = "a"\n'),
        (Place(PYPROJECT, PROJECT), "[project]\ndependencies = [x]\n"),
        (Place(PYPROJECT, DEV), '[dependency-groups]\ndev = [{include-group = "test"}]\n'),
        (Place("requirements.txt"), "six==1 --hash=sha256:00\n"),
        (Place("requirements.txt"), "six\r\n"),
        (Place("setup.cfg", ("options", "install_requires")), "[options]\ninstall_requires = six; attrs\n"),
    ],
)
def test_what_cannot_be_written_for_sure_is_not(place: Place, before: str) -> None:
    """Hashes, line ends of another system, what is no plain list: nothing is guessed."""
    assert with_one(place, before.encode(), "PyYAML") is None


@pytest.mark.parametrize("name", ["a b", "x; evil", "-r other.txt", "x @ https://e.example/x", "", "x\ny"])
def test_only_a_plain_name_is_written(name: str) -> None:
    """Whatever else a table might hold one day."""
    assert with_one(Place("requirements.txt"), b"six\n", name) is None


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("requirements.txt", "six\nattrs\n", "six\nPyYAML\n"),
        ("requirements.txt", "six\n", "six\n--index-url https://e.example\nPyYAML\n"),
        (PYPROJECT, "[project]\ndependencies = []\n", '[project]\ndependencies = ["PyYAML"]\n[tool.x]\ny = 1\n'),
        (PYPROJECT, "[project]\ndependencies = []\nscripts = []\n", '[project]\ndependencies = []\nscripts = ["a"]\n'),
        (PYPROJECT, "[tool.poetry.dependencies]\n", '[tool.poetry.dependencies]\nx = {git = "https://e.example"}\n'),
        ("setup.cfg", "[options]\ninstall_requires =\n  six\n",
         "[options]\ninstall_requires =\n  six\n  a\nzip_safe = no\n"),
        ("shop.py", "x = 1\n", "x = 1\nPyYAML\n"),
    ],
)  # fmt: skip
def test_more_than_a_requirement_is_more(path: str, before: str, after: str) -> None:
    """A line that goes, an option, another table, a source of its own: the proof fails."""
    assert added(path, before.encode(), after.encode()) is None


@given(before=st.text(max_size=200), after=st.text(max_size=200))
def test_any_text_is_compared(before: str, after: str) -> None:
    """Manifests are of strangers: none makes the comparison fail."""
    for path in (PYPROJECT, "setup.cfg", "requirements.txt"):
        added(path, before.encode("utf-8", "replace"), after.encode("utf-8", "replace"))
        for place in places(path, before.encode("utf-8", "replace")):
            with_one(place, before.encode("utf-8", "replace"), "PyYAML")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ModuleNotFoundError: No module named 'yaml'", "PyYAML"),
        ("ModuleNotFoundError: No module named 'google.cloud.storage'", "google-cloud-storage"),
        ("No module named 'sklearn.linear_model'", "scikit-learn"),
        ("No module named 'requests'", "requests"),
        ('Library stubs not installed for "yaml"', "types-PyYAML"),
        ('Library stubs not installed for "requests.adapters"', "types-requests"),
        ("Unable to import 'bs4'", "beautifulsoup4"),
        ('Cannot find implementation or library stub for module named "attr"', "attrs"),
        ("No module named 'leftpadder_of_the_year'", None),
        ("No module named 'inlock'", "inlock"),
        ('Library stubs not installed for "leftpadder"', None),
    ],
)
def test_a_module_asks_for_what_is_known(said: str, expected: str | None) -> None:
    """By the table, else by a lock that names it so; a name nobody knows is never made up."""
    tree = MemoryTree({"uv.lock": '[[package]]\nname = "inlock"\nversion = "1"\n'})
    (one,) = missing([Finding(said)])
    assert distribution(one, tree) == expected
    assert bool(wanted([Finding(said)], tree)) is (expected is not None)


def test_a_repository_that_lacks_much_has_another_trouble() -> None:
    """More than five modules at once are no forgotten line."""
    findings = tuple(Finding(f"No module named 'm{n}'") for n in range(6))
    assert missing(findings) == ()
    assert missing(findings[:5])[0] == Missing("m0")
