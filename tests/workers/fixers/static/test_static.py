"""What the fixer `static` promises: of what was raised it makes exactly the right edit, or none, and runs nothing."""

from __future__ import annotations

import runpy
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.spec import Result
from tests.workers.fixers.benches import Memory, bench
from tests.workers.fixers.static.cases import CASES, NAMES, Case
from tests.workers.fixers.static.releases import RELEASES, RUN
from tests.workers.fixers.trees import MemoryTree
from tests.workers.made import result
from workers.domain import Attempt, Confidence, Diagnosis, FailureClass, Finding, Verdict
from workers.fixers.source import sources
from workers.fixers.static import Static, edits, fixes
from workers.fixers.static.near import nearest, slip
from workers.ports import Workbench
from workers.spectrum import Looked
from workers.spectrum.evidence import Failure, Trace


class Sealed:
    """An environment in which nothing may be run."""

    key, image = "sealed", "python"
    notes: tuple[str, ...] = ()

    def run(self, *_given: object, **_named: object) -> Result:
        raise AssertionError("the fixer ran something")

    def warm(self, *_given: object, **_named: object) -> None:
        raise AssertionError("the fixer wanted to run something")


def work(case: Case) -> Workbench:
    """The bench of a case: no trace of the tests, one finding at the marked line."""
    at = [(path, text[: text.index("<<")].count("\n") + 1) for path, text in case.before.items() if "<<" in text]
    path, line = at[0]
    files = {path: text.replace("<<", "") for path, text in case.before.items()}
    finding = Finding(case.said, path, line, "tests/test_m.py::test_it", case.said.split(":")[0])
    return bench(
        files, Sealed(), "pytest", result(1, output=case.said), (finding,), FailureClass.ERROR, once=untraced()
    )


def untraced() -> Memory:
    """The memory of a run whose tests could not be traced."""
    memory = Memory()
    memory.values["trace"] = Looked(None)
    return memory


EVERY = (*CASES, *RELEASES)


@pytest.mark.parametrize("case", EVERY, ids=[case.name.replace(" ", "-") for case in EVERY])
def test_what_was_raised_is_put_right(case: Case) -> None:
    """The first candidate is the right one, and no surer than it may be; where nothing is sure nothing is proposed."""
    work_bench = work(case)
    assert Static().applies(work_bench.diagnosis)
    found = Static().propose(work_bench, [])
    if not case.after:
        assert found is None
        return
    assert found is not None
    assert work_bench.tree.apply(found.patch) == {path: text.encode() for path, text in case.after.items()}
    assert found.confidence is (Confidence.HIGH if case.sure else Confidence.MEDIUM)
    assert found.usage.cost_usd == 0
    assert found.title
    assert "raised" in found.reasoning


@pytest.mark.parametrize("case", RUN, ids=[case.name.replace(" ", "-") for case in RUN])
def test_the_words_are_those_of_the_release_and_the_fix_is_one(case: Case, tmp_path: Path) -> None:
    """With what is installed, and warnings as errors: the file raises what the case says, and then it runs."""
    ((_, before),), ((_, after),) = case.before.items(), case.after.items()
    file = tmp_path / "m.py"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file.write_text(before.replace("<<", ""), encoding="utf-8")
        with pytest.raises((Exception, Warning)) as raised:
            runpy.run_path(str(file))
        assert f"{raised.type.__name__}: {raised.value}".startswith(case.said)
        file.write_text(after, encoding="utf-8")
        runpy.run_path(str(file))


@given(st.integers(-(10**9), 10**10) | st.floats(-1e9, 1e10))
def test_a_moment_without_its_zone_is_the_same_moment(seconds: float) -> None:
    """The naive value that the old function gave, to the microsecond."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old = datetime.utcfromtimestamp(seconds)  # noqa: DTZ004 - it is what the new form has to equal
    new = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    assert (old, old.fold, old.tzinfo) == (new, new.fold, new.tzinfo)


def test_the_next_candidate_is_another_one_and_there_is_an_end() -> None:
    """What was tried is not proposed again; the first answer is remembered."""
    case = next(case for case in NAMES if case.name == "two names are a slip away")
    work_bench = work(case)
    tried: list[Attempt] = []
    while (found := Static().propose(work_bench, tried)) is not None:
        tried.append(Attempt(found, Verdict(False, rejected_by="reproduction")))
    assert len({attempt.candidate.patch for attempt in tried}) == len(tried) == 2
    assert all(attempt.candidate.alternatives >= 1 for attempt in tried)


def test_all_failures_are_put_right_at_once() -> None:
    """A check with two failures turns green by one patch."""
    files = {"a.py": "def f(length):\n    return lenght\n", "b.py": "def g():\n    return os.sep\n"}
    findings = (
        Finding("NameError: name 'lenght' is not defined", "a.py", 2, "t.py::a", "NameError"),
        Finding("NameError: name 'os' is not defined", "b.py", 2, "t.py::b", "NameError"),
    )
    work_bench = bench(files, Sealed(), "pytest", result(1), findings, FailureClass.IMPORT, once=untraced())
    found = Static().propose(work_bench, [])
    assert found is not None
    assert work_bench.tree.apply(found.patch) == {
        "a.py": b"def f(length):\n    return length\n",
        "b.py": b"import os\n\ndef g():\n    return os.sep\n",
    }
    assert found.title.endswith(" and more")


def test_tests_are_never_changed() -> None:
    """What a test itself spells wrong is the business of people."""
    case = Case("", "NameError: name 'math' is not defined", {"tests/test_m.py": "x = math.pi<<\n"})
    assert Static().propose(work(case), []) is None


def test_a_trace_knows_more_than_what_was_printed() -> None:
    """The frames and the names of the live objects come from the trace, where there is one."""
    raised = Failure(
        type="AttributeError", message="'Reply' object has no attribute 'staus'", frames=(("m.py", 2, "f"),),
        near=("status",),
    )  # fmt: skip
    memory = untraced()
    memory.values["trace"] = Looked(Trace(failed={"t.py::a": 0.1}, passed={}, exceptions={"t.py::a": raised}))
    finding = Finding("AttributeError: 'Reply' object has no attribute 'staus'", "t.py", 9, "t.py::a", "AttributeError")
    files = {"m.py": "def f(reply):\n    return reply.staus\n"}
    work_bench = bench(files, Sealed(), "pytest", result(1), (finding,), FailureClass.ERROR, once=memory)
    found = Static().propose(work_bench, [])
    assert found is not None
    assert work_bench.tree.apply(found.patch) == {"m.py": b"def f(reply):\n    return reply.status\n"}


def test_a_program_that_is_no_test_leaves_its_traceback() -> None:
    """The last traceback that was printed is enough."""
    text = (
        'Traceback (most recent call last):\n  File "/work/run.py", line 3, in <module>\n    print(mat.pi)\n'
        "NameError: name 'mat' is not defined. Did you mean: 'math'?\n"
    )
    files = {"run.py": "import math\n\nprint(mat.pi)\n"}
    work_bench = bench(files, Sealed(), "python run.py", result(1, output=text), (), FailureClass.UNKNOWN, "")
    assert Static().applies(work_bench.diagnosis)
    found = Static().propose(work_bench, [])
    assert found is not None
    assert work_bench.tree.apply(found.patch) == {"run.py": b"import math\n\nprint(math.pi)\n"}


def test_what_a_library_raises_was_called_from_a_line_of_ours() -> None:
    """The place of the finding is the library's; the frames above it were printed."""
    text = (
        "tests/test_m.py:5: in test_it\n    dump(M())\nm.py:9: in dump\n    return m.dict()\n"
        "/usr/lib/python3/dist-packages/pydantic/main.py:1401: PydanticDeprecatedSince20\n"
    )
    said = "pydantic.warnings.PydanticDeprecatedSince20: The `dict` method is deprecated; use `model_dump` instead."
    at = "/usr/lib/python3/dist-packages/pydantic/main.py"
    before = "from pydantic import BaseModel\n\n\nclass M(BaseModel):\n    a: int = 1\n"
    before += "\n\ndef dump(m):\n    return m.dict()\n"
    finding = Finding(said, at, 1401, "tests/test_m.py::test_it", "PydanticDeprecatedSince20")
    files = {"m.py": before, "tests/test_m.py": ""}
    work_bench = bench(
        files, Sealed(), "pytest", result(1, output=text), (finding,), FailureClass.ERROR, once=untraced()
    )
    found = Static().propose(work_bench, [])
    assert found is not None
    assert work_bench.tree.apply(found.patch) == {"m.py": before.replace("m.dict", "m.model_dump").encode()}


def test_a_coroutine_that_nobody_awaited_is_read_from_the_warnings() -> None:
    """The test only says that something was not done; why stands in a warning."""
    files = {"m.py": "async def save():\n    pass\n\n\nasync def f():\n    save()\n"}
    text = "E       assert [] == [1]\n\n/work/m.py:6: RuntimeWarning: coroutine 'save' was never awaited\n    save()\n"
    finding = Finding("assert [] == [1]", "tests/test_m.py", 9, "tests/test_m.py::test_it", "AssertionError")
    work_bench = bench(files, Sealed(), "pytest", result(1, output=text), (finding,), once=untraced())
    assert Static().applies(work_bench.diagnosis)
    found = Static().propose(work_bench, [])
    assert found is not None
    assert found.confidence is Confidence.MEDIUM
    changed = {"m.py": files["m.py"].replace("    save()", "    await save()").encode()}
    assert work_bench.tree.apply(found.patch) == changed


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (FailureClass.TEST, "AssertionError: assert 1 == 2"),
        (FailureClass.LINT, "NameError: name 'x' is not defined"),
        (FailureClass.FLAKY, "KeyError: 'a'"),
    ],
)
def test_it_keeps_out_of_what_it_cannot_mend(cls: FailureClass, message: str) -> None:
    """Assertions, linters and chance are not its business."""
    assert not Static().applies(Diagnosis(cls, "pytest", "f", (Finding(message),), "", message))


@pytest.mark.parametrize(
    ("wrong", "right", "one"),
    [
        ("lenght", "length", True),
        ("itme", "item", True),
        ("nme", "name", True),
        ("namee", "name", True),
        ("nane", "name", True),
        ("Name", "name", True),
        ("name", "name", False),
        ("nmea", "name", False),
        ("first", "last", False),
        ("", "a", True),
        ("", "ab", False),
    ],
)
def test_a_slip_is_one_wrong_key(wrong: str, right: str, one: bool) -> None:
    """One letter more, less or other, or two swapped, in either direction."""
    assert slip(wrong, right) is one
    assert slip(right, wrong) is one


def test_short_names_and_rivals_are_never_sure() -> None:
    """Of a name with few letters, or two that are as near, nobody knows which was meant."""
    assert nearest("xs", ["x", "total"]) == [("x", False)]
    assert [sure for _, sure in nearest("cart", ["carts", "card"])] == [False, False]
    assert nearest("lenght", ["length", "len"])[0] == ("length", True)


SAID = st.sampled_from([case.said for case in EVERY])


@given(SAID | st.text(max_size=80), st.integers(-2, 12), st.sampled_from([case.before for case in EVERY]))
def test_any_failure_in_any_file_is_answered(said: str, line: int, before: Mapping[str, str]) -> None:
    """Nothing raises, and every correction leaves files that can be parsed."""
    kind, _, message = said.partition(": ")
    known = sources(MemoryTree({path: text.replace("<<", "") for path, text in before.items()}))
    failure = Failure(type=kind, message=message, frames=((next(iter(before)), line, "f"),))
    for fix in fixes(failure, known):
        assert edits([fix], known)
