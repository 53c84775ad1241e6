"""What cannot run here, and what can only come near: runners, Docker inside the job, secrets in the failing command.

Each refusal is one sentence that names the job or the step, raised before anything is spent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sandbox.spec import Step
from workers.job_steps.bound import Bound
from workers.job_steps.collected import unsupported
from workers.scripts import commands, words

_NOT_LINUX = re.compile(r"windows|macos|darwin|(?:^|[^a-z])(?:win|mac|osx)(?:[^a-z]|$)", re.IGNORECASE)
_NOT_X86 = re.compile(r"(?:^|[^a-z])(?:arm(?:64|v\d|32)?|aarch64|riscv\w*|s390x|ppc64\w*)(?:[^a-z]|$)", re.IGNORECASE)
_GPU = re.compile(r"gpu|cuda|nvidia|(?:^|[^a-z0-9])(?:a10g?|a100|h100|t4|v100)(?:[^a-z0-9]|$)", re.IGNORECASE)
_GITHUBS = re.compile(r"ubuntu-(?:latest|slim|\d\d\.\d\d)(?:-[\w-]+)?", re.IGNORECASE)
"""Also with a size behind it: a larger machine has the same tools."""
_OTHER_SYSTEM = re.compile(r"Microsoft Windows|^macOS", re.MULTILINE)
_ENGINES = frozenset({"docker", "docker-compose", "podman", "buildah", "nerdctl", "minikube", "kind", "k3d"})


def refuse(bound: Bound) -> None:
    """Raise `Stop(UNSUPPORTED)` for a job that cannot run here."""
    job = bound.job
    why = machine(bound.render(job.runs_on).text)
    if why:
        raise unsupported(f"The job '{job.key}' {why}")
    if job.computed_services:
        raise unsupported(f"The job '{job.key}' computes its services at run time, so they are known to GitHub only.")


def machine(labels: str) -> str:
    """Why a runner with these labels cannot be stood in for, as the end of a sentence; empty when it can."""
    if _NOT_LINUX.search(labels):
        return f"runs on {labels}; the sandbox runs Linux on x86-64 only."
    if _NOT_X86.search(labels):
        return f"runs on {labels}, another kind of processor; the sandbox runs Linux on x86-64 only."
    return f"runs on {labels}, a machine with a GPU, which the sandbox does not have." if _GPU.search(labels) else ""


def machine_note(bound: Bound) -> str:
    """What to say of a runner that may have more than GitHub's own machines; empty for those."""
    rendered = bound.render(bound.job.runs_on)
    if rendered.unresolved:
        return f"which runner the job has ({bound.job.runs_on}) is known to GitHub only: taken for Linux on x86-64"
    labels = [label.strip() for label in rendered.text.split(",")]
    if not rendered.text or any(_GITHUBS.fullmatch(label) for label in labels):
        return ""
    return f"the job runs on a machine of its own ({rendered.text}): what is installed there is not known here"


def refuse_system(preamble: str) -> None:
    """Raise for a log that another system than Linux printed."""
    if _OTHER_SYSTEM.search(preamble):
        raise unsupported("The job ran on Windows or macOS; the sandbox runs Linux on x86-64 only.")


def refuse_docker(steps: Iterable[Step]) -> None:
    """Raise `Stop(UNSUPPORTED)` when a script calls Docker: there is no engine inside the sandbox."""
    for step in steps:
        for command in commands(step.script):
            if words(command)[:1] and words(command)[0] in _ENGINES:
                raise unsupported(
                    f"The step '{step.name}' calls Docker ({command[:80]}), which the sandbox does not offer."
                )


def refuse_secret(title: str, secrets: Iterable[str]) -> None:
    """Raise for a failing step whose own command holds a secret: without it the failure would be another one."""
    named = ", ".join(dict.fromkeys(secrets))
    raise unsupported(
        f"The failing step '{title}' has {named or 'a secret'} in its command; no secret ever reaches the sandbox."
    )


def oidc(bound: Bound | None) -> str:
    """What to add of a cloud login in a job that may ask GitHub for an identity token; empty in any other."""
    permissions = bound.job.permissions if bound else {}
    if permissions.get("id-token") != "write" and permissions.get("") != "write-all":
        return ""
    return " by an identity token of GitHub's (permissions: id-token: write), which does not exist here"
