"""What is done to the installation, one function for each kind of fault. Some keep a promise's time limit themselves
and raise when it is not met; that nothing was lost or done twice is counted at the end.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from tests.chaos.ground import RESUMES_WITHIN, Ground
from workers.queue import QUEUE

Act = Callable[[Ground, random.Random], None]

CONSUMES_WITHIN = 30.0
"""Seconds until a worker whose connection to Redis is half open, or was frozen, works again."""
ANSWERS_WITHIN = 5.0
"""Seconds within which GitHub is answered while Redis is away: half of what it waits."""
BELLS = f"heal:{QUEUE}"
"""Redis's list of the bells that nobody has heard yet."""
STOPS_WITHIN = 10.0
HANGS_WITHIN = 40.0
"""Seconds until a red build has led to a bell; workers may be stopped for so long before they are taken to be stuck."""
WRITES = (
    ("POST", "/check-runs$"),
    ("PATCH", "/check-runs/"),
    ("POST", "/comments$"),
    ("POST", "/pulls$"),
    ("POST", "/git/refs$"),
    ("POST", "/git/commits$"),
)
"""What a run writes to GitHub."""


def kill_child(ground: Ground, rng: random.Random) -> None:
    """SIGKILL to a pool process, of those at work if any is."""
    children = ground.some(lambda: _all_children(ground), 30, "a pool process to kill")
    working = [pid for pid, _ in _at_work(ground)]
    ground.bury([rng.choice(working or children)])


def kill_worker(ground: Ground, rng: random.Random) -> None:
    """SIGKILL to the worker's main process; the kernel takes its pool along."""
    n = rng.randrange(ground.crew_size)
    ground.bury([ground.crew[n].pid])
    ground.crew[n].finished(10)
    ground.hire(n)


def kill_machine(ground: Ground, rng: random.Random) -> None:
    """SIGKILL to a worker and everything beside it, at once: nobody is left to give its leases back."""
    n = rng.randrange(ground.crew_size)
    worker = ground.crew[n]
    beside = [pid for name in ("workers.sweeper", "workers.errands.process") for pid in ground.beside(worker, name)]
    ground.bury([*beside, worker.pid, *ground.pool(worker)])
    worker.finished(10)
    ground.hire(n)


def kill_sweeper(ground: Ground, rng: random.Random) -> None:
    """SIGKILL to the process that rings again; the worker starts another at its next beat."""
    _kill_beside(ground, rng, "workers.sweeper")


def kill_errands(ground: Ground, rng: random.Random) -> None:
    """SIGKILL to the process that works on errands."""
    _kill_beside(ground, rng, "workers.errands.process")


def _kill_beside(ground: Ground, rng: random.Random, module: str) -> None:
    n = rng.choice([*ground.crew])
    ground.bury(ground.some(lambda: ground.beside(ground.crew[n], module), 30, f"{module} to kill"))


def kill_receiver(ground: Ground, rng: random.Random) -> None:
    """SIGKILL to the receiver while deliveries arrive."""
    ground.red()
    time.sleep(rng.uniform(0, 0.1))
    os.kill(ground.receiver.pid, signal.SIGKILL)
    ground.restart_receiver()


def kill_dispatcher(ground: Ground, rng: random.Random) -> None:
    """The same once its dispatcher has taken deliveries that it has not routed yet, or has something to ring for."""
    ground.red(2)
    taken = (
        "SELECT (SELECT count(*) FROM delivery WHERE state = 'new') + (SELECT count(*) FROM run WHERE state = 'queued')"
    )
    deadline = time.monotonic() + 2
    while not ground.count(taken) and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.02))
    os.kill(ground.receiver.pid, signal.SIGKILL)
    ground.restart_receiver()


def stop_worker(ground: Ground, rng: random.Random) -> None:
    """SIGTERM, as a deployment does: its leases are free within ten seconds."""
    n = rng.randrange(ground.crew_size)
    worker = ground.crew[n]
    ours = f":{worker.pid}/"
    os.kill(worker.pid, signal.SIGTERM)
    ground.until(lambda: not any(ours in owner for owner in ground.held().values()), STOPS_WITHIN, "leases given back")
    worker.stop()
    ground.hire(n)


def sleep_past_lease(ground: Ground, rng: random.Random) -> None:
    """SIGSTOP to a pool process at work until somebody else has its run, then SIGCONT: it must change nothing."""
    ground.ready()  # what is told to a receiver that only starts comes back minutes later
    ground.red(2)
    ((pid, run),) = ground.some(lambda: _stopped(ground, rng), 30, "a run at work")
    try:
        fence = "SELECT coalesce(max(fence), 0) FROM run WHERE id = :run"
        over = "SELECT count(*) FROM run WHERE id = :run AND state = 'done'"
        before = ground.count(fence, run=run)

        def taken() -> bool:
            ground.supervise()  # the other worker may have been killed while it started
            return ground.count(fence, run=run) > before or ground.count(over, run=run) > 0

        ground.until(
            taken,
            RESUMES_WITHIN,
            "somebody else takes up the run of a process that sleeps",
        )
        time.sleep(rng.uniform(0, 1))
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _stopped(ground: Ground, rng: random.Random) -> list[tuple[int, str]]:
    """A pool process that was stopped at work, and its run. None when none is at work now; when all is over there is
    more to do afterwards. Not one that was stopped in the middle of a write: everybody would wait for its lock, and
    nobody could take up its run."""
    if ground.over():
        ground.red(2)
    for pid, run in rng.sample(working := _at_work(ground), len(working)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            if (pid, run) in _at_work(ground) and ground.writable(run):
                return [(pid, run)]
            os.kill(pid, signal.SIGCONT)
    return []


def flush_redis(ground: Ground, rng: random.Random) -> None:
    """FLUSHALL while bells hang in it, if any does soon: until then the workers are stopped, so that nobody hears it
    before."""
    ground.answering()
    hearing = [worker.pid for worker in ground.crew.values()]
    with ground.outage(), ground.client() as client:
        for pid in hearing:
            os.kill(pid, signal.SIGSTOP)
        try:
            ground.red(3)
            deadline = time.monotonic() + HANGS_WITHIN
            while not client.llen(BELLS) and time.monotonic() < deadline:
                time.sleep(0.01)
            client.flushall()
        finally:
            for pid in hearing:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


def restart_redis(ground: Ground, rng: random.Random) -> None:
    """Redis dies and comes back, with or without what it knew."""
    with ground.outage():
        ground.kill_redis()
        ground.red()
        time.sleep(rng.uniform(0.2, 2))
        ground.revive_redis(empty=rng.random() < 0.5)


def fill_redis(ground: Ground, rng: random.Random) -> None:
    """Redis is out of memory and takes no bell for a while."""
    with ground.outage(), ground.client() as client:
        client.config_set("maxmemory", "1")
        ground.red()
        time.sleep(rng.uniform(1, 2))
        client.config_set("maxmemory", "0")


def freeze_redis(ground: Ground, rng: random.Random) -> None:
    """Redis answers nobody for some seconds, GitHub is answered all the same, and work goes on afterwards."""
    ground.ready()
    with ground.outage():
        _freeze(ground, rng)
    _consumes(ground, time.time())


def _freeze(ground: Ground, rng: random.Random) -> None:
    whole = rng.random() < 0.5
    os.kill(ground.redis.pid, signal.SIGSTOP) if whole else ground.proxy.freeze()
    try:
        _answers(ground)
        time.sleep(rng.uniform(1, 4))
    finally:
        os.kill(ground.redis.pid, signal.SIGCONT) if whole else ground.proxy.thaw()


def half_open_redis(ground: Ground, rng: random.Random) -> None:
    """Every connection to Redis is dead and nobody is told: GitHub is answered, and the workers consume again."""
    ground.ready()
    started = time.time()
    with ground.outage():
        ground.proxy.half_open()
        _answers(ground)
        _consumes(ground, started)


def cut_redis(ground: Ground, rng: random.Random) -> None:
    """Every connection to Redis is reset."""
    ground.proxy.cut()


def lose_answers(ground: Ground, rng: random.Random) -> None:
    """GitHub does what it is asked and the answer gets lost, or is a server error."""
    for method, path in rng.sample(WRITES, 2):
        if rng.random() < 0.5:
            ground.hub.sever_requests(path, method=method, times=1, after=True)
        else:
            ground.hub.fail_requests(path, method=method, times=1, after=True)


def drop_delivery(ground: Ground, rng: random.Random) -> None:
    """GitHub cannot bring a delivery, or brings it twice."""
    ground.hub.drop_deliveries("workflow_run", times=2)
    ground.hub.duplicate_deliveries("check_run")
    ground.red()


def fill_disk(ground: Ground, rng: random.Random) -> None:
    """Not a byte is left for database, mirrors and logs: deliveries are stored or refused, nothing in between."""
    ballast = ground.folder / "ballast"
    ground.ready()
    with ground.outage():
        _fill(ballast)
        ground.red(2)
        answers = _answers(ground)
        _fill(ballast)  # what a journal gave back meanwhile
        time.sleep(rng.uniform(1, 3))
        ballast.unlink()
    assert answers <= {202, 204, 503}, f"a full disk was answered with {answers}"


def _fill(ballast: Path) -> None:
    block = bytes(1 << 16)
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while file.write(block):
            pass


def restart_postgres(ground: Ground, rng: random.Random) -> None:
    """PostgreSQL crashes or is shut down, and comes back a moment later."""
    if ground.postgres is None:
        raise ValueError("this installation has no PostgreSQL")
    ground.ready()
    with ground.outage():
        ground.postgres.stop(rng.choice([signal.SIGQUIT, signal.SIGINT]))
        ground.red()
        answers = _answers(ground, limit=10.0)
        time.sleep(rng.uniform(0, 1.5))
        ground.postgres.start()
    assert answers <= {202, 204, 503}, f"a database that is away was answered with {answers}"


def _answers(ground: Ground, limit: float = ANSWERS_WITHIN) -> set[int]:
    """One more red build is delivered now, and answered in time; gives the answers."""
    ground.told()
    ground.red()
    told = ground.told()
    slowest = max(float(one["duration"]) for one in told)
    assert slowest < limit * ground.patience, f"GitHub had to wait {slowest:.1f} s for an answer"
    return {int(one["status_code"]) for one in told}


def _consumes(ground: Ground, since: float) -> None:
    ground.red()
    left = CONSUMES_WITHIN - (time.time() - since) / ground.patience
    ground.until(lambda: ground.claims(since) > 0, left, "a worker consumes again")


def _all_children(ground: Ground) -> list[int]:
    return [pid for n in ground.crew for pid in ground.at_hand(n)]


def _at_work(ground: Ground) -> list[tuple[int, str]]:
    alive = set(_all_children(ground))
    working = [(int(owner.rpartition("/")[2]), run) for run, owner in ground.held().items()]
    return [(pid, run) for pid, run in working if pid in alive]


KILLS: Mapping[str, Act] = {
    "child": kill_child,
    "worker": kill_worker,
    "machine": kill_machine,
    "receiver": kill_receiver,
    "dispatcher": kill_dispatcher,
    "sweeper": kill_sweeper,
    "errands": kill_errands,
}
ACTS: Mapping[str, Act] = {
    **KILLS,
    "stop": stop_worker,
    "sleep": sleep_past_lease,
    "flush": flush_redis,
    "redis restart": restart_redis,
    "redis full": fill_redis,
    "redis frozen": freeze_redis,
    "redis half open": half_open_redis,
    "redis cut": cut_redis,
    "lost answer": lose_answers,
    "lost delivery": drop_delivery,
    "disk full": fill_disk,
    "database restart": restart_postgres,
}
