"""The log of a CI job, of any size: read once as a stream into a small value without secrets, cut into its steps.

read, parse     bytes or text in, a `JobLog` out; `with_reported` adds what the job API knows of the steps
versions        what the job's own output says was installed
machine         where it ran
clean, excerpt, normalise, signature_lines     lines of any output, made readable or comparable
"""

from __future__ import annotations

from workers.logs.machine import Machine, machine
from workers.logs.model import MASK, JobLog, LogStep, Versions
from workers.logs.named import versions
from workers.logs.reader import CHECKPOINT_LIMIT, LOG_LIMIT, MOST_STEPS, parse, read
from workers.logs.reported import with_reported
from workers.logs.text import clean, ending, excerpt, normalise, signature_lines

__all__ = [
    "CHECKPOINT_LIMIT",
    "LOG_LIMIT",
    "MASK",
    "MOST_STEPS",
    "JobLog",
    "LogStep",
    "Machine",
    "Versions",
    "clean",
    "ending",
    "excerpt",
    "machine",
    "normalise",
    "parse",
    "read",
    "signature_lines",
    "versions",
    "with_reported",
]
