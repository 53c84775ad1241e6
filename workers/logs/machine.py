"""What the runner says before the first step: the machine, its image, the reusable workflow, the containers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from workers.logs.model import JobLog

_RUNNER = re.compile(r"^Current runner version: '([^'\n]{1,40})'$", re.MULTILINE)
_WORKFLOW = re.compile(r"^Uses: (\S{1,300}@\S{1,200})", re.MULTILINE)
_JOB = re.compile(r"^Complete job name: (.{1,300})$", re.MULTILINE)
_SERVICE = re.compile(r"^Starting (.{1,100}) service container$")


@dataclass(frozen=True)
class Machine:
    """Where a job ran, as far as its log tells; empty where it does not."""

    runner: str = ""
    """The runner program's version."""
    system: str = ""
    """`Ubuntu 24.04.3 LTS`"""
    image: str = ""
    """`ubuntu-24.04`"""
    image_version: str = ""
    """`20250105.1.0`"""
    job: str = ""
    """The complete name, with the names of the jobs that called it."""
    workflow: str = ""
    """The reusable workflow that the job is of: `owner/name/.github/workflows/file.yml@ref`."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """What that workflow was called with."""
    services: Mapping[str, str] = field(default_factory=dict)
    """Service container to what was printed while it was started."""
    containers: Mapping[str, str] = field(default_factory=dict)
    """The other groups about containers, by title: the job's own, the network, the wait for services."""


def machine(log: JobLog) -> Machine:
    """The facts before the first step."""
    groups = dict(_groups(log.preamble))
    system = groups.get("Operating System", "").split("\n")
    image = _pairs(groups.get("Runner Image", "") or groups.get("Virtual Environment", ""))
    services = {match[1]: text for title, text in groups.items() if (match := _SERVICE.match(title))}
    return Machine(
        runner=_first(_RUNNER, log.preamble),
        system=" ".join(line.strip() for line in system).strip(),
        image=image.get("Image", "") or image.get("Environment", ""),
        image_version=image.get("Version", ""),
        job=_first(_JOB, log.preamble),
        workflow=_first(_WORKFLOW, log.preamble),
        inputs=_pairs(groups.get("Inputs", "")),
        services=services,
        containers={
            title: text
            for title, text in groups.items()
            if re.search(r"\bdocker\b|container|services|resources", title) and not _SERVICE.match(title)
        },
    )


def _groups(text: str) -> Iterator[tuple[str, str]]:
    title, inner = None, list[str]()
    for line in text.split("\n"):
        if line.startswith("##[group]"):
            title, inner = line.removeprefix("##[group]").strip(), []
        elif line == "##[endgroup]" and title is not None:
            yield title, "\n".join(inner)
            title = None
        elif title is not None:
            inner.append(line)
    if title is not None:  # the job broke inside
        yield title, "\n".join(inner)


def _pairs(text: str) -> dict[str, str]:
    lines = (line.strip().partition(": ") for line in text.split("\n"))
    return {name: value for name, colon, value in lines if colon}


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
