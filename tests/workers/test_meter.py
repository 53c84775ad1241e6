"""What of the sandbox is set aside before it is used, and counted after, whatever a stage does there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from sandbox.spec import Ending, Limits, Result, Sessions, Step
from tests.workers.made import GREEN, MemoryTree, ScriptedEnvironment, ScriptedSandbox, Shell, reproduction
from workers.domain import Outcome
from workers.errors import Stop
from workers.llm.budgets import Limit, Span, Unit, Use
from workers.llm.purse import MemoryPurse
from workers.meter import Meter, Metered

PLAN, TREE, STEP = reproduction().plan, MemoryTree().tar(), Step("Test", "pytest")
LIMIT = Limits(wall_s=100)
SECONDS, CANDIDATES = Unit.SANDBOX_SECONDS, Unit.CANDIDATES


@dataclass
class Book(MemoryPurse):
    """A purse that shows what was done with it."""

    entries: list[tuple[str, Use]] = field(default_factory=list)

    def set_aside(self, key: str, wanted: Use, least: Use) -> Use:
        found = super().set_aside(key, wanted, least)
        self.entries.append((f"aside {key}", found))
        return found

    def used(self, key: str, use: Use) -> None:
        super().used(key, use)
        self.entries.append((f"used {key}", use))


def limit(unit: Unit, most: float) -> Limit:
    return Limit(Span.RUN, unit, most, f"limits.{unit.value}")


def took(seconds: float, ending: Ending = Ending.PASSED) -> Result:
    return replace(GREEN, wall_s=seconds, ending=ending)


def metered(book: Book, environment: ScriptedEnvironment) -> tuple[Meter, Callable[[], Result]]:
    """A meter, and one run of a command in an environment that it counts."""
    meter = Meter(book)
    made = Metered(ScriptedSandbox(environment), meter).prepare(PLAN, TREE)
    return meter, lambda: made.run(STEP, TREE, limits=LIMIT)


def test_a_stage_is_set_aside_once_and_settled_with_what_it_used() -> None:
    """Room for two commands at their limits, before the first; what they took, when all is over. The commands between
    stages, which only look up what was made, are not counted."""
    book = Book(())
    meter, run = metered(book, ScriptedEnvironment(lambda *_: took(3.0)))
    with meter.stage("reproduce:0"):
        for _ in range(5):
            assert run().green
    assert book.entries == [("aside reproduce:0", Use(200.0)), ("used reproduce:0", Use(15.0))]
    run()
    with meter.stage("publish:0"):
        pass
    assert len(book.entries) == 2


def test_a_verified_candidate_counts_once_it_has_run() -> None:
    """Not where reading was enough to refuse it."""
    book = Book(())
    meter, run = metered(book, ScriptedEnvironment(lambda *_: took(1.0)))
    with meter.stage("verify:0", of_candidate=True):
        pass
    with meter.stage("verify:1", of_candidate=True):
        run()
        run()
    assert book.entries == [("aside verify:1", Use(200.0, 1)), ("used verify:1", Use(2.0, 1))]


def test_long_commands_ask_for_more() -> None:
    """In the same reservation, which grows."""
    book = Book(())
    meter, run = metered(book, ScriptedEnvironment(lambda *_: took(90.0)))
    with meter.stage("verify:0", of_candidate=True):
        for _ in range(3):
            run()
    assert book.entries == [
        ("aside verify:0", Use(200.0, 1)), ("aside verify:0", Use(560.0, 1)), ("used verify:0", Use(270.0, 1)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "answers", "ran", "used"),
    [
        ([limit(SECONDS, 0)], [took(1.0)], 0, Use()),
        ([limit(SECONDS, 50)], [took(20.0), took(20.0), took(10.0), took(1.0)], 3, Use(50.0, 1)),
        # cut short by the budget, not by its own limit: it is no result
        ([limit(SECONDS, 150)], [took(90.0), took(60.0, Ending.TIMEOUT), took(1.0)], 2, Use(150.0, 1)),
        ([limit(CANDIDATES, 0)], [took(1.0)], 0, Use()),
    ],
)
def test_what_is_used_up_ends_the_run(limits: Sequence[Limit], answers: Sequence[Result], ran: int, used: Use) -> None:
    """With the budget's name, and whatever was used until then is counted."""
    book = Book(limits)
    environment = ScriptedEnvironment(lambda step, patch, n: answers[n])
    meter, run = metered(book, environment)
    with pytest.raises(Stop) as stop, meter.stage("verify:0", of_candidate=True):
        [run() for _ in answers]
    assert (stop.value.outcome, stop.value.data["setting"]) == (Outcome.OVER_BUDGET, limits[0].setting)
    assert "leaves no room for more" in stop.value.detail
    assert len(environment.asked) == ran
    assert sum((use for name, use in book.entries if name.startswith("used")), Use()) == used


def test_a_timeout_of_its_own_is_a_result() -> None:
    """A command that had all of its time is judged by it."""
    meter, run = metered(Book((limit(SECONDS, 1_000),)), ScriptedEnvironment(lambda *_: took(100.0, Ending.TIMEOUT)))
    with meter.stage("reproduce:0"):
        assert run().ending is Ending.TIMEOUT


@pytest.mark.parametrize(
    ("most", "wanted", "size", "tried", "used"),
    [
        (1_000, 6_000, 999, 400, 400),
        (1_000, 50, 50, None, 50),  # cut off: nobody knows how many
        (1_000, 50, 50, 10**9, 50),  # what untrusted code says is bounded
        (1_000, 50, 50, -5, 0),
        (2, 50, 1, 1, 1),
    ],
)
def test_a_search_gets_a_batch(most: int, wanted: int, size: int, tried: int | None, used: int) -> None:
    """As large as there is room for, with one candidate more for the verifier; what it tried is counted."""
    book = Book((limit(CANDIDATES, most),))
    meter, run = metered(book, ScriptedEnvironment(lambda *_: took(2.0)))
    with meter.stage("propose:0"), meter.batch(wanted) as batch:
        run()
        assert batch.size == size
        batch.tried = tried
    assert book.entries[-1] == ("used propose:0", Use(2.0, used))
    with meter.stage("verify:0", of_candidate=True):
        run()


def test_a_search_without_room_for_what_it_finds_does_not_begin() -> None:
    """One candidate is left to the verifier, for a fixer that has but one."""
    meter, _ = metered(Book((limit(CANDIDATES, 1),)), ScriptedEnvironment(lambda *_: GREEN))
    with (
        pytest.raises(Stop, match=r"1 candidate \(`limits.candidates`\)"),
        meter.stage("propose:0"),
        meter.batch(10),
    ):
        raise AssertionError("there is no room")


def test_set_ups_and_sessions_count_too() -> None:
    """A set-up by the clock, a session by its commands, which get no more than there is. An environment without
    sessions has none when it is counted."""
    book = Book((limit(SECONDS, 600),))
    meter, shell = Meter(book), Shell(lambda *_: GREEN)
    with meter.stage("propose:0"):
        environment = Metered(ScriptedSandbox(shell), meter).prepare(PLAN, TREE)
        assert isinstance(environment, Sessions)
        session = environment.session(STEP, TREE)
        session.run("ls", 60.0)
        session.close()
    assert shell.ran == ["ls"]
    assert [name for name, _ in book.entries] == ["aside propose:0", "used propose:0"]
    assert book.entries[0][1] == Use(600.0)  # a set-up may take longer, and ends by its own limit
    plain = Metered(ScriptedSandbox(ScriptedEnvironment(lambda *_: GREEN)), meter).prepare(PLAN, TREE)
    assert not isinstance(plain, Sessions)


class Broken(ScriptedEnvironment):
    """The engine goes away in the middle of a command."""

    def run(self, *_: object, **__: object) -> Result:
        raise ConnectionError("the engine is gone")


def test_trouble_settles_what_is_known() -> None:
    """A stage that breaks off leaves no reservation behind."""
    book = Book((limit(SECONDS, 600),))
    meter, run = metered(book, Broken(lambda *_: GREEN))
    with pytest.raises(ConnectionError), meter.stage("verify:0", of_candidate=True):
        run()
    assert [name for name, _ in book.entries] == ["aside verify:0", "used verify:0"]
    assert book.entries[1][1].candidates == 1
    assert book.entries[1][1].seconds < 100
