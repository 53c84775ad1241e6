"""The check of a recipe on other commits of the same repository, each in the environment that its own files ask for."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event

from sandbox.errors import Cancelled, ServiceFailed, SetupFailed
from sandbox.spec import Plan, Result, Sandbox
from workers import fresh, likeness, recipe
from workers.likeness import Failure, Likeness
from workers.ports import SourceTree
from workers.reruns import limits


@dataclass(frozen=True)
class Elsewhere:
    """Where to look for a failure, and by what. Commits with the same manifests share one environment."""

    sandbox: Sandbox
    plan: Plan
    failure: Failure

    def look(self, tree: SourceTree, cancel: Event) -> tuple[Likeness, Result | None]:
        """What one run on the tree says, and the run; OTHER and none when no environment can be made from its files.

        Raises `Cancelled` when the event ended it.
        """
        result = run_on(self.sandbox, self.plan, tree, cancel)
        if result is None:
            return Likeness.OTHER, None
        return likeness.compared(self.failure, self.plan, result, tree), result


def run_on(sandbox: Sandbox, plan: Plan, tree: SourceTree, cancel: Event) -> Result | None:
    """One run of the plan's check on a tree; None when its set-up fails. Raises `Cancelled` as `Elsewhere.look`."""
    files = tree.tar()
    try:
        environment = fresh.environment(sandbox, recipe.elsewhere(plan, tree), files, cancel)
    except (SetupFailed, ServiceFailed):
        return None
    result = environment.run(plan.check, files, limits=limits(plan), cancel=cancel)
    if cancel.is_set():
        raise Cancelled("the run on another commit was cancelled")
    return result
