"""The installation that the faults are done to: every part a process, Redis behind a proxy, several workers.

It knows how to kill, stop and start each part, and looks at the database from outside.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import redis
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from tests.chaos.machine import children, command, having, small_disk
from tests.chaos.naive import ring_once
from tests.chaos.proxy import Proxy
from tests.processes import Process, start_redis
from tests.story.theatre import OWNER, Theatre
from tests.workers.store.servers import PostgresServer, postgresql_server
from workers.store.database import normal_url

T = TypeVar("T")

LEASE_SECONDS = 4.0
RESUMES_WITHIN = LEASE_SECONDS + 15.0
"""Seconds until somebody else works on a run whose worker was killed, or sleeps."""
EVENTS = ("check_run", "workflow_run")


@dataclass(frozen=True)
class Death:
    """A process was killed while it worked on a run."""

    run: str
    at: float


@dataclass
class Ground(Theatre):
    """`with Ground(folder, state) as ground:`; the fields are set by `opened`."""

    naive: bool = False
    contained: int = 0
    crew_size: int = 2
    patience: float = 1.0
    """As in a theatre; the whole suite has the machine to itself."""
    postgres: PostgresServer | None = None
    deaths: list[Death] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)
    """From when to when something was away that runs cannot do without."""

    def __enter__(self) -> Self:
        self._parts = ExitStack()
        self.crew: dict[int, Process] = {}
        self._topics = itertools.count()
        self._told = self._own = self.ended = 0
        self.repos: list[str] = []
        (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            self._parts.close()

    # Starting

    def start_redis(self) -> None:
        """Redis, with the proxy before it."""
        self.redis, url = start_redis(self.folder)
        self.redis_port = int(url.rpartition(":")[2].partition("/")[0])
        self._running.append(self.redis)
        self.proxy = self._parts.enter_context(Proxy(self.redis_port))
        self.redis_url = f"redis://127.0.0.1:{self.proxy.port}/0"

    def start_worker(self, **more: str) -> None:
        """The whole crew. Comes after the migration: a naive installation is made naive here."""
        if self.naive:
            ring_once(self.database_url)
        self._engine = create_engine(normal_url(self.database_url), pool_pre_ping=True)
        self._parts.callback(self._engine.dispose)
        for n in range(self.crew_size):
            self.hire(n)

    def hire(self, n: int) -> None:
        """Start the worker in this place."""
        module = "naive" if self.naive else "worker"
        command = [sys.executable, "-m", f"tests.chaos.{module}"]
        command += [] if self.naive else ["--contained", str(self.contained)]
        self._up(n).unlink(missing_ok=True)
        command += ["--up", str(self._up(n))]
        env = {**self.worker_env, "HEAL_ALIVE_FILE": str(self.folder / f"worker-{n}.alive")}
        self._replace(self.crew.get(n), started := Process(f"worker-{n}", command, self.folder, env))
        self.crew[n] = started

    def _up(self, n: int) -> Path:
        return self.folder / f"worker-{n}.up"

    def _replace(self, old: Process | None, new: Process) -> None:
        if old is not None:
            self._running.remove(old)
        if new not in self._running:
            self._running.append(new)

    def supervise(self) -> None:
        """Start again what has ended by itself, as any supervisor does."""
        for n, one in list(self.crew.items()):
            if one.finished(0) is not None:
                self.ended += 1
                self.hire(n)

    def ready(self, seconds: float = 60) -> None:
        """The receiver answers and every worker has its pool."""
        self.answering(seconds)
        self.until(self._staffed, seconds, "every worker has its pool")

    def answering(self, seconds: float = 60) -> None:
        """The receiver answers: what is told to one that only starts comes back minutes later."""
        self.receiver.wait_until(lambda: self._answers("/healthz"), seconds)

    def _staffed(self) -> bool:
        self.supervise()
        return all(self.at_hand(n) for n in self.crew)

    # What GitHub has to tell

    def begin(self, repos: int) -> None:
        """So many repositories whose CI can turn red."""
        self.hub.call("set_events", app_id=self.app.app_id, events=list(EVENTS))
        for n in range(repos):
            name = f"{OWNER}/chaos-{n}"
            self.hub.create_repo(name, files={"a.txt": "a\n"})
            self.repos.append(name)

    def red(self, count: int = 1) -> list[str]:
        """So many red workflow runs, each on a commit and branch of its own. Gives the commits."""
        return [self._red() for _ in range(count)]

    def _red(self) -> str:
        n = next(self._topics)
        repo, branch = self.repos[n % len(self.repos)], f"topic-{n}"
        sha = self.hub.push(repo, {f"{branch}.txt": "x\n"}, branch=branch, new_from="main")
        self.hub.finish_ci(repo, branch=branch)
        return sha

    def told(self) -> list[dict[str, Any]]:
        """The deliveries that GitHub has tried since this was asked last: what happened until now at least. Workers go
        on meanwhile, and what their own check runs lead to may be on its way: that is told the next time."""
        self.hub.settle(120)
        new = [*itertools.takewhile(lambda one: one["status"] != "pending", self.hub.deliveries(self._told))]
        self._told += len(new)
        return new

    # Looking

    def rows(self, query: str, **values: object) -> Sequence[Any]:
        """What a query over the installation's database gives; tried again while it is away or busy."""
        deadline = time.monotonic() + 30
        while True:
            try:
                with self._engine.begin() as connection:
                    found = connection.execute(text(query), values)
                    return found.all() if found.returns_rows else []
            except SQLAlchemyError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def count(self, query: str, **values: object) -> int:
        """The number that a query gives."""
        return int(self.rows(query, **values)[0][0])

    def until(self, true: Callable[[], bool], seconds: float, what: str) -> float:
        """Wait for a state; gives the seconds it took. Raises TimeoutError with everybody's log."""
        started, seconds = time.monotonic(), seconds * self.patience
        while not true():
            if time.monotonic() - started > seconds:
                raise TimeoutError(f"not within {seconds:.0f} s: {what}\n{self.logs()}")
            time.sleep(0.05)
        return time.monotonic() - started

    def some(self, look: Callable[[], Sequence[T]], seconds: float, what: str) -> Sequence[T]:
        """What a look finds, once it finds something; workers that have ended are started again until then."""
        found: Sequence[T] = ()

        def seen() -> bool:
            nonlocal found
            self.supervise()
            found = look()
            return bool(found)

        self.until(seen, seconds, what)
        return found

    def over(self) -> bool:
        """All that GitHub has told so far is over."""
        self.hub.settle(120)
        return self.count("SELECT count(*) FROM delivery WHERE state = 'new'") + self.unfinished() == 0

    def writable(self, run: str) -> bool:
        """Nobody holds a lock that keeps others from writing to the run."""
        with suppress(SQLAlchemyError), self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":  # SQLite waits for as long by itself
                connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            connection.execute(text("UPDATE run SET tries = tries WHERE id = :run"), {"run": run})
            return True
        return False

    def unfinished(self) -> int:
        """Runs that are not over."""
        return self.count("SELECT count(*) FROM run WHERE state <> 'done'")

    def claims(self, after: float) -> int:
        """How often a run was taken up since then."""
        return self.count("SELECT count(*) FROM event WHERE kind = 'claimed' AND at > :after", after=after)

    # Processes

    def pool(self, worker: Process) -> list[int]:
        """The pool processes of a worker: its children that run the same command."""
        return [pid for pid in children(worker.pid) if command(pid) == command(worker.pid)]

    def at_hand(self, n: int) -> list[int]:
        """The pool of the worker in this place, once its loop turns. Celery gives a worker up whose first pool process
        dies before that, as it should: a supervisor starts it again."""
        return self.pool(self.crew[n]) if self._up(n).exists() else []

    def beside(self, worker: Process, module: str) -> list[int]:
        """Its processes of this module: `workers.sweeper`, `workers.errands.process`."""
        return [pid for pid in children(worker.pid) if module in command(pid)]

    def held(self) -> dict[str, str]:
        """The runs that are being worked on, with their owners (`host:worker pid/process pid`)."""
        return {row.id: row.owner for row in self.rows("SELECT id, owner FROM run WHERE state = 'running'")}

    def bury(self, pids: Sequence[int]) -> None:
        """SIGKILL, noting which runs these processes were working on."""
        holders = {str(pid) for pid in pids}
        runs = [run for run, owner in self.held().items() if holders & {*owner.rpartition(":")[2].split("/")}]
        at = time.time()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.deaths += [Death(run, at) for run in runs]

    def restart_receiver(self) -> None:
        """As a supervisor does, at once."""
        old = self.receiver
        old.finished(10)
        self._running.remove(old)
        self.start_receiver()

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Something that runs need is away meanwhile."""
        started = time.time()
        try:
            yield
        finally:
            self.outages.append((started, time.time()))

    # Redis

    def client(self) -> redis.Redis:
        """Straight to Redis, past the proxy."""
        return redis.Redis(port=self.redis_port, socket_timeout=5)

    def kill_redis(self) -> None:
        """SIGKILL."""
        self.redis.kill()
        self._running.remove(self.redis)

    def revive_redis(self, empty: bool) -> None:
        """Start it again where it was, with what it had written down or with nothing."""
        if empty:
            shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)
        self.redis, _ = start_redis(self.folder, self.redis_port)
        self._running.append(self.redis)

    # The end

    def processes(self) -> list[int]:
        """Every process of the installation that is alive, by the state folder in its environment; without the last
        sweeper."""
        return [pid for pid in having(f"HEAL_STATE_DIR={self.state_dir}") if pid != self._own]

    @contextmanager
    def sweeper(self) -> Iterator[None]:
        """One more sweeper, beside no worker."""
        command, env = [sys.executable, "-m", "workers.sweeper", "nobody", "1"], {**os.environ, **self.worker_env}
        with (self.folder / "sweeper.log").open("ab") as log:
            process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=log, stderr=log)
        self._own = process.pid
        try:
            yield
        finally:
            process.communicate(timeout=30)

    def close_down(self) -> None:
        """Stop everything that works, as an operator does; Redis and the double stay."""
        for process in [*self.crew.values(), self.receiver]:
            process.stop()
            self._running.remove(process)
        self.crew.clear()


@contextmanager
def opened(
    folder: Path,
    database: str,
    *,
    naive: bool = False,
    contained: int = 0,
    patience: float = 1.0,
    crew: int = 2,
    installation: str = "chaos",
) -> Iterator[Ground]:
    """The installation on SQLite, with a small disk under all of it, or on PostgreSQL."""
    with ExitStack() as stack:
        stack.enter_context(small_disk(folder))
        postgres = stack.enter_context(postgresql_server()) if database == "postgresql" else None
        common = {
            "HEAL_LEASE_SECONDS": str(LEASE_SECONDS),
            "HEAL_INSTALLATION": installation,
            "TMPDIR": str(folder / "tmp"),
        }
        ground = Ground(
            folder,
            folder / "state",
            sweep_seconds=0.5,
            database_url=postgres.url if postgres else "",
            common=common,
            naive=naive,
            contained=contained,
            patience=patience,
            crew_size=crew,
            postgres=postgres,
        )
        yield stack.enter_context(ground)
