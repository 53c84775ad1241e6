"""Promises of the queue of errands, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select, update

from workers.domain import Sha
from workers.errands.model import ButtonPressed, CommandGiven, Forget, Kind, Payload, Place, PullClosed, Recover
from workers.redact import Redactor
from workers.store.database import db_now, transact
from workers.store.errands import LONGEST_PAUSE, MOST_TRIES, Errands
from workers.store.models import Errand, ErrandState

PLACE = Place(9, 7, "octo/shop", "mona", 5)
GIVEN = CommandGiven(PLACE, 3, True, 41, "/heal fix\0", 1.5)


def row(engine: Engine, key: str) -> Errand:
    with engine.connect() as connection:
        return connection.execute(select(Errand.__table__).where(Errand.key == key)).one()  # type: ignore[return-value]


def due_now(engine: Engine) -> None:
    """The pauses of everything are over, and so are the leases."""
    values = {"next_at": db_now() - 1, "lease_until": db_now() - 1}
    transact(engine, lambda c: c.execute(update(Errand).where(Errand.finished_at.is_(None)).values(**values)))


@pytest.mark.parametrize(
    "payload",
    [GIVEN, ButtonPressed(PLACE, 1, "run", Sha("a" * 40), "retry"), PullClosed(PLACE, 3, "heal/x", True), Recover(),
     Forget(9)],
)  # fmt: skip
def test_an_errand_is_opened_once_and_done(engine: Engine, payload: Payload) -> None:
    """One row per key, whatever comes again; done, it is handed out no more."""
    errands = Errands(engine)
    assert errands.open(payload, "k")
    assert not errands.open(payload, "k")
    errand = errands.claim("host:1/0")
    assert errand is not None
    if not isinstance(payload, CommandGiven):
        assert errand.payload == payload
    assert errands.claim("host:2/0") is None
    assert errands.done(errand, "said so")
    assert not errands.done(errand, "said so again")
    due_now(engine)
    assert errands.claim("host:1/0") is None
    assert errands.counts() == {"done": 1}
    assert row(engine, "k").answer == "said so"


def test_two_never_get_the_same(engine: Engine) -> None:
    """Many threads share the work: nothing is claimed twice."""
    errands = Errands(engine)
    for n in range(12):
        errands.open(PullClosed(PLACE, n, "heal/x", True), str(n))
    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda n: errands.claim(f"host:{n}/0"), range(16)))
    assert sorted(one.payload.number for one in claimed if one) == list(range(12))  # type: ignore[union-attr]


@pytest.mark.fault(54)
def test_the_errand_of_a_killed_process_is_taken_up(engine: Engine) -> None:
    """After its lease; who comes back later is fenced out and may write nothing any more."""
    errands = Errands(engine, lease_seconds=0.0)
    errands.open(GIVEN, "k")
    first = errands.claim("host:1/0")
    second = Errands(engine).claim("host:2/0")
    assert first is not None
    assert second is not None
    assert second.fence > first.fence
    assert not errands.held(first)
    assert not errands.done(first, "late")
    assert not errands.again(first, 1, "late")
    assert Errands(engine).held(second)
    assert Errands(engine).claim("host:3/0") is None


def test_trouble_is_tried_again_with_growing_pauses_then_given_up(engine: Engine) -> None:
    """Each pause is longer than the last, secrets stay out of the row, and a dead one is counted."""
    errands = Errands(engine, Redactor("hunter2hunter2"))
    errands.open(GIVEN, "k")
    for n in range(MOST_TRIES):
        errand = errands.claim("host:1/0")
        assert errand is not None
        assert errand.tries == n + 1
        assert errands.again(errand, 60.0, "hunter2hunter2 was refused")
        assert errands.claim("host:1/0") is None
        due_now(engine)
    assert errands.claim("host:1/0") is None
    assert errands.counts() == {"dead": 1}
    assert row(engine, "k").error == "[redacted] was refused"


@pytest.mark.fault(61)
def test_what_another_release_wrote_waits_for_it(engine: Engine) -> None:
    """A kind or a shape that this release does not know is put back, not lost and not tried in a hot loop."""
    errands = Errands(engine)
    errands.open(GIVEN, "k")
    transact(engine, lambda c: c.execute(update(Errand).values(kind="tomorrow")))
    assert errands.claim("host:1/0") is None
    assert errands.claim("host:1/0") is None
    assert (row(engine, "k").state, row(engine, "k").tries) == (ErrandState.QUEUED, 1)
    assert LONGEST_PAUSE > 60


def test_what_somebody_gave_lately_is_counted(engine: Engine) -> None:
    """By person, by kind and by repository, or of all people; what is long ago counts no more."""
    errands = Errands(engine)
    for n, place in enumerate((PLACE, PLACE, Place(9, 7, "octo/shop", "ada", 6), Place(9, 8, "octo/b", "mona", 5))):
        errands.open(CommandGiven(place, 3, True, n, "/heal", 1.0), str(n))
    assert errands.given_lately(7, 5, 60, Kind.COMMAND) == 2
    assert errands.given_lately(7, None, 60, Kind.COMMAND) == 3
    assert errands.given_lately(7, 5, 60, Kind.BUTTON) == 0
    transact(engine, lambda c: c.execute(update(Errand).values(created_at=db_now() - 90)))
    assert errands.given_lately(7, 5, 60, Kind.COMMAND) == 0
