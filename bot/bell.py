"""The receiver's hand on the bell. Celery is loaded at the first ring, so that importing the receiver stays cheap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis import Redis
from redis.exceptions import RedisError

from workers.domain import RunId

if TYPE_CHECKING:
    from celery import Celery

TIMEOUT = 1.0
"""Seconds Redis may take; it is never waited for on the request path, only in the dispatcher's thread."""


class Bell:
    """Rings `drive(run)` through Redis."""

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        self._celery: Celery | None = None

    def ring(self, run: RunId) -> bool:
        """Ask a worker to look at the run; False when Redis did not take it."""
        from workers.queue import make_celery, ring

        if self._celery is None:
            self._celery = make_celery(self._url, socket_timeout=TIMEOUT)
        return ring(self._celery, run)

    def answers(self) -> bool:
        """Redis answers within `TIMEOUT`."""
        try:
            with Redis.from_url(self._url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT) as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False

    def close(self) -> None:
        """Let go of the broker's connections."""
        if self._celery is not None:
            self._celery.close()
            self._celery = None
