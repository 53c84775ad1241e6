"""The log of a process: one JSON object per line, no secret in any of them, libraries quiet."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import logging
import structlog
log = structlog.get_logger("heal.early")
from workers.redact import Redactor
from workers.telemetry import configure
redactor = Redactor("correct horse battery")
configure(redactor)
log.info("started", key="correct horse battery", run="r1")
redactor.add("minted-a-moment-ago")
logging.getLogger("celery.worker").warning("lost %s", "minted-a-moment-ago")
for name in ("github.Requester", "urllib3.connectionpool", "docker.api", "httpx", "celery.app", "openai"):
    logging.getLogger(name).info("chatter")
try:
    raise ValueError("ghp_" + "a" * 40)
except ValueError:
    log.exception("bug")
with structlog.contextvars.bound_contextvars(run="r2"):
    logging.getLogger("workers.x").error("plain")
print("only data here")
"""


def logged() -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout, done.stderr


def test_one_stream_without_secrets() -> None:
    """Own and library lines are JSON on standard error; secrets, minted tokens and tracebacks are blanked."""
    out, err = logged()
    assert out == "only data here\n"
    lines = [json.loads(line) for line in err.splitlines()]
    assert [line["event"] for line in lines] == ["started", "lost [redacted]", "bug", "plain"]
    assert lines[0] | {"timestamp": ""} == {"event": "started", "key": "[redacted]", "run": "r1", "level": "info",
                                            "logger": "heal.early", "timestamp": ""}  # fmt: skip
    assert "ValueError: [redacted]" in lines[2]["exception"]
    assert lines[3]["run"] == "r2"
