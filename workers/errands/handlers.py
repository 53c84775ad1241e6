"""Which function does which kind of errand: the one table, imported by the process that works on them."""

from __future__ import annotations

from collections.abc import Mapping

from workers.errands.button import do_button
from workers.errands.closed import closed
from workers.errands.command import do_command
from workers.errands.config import config
from workers.errands.desk import Handler
from workers.errands.farewell import bid_farewell
from workers.errands.forget import forget
from workers.errands.label import do_label
from workers.errands.model import Kind
from workers.errands.recover import recover
from workers.errands.review import review
from workers.errands.settle import settle
from workers.errands.tend import tend

HANDLERS: Mapping[Kind, Handler] = {
    Kind.COMMAND: do_command,
    Kind.BUTTON: do_button,
    Kind.LABEL: do_label,
    Kind.CLOSED: closed,
    Kind.TEND: tend,
    Kind.SETTLE: settle,
    Kind.RECOVER: recover,
    Kind.FORGET: forget,
    Kind.FAREWELL: bid_farewell,
    Kind.CONFIG: config,
    Kind.REVIEW: review,
}
"""A kind without a handler is given up with a reason."""
