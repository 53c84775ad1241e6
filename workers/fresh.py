"""An environment that follows its manifests: where a patch changes what decides the packages, they are installed anew
from the patched files, and a check that is itself an installation runs where it has the package indexes: in the set-up.

Such a check stands among the plan's set-up steps too, under its name and `recipe.IN_SETUP`. What comes before it there
is the frozen environment; each run of it makes another one, of which nothing is kept when it is red.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from threading import Event, Lock

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

from sandbox.errors import Cancelled, NetworkDenied, SetupFailed
from sandbox.spec import (
    Ending,
    Environment,
    Evidence,
    Limits,
    Output,
    Plan,
    Result,
    Sandbox,
    Session,
    Sessions,
    Step,
    Tree,
)
from workers import pins, recipe, scripts

_PATCH = "the patch"
_VERSIONED = re.compile(r"(?<![\w.-])([A-Za-z0-9][\w.-]{0,100})(?:\[[^\]\n]{0,200}\])?[ \t]{0,10}[<>=!~]=?")
_AGAIN = "HEAL_RUN"
_GIT = "git -c user.name=heal -c user.email=heal@localhost -c core.hooksPath=/dev/null"
_PARTS = (" (install)", " (prime)", " (try)")
"""What the recipe adds to a step's name for the part of it that the set-up runs."""


class Fresh:
    """`sandbox.spec.Environment` over a frozen one, with a sandbox to make others beside it."""

    def __init__(self, frozen: Environment, sandbox: Sandbox, plan: Plan, cancel: Event | None) -> None:
        self._frozen, self._sandbox, self._plan, self._cancel = frozen, sandbox, plan, cancel
        self._asked: Counter[bytes] = Counter()
        self._counting = Lock()
        self.key, self.image, self.notes = frozen.key, frozen.image, frozen.notes

    def warm(self, tree: Tree, count: int, limits: Limits = Limits()) -> None:  # noqa: B008 - a frozen value
        """As `sandbox.spec.Environment.warm`; a check in the set-up uses none of them."""
        if at(self._plan) is None:
            self._frozen.warm(tree, count, limits)

    def run(
        self,
        step: Step,
        tree: Tree,
        patch: bytes | None = None,
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
        inputs: Mapping[str, bytes] | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """As `sandbox.spec.Environment.run`. A set-up that fails with the patch is a red result with its log."""
        place, cancel = at(self._plan), cancel or self._cancel
        if place is not None and step.name == self._plan.check.name:
            return self._installing(place, tree, patch, cancel)
        follows = place is not None and step.name in {one.name for one in self._plan.after}
        if not follows and not (patch and decides(patch)):
            return self._frozen.run(step, tree, patch, limits, inputs, cancel)
        plan = self._plan if follows else _before(self._plan)
        try:
            made = self._sandbox.prepare(_patched(plan, patch), tree, cancel)
        except (SetupFailed, Cancelled) as failed:
            return self._red(failed, failed.step if isinstance(failed, SetupFailed) else "", tree, patch)
        return made.run(step, tree, patch, limits, inputs, cancel)

    def _installing(self, place: int, tree: Tree, patch: bytes | None, cancel: Event | None) -> Result:
        """One run of the check in a set-up of its own: what was green once is found by its key, so every further run
        has a number that makes it another one."""
        with self._counting:
            number = self._asked[patch or b""]
            self._asked[patch or b""] += 1
        check = self._plan.setup[place]
        numbered = replace(check, env={**check.env, _AGAIN: str(number)}) if number else check
        plan = replace(self._plan, setup=(*self._plan.setup[:place], numbered))
        try:
            self._sandbox.prepare(_patched(plan, patch), tree, cancel)
        except (SetupFailed, Cancelled) as failed:
            return self._red(failed, check.name, tree, patch)
        return self._result(Ending.PASSED, 0, "", tree, patch)

    def _red(self, failed: SetupFailed | Cancelled, step: str, tree: Tree, patch: bytes | None) -> Result:
        if isinstance(failed, Cancelled):
            return self._result(Ending.CANCELLED, None, "", tree, patch)
        ending = Ending.FAILED if failed.exit_code is not None else Ending.KILLED
        if isinstance(failed, NetworkDenied):
            ending = Ending.NETWORK_DENIED
        elif failed.step == _PATCH:
            ending = Ending.PATCH_REJECTED
        log = failed.log.rpartition(f"--- {step}\n")[2]
        result = self._result(ending, failed.exit_code, log, tree, patch)
        return replace(result, asked=failed.hosts) if isinstance(failed, NetworkDenied) else result

    def _result(self, ending: Ending, code: int | None, log: str, tree: Tree, patch: bytes | None) -> Result:
        digest = hashlib.sha256(patch or b"").hexdigest()
        evidence = Evidence(self.image, self.key, tree.sha, digest, "set-up")
        return Result(ending, code, Output(log), (), b"", 0.0, 0, evidence)


class _WithSessions(Fresh):
    """One over an environment in which sessions can be opened: a session works with the packages that are frozen."""

    def __init__(self, sessions: Sessions, frozen: Environment, sandbox: Sandbox, plan: Plan, cancel: Event | None):
        super().__init__(frozen, sandbox, plan, cancel)
        self._sessions = sessions

    def session(
        self,
        step: Step,
        tree: Tree,
        patch: bytes = b"",
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
        cancel: Event | None = None,
    ) -> Session:
        """As `sandbox.spec.Sessions.session`."""
        return self._sessions.session(step, tree, patch, limits, cancel or self._cancel)


def environment(sandbox: Sandbox, plan: Plan, tree: Tree, cancel: Event | None) -> Fresh:
    """The plan's environment, with sessions where its frozen one has them. Raises as `sandbox.spec.Sandbox.prepare`."""
    frozen = sandbox.prepare(_before(plan), tree, cancel)
    if isinstance(frozen, Sessions):
        return _WithSessions(frozen, frozen, sandbox, plan, cancel)
    return Fresh(frozen, sandbox, plan, cancel)


def at(plan: Plan) -> int | None:
    """The place of the check among the set-up steps; None for a check that needs no network, as nearly all are."""
    name = plan.check.name + recipe.IN_SETUP
    return next((place for place, step in enumerate(plan.setup) if step.name == name), None)


def red_there(plan: Plan, failed: str, *, unknown: bool) -> Plan | None:
    """The plan whose check is the set-up step that failed, where the job is red there: in the installing part of the
    check itself, or, where nobody knows which step of the job failed (`unknown`), in one that only installs."""
    check = next((step for step in plan.setup if step.name == failed), None)
    if check is None or at(plan) is not None:
        return None
    own = failed in {plan.check.name + part for part in _PARTS}
    if not own and not (unknown and scripts.only_installs(check.script)):
        return None
    renamed = (replace(step, name=failed + recipe.IN_SETUP) if step is check else step for step in plan.setup)
    return replace(plan, setup=tuple(renamed), check=check, after=(plan.check, *plan.after))


def decides(patch: bytes) -> bool:
    """The patch changes a file that decides which packages are there."""
    try:
        files = PatchSet(patch.decode("utf-8", "replace"))
    except (UnidiffParseError, ValueError, IndexError, AttributeError):
        return False
    return any(recipe.decides(file.path) for file in files)


def beside(plan: Plan, step: Step, patch: bytes | None = None) -> Plan:
    """The plan of an environment in which one more step has run on the patched files, with the package indexes."""
    before = _before(plan)
    return _patched(replace(before, setup=(*before.setup, step), services=()), patch)


def _before(plan: Plan) -> Plan:
    """The plan without the check that is among its set-up steps, and what follows it there."""
    place = at(plan)
    return plan if place is None else replace(plan, setup=plan.setup[:place])


def _patched(plan: Plan, patch: bytes | None) -> Plan:
    """The plan whose set-up sees the patched files. What the patch adds is gone at the end of it: a check brings the
    patch itself, and keeps what set-up left anew. The steps' text is part of the environment's key."""
    if not patch:
        return plan
    plan = pins.freed(plan, _versioned(patch))
    text = base64.b64encode(patch).decode()
    lines = [
        f"base64 -d >\"$RUNNER_TEMP/patch\" <<'END'\n{text}\nEND",
        'GIT_DIR=/dev/null git apply -p1 --whitespace=nowarn "$RUNNER_TEMP/patch"',
    ]
    if plan.repository:
        lines += [
            "git add -A -f .",
            f"{_GIT} commit -q --amend --no-edit",
        ]
    first = Step(_PATCH, "\n".join(lines))
    added = [file.path for file in PatchSet(patch.decode("utf-8", "replace")) if file.is_added_file]
    last = (Step("what the patch adds", f"rm -f -- {shlex.join(added)}"),) if added else ()
    return replace(plan, setup=(first, *plan.setup, *last))


def _versioned(patch: bytes) -> frozenset[str]:
    """The packages that the patch says something of the versions of: what pins a set-up to CI's packages would
    contradict it."""
    lines = (
        line.value for file in PatchSet(patch.decode("utf-8", "replace")) if recipe.decides(file.path)
        for hunk in file for line in hunk if line.is_added
    )  # fmt: skip
    return frozenset(match[1] for line in lines for match in _VERSIONED.finditer(line[:10_000]))
