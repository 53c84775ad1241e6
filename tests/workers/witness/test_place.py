"""Where a new test goes, and what the repository's names are."""

from __future__ import annotations

from tests.workers.recipe.trees import MemoryTree
from tests.workers.witness import shop
from workers.witness.missing import Missing, missing
from workers.witness.names import Names
from workers.witness.place import path_for
from workers.witness.runner import Runner


def test_it_goes_beside_the_tests_of_the_same_module() -> None:
    """Else where most tests are, else into `tests`, else to the top."""
    report, tree = shop.report(""), shop.tree()
    assert path_for(report, tree, Runner.PYTEST, ["shop.rates"]) == "tests/unit/test_issue_12.py"
    assert path_for(report, tree, Runner.PYTEST) == "tests/test_issue_12.py"
    assert path_for(report, MemoryTree({"tests/data.txt": ""}), Runner.PYTEST) == "tests/test_issue_12.py"
    assert path_for(report, MemoryTree({"calc.py": ""}), Runner.PYTEST) == "test_issue_12.py"


def test_it_is_named_like_its_neighbours() -> None:
    """By their end; unittest finds only names that begin with `test`."""
    tree = MemoryTree({"t/calc_test.py": "", "t/text_test.py": "", "t/test_old.py": ""})
    assert path_for(shop.report(""), tree, Runner.PYTEST) == "t/issue_12_test.py"
    assert path_for(shop.report(""), tree, Runner.UNITTEST) == "t/test_issue_12.py"


def test_no_file_is_ever_replaced() -> None:
    """A name that is taken gets a number; a report that is no issue has a name of its own."""
    tree = MemoryTree({"tests/test_issue_12.py": "", "tests/test_issue_12_2.py": ""})
    assert path_for(shop.report(""), tree, Runner.PYTEST) == "tests/test_issue_12_3.py"
    assert path_for(shop.report("", number=0), tree, Runner.PYTEST) == "tests/test_report.py"


def test_names_of_the_repository() -> None:
    """Its own modules, without tests and documents; a name is known where one module alone defines it."""
    names = Names(shop.tree(**{"src/pkg/deep.py": "class Deep: ...\n"}))
    assert set(names.modules) == {"shop", "shop.rates", "shop.text", "pkg.deep"}
    assert names.importing("discounted") == "from shop.rates import discounted"
    assert names.importing("Deep") == "from pkg.deep import Deep"
    assert names.importing("shop") == "import shop"
    assert names.importing("label") == ""
    assert names.importing("nothing") == ""
    assert names.fixtures == {"cart"}


def test_one_thing_is_asked_for() -> None:
    """The first that is missing: steps, what was expected, what was seen; else an example that can be run."""
    names = Names(shop.tree())

    def asked(body: str, *, green: bool = False) -> Missing:
        return missing(shop.report(body), names, green=green)

    assert asked("It is all wrong.") is Missing.STEPS
    assert asked("`discounted(100, 10)` is wrong.") is Missing.EXPECTED
    assert asked("`discounted(100, 10)` is wrong, expected `95`.") is Missing.ACTUAL
    assert asked("`discounted` gives `100`, expected `95`.") is Missing.EXAMPLE
    assert asked("`discounted(100, 10)` raises a TypeError.") is Missing.EXAMPLE
    assert asked("anything", green=True) is Missing.VERSION
