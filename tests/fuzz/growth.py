"""Time: every reader is given the same piece again and again, and four times as much may cost about four times as much.

Not in the suite, whose machines are busy; `make fuzz` names this file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st

from bot import views
from sandbox import references
from sandbox.capture import plain as plain_output
from sandbox.errors import ImageMissing
from sandbox.results import channel, jsonl, junit, log
from sandbox.results.choice import choose
from tests.fuzz import test_files, test_logs, test_patches, test_words, test_workflows
from tests.fuzz.shapes import ODD
from tests.sandbox.results import test_untrusted
from tests.workers.fixers.trees import MemoryTree
from tests.workers.recipe import test_expressions
from tests.workers.recipe.test_expressions import CONTEXTS
from tests.workers.tools.texts import NEAR
from workers import ci, commands, lockfiles, logs, pins, redact, remarks, scripts, workflow
from workers.critic import objections
from workers.errors import Stop
from workers.expressions import render
from workers.fixers.agent import actions
from workers.fixers.opinions import Unquoted, dispute
from workers.llm.faults import judge
from workers.messages.markup import fence, inert, plain, quote
from workers.patch import PatchError, check, read_answer, reasoning
from workers.repo_config import ConfigError, parse
from workers.requirements import bounds, lists
from workers.tools import TOOLS
from workers.witness import stated, tester
from workers.witness.reported import without_hidden

SMALL, LARGE = 16_000, 64_000
"""Characters of the two inputs."""
NOISE_S = 1.0
"""What takes less processor time than this at the large size is fast enough, whatever it grew from."""
MOST_TIMES = 9.0
"""Linear is 4, quadratic 16."""


def _tools(text: str) -> None:
    for tool in TOOLS:
        tool.recognises("x", text)
        tool.classify(text, tool.findings(text, ()))


def _answer(text: str) -> None:
    with suppress(PatchError):
        read_answer(text, MemoryTree({"d.py": "x = 1\n" * 300, "shop/calc.py": "def f():\n    return 1\n"}))
    reasoning(text)


def _quietly(read: Callable[[str], object], *errors: type[Exception]) -> Callable[[str], object]:
    def quiet(text: str) -> None:
        with suppress(*errors):
            read(text)

    return quiet


def _manifests(text: str) -> None:
    data = text.encode("utf-8", "replace")
    for name in test_files.MANIFESTS:
        for place in lists.places(name, data):
            lists.with_one(place, data, "PyYAML")
        bounds.listed(name, data)
        lists.added(name, data, data + b"six\n")


def _reports(text: str) -> None:
    data = text.encode("utf-8", "replace")
    jsonl.parse(data)
    junit.parse(data)
    log.parse(plain_output(data))
    choose(channel.read(b"HEAL-PART index %d\n" % len(data) + data), "")


def _locks(text: str) -> None:
    for name in test_files.LOCKED:
        lockfiles.versions(name, text)
        lockfiles.of(name, text.encode("utf-8", "replace"))
    lockfiles.hosts(text)
    lockfiles.required(text)


def _log(text: str) -> None:
    read = logs.parse(text)
    logs.machine(read)
    logs.versions(read)
    pins.versions(read)
    logs.signature_lines(text)


def _redacted(text: str) -> None:
    redact.redact(text)
    list(redact.without_key_blocks(text.split("\n")))


def _shown(text: str) -> None:
    for show in (fence, inert, plain, quote, views.plain, views.one_line, without_hidden):
        show(text)


def _asked(text: str) -> None:
    commands.find_all(text)
    remarks.asked(text)
    remarks.rejected("changes_requested", text, [text])


def _model(text: str) -> None:
    actions.read(text)
    list(objections(text, text))
    tester.read(text)
    stated.stated([text])
    judge(400, frozenset(), text)
    with suppress(Unquoted):
        dispute(text, [text])


def _script(text: str) -> None:
    scripts.split(text)
    scripts.only_installs(text)
    scripts.preparing(text)


def _others(text: str) -> None:
    for path in test_workflows.OTHERS:
        with suppress(Stop):
            ci.steps(MemoryTree({path: text}))


READERS: dict[str, tuple[Callable[[str], object], tuple[str, ...]]] = {
    "tools": (_tools, NEAR),
    "job logs": (_log, test_logs.MARKS),
    "answers": (_answer, test_patches.PIECES),
    "diffs": (_quietly(check, PatchError), test_patches.PIECES),
    "what models say": (_model, test_patches.SAID),
    "comments and reviews": (_asked, (*test_words.SAID, *test_words.REVIEWED)),
    "heal.yml": (_quietly(parse, ConfigError), (*test_words.CONFIG_LINES, ": ", "- ", "[", "{", "&a ", "*a", "\n")),
    "markup": (_shown, test_words.MARKUP),
    "redaction": (
        _redacted,
        (*test_words.AROUND, *test_words.KEYS_SEEN, "sk-", "ghp_", "eyJ", "-----BEGIN ", "a://b:"),
    ),
    "workflows": (
        _quietly(workflow.parse, workflow.WorkflowError),
        (*test_workflows.LINES, ": ", "- ", "[", "{", "\n"),
    ),
    "other systems' configs": (_others, (*test_workflows.LINES, "sh '", "stage(", "{", "}", '"', "$", "\n", ": ")),
    "expressions": (lambda text: render(text, CONTEXTS), (*test_expressions.WORDS, "${{", "}}")),
    "scripts": (_script, test_workflows.SHELL),
    "reports": (_reports, (*test_untrusted.WORDS[:80], *test_files.XML)),
    "lock files": (_locks, (*test_files.LOCK_BITS, *test_files.LOCKED.values())),
    "manifests": (
        _manifests,
        (*test_files.MANIFEST_BITS, "[options]\ninstall_requires =\n  six\n", "dependencies = [", "'a',"),
    ),
    "image names": (_quietly(references.parse, ImageMissing), test_files.NAMES),
}


def _seconds(read: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    read(text)
    return time.process_time() - started


@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", READERS)
@settings(max_examples=10)
@given(st.data())
def test_time_grows_with_the_length(name: str, data: st.DataObject) -> None:
    """A beginning, a piece very often, an end: in one line, or in many."""
    read, pieces = READERS[name]
    piece = st.sampled_from((*pieces, *ODD, "a", " ", "\n", "1", "-", ".", "x" * 50))
    before, often, after = (data.draw(st.lists(piece, min_size=at == 1, max_size=3).map("".join)) for at in range(3))
    small, large = (f"{before}{often * (size // max(1, len(often)))}{after}" for size in (SMALL, LARGE))
    most = _seconds(read, large)
    target(most)
    if most > NOISE_S:
        least, most = (min(_seconds(read, text) for _ in range(3)) for text in (small, large))
        assert most < NOISE_S or most < MOST_TIMES * least, (
            f"{least:.3f} s for {len(small)}, {most:.3f} s for {len(large)}"
        )
