"""How a process of ours logs: structlog and the standard library in one stream on standard error, every secret blanked.

Lines are JSON unless a person watches; libraries may warn but not chat. Called once by a process's entry point.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

QUIET = (
    *("alembic", "asyncio", "celery", "docker", "git", "github", "httpcore", "httpx", "kombu", "openai", "urllib3"),
    *("uvicorn", "uvicorn.error", "uvicorn.access"),
)
"""Libraries that may warn and nothing less: at DEBUG, PyGithub logs the answer that holds a fresh token."""


def configure(redact: Callable[[str], str], level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send every log line of the process to `stream` (standard error), the rendered text through `redact`."""
    out = stream or sys.stderr
    chain: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *chain,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *chain],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(out.isatty()),
                _last(redact),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    sys.excepthook = _uncaught
    threading.excepthook = lambda crash: _uncaught(crash.exc_type, crash.exc_value, crash.exc_traceback)
    for name in QUIET:
        library = logging.getLogger(name)
        library.setLevel(max(level, logging.WARNING))
        library.handlers.clear()
        library.propagate = True


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """A crash goes through the redactor like any other line; the interpreter would print its message as it is."""
    if error is None or issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error or kind(), trace)
    elif not issubclass(kind, SystemExit):
        logging.getLogger("heal").critical("crashed", exc_info=(kind, error, trace))


def _rendering(watched: bool) -> list[Processor]:
    if watched:  # plain tracebacks: the pretty ones print local variables, secrets included
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]


def _last(redact: Callable[[str], str]) -> Processor:
    def blanked(_: WrappedLogger, __: str, rendered: EventDict | str) -> str:
        return redact(str(rendered))

    return blanked
