"""What the map of a repository promises: the definitions that matter first, the same ones always, whatever the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers import repo_map
from workers.grammars import LIMIT, faults, parsed
from workers.repo_map import symbols
from workers.repo_map.rank import Link, pagerank

CASES = sorted((Path(__file__).parent / "languages").glob("*.case"))


@dataclass
class Repository:
    """`Files` in memory, which counts what was read."""

    files: Mapping[str, str]
    read_: list[str] = field(default_factory=list)

    def paths(self) -> Sequence[str]:
        return sorted(self.files)

    def read(self, path: str) -> bytes | None:
        self.read_.append(path)
        return self.files[path].encode()


def outlined(
    files: Mapping[str, str], seeds: Sequence[str], words: Sequence[str] = (), limit: int = 10_000
) -> tuple[str, ...]:
    repository = Repository(files)
    return repo_map.outline(repository, repository.paths(), seeds, words, limit, seeds)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_file_defines_and_uses(case: Path) -> None:
    """A source, a line of `=`, and below it the definitions (lines, depth, name, head), names used, words imported."""
    text, _, expected = case.read_text().partition("=====\n")
    found = symbols(case.name.removesuffix(".case"), text.encode())
    rows = [f"{one.start}-{one.end} {one.depth} {one.name}: {one.head}" for one in found.definitions]
    rows.append("uses " + " ".join(f"{name}*{n}" if n > 1 else name for name, n in found.uses.items()))
    rows.append(" ".join(["imports", *sorted(found.imports)]))
    assert "\n".join(rows) == expected.rstrip("\n")
    assert faults(case.name.removesuffix(".case"), text.encode()) == ()


SHOP = {
    "shop/cart.py": "from shop.price import rounded\nfrom shop.tax import rate\ndef total(x):\n    return rounded(x)\n",
    "shop/price.py": "from shop.tools import digits\n\ndef rounded(x):\n    return digits(x)\nUNUSED = 1\n",
    "shop/tools.py": "def digits(x):\n    return x\n",
    "shop/tax.py": "class Tax:\n    def rate(self):\n        return 1\n\n\ndef rate():\n    return 2\n",
    "other/rounding.py": "def rounded(x):\n    return x\n",
    "other/far.py": "def nothing():\n    return 1\n",
    "tests/test_cart.py": "from shop.cart import total\n\n\ndef test_total():\n    assert total(1) == 1\n",
    "README.md": "# rounded\n",
}


def test_what_the_suspects_use_comes_first() -> None:
    """Along the imports and on from there; neither the suspects, whose text is shown anyway, nor tests are in it."""
    found = outlined(SHOP, ["shop/cart.py", "tests/test_cart.py"])
    files = [line for line in found if not line.startswith(" ")]
    assert files[:2] in (["shop/price.py", "shop/tax.py"], ["shop/tax.py", "shop/price.py"])
    assert files.index("shop/tools.py") < files.index("other/rounding.py") < files.index("other/far.py")
    assert not {"shop/cart.py", "tests/test_cart.py", "README.md"} & set(files)
    at = found.index("shop/tax.py")
    assert found[at + 1 : at + 4] == ("    1 class Tax:", "    2   def rate(self):", "    6 def rate():")


def test_a_name_in_the_failure_draws_its_definition() -> None:
    """With room for one file only, what the failure speaks of is told."""
    assert "shop/tax.py" in outlined(SHOP, ["shop/cart.py"], ["rate"], limit=60)
    assert "shop/price.py" in outlined(SHOP, ["shop/cart.py"], ["rounded"], limit=60)


@pytest.mark.parametrize("limit", [0, 10, 40, 80, 200, 3_500])
def test_the_budget_is_kept(limit: int) -> None:
    """In characters, line ends included."""
    assert sum(len(line) + 1 for line in outlined(SHOP, ["shop/cart.py"], limit=limit)) <= limit


def test_the_same_repository_gives_the_same_map() -> None:
    """Whatever the order of the words."""
    words = ["rounded", "total", "rate", "Tax"]
    assert outlined(SHOP, ["shop/cart.py"], words) == outlined(SHOP, ["shop/cart.py"], words[::-1])


def test_a_large_repository_is_read_in_part() -> None:
    """Nearest to the suspects first: what is left out costs nothing."""
    files = {f"{folder}/f{n}.py": f"def f{n}():\n    pass\n" for folder in ("a", "z") for n in range(1_000)}
    repository = Repository(files)
    repo_map.outline(repository, repository.paths(), ["z/f7.py"], [], 1_000)
    assert repository.read_[0] == "z/f7.py"
    assert len(repository.read_) == repo_map.MOST_FILES
    assert sum(path.startswith("z/") for path in repository.read_) == 1_000


def test_what_others_wrote_is_left_out() -> None:
    """Vendored and generated folders say nothing about the repository."""
    assert outlined({"node_modules/a/b.js": "function a() {}", "vendor/c.go": "func C() {}"}, []) == ()


def test_who_uses_a_name_is_found() -> None:
    """The innermost definitions that do, those that use most of the names first; no test and no suspect."""
    repository = Repository(SHOP)
    found = repo_map.callers(repository, repository.paths(), ["shop/price.py"], ["rounded", "digits"], 5)
    assert [(one.path, one.definition.name) for one in found] == [("shop/cart.py", "total")]
    found = repo_map.callers(repository, repository.paths(), ["shop/tools.py"], ["digits", "round"], 5)
    assert [(one.path, one.definition.name) for one in found] == [("shop/price.py", "rounded")]


@pytest.mark.parametrize(
    ("files", "test", "sources"),
    [
        (SHOP, "tests/test_cart.py", ("shop/cart.py",)),
        (
            {
                "src/cart.js": "import { tax } from './tax';\nexport function total(p) { return tax(p); }\n",
                "src/tax.js": "export const tax = (p) => p;\n",
                "src/other.js": "export function total(p) { return 1; }\n",
                "src/cart.test.js": "import { total } from './cart';\ntest('adds', () => expect(total(1)).toBe(1));\n",
            },
            "src/cart.test.js",
            ("src/cart.js",),
        ),
        (
            {
                "shop/sum.go": "package shop\n\nfunc Total() int { return 1 }\n",
                "other/sum.go": "package other\n\nfunc Total() int { return 1 }\n",
                "shop/cart_test.go": "package shop\n\nfunc TestTotal(t *testing.T) { Total() }\n",
            },
            "shop/cart_test.go",
            ("shop/sum.go",),
        ),
        (
            {
                "src/main/java/shop/Cart.java": "package shop;\nclass Cart { int total() { return 1; } }\n",
                "src/main/java/shop/Price.java": "package shop;\nclass Price { }\n",
                "src/test/java/shop/CartTest.java": "package shop;\nclass CartTest { int t = new Cart().total(); }\n",
            },
            "src/test/java/shop/CartTest.java",
            ("src/main/java/shop/Cart.java",),
        ),
        (
            {
                "src/cart.rs": "pub fn total() -> u32 { 1 }\n",
                "src/other.rs": "pub fn total() -> u32 { 1 }\n",
                "tests/totals.rs": "use shop::cart::total;\n\n#[test]\nfn adds() { assert_eq!(total(), 1); }\n",
            },
            "tests/totals.rs",
            ("src/cart.rs",),
        ),
    ],
)  # fmt: skip
def test_what_a_test_is_about(files: Mapping[str, str], test: str, sources: tuple[str, ...]) -> None:
    """By what it uses, in every language; a file that it does not name is no rival."""
    repository = Repository(files)
    assert repo_map.linked(repository, repository.paths(), [test], 3) == sources


def test_a_walk_ends_where_most_leads() -> None:
    """Ranks add up to 1, also with files that lead nowhere; without a start, every file is one."""
    edges = [Link("a", "b", "x", 1.0), Link("a", "c", "y", 3.0), Link("c", "a", "z", 1.0)]
    rank = pagerank(["a", "b", "c", "d"], edges, {"a": 1.0})
    assert sum(rank.values()) == pytest.approx(1)
    assert rank["a"] > rank["c"] > rank["b"] > rank["d"] == 0
    assert pagerank(["a", "b"], [], {}) == {"a": 0.5, "b": 0.5}
    assert pagerank([], [], {}) == {}


ENDINGS = (".py", ".js", ".jsx", ".ts", ".tsx", ".go", ".rs", ".java")
PIECES = st.sampled_from(["def f(", "class A", *"{}()='`\"", "=>", "fn x", "func (a ", "\n", "  ", "é", "\ud800", "\0"])


@settings(max_examples=60, deadline=None)
@given(text=st.lists(PIECES, max_size=40).map("".join), ending=st.sampled_from(ENDINGS))
def test_no_text_makes_it_fail(text: str, ending: str) -> None:
    """Definitions lie inside of the file, whatever is in it."""
    data = text.encode("utf-8", "replace")
    for one in symbols(f"a{ending}", data).definitions:
        assert 1 <= one.start <= one.end <= data.count(b"\n") + 1
        assert "\n" not in one.head
    assert all(1 <= line <= data.count(b"\n") + 1 for line in faults(f"a{ending}", data))


@pytest.mark.parametrize("piece", [b"(", b"def f(:", b"function a(){", b"if x:\n", b'"', b"a=[{", b"fn a(){", b"\xff"])
@pytest.mark.parametrize("ending", [".py", ".js", ".rs"])
def test_the_deepest_nesting_is_read(piece: bytes, ending: str) -> None:
    """Nothing recurses, and no head is longer than it may be."""
    found = symbols(f"a{ending}", piece * (8_000 // len(piece)))
    assert all(len(one.head) <= 150 for one in found.definitions)


def test_a_longer_file_is_not_parsed() -> None:
    """There is nothing to say about it."""
    assert parsed("a.py", b" " * LIMIT) is not None
    assert parsed("a.py", b" " * (LIMIT + 1)) is None
    assert symbols("a.py", b"def f(): pass\n" * LIMIT).definitions == ()
    assert faults("a.py", b"(" * (LIMIT + 1)) == ()


def test_text_that_fits_no_grammar_is_read_less_far() -> None:
    """It is slow to read: after half a megabyte of it, the last file is not reached."""
    last = {"z.py": "def last(): pass\n"}
    paths = [f"a{n}.py" for n in range(5)]
    assert outlined({**dict.fromkeys(paths, "#" * 100_000), **last}, []) == ("z.py", "    1 def last():")
    assert outlined({**dict.fromkeys(paths, "(" * 100_000), **last}, []) == ()
