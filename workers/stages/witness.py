"""Is there a failing test of what was reported? Out of the report's own example, else by a model; tried on the
unchanged files until it fails for the stated reason, in every run. Where there is none, one question is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Event
from typing import NoReturn

from sandbox.errors import Cancelled
from sandbox.spec import Ending, Environment, Plan, Result
from workers import messages
from workers.domain import IssueReport, Outcome, Suite, Usage, Witness
from workers.errors import Stop
from workers.globs import matches
from workers.llm.client import Message
from workers.llm.talk import LEVELS
from workers.messages.markup import quote
from workers.overlay import Overlay
from workers.ports import Once, SourceTree
from workers.repo_config import RepoConfig
from workers.reruns import limits, rerun
from workers.witness import mechanical, place, rules, runner
from workers.witness.judge import Seen, Shows, judged
from workers.witness.mechanical import Draft
from workers.witness.missing import missing
from workers.witness.names import Names
from workers.witness.runner import Bed
from workers.witness.stated import stated
from workers.witness.tester import Asked, Tester, about_files, read

AGAIN = 2
"""How often a test that fails as it should is run again: a test that fails now and then shows nothing."""


@dataclass(frozen=True)
class Means:
    """What the stage works with. `planned` gives the plan of a command, `prepared` the environment of a plan and the
    plan it is of; without a tester no model is asked."""

    planned: Callable[[str], Plan]
    prepared: Callable[[Plan], tuple[Environment, Plan]]
    tester: Tester | None
    once: Once
    config: RepoConfig
    cancel: Event
    hint: str = ""


def bear_witness(report: IssueReport, tree: SourceTree, plan: Plan, means: Means) -> Witness:
    """A test that shows the report on these files. Raises `Stop(QUESTION)` when none could be made, and
    `Stop(UNSUPPORTED)` for a repository whose tests cannot be run one by one."""
    bed = runner.bed(plan, tree, means.planned)
    if bed is None:
        raise Stop(
            Outcome.UNSUPPORTED,
            "A bug report needs a failing test first, and so far I write tests for Python's pytest and unittest only: "
            "this repository has none that I could run.",
        )
    names = Names(tree)
    about = about_files(report, names)
    modules = (dotted for dotted, path in names.modules.items() if path in about)
    path = place.path_for(report, tree, bed.runner, modules)
    if protected := matches(path, (*means.config.policy.protected_paths, *means.config.paths.ignore)):
        raise Stop(Outcome.REFUSED_BY_POLICY, f"The test would be {quote(path)}, which {quote(protected)} protects.")
    environment, alone = means.prepared(bed.alone(path))
    return _Stand(report, tree, means, bed, names, path, environment, alone).witness()


@dataclass
class _Stand:
    """Where tests of one report are tried."""

    report: IssueReport
    tree: SourceTree
    means: Means
    bed: Bed
    names: Names
    path: str
    environment: Environment
    alone: Plan
    green: str = ""
    """A test of the report's own example that passed."""
    tried: int = 0
    away: str = ""
    """Why the model could not be asked."""
    spent: Usage = field(default_factory=Usage)

    def witness(self) -> Witness:
        for draft in mechanical.drafts(self.report, self.tree, self.bed.runner):
            seen = self._seen(draft)
            if seen.shows is Shows.YES:
                return self._kept(draft.text, None)
            if seen.shows is Shows.GREEN:
                self.green = self.green or draft.text
        tester = self.means.tester if self.means.config.models.propose != "none" else None
        found = self._written(tester) if tester else None
        if found is not None:
            return found
        return self._ask("")

    def _written(self, tester: Tester) -> Witness | None:
        """The model's test, told why each one before did not do."""
        means = self.means
        asked = Asked(self.report, self.tree, self.names, self.path, self.bed.runner, means.config, means.hint)
        talk, level = tester.talk(means.once, means.config), 0
        turns = asked.opening(LEVELS[level])
        for _ in range(tester.budget.answers):
            reply = talk.reply(turns, self.spent, level, asked.opening)
            self.spent = self.spent.plus(reply.usage)
            if reply.problem:
                self.away = reply.problem if reply.away else ""
                return None
            if reply.level != level:
                level = reply.level
                turns = asked.opening(LEVELS[level])
            text, question = read(reply.text)
            if question:
                self._ask(question)
            draft = Draft(text)
            seen = self._seen(draft) if text else Seen(Shows.NO, "there is no test file in the answer")
            if seen.shows is Shows.YES:
                return self._kept(text, reply.model or tester.client.model)
            turns = [*turns, Message("assistant", reply.text), asked.feedback(seen)]
        return None

    def _seen(self, draft: Draft) -> Seen:
        """What the runs of a draft say; none is made of one that breaks the rules."""
        self.tried += 1
        broken = rules.review(self.path, draft.text.encode(), self.names)
        if broken:
            return Seen(Shows.NO, "; ".join(f"it {one.rule}: {one.quote}" for one in broken[:5]))
        told = (self.path, draft.text, draft.words, sorted(draft.raises))
        digest = hashlib.sha256(repr(told).encode()).hexdigest()[:16]
        return self.means.once(f"witness:{digest}", Seen, lambda: self._ran(draft))

    def _ran(self, draft: Draft) -> Seen:
        overlay, cancel = Overlay(self.tree, {self.path: draft.text.encode()}), self.means.cancel
        says = stated((self.report.title, *self.report.texts))

        def judge(result: Result) -> Seen:
            return judged(result, self.alone, overlay, self.path, draft, says)

        files = overlay.tar()
        first = judge(self.environment.run(self.alone.check, files, limits=limits(self.alone), cancel=cancel))
        again = rerun(self.environment, self.alone, files, None, AGAIN, cancel) if first.shows is Shows.YES else []
        if cancel.is_set():
            raise Cancelled("the new test's run was cancelled")
        if any(judge(result).how != first.how for result in again):
            return Seen(Shows.NO, "it does not fail in the same way in every run", output=first.output)
        return first

    def _kept(self, text: str, model: str | None) -> Witness:
        """The witness, with the whole suite beside it as it is now."""
        content = {self.path: text.encode()}
        result = self._suite(Overlay(self.tree, content))
        patch = self.tree.diff(content)
        found = Witness(self.path, text, patch, self.alone, 1 + AGAIN, model=model, usage=self.spent)
        if result.ending not in (Ending.PASSED, Ending.FAILED) or not result.tests:
            ended = result.ending.value.replace("_", " ")
            return _noted(
                found, f"the whole suite: without a fix it ended with {ended}, so nothing is compared with it"
            )
        found = replace(found, suite=Suite(self.bed.suite.check, result))
        if not any(found.owns(test.id) for test in result.tests):
            return _noted(found, "the repository's own test command does not run the new test")
        return found

    def _suite(self, overlay: Overlay) -> Result:
        """The whole test command before any fix."""
        step = self.bed.suite.check

        def run() -> Result:
            found = self.environment.run(step, overlay.tar(), limits=limits(self.alone), cancel=self.means.cancel)
            if self.means.cancel.is_set():
                raise Cancelled("the run of the whole suite was cancelled")
            return found

        return self.means.once(f"suite:{overlay.sha[:16]}", Result, run)

    def _ask(self, question: str) -> NoReturn:
        wanted = missing(self.report, self.names, green=bool(self.green))
        data: Mapping[str, str] = {"missing": wanted.value, "question": question, "test": self.green}
        tries = f"{self.tried} test{'s' if self.tried != 1 else ''} tried"
        none = f"{tries}, none of which shows it" if self.tried else "no test can be made of it as it stands"
        said = f"I could not turn this report into a failing test: {none}."
        raise Stop(Outcome.QUESTION, f"{said} {messages.without_model(self.away)}" if self.away else said, **data)


def _noted(witness: Witness, note: str) -> Witness:
    """The witness with something that must not be taken as proven."""
    return replace(witness, plan=replace(witness.plan, notes=(*witness.plan.notes, note)))
