"""Finds the red job among workflow files: by the name of its check run, through reusable workflows of the repository,
and the very combination of its matrix, also where the matrix is computed at run time and only name and log tell it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from workers import logs, scripts
from workers.actions import look_up
from workers.domain import Case
from workers.expressions import Contexts, Partial, Unknown, Unresolved, as_text, holds, render, resolve
from workers.job_steps.bound import Bound, bind, job_contexts, outer_contexts, with_jobs
from workers.job_steps.cells import agreement, from_name, shown_name, with_log
from workers.job_steps.limits import machine
from workers.ports import SourceTree
from workers.workflow import Job, Step, Workflow, WorkflowError, own_path, parse
from workers.workflow.matrix import Cell, Spread, spread

MAX_LEVELS = 10
_MAX_COST = 8_000
"""Of walking all jobs: one for each combination, and for what is read of the files that are called."""
_SHOWN, _TRIED = 4, 64
_USUAL_JOB = re.compile(r"test|check|lint|ci|build|style|quality", re.IGNORECASE)
_EVENTS = frozenset({"push", "pull_request"})


@dataclass(frozen=True)
class Known:
    """What is known of the run beside the workflow files. The log is empty where there is none."""

    case: Case
    tree: SourceTree
    log: logs.JobLog
    ran: bool = False
    """CI ran the job: its own condition was true."""


@dataclass(frozen=True)
class Place:
    """One job with one combination, or, with a `problem`, the sentence why it cannot be read."""

    name: str
    file: Workflow
    job: Job
    outer: Contexts
    spread: Spread
    cell: Cell
    number: int = 0
    prefix: str = ""
    problem: str = ""
    callers: tuple[str, ...] = ()
    """The keys of the jobs that call the workflow it is in, the outermost first."""

    @property
    def contexts(self) -> Contexts:
        """What the job's own keys may use."""
        return {**job_contexts(self.outer, self.job), "matrix": self.cell}

    @property
    def elsewhere(self) -> bool:
        """It runs on a machine that cannot be stood in for."""
        return bool(machine(render(self.job.runs_on, self.contexts).text))

    def bound(self, tree: SourceTree) -> Bound:
        """The job bound to this combination."""
        there = (self.number, max(1, len(self.spread.cells)))
        return replace(bind(self.outer, self.file, self.job, self.cell, tree, there), name=self.name)


def find(name: str, path: str, file: Workflow, known: Known) -> tuple[Bound | None, str]:
    """The job whose check run has this name, or the usual one where there is none; else a sentence why not."""
    found = places(path, file, known)
    if not name:
        return _usual(file, found, known), ""
    chosen, note = _chosen(name, found, known)
    if chosen is None:
        listed = ", ".join(place.name for place in _few(found))
        return None, f"{path or 'The workflow file'} has no job named '{name}', only: {logs.excerpt(listed, 300)}"
    if chosen.problem:
        return None, chosen.problem
    bound = chosen.bound(known.tree)
    return replace(bound, notes=tuple(filter(None, (note, _wanted(bound, known)[1])))), ""


def names(path: str, file: Workflow, known: Known) -> tuple[str, ...]:
    """The names of the check runs that the file makes, a few of each matrix."""
    return tuple(place.name for place in _few(places(path, file, known)))


def places(path: str, file: Workflow, known: Known) -> list[Place]:
    """Every job of the file and of the reusable workflows it calls, with every combination."""
    return _Places(known).all(file, path)


@dataclass
class _Places:
    """Walks the jobs of a file and of the reusable workflows it calls, each with every combination."""

    known: Known
    left: int = _MAX_COST
    read: dict[str, Workflow | str] = field(default_factory=dict)

    def all(self, file: Workflow, path: str) -> list[Place]:
        return list(self.jobs(file, outer_contexts(self.known.case, file), "", (path,), ()))

    def jobs(
        self, file: Workflow, outer: Contexts, prefix: str, chain: tuple[str, ...], callers: tuple[str, ...]
    ) -> Iterator[Place]:
        outer = with_jobs(outer, file)
        for job in file.jobs:
            self.left -= sum(1 + len(step.run or "") // 500 for step in job.steps) if job.outputs else 1
            contexts = job_contexts(outer, job)
            found = spread(job.matrix, contexts, self.known.tree)
            for number, cell in enumerate(found.cells or (Partial(),)):
                self.left -= 1
                if self.left < 0:
                    return
                shown = shown_name(job, cell, contexts, found)
                place = Place(prefix + shown, file, job, outer, found, cell, number, prefix, callers=callers)
                yield from self.called(place, chain) if job.uses else (place,)

    def called(self, place: Place, chain: tuple[str, ...]) -> Iterator[Place]:
        """The jobs of the workflow that this job calls, under its name."""
        uses = place.job.uses or ""
        path = own_path(uses)
        if path is None:
            yield replace(place, problem=f"The job '{place.name}' calls {uses}, a workflow of another repository, "
                          "which is not read here.")  # fmt: skip
            return
        file = self.read[path] if path in self.read else self.read.setdefault(path, self.callee(path))
        if path in chain or len(chain) > MAX_LEVELS:
            file = (
                f"calls {path}, which calls itself" if path in chain else f"is nested deeper than {MAX_LEVELS} levels"
            )
        if isinstance(file, str):
            yield replace(place, problem=f"The job '{place.name}' {file}.")
            return
        outer = {**place.outer, "inputs": self.inputs(place, file)}
        yield from self.jobs(file, outer, f"{place.name} / ", (*chain, path), (*place.callers, place.job.key))

    def callee(self, path: str) -> Workflow | str:
        content = self.known.tree.read(path)
        if content is None:
            return f"calls {path}, which is not in the repository"
        try:
            return parse(content.decode(errors="replace"))
        except WorkflowError as error:
            return f"calls {path}, which cannot be read: {error}".rstrip(".")

    def inputs(self, place: Place, file: Workflow) -> Mapping[str, object]:
        """What the called workflow is given, or its defaults; empty values as GitHub has them for each type."""
        values: dict[str, object] = {}
        for name, one in file.inputs.items():
            written = place.job.inputs.get(name, one.default)
            try:
                value = resolve(written, place.contexts, self.known.tree)
            except Unresolved as unknown:
                values[name] = Unknown(str(unknown))
                continue
            values[name] = {"boolean": False, "number": 0}.get(one.kind, "") if value is None else value
        return values


def _chosen(name: str, places: Sequence[Place], known: Known) -> tuple[Place | None, str]:
    """The place with this name, and how its combination was told where that is not plain."""
    wanted = _plain(name)
    tail = wanted.rpartition(" / ")[2]
    known_names = [place for place in places if place.spread.cells or place.problem]
    for target in (wanted, tail):
        if found := [place for place in known_names if _same(place.name, target)]:
            return _confirmed(found, known)
    for place in places:
        if (
            not place.spread.cells
            and (told := from_name(place.job, place.name, place.spread, wanted, tail)) is not None
        ):
            return _told(place, told, known)
    inside = [place for place in places if place.problem and wanted.startswith(f"{_plain(place.name)} / ")]
    by_key = [place for place in places if place.job.key in (wanted, tail)]
    return _confirmed(inside or by_key, known) if inside or by_key else (None, "")


def _confirmed(found: Sequence[Place], known: Known) -> tuple[Place, str]:
    """Of several combinations with one name the one that the log confirms, else the first that runs on Linux."""
    first = next((place for place in found if not place.problem and not place.elsewhere), found[0])
    if len(found) == 1 or found[0].problem:
        return (first, "") if found[0].spread.cells or first.problem else _told(first, {}, known)
    scored = [(agreement(place.bound(known.tree), known.log.steps), place) for place in found[:_TRIED]]
    best = max(score for score, _ in scored)
    hits = [place for score, place in scored if score == best]
    if best and len(hits) == 1:
        return hits[0], ""
    chosen = first if first in hits else hits[0]
    shown = ", ".join(f"{key} {as_text(value)}" for key, value in chosen.cell.items())
    return chosen, f"several combinations of the matrix are called '{chosen.name}': taken is {shown}" if shown else ""


def _told(place: Place, told: Mapping[str, object], known: Known) -> tuple[Place, str]:
    """A place whose matrix is computed at run time, with what the job's name and its log say of the combination."""
    cell = with_log(place.bound(known.tree), told, known.log.steps)
    source = "the job's name" if len(cell) == len(told) else "the job's log"
    shown = ", ".join(f"{key} {as_text(value)}" for key, value in cell.items())
    note = f"the matrix is computed at run time ({place.spread.unknown})"
    note += f": {source} tells {shown}" if shown else ": the combination is not known here"
    return replace(place, cell=Partial(cell), name=place.name), note


def _usual(file: Workflow, places: Iterable[Place], known: Known) -> Bound | None:
    """Without a name: the first job of a push or pull request workflow that looks like a check and runs commands."""
    if file.triggers and not _EVENTS & set(file.triggers):
        return None
    able = [place for place in places if not place.problem and any(map(_checks, place.job.steps))]
    ranked = sorted(able, key=lambda place: not _USUAL_JOB.search(f"{place.job.key} {place.job.name}"))
    first: Bound | None = None
    for place in ranked[:_TRIED]:
        bound = place.bound(known.tree)
        wanted, note = _wanted(bound, known)
        bound = replace(bound, notes=(note,) if note else ())
        first = first or bound
        if wanted and not place.elsewhere:
            return bound
    return first


def _wanted(bound: Bound, known: Known) -> tuple[bool, str]:
    """Whether the job's own condition may be true, and what to say of it; nothing for a job that CI ran."""
    if known.ran or not bound.job.condition:
        return True, ""
    try:
        wanted = holds(bound.job.condition, bound.contexts, known.tree)
    except Unresolved as unknown:
        return True, f"whether CI runs the job depends on {unknown}, which only GitHub knows"
    return wanted, "" if wanted else f"CI would skip the job here: its condition is {bound.job.condition.strip()[:200]}"


def _checks(step: Step) -> bool:
    """It does more than install, as a script or as an action that stands for a command."""
    if step.run:
        return not scripts.only_installs(step.run)
    return bool(step.uses and (own_path(step.uses) or look_up(step.uses, step.inputs).run))


def _few(places: Iterable[Place]) -> list[Place]:
    groups = itertools.groupby(places, key=lambda place: (place.prefix, place.job.key))
    return [place for _, group in groups for place in itertools.islice(group, _SHOWN)]


def _same(name: str, wanted: str) -> bool:
    """GitHub cuts a long name and ends it with dots."""
    name = _plain(name)
    return name == wanted or (wanted.endswith("...") and len(wanted) > 60 and name.startswith(wanted[:-3]))


def _plain(name: str) -> str:
    return " ".join(name.split())
