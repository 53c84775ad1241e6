"""The errand `label`: the label `heal` on a pull request asks as `/heal` does, if somebody with write access set it.

A label says nothing about code of a fork, and whoever may not gets no word: labels need less than write access.
"""

from __future__ import annotations

from workers.commands.grammar import Command, Verb
from workers.commands.rights import Role
from workers.errands.desk import Desk
from workers.errands.healing import heal_checks
from workers.errands.model import Kind, LabelSet
from workers.errands.request import Request
from workers.errands.who import standing, too_much
from workers.github import pulls
from workers.github.session import Purpose, Session

LABEL = "heal"


def do_label(desk: Desk) -> str:
    """Open the runs for the failing checks of the commit that was labelled."""
    labelled = desk.errand.payload
    if not isinstance(labelled, LabelSet):
        raise TypeError(f"not a label: {labelled!r}")
    if labelled.label != LABEL:
        return "not our label"
    session = desk.session(labelled.place)
    try:
        return _heal(desk, session, labelled)
    finally:
        session.close()


def _heal(desk: Desk, session: Session, labelled: LabelSet) -> str:
    place = labelled.place
    pull = pulls.by_number(session.api(Purpose.READ), session.repository, labelled.number)
    if not pull.open or pull.fork or pull.head_ref.startswith(pulls.OWN):
        return "nothing that a label can ask for: closed, of a fork, or ours"
    if pull.head_sha != labelled.head_sha:
        return "the head has moved on since"
    who = standing(session, place, pull)
    if who.role < Role.WRITE or too_much(desk, place, who.role, Kind.LABEL):
        return f"{place.sender} may not, or has asked for too much lately"
    request = Request(desk, session, place, labelled.number, pull, who, f"label:{desk.errand.id}", 0.0)
    answer = heal_checks(request, pull, Command(Verb.FIX))
    return "opened" if answer.ok else answer.text
