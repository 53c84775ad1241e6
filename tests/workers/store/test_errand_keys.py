"""One errand per key: doubles change nothing, a fuller one replaces what nobody has begun, old ones go."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import Engine, update

from workers.errands.model import Kind, Place, Recover, ReviewGiven
from workers.store.database import db_now, transact
from workers.store.errands import Errands
from workers.store.models import Errand

COMMENT = ReviewGiven(Place(9, 7, "octo/red", "mona", 31), 3, 801, "commented", "", "heal/x", comment_id=901)
REVIEW = dataclasses.replace(COMMENT, state="changes_requested", body="Keep the name.", comment_id=0)


@pytest.fixture
def errands(engine: Engine) -> Errands:
    return Errands(engine)


def test_a_fuller_one_takes_its_place(errands: Errands) -> None:
    """What came first waits; what tells more replaces it and is due at once; a double of the first changes nothing."""
    assert errands.open(COMMENT, "review", after=600)
    assert errands.claim("a") is None
    assert not errands.open(REVIEW, "review", fuller=True)
    assert not errands.open(COMMENT, "review", after=600)
    claimed = errands.claim("a")
    assert claimed is not None
    assert claimed.payload == REVIEW


def test_what_has_begun_is_left_alone(errands: Errands) -> None:
    """Somebody works on it, or has: the fuller one comes too late."""
    errands.open(COMMENT, "review")
    claimed = errands.claim("a")
    assert claimed is not None
    assert not errands.open(REVIEW, "review", fuller=True)
    assert errands.again(claimed, 0.0, "trouble")
    assert not errands.open(REVIEW, "review", fuller=True)
    assert errands.done(dataclasses.replace(claimed), "said") is False
    assert errands.claim("b") is None  # it is due after its pause


def test_what_is_known_of_a_kind(errands: Errands, engine: Engine) -> None:
    """Whether one waits, when the newest finished one was made, and that old ones are deleted."""
    assert (errands.queued(Kind.RECOVER), errands.begun(Kind.RECOVER)) == (False, None)
    errands.open(Recover(), "one")
    errands.open(COMMENT, "review", after=600)
    assert errands.queued(Kind.RECOVER)
    claimed = errands.claim("a")
    assert claimed is not None
    assert (errands.queued(Kind.RECOVER), errands.begun(Kind.RECOVER)) == (False, None)
    errands.done(claimed, "looked")
    assert errands.begun(Kind.RECOVER) is not None
    assert errands.prune(Kind.RECOVER, 60.0) == 0
    old = update(Errand).where(Errand.key == "one").values(finished_at=db_now() - 61.0)
    transact(engine, lambda connection: connection.execute(old))
    assert errands.prune(Kind.RECOVER, 60.0) == 1
    assert errands.queued(Kind.REVIEW)
