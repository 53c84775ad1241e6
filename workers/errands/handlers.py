"""Which function does which kind of errand: the one table, imported by the process that works on them."""

from __future__ import annotations

from collections.abc import Mapping

from workers.errands.closed import closed
from workers.errands.config import config
from workers.errands.desk import Handler
from workers.errands.model import Kind
from workers.errands.review import review
from workers.errands.tend import tend

HANDLERS: Mapping[Kind, Handler] = {
    Kind.CLOSED: closed,
    Kind.TEND: tend,
    Kind.CONFIG: config,
    Kind.REVIEW: review,
}
"""A kind without a handler is given up with a reason."""
