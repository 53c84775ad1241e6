"""The bell: a Celery application whose messages carry a run's id and nothing else. Losing every message loses nothing.

The reasons for each setting are measurements, in ARCHITECTURE.md; the ledger, not the broker, delivers again.
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu.entity import Queue  # kombu has few types
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from workers.domain import RunId

TASK = "heal.drive"
QUEUE = "heal"


def make_celery(redis_url: str, *, run_seconds: float = 1800.0, socket_timeout: float = 5.0) -> Celery:
    """The application, not connected yet. A process that only rings should use a `socket_timeout` of about 1 s."""
    celery: Celery = Celery("heal", broker=redis_url, backend=None, set_as_current=False)
    celery.conf.update(settings(run_seconds, socket_timeout))
    return celery


def settings(run_seconds: float, socket_timeout: float) -> dict[str, Any]:
    """Celery's settings as a plain value."""
    return {
        "task_acks_late": False,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": QUEUE,
        # No receipts: one that Redis did not take in time fills the worker's prefetch, and it is deaf for good.
        "task_queues": (Queue(QUEUE, no_ack=True),),  # type: ignore[no-untyped-call]
        "broker_transport_options": {
            "socket_timeout": socket_timeout,  # without it one half-open socket hangs a worker for good
            "socket_connect_timeout": min(2.0, socket_timeout),
            "socket_keepalive": True,
            "health_check_interval": 5,
            "retry_on_timeout": False,
            "global_keyprefix": "heal:",
        },
        "broker_connection_timeout": min(2.0, socket_timeout),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,  # a Redis that is full, or cannot write, says no: it must end no worker
        "task_publish_retry": False,  # the sweeper's next round is the retry
        "task_publish_retry_policy": {"max_retries": 0, "interval_start": 0, "interval_step": 0, "interval_max": 0},
        "worker_max_tasks_per_child": 25,
        "worker_max_memory_per_child": 600_000,
        "task_soft_time_limit": run_seconds + 60,
        "task_time_limit": run_seconds + 180,
        "worker_soft_shutdown_timeout": 5.0,  # a deploy frees its leases within 10 s
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_enable_remote_control": False,  # cancelling and status go through the database
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }


class Bell:
    """Rings from a process that only rings: every answer is awaited for about a second at most."""

    def __init__(self, redis_url: str) -> None:
        self._celery = make_celery(redis_url, socket_timeout=1.0)
        self._redis_url = redis_url

    def ring(self, run: RunId) -> bool:
        """See `ring`."""
        return ring(self._celery, run)

    def answers(self) -> bool:
        """Redis answers a ping."""
        client = Redis.from_url(self._redis_url, socket_timeout=1, socket_connect_timeout=1, retry=None)
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()


def ring(celery: Celery, run: RunId) -> bool:
    """Ask some worker to look at the run. False when Redis does not take it within the socket timeout; never raises
    for a broker that is down, frozen or full: the sweeper rings again."""
    try:
        celery.send_task(TASK, args=[run], queue=QUEUE, retry=False, ignore_result=True)
    except (OperationalError, RedisError, OSError):
        return False
    return True
