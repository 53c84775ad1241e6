"""Which function does which kind of errand: the one table, imported by the process that works on them."""

from __future__ import annotations

from collections.abc import Mapping

from workers.errands.button import do_button
from workers.errands.command import do_command
from workers.errands.config import config
from workers.errands.desk import Handler
from workers.errands.label import do_label
from workers.errands.model import Kind

HANDLERS: Mapping[Kind, Handler] = {
    Kind.COMMAND: do_command,
    Kind.BUTTON: do_button,
    Kind.LABEL: do_label,
    Kind.CONFIG: config,
}
"""A kind without a handler is given up with a reason."""
