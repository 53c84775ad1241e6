"""Which function does which kind of errand: the one table, imported by the process that works on them."""

from __future__ import annotations

from collections.abc import Mapping

from workers.errands import farewell
from workers.errands.config import config
from workers.errands.desk import Handler
from workers.errands.model import Kind

HANDLERS: Mapping[Kind, Handler] = {
    Kind.FAREWELL: farewell.bid_farewell,
    Kind.CONFIG: config,
}
"""A kind without a handler is given up with a reason."""
