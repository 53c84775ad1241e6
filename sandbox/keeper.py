"""Where checks on a big tree write: the upper layers of their overlays, in memory, kept mounted by an idle container,
the keeper.

Each is a volume of its own, because its size is the quota of the one check that has it, and no check may fill what
another writes to. The memory it takes counts for the container that wrote. It is emptied when it is given back, and one
that cannot be emptied is never used again.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from dataclasses import dataclass, field, replace

from sandbox import policy
from sandbox.engine import Engine
from sandbox.engine_errors import Missing, translated
from sandbox.errors import SandboxError
from sandbox.forks import fresh_after_fork

COUNT = 8
"""Uppers of one keeper. An empty one costs a mount and no memory; when all are taken another keeper is started."""
LIFE_S = 2 * 3600.0
"""How long a keeper serves. After that it goes when none of its uppers is taken; the reaper takes what is left."""
_EMPTY_S = 60
_EMPTY = f"""
cd {policy.UPPERS} || exit 1
for upper in "$@"; do
  [ ! -e "$upper/upper" ] || chmod -R u+rwx "$upper/upper" 2>/dev/null
  rm -rf "$upper/upper" && mkdir "$upper/upper" && mkdir -p "$upper/work" || exit 1
done
"""
"""The keeper owns what checks wrote, but not the marks of deleted files: those need no rights to be removed. The kernel
empties `work` itself when it is mounted again."""


@dataclass(frozen=True)
class Upper:
    """One place to write, by its number: `path` is the engine's."""

    keeper: str
    number: int
    path: str


@dataclass
class _Keeper:
    container: str
    size: int
    until: float
    volumes: tuple[str, ...]
    free: list[Upper] = field(default_factory=list)
    taken: int = 0


class Keepers:
    """The keepers of one process on one engine, and their uppers."""

    def __init__(self, engine: Engine, owner: str) -> None:
        self._engine, self._owner = engine, owner
        self.after_fork()
        fresh_after_fork(self)

    def take(self, size: int, image: str, until: float) -> Upper:
        """An empty upper of `size` bytes for use up to the moment `until` (seconds since 1970).

        `image` is any of the sandbox's on the engine, should a keeper have to be started. Raises EngineDown, ...
        """
        with self._guard:
            self._remove_idle()
            for keeper in list(self._keepers.values()):
                if keeper.size == size and keeper.until >= until and keeper.free and self._is_up(keeper):
                    break
            else:
                keeper = self._start(size, image, until)
            keeper.taken += 1
            return keeper.free.pop()

    def give_back(self, upper: Upper, empty: bool = True) -> None:
        """Empty it for the next one, unless something may still use it (`empty` False). Never raises."""
        usable = False
        with contextlib.suppress(SandboxError):
            usable = empty and self._empty(upper.keeper, upper)
        with self._guard:
            keeper = self._keepers.get(upper.keeper)
            if keeper is not None:
                keeper.taken -= 1
                keeper.free += [upper] if usable else []
            self._remove_idle()

    def rest(self) -> None:
        """Let no keeper serve any more: each goes when its last upper is given back. Never raises."""
        with self._guard:
            for keeper in self._keepers.values():
                keeper.until = 0.0
            self._remove_idle()

    def close(self) -> None:
        """Remove the keepers and their uppers. Never raises."""
        with self._guard:
            for keeper in list(self._keepers.values()):
                self._remove(keeper)

    def after_fork(self) -> None:
        """In a forked process: the parent's keepers are its own."""
        self._keepers: dict[str, _Keeper] = {}
        self._guard = threading.Lock()

    def _start(self, size: int, image: str, until: float) -> _Keeper:
        now = time.time()
        end = max(until, now + LIFE_S)
        labels = policy.Labels(self._owner, uuid.uuid4().hex, "keeper", f"{size}", end + 60)
        marks = replace(labels, role="upper").as_dict()
        keeper = _Keeper("", size, end, tuple(f"heal-upper-{labels.run[:12]}-{number}" for number in range(COUNT)))
        try:
            paths = [
                self._engine.create_volume(name, marks, policy.upper_options(size)).path for name in keeper.volumes
            ]
            settings = policy.keeper_container(image, keeper.volumes, end - now + 60, labels)
            with translated():
                made = self._engine.client().containers.create(**settings)
                keeper.container = str(made.id)
                made.start()
            keeper.free = [Upper(keeper.container, number, path) for number, path in enumerate(paths)]
            self._empty_all(keeper)
        except BaseException:
            self._remove(keeper)
            raise
        self._keepers[keeper.container] = keeper
        return keeper

    def _empty_all(self, keeper: _Keeper) -> None:
        if not self._empty(keeper.container, *keeper.free):
            raise SandboxError("the keeper of what checks of big trees write does not answer")

    def _empty(self, container: str, *uppers: Upper) -> bool:
        numbers = [str(upper.number) for upper in uppers]
        command = ["timeout", "-s", "KILL", str(_EMPTY_S), "sh", "-c", _EMPTY, "empty", *numbers]
        with translated():
            answer = self._engine.client().containers.get(container).exec_run(command)
        return answer.exit_code == 0

    def _is_up(self, keeper: _Keeper) -> bool:
        """Without its keeper an upper is not mounted: forget one that the engine has lost."""
        with contextlib.suppress(Missing), translated():
            if self._engine.client().api.inspect_container(keeper.container)["State"]["Running"]:
                return True
        self._remove(keeper)
        return False

    def _remove_idle(self) -> None:
        """Those that serve no more: too old, or without an upper that could be emptied."""
        for keeper in list(self._keepers.values()):
            if keeper.taken == 0 and (not keeper.free or keeper.until < time.time()):
                self._remove(keeper)

    def _remove(self, keeper: _Keeper) -> None:
        self._keepers.pop(keeper.container, None)
        with contextlib.suppress(SandboxError):  # an engine that is away now leaves it to the reaper
            if keeper.container:
                self._engine.remove_container(keeper.container)
            for name in keeper.volumes:
                self._engine.remove_volume(name)
