"""Commands in a frozen environment: each in a container of its own, hardened, used once, and without network
unless both its repository and the operator named the hosts."""

from __future__ import annotations

import hashlib
import shlex
import time
import uuid
from collections.abc import Callable, Hashable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event

from sandbox import policy, reporters
from sandbox.admission import Ticket
from sandbox.egress import Refusal, told
from sandbox.engine import Engine
from sandbox.errors import Cancelled, SandboxError
from sandbox.grants import Grant
from sandbox.images.heal_fill import filled
from sandbox.life import NEVER, Ended
from sandbox.pool import Make, Pool
from sandbox.prepared import Ground
from sandbox.protocol import GRACE_S, KEEP_S, tar
from sandbox.service_images import Resolved
from sandbox.services import memory, stand_up
from sandbox.sessions import DockerSession
from sandbox.slots import Command, Slot
from sandbox.spec import Ending, Evidence, Limits, Plan, Result, Step, Tree
from sandbox.trees import Trees, is_big, streamed
from sandbox.verdict import never_began, result


@dataclass(frozen=True)
class Frozen:
    """A finished environment: where it is, and what its set-up steps exported for the steps after them."""

    key: str
    image: str
    volume: str
    exports: Mapping[str, str]
    path: tuple[str, ...]
    notes: tuple[str, ...]
    outputs: tuple[int, int] = (0, 0)
    """What set-up built in the workspace: bytes, files."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What its steps wrote to $GITHUB_OUTPUT, by their ids."""


@dataclass(frozen=True)
class Done:
    """A container's end, the flags it ran under, and what is to be told about the placing of its files."""

    ended: Ended
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()


class DockerEnvironment:
    """A frozen environment. Every `run` is a container of its own that is used once.

    The cancel event it was prepared with ends its runs too, where they are given none of their own.
    """

    def __init__(
        self,
        engine: Engine,
        pool: Pool,
        trees: Trees,
        frozen: Frozen,
        plan: Plan,
        owner: str,
        runtime: str | None,
        cancel: Event | None = None,
        services: tuple[Resolved, ...] = (),
        grant: Grant = Grant(),  # noqa: B008 - a frozen value
    ) -> None:
        self._engine, self._pool, self._trees, self._frozen, self._plan = engine, pool, trees, frozen, plan
        self._owner, self._runtime, self._cancel = owner, runtime, cancel
        self._services, self._grant = services, grant
        self.key, self.image = frozen.key, frozen.image
        self.notes = (*frozen.notes, *(one.note for one in services if one.note))
        """What set-up could not keep, the hosts that it was refused, and what takes the place of services' images."""

    def run(
        self,
        step: Step,
        tree: Tree,
        patch: bytes | None = None,
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
        inputs: Mapping[str, bytes] | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """As `sandbox.spec.Environment.run`."""
        files = {f"in/{name}": data for name, data in (inputs or {}).items()}
        if self._grant.hosts:
            files[Path(policy.CA_FILE).name] = self._grant.authorities
        command = Command(self._runner(step).encode(), patch or b"", tar(files.items()) if files else b"")
        done = self._done(tree, command, limits, cancel or self._cancel)
        evidence = Evidence(
            image=self.image, environment=self.key, tree=tree.sha, patch=hashlib.sha256(patch or b"").hexdigest(),
            runtime=self._runtime or "default", flags=(*done.flags, *(f"egress={host}" for host in self._grant.hosts)),
            network=self._grant.hosts,
        )  # fmt: skip
        verdict = result(done.ended, limits, evidence, [one.host for one in done.refused if one.denied])
        if not verdict.green and verdict.ending is not Ending.CANCELLED:
            self._keep(tree, limits)
        return replace(verdict, notes=(*verdict.notes, *done.notes, *told(done.refused), *self._grant.notes()))

    def session(
        self,
        step: Step,
        tree: Tree,
        patch: bytes = b"",
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
        cancel: Event | None = None,
    ) -> DockerSession:
        """As `sandbox.spec.Sessions.session`: without network, whatever hosts the plan's own check may reach."""
        if self._grant.hosts:
            return self._offline().session(step, tree, patch, limits, cancel)
        cancel = cancel or self._cancel
        slot = self._cold_slot(tree, limits, cancel)
        return DockerSession.begin(
            slot, lambda script: self._runner(replace(step, script=script)), tree, patch, limits, cancel
        )

    def warm(self, tree: Tree, count: int, limits: Limits = Limits()) -> None:  # noqa: B008 - a frozen value
        """As `sandbox.spec.Environment.warm`."""
        self._pool.expect(self._kind(limits, tree), count, self._ahead(tree, limits))

    def waiting(self, tree: Tree | None = None, limits: Limits = Limits()) -> int:  # noqa: B008 - a frozen value
        """How many containers wait for a run on this tree, or without files on any, under these limits."""
        return self._pool.waiting(self._kind(limits, tree))

    def _offline(self) -> DockerEnvironment:
        """The same environment for what somebody else than the repository and the operator wants to be run."""
        return DockerEnvironment(
            self._engine, self._pool, self._trees, self._frozen, self._plan, self._owner, self._runtime, self._cancel,
            self._services,
        )  # fmt: skip

    def _done(self, tree: Tree, command: Command, limits: Limits, cancel: Event | None) -> Done:
        if cancel is not None and cancel.is_set():
            return Done(NEVER)
        try:
            return self._in_waiting(tree, command, limits, cancel) or self._cold(tree, command, limits, cancel)
        except Cancelled:
            return Done(NEVER)

    def _in_waiting(self, tree: Tree, command: Command, limits: Limits, cancel: Event | None) -> Done | None:
        """In a container that waits; None when none does, or when it dies before the command has begun."""
        kinds = [self._kind(limits, tree), *([self._kind(limits)] if self._may_come_late(tree) else [])]
        slot = self._pool.take(kinds, self._ahead(tree, limits), limits.wall_s + GRACE_S, cancel)
        if slot is None:
            return None
        if slot.empty:
            self._fill(slot, tree, limits, cancel)
        done = self._use(slot, command, limits, cancel)
        return None if never_began(done.ended) else done

    def _fill(self, slot: Slot, tree: Tree, limits: Limits, cancel: Event | None) -> None:
        """Give a kept container the files, and with them the room that it takes from now on."""
        room = self._engine.room
        try:
            ticket = room.enter(self._memory(limits), self._owner, cancel)
            ticket.container = slot.id
            slot.fill(replace(streamed(tree, self._plan.repository), release=lambda: room.leave(ticket)))
        except BaseException:
            slot.discard()
            raise

    def _cold(self, tree: Tree, command: Command, limits: Limits, cancel: Event | None) -> Done:
        return self._use(self._cold_slot(tree, limits, cancel), command, limits, cancel)

    def _cold_slot(self, tree: Tree, limits: Limits, cancel: Event | None) -> Slot:
        """A container that is started now, when there is room for it."""
        ticket = self._engine.room.enter(self._memory(limits), self._owner, cancel)
        try:
            return self._start(tree, limits, cancel, ticket)
        except BaseException:
            self._engine.room.leave(ticket)
            raise

    def _use(self, slot: Slot, command: Command, limits: Limits, cancel: Event | None) -> Done:
        """Run, and destroy: in the background when it ended by itself, at once when we ended it."""
        try:
            ended = slot.run(command, limits, cancel)
            refused = slot.way_out.refused() if slot.way_out else ()
        except BaseException:
            slot.discard()
            raise
        if ended.stopped is None:
            self._pool.discard(slot)
        else:
            slot.discard()
        return Done(ended, policy.flags(slot.settings), slot.notes, refused)

    def _kind(self, limits: Limits, tree: Tree | None = None) -> Hashable:
        """What two runs must have in common to use the same waiting container: all but the command and its time, and
        the commit too if it has its files already."""
        frozen, plan = self._frozen, self._plan
        beside = repr((plan.image, plan.repository, self._services, self._grant.hosts))
        commit = tree.sha if tree else None
        return frozen.key, frozen.volume, frozen.image, self._runtime, beside, commit, replace(limits, wall_s=0)

    def _may_come_late(self, tree: Tree) -> bool:
        """Whether a container can wait without the commit's files: they are streamed, and nothing stands beside it."""
        return not (self._services or self._grant.hosts or is_big(tree, self._ground))

    def _keep(self, tree: Tree, limits: Limits) -> None:
        """What was red is likely to be red again, or to be mended: for its next commit a container stays behind."""
        if self._may_come_late(tree):
            self._pool.was_red(self.key, self._kind(limits), partial(self._without_files, limits))

    def _without_files(self, limits: Limits, on_end: Callable[[], None]) -> Slot:
        """One that any commit may use, and that takes no room until then. Nothing of a plan or a commit is in it."""
        self._check_volume()
        until = time.time() + self._pool.keep.seconds + limits.wall_s + GRACE_S
        env = {**policy.check_environment(), **reporters.environment(self._plan.image)}
        settings = policy.check_container(
            self.image, self._frozen.volume, env, limits, self._labels(until), self._runtime,
            idle_s=self._pool.keep.seconds, kept=True,
        )  # fmt: skip
        return Slot.begin(self._engine, settings, None, limits, None, Ticket(0), on_end)

    def _ahead(self, tree: Tree, limits: Limits) -> Make:
        """How the pool starts one of this kind, if there is room beside what runs."""

        def make(on_end: Callable[[], None]) -> Slot | None:
            ticket = self._engine.room.try_enter(self._memory(limits), self._owner, ahead=True)
            if ticket is None:
                return None
            try:
                return self._start(tree, limits, None, ticket, on_end)
            except BaseException:
                self._engine.room.leave(ticket)
                raise

        return make

    def _memory(self, limits: Limits) -> int:
        """What one run needs room for: its container and its services."""
        return limits.memory + memory(self._services)

    def _start(
        self,
        tree: Tree,
        limits: Limits,
        cancel: Event | None,
        ticket: Ticket,
        on_end: Callable[[], None] | None = None,
    ) -> Slot:
        """A container of its own with the tree in it and its services ready. `ticket` is the room for all of them."""
        self._check_volume()
        until = time.time() + policy.IDLE_S + limits.wall_s + GRACE_S
        labels = self._labels(until)
        with ExitStack() as undo:
            way_out = self._grant.open(labels)
            if way_out is not None:
                undo.callback(way_out.shut)
            network = way_out.network if way_out else policy.NO_NETWORK
            companions = stand_up(
                self._engine, self._services, labels, environment=self._frozen.volume, network=network,
                runtime=self._runtime, cancel=cancel, room=ticket,
            )  # fmt: skip
            undo.callback(companions.release)
            placed = self._trees.place(tree, self._ground, limits, until, cancel)
            undo.pop_all()  # the slot gives them back
        names = [one.service.name for one in self._services]
        env = {**policy.check_environment(), **reporters.environment(self._plan.image),
               **self._grant.environment(way_out, names)}  # fmt: skip
        settings = policy.check_container(
            self.image, self._frozen.volume, env, limits, labels, self._runtime, placed.mounts,
            network=companions.network if self._services else network,
        )  # fmt: skip
        return Slot.begin(self._engine, settings, placed, limits, cancel, ticket, on_end, companions, way_out)

    @property
    def _ground(self) -> Ground:
        return Ground(self.image, self._frozen.volume, self.key, *self._frozen.outputs, self._plan.repository)

    def _labels(self, until: float) -> policy.Labels:
        return policy.Labels(self._owner, uuid.uuid4().hex, "check", self.key, until + KEEP_S)

    def _check_volume(self) -> None:
        if self._engine.volume(self._frozen.volume) is None:  # the engine would silently make an empty one
            raise SandboxError(f"environment {self.key} was removed from the engine: prepare it again")

    def _filled(self, step: Step) -> Step:
        """The step with what set-up's steps wrote in the place of its tokens."""
        ids = [one.id for one in self._plan.setup if one.id]
        fill = partial(filled, ids=ids, outputs=self._frozen.values, exports=self._frozen.exports)
        env = {name: fill(value) for name, value in step.env.items()}
        return replace(step, script=fill(step.script), env=env, workdir=fill(step.workdir))

    def _runner(self, step: Step) -> str:
        """The little shell file that writes the step's script to its place, enters its directory and becomes its shell,
        with its environment."""
        step = self._filled(step)
        theirs = {**self._plan.env, **self._frozen.exports, **step.env}
        env = reporters.beside(policy.joined(policy.check_environment(), theirs, only_theirs=True))
        assigned = [f"{name}={value}" for name, value in env.items()]
        place = f"{policy.SCRATCH}/step/script"
        argv = [word.replace("{0}", place) for word in shlex.split(step.shell)]
        extra = "".join(f"PATH={shlex.quote(entry)}:$PATH\n" for entry in self._frozen.path)
        command = " ".join(shlex.quote(word) for word in ["env", *assigned, *argv])
        folder = shlex.quote(f"{policy.WORKSPACE}/{step.workdir}")
        written = f"printf %s {shlex.quote(step.script)} >{place}"
        return f"{written}\ncd {folder} || exit 127\n{extra}export PATH\nexec {command}\n"
