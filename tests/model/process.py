"""Starts the model's server as its own process and speaks to its control pages."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.model.personas import Scene
from tests.model.replies import Reply
from tests.processes import unmeasured

ROOT = Path(__file__).resolve().parents[2]


class Model:
    """A running server. Use it in a `with` statement."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.model", "--port", "0"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=unmeasured(), stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url: str = json.loads(self.process.stdout.readline())["url"]

    def script(self, replies: Sequence[Reply]) -> None:
        """The replies to come, in order; forgets what came before."""
        self._call("script", json.dumps(list(replies)).encode())

    def cast(self, persona: str, scene: Scene) -> None:
        """Who answers from now on, and what it knows; an empty one leaves the choice to each request's `model`."""
        self._call("persona", json.dumps({"persona": persona, "scene": asdict(scene)}).encode())

    def requests(self) -> list[dict[str, Any]]:
        """The chat requests since the script was set: {"body", "headers", "at"}."""
        found: list[dict[str, Any]] = self._call("requests", None)
        return found

    def prompts(self) -> list[str]:
        """Each request's turns as one text."""
        return ["\n".join(str(turn["content"]) for turn in request["body"]["messages"]) for request in self.requests()]

    def _call(self, name: str, body: bytes | None) -> Any:
        url = self.url.removesuffix("/v1") + f"/control/{name}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(url, data=body), timeout=10) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
