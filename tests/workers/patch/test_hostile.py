"""Answers made to hurt the reader: they cost a moment and never an exception of another kind."""

from __future__ import annotations

import time

import pytest

from tests.workers.fixers.trees import MemoryTree
from workers.patch import PatchError, read_answer


def block(path: str, search: str, replace: str) -> str:
    return f"{path}\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"


SAME = ["x = 1"] * 3000
HOSTILE = {
    "empty lines": "\n" * 900_000,
    "two sides that share too much": block("a.py", "\n".join(SAME), "\n".join(SAME[::2])),
    "fences": "```\n" * 50_000,
    "thoughts": "<think>" * 60_000,
    "JSON in JSON": '{"diff":' * 50_000,
    "heads": "<<<<<<< SEARCH\n" * 20_000,
    "above the tree": block("../a.py", "x = 1", "x = 2"),
    "beside the tree": block("/etc/cron.d/x", "", "boo"),
    "git's own": block("sub/.GIT/hooks/x", "", "boo"),
    "a name with an invisible letter": block(".g\u200cit/config", "", "boo"),
    "a name with a zero": block("a\0.py", "", "boo"),
    "an expression too deep": block("a.py", "x = 1", "x = " + "1+" * 200_000 + "1"),
}


@pytest.mark.fault(21, 42)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_is_refused_at_once(name: str) -> None:
    """Neither a name that leads elsewhere nor a text that makes matching slow gets through or holds a worker up."""
    started = time.process_time()
    with pytest.raises(PatchError):
        read_answer(HOSTILE[name], MemoryTree({"a.py": "x = 1\ny = 2\n"}))
    assert time.process_time() - started < 5
