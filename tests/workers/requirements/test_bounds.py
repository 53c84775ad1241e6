"""A release is left out of one requirement, as each kind of list writes it, and nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.requirements.bounds import bounds, listed, with_bound

CASES = {
    "bare": ("requirements.txt", "attrs\nsix\n", "attrs\nsix<2.0\n"),
    "with a floor": ("requirements.txt", "six>=1.0\n", "six>=1.0,<2.0\n"),
    "with an extra, a marker and a comment": (
        "dev-requirements.txt", "Six[a, b] >= 1, !=1.5 ; python_version > '3'  # why\n",
        "Six[a, b] >= 1, !=1.5, <2.0 ; python_version > '3'  # why\n",
    ),
    "compatible": ("requirements/base.in", "six~=1.0\n", "six~=1.0,<2.0\n"),
    "a constraint": ("constraints.txt", "six\n", "six<2.0\n"),
    "inline": ("pyproject.toml", '[project]\ndependencies = ["six>=1", "attrs"]\n',
               '[project]\ndependencies = ["six>=1,<2.0", "attrs"]\n'),
    "a group": ("pyproject.toml", "[dependency-groups]\ndev = [\n  'six',  # why\n]\n",
                "[dependency-groups]\ndev = [\n  'six<2.0',  # why\n]\n"),
    "setup.cfg": ("setup.cfg", "[options]\ninstall_requires =\n    attrs\n    six>1\n",
                  "[options]\ninstall_requires =\n    attrs\n    six>1,<2.0\n"),
    "not listed": ("requirements.txt", "attrs\ntox\n", "attrs\nsix<2.0\ntox\n"),
    "not listed in an array": ("pyproject.toml", '[project]\ndependencies = ["attrs", "tox"]\n',
                               '[project]\ndependencies = ["attrs", "six<2.0", "tox"]\n'),
    "pinned": ("requirements.txt", "six==1.0\n", None),
    "pinned by a pattern": ("requirements.txt", "six==1.*\n", None),
    "from elsewhere": ("requirements.txt", "six @ https://e.example/six\n", None),
    "twice": ("requirements.txt", "six>1\nsix<9\n", None),
    "hashed": ("requirements.txt", "six>1 --hash=sha256:00\n", None),
    "not listed in a table of Poetry": ("pyproject.toml", '[tool.poetry.dependencies]\nattrs = "*"\n', None),
    "a table of Poetry": ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.9"\nSix = "^1.2"  # why\n',
                          '[tool.poetry.dependencies]\npython = "^3.9"\nSix = "^1.2,<2.0"  # why\n'),
    "anything, in a group of Poetry": ("pyproject.toml", "[tool.poetry.group.dev.dependencies]\nsix = '*'\n",
                                       "[tool.poetry.group.dev.dependencies]\nsix = '<2.0'\n"),
    "an inline table of Poetry": (
        "pyproject.toml", '[tool.poetry.dependencies]\nsix = {version = ">=1, !=1.5", extras = ["a"]}\n',
        '[tool.poetry.dependencies]\nsix = {version = ">=1, !=1.5, <2.0", extras = ["a"]}\n'),
    "pinned by Poetry": ("pyproject.toml", '[tool.poetry.dependencies]\nsix = "1.2"\n', None),
    "pinned by Poetry with signs": ("pyproject.toml", '[tool.poetry.dependencies]\nsix = "==1.2"\n', None),
    "a choice of Poetry": ("pyproject.toml", '[tool.poetry.dependencies]\nsix = "^1 || ^2"\n', None),
    "from elsewhere by Poetry": ("pyproject.toml", '[tool.poetry.dependencies]\nsix = {path = "../six"}\n', None),
    "setup.py": ("setup.py", "setup(name='six', install_requires=['attrs', 'six>1'])\n",
                 "setup(name='six', install_requires=['attrs', 'six>1,<2.0'])\n"),
    "a name in setup.py": (
        "setup.py", "import setuptools\nNEEDS = [\n    'six',\n]\nsetuptools.setup(install_requires=NEEDS)\n",
        "import setuptools\nNEEDS = [\n    'six<2.0',\n]\nsetuptools.setup(install_requires=NEEDS)\n"),
    "an extra in setup.py": ("setup.py", 'setup(extras_require={"all": ("six[a] ~= 1.0; x", "tox")})\n',
                             'setup(extras_require={"all": ("six[a] ~= 1.0,<2.0; x", "tox")})\n'),
    "pinned in setup.py": ("setup.py", "setup(install_requires=['six==1.0'])\n", None),
    "not listed in setup.py": ("setup.py", "setup(install_requires=['attrs'])\n", None),
    "twice in setup.py": ("setup.py", "setup(install_requires=['six'], extras_require={'a': ['six']})\n", None),
    "escaped in setup.py": ("setup.py", "setup(install_requires=['attrs', 's\\x69x'])\n", None),
    "the text stands elsewhere too": ("pyproject.toml", '[project]\nname = "six"\ndependencies = ["six"]\n', None),
}  # fmt: skip


@pytest.mark.parametrize(("path", "before", "after"), CASES.values(), ids=CASES)
def test_a_bound_is_written_in_the_style_of_the_list(path: str, before: str, after: str | None) -> None:
    """Behind what the requirement says already; a requirement more where there is none; else nothing is written."""
    place = next(iter(listed(path, before.encode())))
    made = with_bound(place, before.encode(), "six", "<2.0")
    assert (made.decode() if made is not None else None) == after


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("1.9", "2.0", ("<2.0", "!=2.0")),
        ("1.9.3", "1.10.0", ("<1.10.0", "!=1.10.0")),
        ("1.9.3", "1.9.4", ("!=1.9.4", "<1.9.4")),
        ("2.0", "1.9", ()),
        ("2.0", "2.0", ()),
    ],
)
def test_a_release_is_followed_by_others_like_it_or_mended(before: str, after: str, expected: tuple[str, ...]) -> None:
    """What moves back is no new release."""
    assert bounds(before, after) == expected


@given(st.text(max_size=300))
def test_any_list_is_read(text: str) -> None:
    """Whatever a file holds, a bound is written or it is not."""
    for path in ("requirements.txt", "constraints.txt", "pyproject.toml", "setup.cfg", "setup.py"):
        for place in listed(path, text.encode()):
            with_bound(place, text.encode(), "six", "<2.0")
