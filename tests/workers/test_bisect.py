"""Promises of the search for the first red commit, for every history, machine and kind of bad luck."""

from __future__ import annotations

import math
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from workers.bisect import Found, Search, Seen

Answer = Callable[[int, int], Seen]
"""What a commit says, by its position and how often it was asked before."""

SIZES = st.integers(2, 260)
WAYS = st.integers(1, 5)


def searched(size: int, ways: int, answer: Answer) -> tuple[Found, int, Search]:
    """The end of a search, the rounds it took, and everything that was said."""
    search, rounds = Search(size), 0
    while tries := search.next(ways):
        assert len(tries) <= ways
        assert len(set(tries)) == len(tries)
        assert all(0 <= at < size - 1 for at in tries)
        search = search.told({at: answer(at, len(search.answers.get(at, ()))) for at in tries})
        rounds += 1
        assert rounds <= 2 * size + 2
    return search.found(), rounds, search


def steps(size: int, first_red: int) -> Answer:
    """A history that is green before one commit and red from it on."""
    return lambda at, _: Seen.RED if at >= first_red else Seen.GREEN


@given(size=SIZES, ways=WAYS, data=st.data())
def test_every_first_red_commit_is_found_in_few_rounds(size: int, ways: int, data: st.DataObject) -> None:
    """Of a monotone history the first red commit is named, in as many rounds as cuts are needed and a few more."""
    first_red = data.draw(st.integers(1, size - 1))
    found, rounds, _ = searched(size, ways, steps(size, first_red))
    assert found == Found(first_red - 1, first_red, settled=True)
    assert list(found.suspects) == [first_red]
    assert rounds <= math.ceil(math.log(size - 1, ways + 1) - 1e-9) + (4 if ways == 1 else 2)


@given(size=SIZES, ways=WAYS, data=st.data())
def test_the_rounds_that_are_left_are_known(size: int, ways: int, data: st.DataObject) -> None:
    """What is said to be left is never less than what it takes: a budget that covers it is not overrun."""
    first_red = data.draw(st.integers(1, size - 1))
    said = Search(size).rounds_left(ways)
    _, rounds, _ = searched(size, ways, steps(size, first_red))
    assert rounds <= said <= rounds + 4


@given(size=SIZES, ways=WAYS, data=st.data())
def test_untestable_commits_leave_a_range_that_holds_the_culprit(size: int, ways: int, data: st.DataObject) -> None:
    """Whatever cannot be tried: the culprit is among the suspects, and all others of them could not be tried."""
    first_red = data.draw(st.integers(1, size - 1))
    lost = data.draw(st.sets(st.integers(1, size - 1)))
    plain = steps(size, first_red)
    found, _, search = searched(size, ways, lambda at, n: Seen.OTHER if at in lost else plain(at, n))
    assert found.settled
    assert first_red in found.suspects
    assert all(at in lost for at in found.suspects[:-1])
    assert found.good is not None
    assert found.good == 0 or len(search.answers[found.good]) >= 2


@given(size=SIZES, ways=WAYS, said=st.lists(st.sampled_from(list(Seen)), min_size=260, max_size=260))
def test_any_history_ends_with_what_was_seen(size: int, ways: int, said: list[Seen]) -> None:
    """A history that came and went is said to be so; the range still begins green and ends red by what was seen."""
    found, _, search = searched(size, ways, lambda at, _: said[at])
    assert found.settled
    if said[0] is not Seen.GREEN:
        assert found.good is None
        assert not list(found.suspects)
        return
    assert found.good is not None
    assert said[found.good] is Seen.GREEN
    assert found.first_red == size - 1 or said[found.first_red] is Seen.RED
    assert all(said[at] is Seen.OTHER for at in found.suspects[:-1])
    assert found.steady == all(said[at] is not Seen.RED for at in search.answers if at < found.good)


@given(size=SIZES, ways=WAYS, data=st.data())
def test_no_commit_is_named_for_an_answer_it_did_not_repeat(size: int, ways: int, data: st.DataObject) -> None:
    """A commit that answers differently each time is a side of no boundary."""
    first_red = data.draw(st.integers(1, size - 1))
    unsteady = data.draw(st.sets(st.integers(1, size - 1)))
    plain = steps(size, first_red)

    def answer(at: int, n: int) -> Seen:
        turned = Seen.GREEN if plain(at, n) is Seen.RED else Seen.RED
        return turned if at in unsteady and n % 2 else plain(at, n)

    found, _, search = searched(size, ways, answer)
    for side in (found.good, found.first_red):
        if side not in (None, 0, size - 1):
            assert len(search.answers[side or 0]) >= 2
            assert side not in unsteady


def test_one_commit_takes_one_run() -> None:
    """Where a single commit lies between, only the green end is run, to see that it is green here too."""
    search = Search(2)
    assert search.next(2) == (0,)
    assert search.told({0: Seen.GREEN}).found() == Found(0, 1, settled=True)


def test_a_green_end_that_is_red_here_ends_the_search_at_once() -> None:
    """What broke it came from outside the repository: nothing else is run."""
    search = Search(65)
    tries = search.next(2)
    assert tries[0] == 0
    assert search.told(dict.fromkeys(tries, Seen.RED)).next(2) == ()
