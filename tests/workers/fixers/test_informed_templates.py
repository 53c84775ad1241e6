"""What the templates promise that ask what the code handled at run time, and those for whole statements."""

# ruff: noqa: E501 - the texts are the data
from __future__ import annotations

import pytest

from tests.workers.fixers.trees import MemoryTree
from workers.fixers.search.rank import ranked
from workers.fixers.search.seen import Seen, seen
from workers.fixers.search.templates import mutations
from workers.fixers.search.templates.literals import wanted
from workers.fixers.source import Source, parses, spliced
from workers.spectrum.evidence import Failure, Trace

TYPES = {
    "a": ("int",), "b": ("int",), "xs": ("list",), "ys": ("list",), "text": ("str",), "node": ("Node",), "d": ("dict",),
    "kept": ("set",), "best": ("int",), "x": ("int",),
}  # fmt: skip
HEAD = "def f(a, b, xs, ys, text, node, d, kept, best, x):\n"

CASES = (
    ("variable", "    return xs", "    return ys"),
    ("expression", "    return g(a) + h(b)", "    return a + h(b)"),
    ("expression", "    return d[a] + d[b]", "    return d[b] + d[b]"),
    ("target", "    d[a] = b\n    kept.add(d[b])", "    d[b] = b\n    kept.add(d[b])"),
    ("target", "    xs.extend(ys)", "    xs = ys"),
    ("drop term", "    return 1 + len(xs)", "    return len(xs)"),
    ("unwrap", "    return g(a)", "    return a"),
    ("term", "    return g(xs, a)", "    return g(xs, a - b)"),
    ("term", "    return b - a", "    return b - (a + 1)"),
    ("extreme", "    best = a + 1", "    best = max(best, a + 1)"),
    ("extreme", "    best = best + x", "    best = max(0, best + x)"),
    ("result", "    return []", "    return [a]"),
    ("result", "    return True", "    return a == 0"),
    ("part", "    return g(xs)", "    return g(xs[1:])"),
    ("part", "    for x in xs:\n        pass", "    for x in xs[a:]:\n        pass"),
    ("swap operands", "    return text + g(a)", "    return g(a) + text"),
    ("wrap", "    return xs + g(a)", "    return xs + [g(a)]"),
    ("more elements", "    return [a]", "    return xs + [a]"),
    ("wrap", "    return a", "    return int(a)"),
    ("method call", "    return text", "    return text.strip()"),
    ("less specific", "    if a < 0:\n        return b", "    if a < 0 or not xs:\n        return b"),
    ("more specific", "    if a:\n        return b", "    if a and b not in xs:\n        return b"),
    ("condition", "    while True:\n        xs.pop()", "    while xs:\n        xs.pop()"),
    ("border", "    return len(xs) == 0", "    return len(xs) <= 1"),
    ("guard", "    if node.next is None:\n        return a", "    if node is None or node.next is None:\n        return a"),
    ("missing", "    xs = g(a)\n    return kept", "    xs = g(a)\n    kept.add(a)\n    return kept"),
    ("missing", "    for x in xs:\n        g(x)", "    for x in xs:\n        g(x)\n        a = b"),
    ("outdent", "    for x in xs:\n        g(x)\n        h(a)", "    for x in xs:\n        g(x)\n    h(a)"),
    ("indent", "    for x in xs:\n        g(x)\n    h(a)", "    for x in xs:\n        g(x)\n        h(a)"),
    ("swap statements", "    g(a)\n    h(b)", "    h(b)\n    g(a)"),
    ("condition added", "    g(a)", "    if xs:\n        g(a)"),
    ("guard", "    return xs[0]", "    if not xs:\n        return None\n    return xs[0]"),
    ("fewer arguments", "    return g(a, b)", "    return g(a)"),
    ("more arguments", "    return g(a)", "    return g(a, b=b)"),
    ("more arguments", "    return xs.index(a)", "    return xs.index(a, b)"),
    ("more arguments", "    return h(b)", "    return h(a, b)"),
    ("more arguments", "    return d.pop(\n        a,\n    )", "    return d.pop(\n        a, None,\n    )"),
    ("more arguments", "    return h()", "    return h(text)"),
    ("more arguments", "    return h(a, 'w')\n    return h(b)", "    return h(a, 'w')\n    return h(b, 'w')"),
    ("more arguments", "    return h(a, end=b)", "    return h(a, xs, end=b)"),
    ("more elements", "    return '%s %s' % (a,)", "    return '%s %s' % (a, b,)"),
    ("more elements", "    return [a]", "    return [b, a]"),
    ("wrap", "    g(shown(a))\n    return b", "    g(shown(a))\n    return shown(b)"),
    ("method call", "    g(node.next())\n    return node", "    g(node.next())\n    return node.next()"),
    ("variable", "    return a.value + b.value", "    return a.value + a.value"),
    ("item", "    return xs", "    return xs[0]"),
    ("attribute access", "    g(node.value)\n    return node", "    g(node.value)\n    return node.value"),
    ("attribute", "    return node.valeu", "    return node.value"),
    ("swap elements", "    return d[a, b]", "    return d[b, a]"),
    ("swap indexes", "    return xs[a][b]", "    return xs[b][a]"),
    ("index", "    return d[a, b]", "    return d[a - 1, b]"),
    ("border", "    return a < b", "    return a == b"),
    ("border", "    return a == b", "    return a < b"),
    ("sibling", "    return text.lower()", "    return text.swapcase()"),
    ("inverted", "    if a:\n        return True\n    return False", "    if a:\n        return False\n    return True"),
    ("swap elements", "    return [a, b]", "    return [b, a]"),
    ("fewer arguments", "    return text.split(' ')", "    return text.split()"),
    ("wrap", "    return xs == ys", "    return sorted(xs) == sorted(ys)"),
    ("method call", "    return text == text[a]", "    return text == text[a].lower()"),
    ("part", "    return [x for x in xs]", "    return [x for x in xs][1:]"),
    ("factor", "    return a + b", "    return (a + b) / 2"),
    ("literal", "    return ' '.join(xs)", "    return ''.join(xs)"),
    ("condition added", "    kept.add(a)", "    if a == b:\n        kept.add(a)"),
    ("missing", "    if x:\n        a += 1", "    if x:\n        a += 1\n    else:\n        b += 1"),
)  # fmt: skip


def known(text: str) -> Seen:
    """A file with one function whose variables were seen, and a callable it names."""
    trace = Trace(
        failed={},
        passed={},
        types={"m.py": {"f:1": TYPES}},
        attributes={"Node": ("next", "value")},
        signatures={"m.py": {"g": ("a", "b=")}},
    )
    return seen(Source("m.py", text.encode()), trace)


@pytest.mark.parametrize(("kind", "before", "after"), CASES)
def test_a_template_makes_its_edit(kind: str, before: str, after: str) -> None:
    """Before, kind, after; and everything a template makes is Python."""
    about = known(HEAD + before + "\n")
    source = about.source
    made = [(m.kind, spliced(source.data, m.splices)) for m in mutations(source, seen=about)]
    assert (kind, (HEAD + after + "\n").encode()) in made
    assert [text for _, text in made if not parses(text)] == []


def test_names_of_the_module_and_the_object_itself_are_tried() -> None:
    """A function of the module that takes as many arguments, a variable of the module, and `self`."""
    text = "LIMIT = 3\ndef low(a): ...\ndef far(a, b): ...\ndef high(a): ...\nclass C:\n    def f(self, other):\n"
    source = Source("m.py", (text + "        return low(other)\n").encode())
    made = {spliced(source.data, m.splices).decode()[len(text) :].strip() for m in mutations(source)}
    assert {"return high(other)", "return low(LIMIT)", "return low(self)"} <= made
    assert "return far(other)" not in made


@pytest.mark.parametrize(
    ("message", "before", "after"),
    [
        ("assert 'push --force' == 'push --force-with-lease'", "x = 'push --force'", "x = 'push --force-with-lease'"),
        ("AssertionError: assert 'Hello Bob' == 'Hallo Bob'", "x = 'Hello ' + n", "x = 'Hallo ' + n"),
        ("assert 'a: 1 px' == 'a: 1 em'", "x = 'a: ' + n + ' px'", "x = 'a: ' + n + ' em'"),
        ("assert ['E+'] == ['E']\n  At index 0 diff: 'E+' != 'E'", "x = ['E+']", "x = ['E']"),
        ("assert 'ab' == 'a.b'", "x = n + m", "x = n + '.' + m"),
    ],
)
def test_what_an_assertion_wanted_is_written_into_the_literal(message: str, before: str, after: str) -> None:
    """Only where the literal makes the part of the text that differs."""
    source = Source("m.py", before.encode())
    made = [spliced(source.data, m.splices).decode() for m in wanted(source, [Failure(type="E", message=message)])]
    assert made == [after]


@pytest.mark.parametrize(
    "message", ["", "assert 1 == 2", "assert 'a' == b", "assert '" + "x" * 900, "assert '\\' == ''"]
)
def test_other_messages_want_no_literal(message: str) -> None:
    """Nothing is guessed and nothing raises."""
    assert list(wanted(Source("m.py", b"x = 'abc'"), [Failure(type="E", message=message)])) == []


def test_types_rule_out_what_cannot_stand_there() -> None:
    """A list is no candidate for a number that was seen; without types every variable is one."""
    text = HEAD + "    return a\n"
    about = known(text)
    made = {m.what for m in mutations(about.source, seen=about) if m.kind == "variable"}
    assert "`a` became `b`" in made
    assert "`a` became `xs`" not in made
    assert "`a` became `xs`" in {m.what for m in mutations(Source("m.py", text.encode())) if m.kind == "variable"}


@pytest.mark.parametrize(("error", "tried"), [("TypeError", True), ("AttributeError", True), ("ValueError", False)])
def test_types_rule_nothing_out_where_an_error_says_that_one_is_wrong(error: str, tried: bool) -> None:
    """On the line that it came through, and in the same statement, a list is a candidate for a number; not elsewhere."""
    text = HEAD + "    b = len(\n        a)\n    return x\n"
    failure = Failure(type=error, message="object of type 'int' has no len()", frames=(("m.py", 2, "f"),))
    trace = Trace(failed={}, passed={}, types={"m.py": {"f:1": TYPES}}, exceptions={"t": failure})
    source = Source("m.py", text.encode())
    made = {m.what for m in mutations(source, seen=seen(source, trace)) if m.kind == "variable"}
    assert ("`a` became `xs`" in made) is tried
    assert "`x` became `a`" in made
    assert "`x` became `xs`" not in made


def test_of_methods_of_one_name_all_parameters_are_known() -> None:
    """Which of them is called is not."""
    text = "class A:\n    def get(self, key): ...\nclass B:\n    def get(self, key, default): ...\n"
    source = Source("m.py", (text + "def f(a, key, default):\n    return a.get(key)\n").encode())
    made = {spliced(source.data, m.splices).decode().splitlines()[-1].strip() for m in mutations(source)}
    assert "return a.get(key, default=default)" in made


def test_where_types_are_wrong_no_variable_is_too_unlike() -> None:
    """However many there are, and whatever their names are like."""
    names = [f"alike{number}" for number in range(20)]
    text = f"def f(alike, {', '.join(names)}, zz):\n    return 'day' in alike\n"
    failure = Failure(type="TypeError", message="argument of type 'int' is not iterable", frames=(("m.py", 2, "f"),))
    types = {"alike": ("int",), "zz": ("dict",)} | dict.fromkeys(names, ("int",))
    trace = Trace(failed={}, passed={}, types={"m.py": {"f:1": types}}, exceptions={"t": failure})
    source = Source("m.py", text.encode())
    made = {m.what for m in mutations(source, seen=seen(source, trace)) if m.kind == "variable"}
    assert "`alike` became `zz`" in made


def test_types_rule_nothing_out_where_they_lack_what_is_asked() -> None:
    """Whoever caught the error: a text that is appended to is a list that has another name."""
    text = HEAD + "    text.append(a)\n    return text.strip()\n"
    trace = Trace(failed={}, passed={}, types={"m.py": {"f:1": TYPES}}, attributes={"str": ("strip",)})
    source = Source("m.py", text.encode())
    made = [(m.line, m.what) for m in mutations(source, seen=seen(source, trace)) if m.kind == "variable"]
    assert [line for line, what in made if what == "`text` became `xs`"] == [2]


def test_an_inner_function_sees_the_variables_around_it() -> None:
    """What the outer function made can be filled in the inner one."""
    text = "def f(a):\n    kept = set()\n    def g(x):\n        return x in kept\n    return g(a)\n"
    trace = Trace(failed={}, passed={}, types={"m.py": {"g:3": {"x": ("int",), "kept": ("set",)}}})
    source = Source("m.py", text.encode())
    made = {m.what for m in mutations(source, seen=seen(source, trace))}
    assert "`kept.add(x)` was added" in made


def test_new_lines_end_as_the_files_own() -> None:
    """A file of Windows stays one."""
    text = "def f(a, b):\r\n    g(a)\r\n    h(b)\r\n"
    trace = Trace(failed={"t::a": 0.1}, passed={}, counts={"m.py": {2: (1, 0), 3: (1, 0)}})
    found = ranked(MemoryTree({"m.py": text}), trace, 5000)
    assert any(candidate.text.count(b"\n") > 3 for candidate in found)
    assert all(candidate.text.count(b"\n") == candidate.text.count(b"\r\n") for candidate in found)


def test_each_text_is_one_candidate() -> None:
    """Two templates with the same result make one candidate, and none of them is the file as it is."""
    text = "def f(a, b):\n    return a + 1\n\n\ndef g():\n    pass\n"
    trace = Trace(failed={"t::a": 0.1}, passed={}, counts={"m.py": {2: (1, 0)}})
    texts = [candidate.text for candidate in ranked(MemoryTree({"m.py": text}), trace, 5000)]
    assert len(texts) == len(set(texts))
    assert text.encode() not in texts
