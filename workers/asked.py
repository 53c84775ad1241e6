"""What the person who asked for a run changes of the repository's configuration, for that run alone. Pure."""

from __future__ import annotations

from dataclasses import replace

from workers.domain import Case
from workers.ports import Admission


def as_asked(admission: Admission, case: Case) -> Admission:
    """The admission with the image and the budget of the command.

    Who may ask for what was decided when the command was read; the operator's own ceilings stay where they are.
    """
    config = admission.config
    environment, limits = config.environment, config.limits
    if case.image:
        environment = environment.model_copy(update={"image": case.image})
    if case.budget_usd is not None:
        limits = limits.model_copy(update={"usd_per_run": case.budget_usd})
    return replace(admission, config=config.model_copy(update={"environment": environment, "limits": limits}))
