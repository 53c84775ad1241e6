"""Writes a job's log as GitHub's runner does: BOM, timestamps, groups, the script in cyan, errors marked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from tests.hub.state import Json
from tests.hub.workflow_file import Step

_ANNOTATION = re.compile(r"^::(error|warning|notice)(?: ([^:]*(?:::?[^:]+)*?))?::(.*)$")
_LEVELS = {"error": "failure", "warning": "warning", "notice": "notice"}


def shell_line(step: Step) -> str:
    """The shell the runner shows and uses."""
    if step.shell == "bash":
        return "/usr/bin/bash --noprofile --norc -e -o pipefail {0}"
    if step.shell == "sh":
        return "/usr/bin/sh -e {0}"
    return "/usr/bin/bash -e {0}"


class JobLog:
    """A log that grows line by line."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lines: list[str] = []
        self.annotations: list[Json] = []

    def text(self) -> str:
        return "\ufeff" + "".join(f"{line}\n" for line in self._lines)

    def line(self, text: str) -> None:
        stamp = self._now().strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
        self._lines.append(f"{stamp} {text}")

    def group(self, title: str, inner: list[str]) -> None:
        self.line(f"##[group]{title}")
        for one in inner:
            self.line(one)
        self.line("##[endgroup]")

    def head(self, job: str, image: str) -> None:
        """What the runner says before the first step."""
        self.line("Current runner version: '2.329.0'")
        self.group("Runner Image", [f"Image: {image}"])
        self.group("GITHUB_TOKEN Permissions", ["Contents: read", "Metadata: read"])
        self.line("Secret source: Actions")
        self.line("Prepare workflow directory")
        self.line(f"Complete job name: {job}")

    def uses(self, step: Step) -> None:
        """An action: shown with its inputs, not run."""
        inputs = [f"  {key}: {value}" for key, value in step.inputs.items()]
        self.group(f"Run {step.uses}", ["with:", *inputs] if inputs else [])

    def run(self, step: Step, env: Mapping[str, str]) -> None:
        """The group in front of a script's output."""
        lines = step.run.rstrip("\n").split("\n")
        inner = [f"\x1b[36;1m{line}\x1b[0m" for line in lines]
        inner.append(f"shell: {shell_line(step)}")
        if env:
            inner += ["env:", *(f"  {key}: {value}" for key, value in env.items())]
        self.group(f"Run {lines[0].strip()}", inner)

    def output(self, raw: bytes) -> None:
        """A script's output; workflow commands become marks and annotations."""
        for line in raw.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n").split("\n"):
            match = _ANNOTATION.match(line)
            if match is None:
                self.line(line)
            else:
                self.line(f"##[{match[1]}]{match[3]}")
                self._annotate(_LEVELS[match[1]], match[2] or "", match[3])

    def failed(self, code: int) -> None:
        """The last word of a red step."""
        text = f"Process completed with exit code {code}."
        self.line(f"##[error]{text}")
        self._annotate("failure", f"file=.github,line={max(len(self._lines), 1)}", text)

    def _annotate(self, level: str, properties: str, message: str) -> None:
        known = dict(part.split("=", 1) for part in properties.split(",") if "=" in part)
        line = int(known["line"]) if known.get("line", "").isdigit() else 1
        last = int(known["endLine"]) if known.get("endLine", "").isdigit() else line
        self.annotations.append(
            {
                "path": known.get("file", ".github"),
                "start_line": line,
                "end_line": last,
                "annotation_level": level,
                "title": known.get("title", ""),
                "message": message,
            }
        )
