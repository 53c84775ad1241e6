"""What models answer with: patches in every format, agents' actions, opinions, disputes, tests, and the bill."""

from __future__ import annotations

import ast
import json
from contextlib import suppress
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz.shapes import ODD, changed, nested, rebuilt, soup
from tests.model.renderings import FILES, RENDERINGS, WRAPPINGS, Change
from tests.workers.corpus import CHEATS, HONEST, Case, judged
from tests.workers.corpus import FILES as FILES_BEFORE
from tests.workers.diffs import between
from tests.workers.fixers.trees import MemoryTree
from tests.workers.patch.cases import ACCEPTED, REFUSED
from tests.workers.patch.malformed import PATH, changes
from workers.critic import objections
from workers.domain import Confidence
from workers.fixers import opinions
from workers.fixers.agent import actions
from workers.llm import account
from workers.llm.errors import ModelError
from workers.llm.exchange import Answer, Message
from workers.llm.faults import judge, one_line, wish
from workers.patch import PatchError, check, read_answer, reasoning
from workers.patch.suggest import suggest
from workers.witness import tester

PIECES = ("<<<<<<< SEARCH\n", "=======\n", ">>>>>>> REPLACE\n", "--- a/d.py\n", "+++ b/d.py\n", "@@ -1,2 +1,2 @@\n",
          "@@\n", "-x = 1\n", "+x = 2\n", " y\n", "```\n", "```python\n", "*** Begin Patch\n",
          "*** Update File: d.py\n", "*** Delete File: d.py\n", "*** Move to: /etc/x\n", "*** End of File\n",
          "*** End Patch\n", '{"diff": "', '"}', "<think>", "</think>", "...\n", "--- /dev/null\n", "+++ b/../x\n",
          "\\ No newline at end of file\n", "GIT binary patch\n", "diff --git a/d.py b/d.py\n",
          "new file mode 120000\n", "rename to x\n", "shop/calc.py\n", "@@ -99999999999999999999 @@\n", "d.py",
          *ODD)  # fmt: skip
ANSWERS = [(dict(case.before), case.answer) for case in ACCEPTED] + [
    (before, answer) for _, before, answer, _ in REFUSED
]


def held(answer: str, before: dict[str, str | bytes]) -> None:
    """All or nothing: edits inside the tree that parse and differ, or a `PatchError`; the tree itself never changes."""
    tree = MemoryTree(before)
    kept = dict(tree.files)
    try:
        edits = read_answer(answer, tree)
    except PatchError as error:
        assert str(error)
        return
    finally:
        assert tree.files == kept
    assert edits
    for path, data in edits.items():
        assert data != kept.get(path)
        assert path
        assert not path.startswith("/")
        assert not {"..", ".git", ""} & set(path.split("/"))
        if path.endswith(".py") and data is not None and _parses(kept.get(path, b"")):
            assert _parses(data), path


def _parses(data: bytes) -> bool:
    try:
        ast.parse(data)
    except (SyntaxError, ValueError):
        return False
    return True


@given(st.sampled_from(ANSWERS), st.data())
def test_a_changed_answer_lands_whole_or_not_at_all(
    known: tuple[dict[str, str | bytes], str], data: st.DataObject
) -> None:
    """Every known answer with pieces of others in it."""
    before, answer = known
    held(data.draw(changed([answer], PIECES, 6)), before)


@given(soup(PIECES, most=40, glue=("", "\n")))
def test_pieces_of_every_format_land_whole_or_not_at_all(answer: str) -> None:
    """In any order."""
    held(answer, {"d.py": "x = 1\ny = 2\n", "shop/calc.py": "def f():\n    return 1\n", "e.txt": ""})
    reasoning(answer)


WAYS = st.tuples(st.sampled_from(list(RENDERINGS)), st.sampled_from(list(WRAPPINGS)), st.sampled_from(list(FILES)))


@given(changes(), WAYS, st.data())
def test_a_well_said_edit_that_is_broken_afterwards_is_held_too(
    change: Change, way: tuple[str, str, str], data: st.DataObject
) -> None:
    """Rendered in every format and wrapping, then damaged."""
    rendering, wrapping, kind = way
    answer = WRAPPINGS[wrapping](RENDERINGS[rendering](change))
    held(data.draw(changed([answer], PIECES, 3)), {PATH: FILES[kind]("\n".join(change.before) + "\n")})


@given(changes(), st.data())
def test_a_diff_is_counted_and_suggested_or_refused(change: Change, data: st.DataObject) -> None:
    """A right one has its counts; a broken one is refused, and gives suggestions within the file or a sentence."""
    before, after = ("\n".join(lines) + "\n" for lines in (change.before, change.after))
    diff = between(PATH, before, after)
    if before != after:
        files, added, removed = check(diff)
        assert files == 1
        assert len(after.split("\n")) - len(before.split("\n")) == added - removed
    broken = data.draw(changed([diff], PIECES, 4))
    with suppress(PatchError):
        check(broken)
    found = suggest(MemoryTree({PATH: before}), broken, {PATH: diff})
    if isinstance(found, str):
        assert found.endswith(".")
        return
    for one in found:
        assert 1 <= one.start <= one.end <= len(change.before) + 1


JUDGED = [case for case in (*CHEATS, *HONEST) if len(case.edits) == 1 and all(case.edits.values())]
CODE = ("pytest.approx(1, abs=", "assert", "@pytest.mark.skip\n", "if True:", "# noqa", "// @ts-ignore", "try:\n",
        "    pass\n", "continue-on-error: true", "|| true", "return 3", "{", "}", "(", "def f(:", "==",
        "f'{x!r:{y}}'", "lambda: (yield)", "match x:\n", *ODD)  # fmt: skip


@given(st.sampled_from(JUDGED), st.data())
def test_the_gate_judges_any_change(case: Case, data: st.DataObject) -> None:
    """Of a file that may not be one any more: rules that are broken, or none."""
    ((path, after),) = case.edits.items()
    other = data.draw(changed([str(after)], CODE, 6)).encode("utf-8", "replace").decode()
    for violation in judged(replace(case, edits={path: other}, patch=between(path, FILES_BEFORE.get(path), other))):
        assert violation.rule


SAID = ("<think>", "</think>", "```bash\n", "```", "submit", "<quote>", "</quote>", "<test-is-wrong>",
        "</test-is-wrong>", "Confidence: low", "def test_a():\n    assert 1\n", '{"violations": [',
        '{"rule": "unsafe", "quote": "x = 1"}', "]}", "QUESTION:", "?",
        '{"tool": "bash", "arguments": {"command": "ls"}}', "<tool_call>", "</tool_call>", "confidence: high",
        *ODD)  # fmt: skip


@given(soup(SAID), changed(["--- a/x\n+++ b/x\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"]))
def test_any_answer_is_an_action_an_opinion_or_nothing(answer: str, patch: str) -> None:
    """The readers of everything else that is asked of a model; a veto quotes the patch."""
    assert isinstance(actions.read(answer), actions.Run | actions.Submit | actions.Malformed)
    for objection in objections(answer, patch):
        assert objection.partition(": ")[2] in patch
    with suppress(opinions.Unquoted):
        opinions.dispute(answer, [patch])
    assert opinions.lowered(answer, Confidence.MEDIUM) in (Confidence.LOW, Confidence.MEDIUM)
    opinions.edits(answer)
    test, question = tester.read(answer)
    assert not (test and question)


COMPLETION = {
    "id": "x",
    "model": "m",
    "object": "chat.completion",
    "created": 1,
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi", "refusal": None}}
    ],
    "usage": {
        "prompt_tokens": 7,
        "completion_tokens": 2,
        "total_tokens": 9,
        "prompt_tokens_details": {"cached_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 1},
    },
}
KEYS = ("choices", "message", "content", "usage", "prompt_tokens", "completion_tokens", "finish_reason", "text",
        "refusal", "cost", "model", "error", "tool_calls", "type", "id", "cached_tokens", "reasoning_tokens",
        "input_tokens")  # fmt: skip
WORDS = ("stop", "length", "content_filter", "text", "7", "NaN", "", "\ud800", "assistant")


@given(rebuilt(COMPLETION, nested(KEYS, WORDS)), st.booleans())
@example({"choices": [{"message": {"content": [{"type": [], "text": "x"}]}}]}, False)
@example({**COMPLETION, "usage": {"prompt_tokens": 10**400, "completion_tokens": -1, "cost": 10**400}}, True)
def test_any_completion_is_an_answer_or_a_stated_error(completion: object, bills: bool) -> None:
    """Endpoints send anything with a good status; what is counted is never negative and can be written down."""
    with suppress(ModelError):
        answer = account.read(completion, [Message("user", "x")], "m", None, bills=bills)
        assert isinstance(answer, Answer)
        assert answer.usage.input_tokens >= 0
        assert answer.usage.output_tokens >= 0
        assert answer.usage.cost_usd is None or answer.usage.cost_usd >= 0
        json.dumps([answer.text, answer.model, answer.usage.cost_usd], allow_nan=False).encode()
        answer.text.encode()
        answer.model.encode()


WAITS = st.sampled_from(
    ["7", "-1", "nan", "inf", "1e999", "\xb2", "Wed, 21 Oct 2099 07:28:00 GMT", "Wed, 21 Oct 0000 99:28:00 GMT", ""]
)


@given(st.integers(300, 600), st.frozensets(st.text(max_size=20), max_size=3),
       soup(("try again in 5s", "retry in", "999999m", "insufficient quota", "<html>", "rate limit", "context length")),
       st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), WAITS | st.text(max_size=12)))  # fmt: skip
def test_any_refusal_of_an_endpoint_is_judged(
    status: int, codes: frozenset[str], message: str, headers: dict[str, str]
) -> None:
    """With a wait that is a number of seconds, and words that are one short line."""
    fault = judge(status, codes, message, wish(headers))
    assert 0 <= fault.retry_after < 1e8
    assert "\n" not in one_line(message)
    assert len(one_line(message)) <= 200
