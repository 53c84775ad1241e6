"""A container that holds one commit's files and waits for its one command, or waits for any commit's files first.

Started ahead of need or on demand, it is the same container; it is used once and then destroyed. A session's is held
open by its one command, and other processes run beside that.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event
from typing import Any

from sandbox import policy
from sandbox.admission import Ticket
from sandbox.engine import Engine
from sandbox.grants import WayOut
from sandbox.life import Ended, Life
from sandbox.protocol import GRACE_S, caps, marks, message
from sandbox.services import Companions
from sandbox.spec import Limits
from sandbox.stream import Caps, Marks
from sandbox.trees import Placement

_READY_S = 60.0


@dataclass(frozen=True)
class Command:
    """What a container is to run: `step` is a shell file, `patch` is applied before it, `inputs` a tar for /heal."""

    step: bytes
    patch: bytes = b""
    inputs: bytes = b""


class Slot:
    """One check container. Whoever has one must `discard` it."""

    def __init__(
        self,
        life: Life,
        settings: Mapping[str, Any],
        nonce: str,
        placed: Placement | None,
        companions: Companions,
        way_out: WayOut | None = None,
    ) -> None:
        self.settings, self.notes = settings, placed.notes if placed else ()
        self.empty = placed is None
        """It still waits for a commit's files: `fill` it."""
        self._life, self._nonce, self._companions, self.way_out = life, nonce, companions, way_out
        self._undo = _given_back(placed, companions, way_out)
        self._undo.callback(life.remove)
        self._discarding = threading.Lock()

    @classmethod
    def begin(
        cls,
        engine: Engine,
        settings: Mapping[str, Any],
        placed: Placement | None,
        limits: Limits,
        cancel: Event | None = None,
        ticket: Ticket | None = None,
        on_end: Callable[[], None] | None = None,
        companions: Companions = Companions(),  # noqa: B008 - none
        way_out: WayOut | None = None,
    ) -> Slot:
        """Start a container of these settings and send it its tree, if it is to have one already; returns before the
        tree is unpacked.

        Raises as `Engine.begin`. Whatever happens, the place of the tree is given back in the end, and the companions
        (ready services, whose network `settings` must name) are released, and its way out is shut.
        """
        nonce = uuid.uuid4().hex
        try:
            life = engine.begin(settings, caps(limits), marks(nonce, placed is not None), on_end, cancel, ticket)
        except BaseException:
            _given_back(placed, companions, way_out).close()
            raise
        if placed is not None:
            life.feed(placed.feed)
        return cls(life, settings, nonce, placed, companions, way_out)

    @property
    def id(self) -> str:
        """The container's id."""
        return self._life.id

    def fill(self, placed: Placement) -> None:
        """Send it a tree; returns before that is unpacked. `placed` has no mounts. Raises EngineDown."""
        self.empty, self.notes = False, placed.notes
        self._undo.callback(placed.release)
        self._life.feed(placed.feed)
        self._life.rename(policy.used_name(self.settings["labels"]))  # while it unpacks

    def ready(self) -> bool:
        """Wait until it waits; False when it died or took too long."""
        return self._life.ready(_READY_S)

    def usable(self, seconds: float) -> bool:
        """It and its companions live, and it is not due for removal in so many seconds. Raises EngineDown."""
        due = float(self.settings["labels"]["heal.deadline"])
        return not self._life.ended and due >= time.time() + seconds and not self._companions.ended()

    def run(self, command: Command, limits: Limits, cancel: Event | None) -> Ended:
        """The one command. Its time runs from when it starts.

        What is to be told of the services beside it is added to `notes`.
        """
        self.hold(command, limits)
        ended = self._life.finish(limits.wall_s + GRACE_S, cancel)
        self.notes = (*self.notes, *self._companions.ended())
        return ended

    def hold(self, command: Command, limits: Limits) -> None:
        """Start the one command without waiting for its end: the container lasts as long as it does."""
        more = (f"{limits.wall_s:g}", str(limits.report), self._nonce)
        step, patch = message("STEP", command.step), message("PATCH", command.patch)
        self._life.feed([*message("INPUTS", command.inputs, *more), *step, *patch])

    def beside(self, argv: Sequence[str], caps: Caps, over: bytes, seconds: float, cancel: Event | None) -> Ended:
        """Another process beside the one command, see `Life.beside`."""
        return self._life.beside(argv, caps, Marks(over=over), seconds, cancel)

    def discard(self) -> None:
        """Remove it and all that was made for it, running or not; again does no harm. Raises EngineDown."""
        with self._discarding:
            self._undo.close()  # which forgets what it has done


def _given_back(placed: Placement | None, companions: Companions, way_out: WayOut | None) -> ExitStack:
    """Closing it gives back each of them, the last first, whatever becomes of the others."""
    undo = ExitStack()
    if way_out is not None:
        undo.callback(way_out.shut)
    undo.callback(companions.release)
    if placed is not None:
        undo.callback(placed.release)
    return undo
