"""The heads of pull requests: what was the head at a moment, whatever order the deliveries came in."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import Engine

from workers.domain import Sha
from workers.store.heads import Head, Heads

REPO, NUMBER = 7, 3
A, B, C = (Head(Sha(letter * 40), False, at) for letter, at in (("a", 100.0), ("b", 200.0), ("c", 300.0)))


@pytest.fixture
def heads(engine: Engine) -> Heads:
    return Heads(engine)


@pytest.mark.parametrize("order", list(itertools.permutations((A, B, C))), ids=lambda o: "".join(h.sha[0] for h in o))
def test_any_order(heads: Heads, order: tuple[Head, ...]) -> None:
    """Deliveries out of order and twice: GitHub's time alone decides, and every head is kept once."""
    assert [heads.note(REPO, NUMBER, head) for head in (*order, *order)] == [True] * 3 + [False] * 3
    assert heads.newest(REPO, NUMBER) == C
    assert [heads.newest_before(REPO, NUMBER, at) for at in (100.0, 101.0, 200.5, 9e9)] == [None, A, B, C]


def test_same_second_does_not_count(heads: Heads) -> None:
    """A head of the second in which a comment was made is not one the comment was made for."""
    heads.note(REPO, NUMBER, A)
    heads.note(REPO, NUMBER, B)
    assert heads.newest_before(REPO, NUMBER, B.at) == A


def test_pushed_back(heads: Heads) -> None:
    """A branch that is forced back has its old head again, from the later time on."""
    back = Head(A.sha, False, 300.0)
    for head in (A, B, back):
        heads.note(REPO, NUMBER, head)
    assert heads.newest(REPO, NUMBER) == back
    assert heads.newest_before(REPO, NUMBER, 250.0) == B


def test_only_mentioned(heads: Heads) -> None:
    """An event that only mentions the head does not make it younger; a head that it is the first to tell is kept."""
    heads.note(REPO, NUMBER, A)
    assert not heads.note(REPO, NUMBER, Head(A.sha, False, 150.0), moved=False)
    assert heads.newest(REPO, NUMBER) == A
    assert heads.note(REPO, NUMBER, B, moved=False)
    assert heads.newest(REPO, NUMBER) == B


def test_without_a_time(heads: Heads) -> None:
    """A head whose time is not told came now, not ever: nobody can have meant it before."""
    heads.note(REPO, NUMBER, A)
    assert [heads.note(REPO, NUMBER, Head(B.sha, False, 0.0)) for _ in range(2)] == [True, False]
    newest = heads.newest(REPO, NUMBER)
    assert newest is not None
    assert (newest.sha, newest.at > 1e9) == (B.sha, True)
    assert heads.newest_before(REPO, NUMBER, 1e9) == A


def test_pull_requests_do_not_mix(heads: Heads) -> None:
    """Heads belong to a repository and a number; a fork's says so, and is found by its commit."""
    fork = Head(B.sha, True, 50.0)
    heads.note(REPO, NUMBER, A)
    heads.note(REPO, 4, fork)
    assert heads.newest(REPO, 4) == fork
    assert heads.newest(8, NUMBER) is None
    assert heads.pull_of(REPO, B.sha) == (4, fork)
    assert heads.pull_of(REPO, C.sha) is None
