"""The worker process: Celery's pool around `workers.attend`, with a sweeper beside it and a sign of life.

The parent process never opens the database, because its pool forks; each pool process opens its own.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import IO, Any

import structlog
from celery import bootsteps, signals
from celery.exceptions import SoftTimeLimitExceeded
from celery.platforms import SecurityWarning

from workers import telemetry
from workers.attend import Told, Visit, attend
from workers.domain import Case, Outcome, Report
from workers.errors import Retryable, Stop, UsageError
from workers.git.command import is_full
from workers.hardening import forbid_core_dumps, with_app_key_only, without_secrets
from workers.queue import QUEUE, TASK, make_celery
from workers.redact import Redactor
from workers.scratch import scratch_folder
from workers.settings import WorkerSettings
from workers.store.database import open_engine
from workers.store.lease import Lease
from workers.store.ledger import Ledger
from workers.store.schema import require
from workers.sweeper import BEATS, GOODBYE

log = structlog.get_logger(__name__)

ROUNDS = 10
"""Looks at what is due for one bell, where other workers are faster each time; the sweeper rings again for the rest."""

Tell = Callable[[WorkerSettings], Told]
"""Makes the story for the settings."""


def wired(settings: WorkerSettings) -> Told:
    """The real story. Imported here, late: it brings git, Docker and the model's client with it.

    Its sandbox serves all runs of this pool process, and is closed when the process ends, in its turn or by a signal:
    the pool ends its processes without Python's own exit functions.
    """
    from workers.llm.standing import Endpoints
    from workers.wiring import drive_run, make_sandbox

    sandbox = make_sandbox(settings, settings.installation)
    signals.worker_process_shutdown.connect(lambda **_: sandbox.close(), weak=False)
    return partial(drive_run, settings=settings, sandbox=sandbox, endpoints=Endpoints())


def run_worker(concurrency: int | None, tell: Tell) -> None:
    """Be a worker with this story until SIGTERM, which ends it within about 10 s and gives its leases back.

    `concurrency` is the number of runs at once, HEAL_SLOTS when not given.
    """
    forbid_core_dumps()
    settings = WorkerSettings()
    redactor = Redactor(*_secrets(settings))
    _log_our_way(redactor)
    require(settings.database_url)
    slots = concurrency or settings.slots
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")  # read by Celery when it starts: stop soon, do not wait for runs
    worker = f"{socket.gethostname()}:{os.getpid()}"
    celery = make_celery(settings.redis_url, run_seconds=settings.run_seconds)
    celery.task(name=TASK)(_task(settings, worker, redactor, tell))
    alive = settings.alive_file or settings.state_dir.expanduser() / "worker.alive"
    celery.steps["worker"].add(_liveness(Liveness(worker, slots, alive), settings.stuck_seconds / BEATS))
    log.info("worker starts", worker=worker, slots=slots)
    with scratch_folder() as folder:  # the pool has temporary files of its own
        tempfile.tempdir = str(folder)
        celery.worker_main(_arguments(slots, worker))


def _arguments(slots: int, worker: str) -> list[str]:
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [
        "--quiet",  # no banner: it prints the broker's address
        "worker",
        "--pool=prefork",
        f"--concurrency={slots}",
        f"--queues={QUEUE}",
        *quiet,
        f"--hostname={worker}",
    ]


def _secrets(settings: WorkerSettings) -> tuple[str, ...]:
    try:
        return settings.secrets()
    except OSError as error:
        raise UsageError(f"HEAL_PRIVATE_KEY_FILE cannot be read: {error}") from error


def _log_our_way(redactor: Redactor) -> None:
    """One log for the whole process tree. Celery sets up none of its own when somebody listens to its signal."""
    telemetry.configure(redactor)
    signals.setup_logging.connect(_keep_logging, weak=False)
    # Root is told off because of pickled messages; ours are JSON, and it is the engine that runs untrusted code.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser", category=SecurityWarning)


def _keep_logging(**_: Any) -> None:
    """Nothing is left to be set up."""


def _task(settings: WorkerSettings, worker: str, redactor: Redactor, tell: Tell) -> Callable[[str], None]:
    @cache
    def opened() -> tuple[Ledger, Told]:
        ledger = Ledger(open_engine(settings.database_url), settings.lease_seconds, redactor)
        return ledger, tell(settings)

    def drive(run_id: str) -> None:  # noqa: ARG001 - a bell says that something is due; whose turn it is decides
        ledger, story = opened()
        for _ in range(ROUNDS):
            turns = ledger.turns()
            visits = (attend(ledger, run, f"{worker}/{os.getpid()}", partial(within_limits, story)) for run in turns)
            if not turns or any(visit is not Visit.NOT_OURS for visit in visits):
                return

    return drive


def within_limits(story: Told, case: Case, lease: Lease) -> Report:
    """The story, where its time and this machine's disk end: neither is a fault of ours."""
    try:
        return story(case, lease)
    except SoftTimeLimitExceeded:
        raise Stop(Outcome.OVER_BUDGET, "The run took longer than a run may take.") from None
    except OSError as trouble:
        if is_full(trouble):
            raise Retryable("the disk of Heal's own machine is full", blame="disk", after=30) from trouble
        raise


@dataclass
class Liveness:
    """Shows that the worker's event loop turns: a touched file, and a line to the processes beside it.

    The sweeper gets no secret, the errands' process the App's key alone. Both end when their pipe closes, and one that
    ended is started again at the next beat.
    """

    worker: str
    slots: int
    file: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    _sweeper: subprocess.Popen[str] | None = field(default=None, init=False)
    _errands: subprocess.Popen[str] | None = field(default=None, init=False)

    def beat(self, line: str = "alive") -> None:
        """Touch the file and pass the line on, starting the processes when they are not there."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.touch()
        if _gone(self._errands):
            self._errands = _beside(["workers.errands.process"], with_app_key_only(self.environment))
        if self._sweeper is None or _gone(self._sweeper):
            sweeper = ["workers.sweeper", self.worker, str(self.slots)]
            self._sweeper = _beside(sweeper, without_secrets(self.environment))
        pipe: IO[str] | None = self._sweeper.stdin
        if pipe is not None:
            pipe.write(line + "\n")
            pipe.flush()

    def goodbye(self) -> None:
        """The worker ends on purpose: the runs it gives back are not held against them."""
        self.file.unlink(missing_ok=True)
        if self._sweeper is not None and self._sweeper.stdin is not None and self._sweeper.poll() is None:
            self._sweeper.stdin.write(GOODBYE + "\n")
            self._sweeper.stdin.flush()


def _gone(process: subprocess.Popen[str] | None) -> bool:
    """It has ended, or was never started. The pipe to one that has ended is closed."""
    if process is not None and process.poll() is None:
        return False
    if process is not None and process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()
    return True


def _beside(module: list[str], env: Mapping[str, str]) -> subprocess.Popen[str]:
    """A process that lives as long as the pipe to it. Its own session: a terminal's Ctrl-C must not end it first."""
    command = [sys.executable, "-m", *module]
    return subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True, env=env)


def _liveness(liveness: Liveness, every: float) -> type[Any]:
    class Step(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
        requires = ("celery.worker.components:Pool", "celery.worker.components:Timer")

        def start(self, parent: Any) -> None:
            liveness.beat()
            parent.timer.call_repeatedly(every, liveness.beat)

        def stop(self, parent: Any) -> None:  # noqa: ARG002 - celery's signature
            liveness.goodbye()

        terminate = stop

    return Step


def main(concurrency: int | None = None) -> None:
    """`heal worker` and `python -m workers.tasks`: the real story, with the settings of the environment.

    Raises `UsageError` without the App's key, as every run that is claimed would then end as a bug of ours, and where
    GitHub does not accept the key or this machine's clock.
    """
    from workers.doctor import GITHUB, app_findings

    refused = next((one for one in app_findings(WorkerSettings()) if not one.ok and one.what != GITHUB), None)
    if refused is not None:  # where GitHub does not answer the runs wait for it
        raise UsageError(f"{refused.what}: {refused.detail}: {refused.repair}")
    run_worker(concurrency, wired)


if __name__ == "__main__":
    main()
