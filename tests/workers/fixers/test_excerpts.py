"""What is shown of a file that is too long: the part that the failure is about, whole, with the gaps named."""

from __future__ import annotations

import pytest

from workers.fixers.excerpts import shortened, sliced

LONG = "\n".join(
    [
        "import os",
        "",
        "",
        "def used(x):",
        "    return x",
        "",
        *(f"def other{n}():\n    return '{'.' * 60}'\n" for n in range(40)),
        "class Cart:",
        '    """A cart."""',
        "",
        "    def total(self):",
        "        first = used(1)",
        "        return first",
        "",
        "    def rest(self):",
        "        return os.sep",
        "",
    ]
)
TOTAL = LONG.split("\n").index("        first = used(1)") + 1


def test_what_fits_is_whole() -> None:
    """Nothing is taken away without need."""
    assert sliced("a.py", LONG, [TOTAL], [], len(LONG)) == LONG


def test_the_suspected_function_comes_with_its_surroundings() -> None:
    """Whole, with the class it stands in, what it uses in the file and what that imports; the rest is counted."""
    found = sliced("a.py", LONG, [TOTAL], [], 700)
    assert found.startswith("import os\n\n\ndef used(x):\n    return x\n[...")
    assert "\nclass Cart:\n" in found
    assert "    def total(self):\n        first = used(1)\n        return first\n" in found
    assert "lines left out ...]" in found
    assert all(line in LONG or line.startswith("[...") for line in found.split("\n"))


@pytest.mark.parametrize("names", [["total"], ["tests", "Cart", "total"]])
def test_a_name_says_which_part_is_meant(names: list[str]) -> None:
    """As a failing test is known by its name alone."""
    assert "    def total(self):\n        first = used(1)\n" in sliced("a.py", LONG, [], names, 300)


@pytest.mark.parametrize(("lines", "names"), [([], []), ([99_999, 0, -4], []), ([], ["unknown"])])
def test_nothing_is_shown_of_a_file_that_it_is_not_about(lines: list[int], names: list[str]) -> None:
    """The caller knows what to do then."""
    assert sliced("a.py", LONG, lines, names, 300) == ""


@pytest.mark.parametrize("path", ["a.txt", "a.py", "a.go", "a.rs"])
@pytest.mark.parametrize("limit", [0, 30, 200, 1_000, 2_500])
def test_the_budget_is_kept(path: str, limit: int) -> None:
    """With the words about the gaps, also where no grammar knows the file."""
    assert len(sliced(path, LONG, [TOTAL, 5, 60], ["other3"], limit)) <= limit


def test_a_line_outside_of_every_definition_brings_its_neighbours() -> None:
    """As in a file of settings."""
    text = "\n".join(f"key{n} = {'.' * 50}" for n in range(300))
    found = sliced("a.cfg", text, [150], [], 2_000)
    assert "key149 = " in found
    assert "key140 = " in found
    assert "key160 = " in found
    assert "key100 = " not in found


def test_a_text_loses_its_middle() -> None:
    """Where nothing is known of it, its head and its end tell the most."""
    assert shortened("a" * 10, 10) == "a" * 10
    assert shortened("a" * 10 + "b" * 80 + "c" * 10, 20) == f"{'a' * 10}\n[... 80 characters left out ...]\n{'c' * 10}"
