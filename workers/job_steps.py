"""What a job does, step by step: from its log joined with the workflow file, or from the workflow file alone.

The log gives scripts after interpolation; the file gives what the log lacks, working directories and later steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sandbox.spec import Fidelity, Service, Skipped, Step
from workers import actions, logs, services, workflow
from workers.domain import Case, Outcome
from workers.errors import Stop
from workers.scripts import commands, only_installs, words
from workers.toolchains import asked

DEFAULT_SHELL = "bash -e {0}"
_SHELLS: Mapping[str, str] = {
    "bash": "bash --noprofile --norc -e -o pipefail {0}",
    "sh": "sh -e {0}",
    "python": "python {0}",
}
_NOT_LINUX = re.compile(r"windows|macos|\barm\b|arm64|self-hosted|gpu", re.IGNORECASE)
_HOST_PATHS = ("/opt/hostedtoolcache", "/home/runner", "/usr/share/miniconda")
_HOST_NAMES = frozenset({"pythonLocation", "PKG_CONFIG_PATH", "LD_LIBRARY_PATH", "Python_ROOT_DIR", "Python2_ROOT_DIR"})
_PORTS = re.compile(r"\bjob\.services\b")
_REPORTER = re.compile(r"\b(always|failure|cancelled)\s*\(\)")


@dataclass(frozen=True)
class JobSteps:
    """The steps around the failing one. `check` is the failing step, or a choice among `before` was not made: None."""

    before: tuple[Step, ...]
    check: Step | None
    after: tuple[Step, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    fidelity: Fidelity = Fidelity.CLOSE
    image: str | None = None
    services: tuple[Service, ...] = ()
    languages: tuple[str, ...] = ()
    """Those the job was given by set-up actions."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """The versions of languages that the job asks for, as it writes them."""


@dataclass
class _Collected:
    """What adds up while the steps are walked."""

    steps: list[Step] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fidelity: Fidelity = Fidelity.EXACT
    languages: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)

    def lower(self, note: str) -> None:
        if self.fidelity is Fidelity.EXACT:
            self.fidelity = Fidelity.CLOSE
        if note not in self.notes:
            self.notes.append(note)


@dataclass(frozen=True)
class Cell:
    """One job of the file with the matrix combination that ran, and the contexts its expressions may use."""

    job: workflow.Job
    contexts: Mapping[str, object]
    env: Mapping[str, str]
    unresolved: tuple[str, ...] = ()


def cell(file: workflow.Workflow, job: workflow.Job, matrix: Mapping[str, object], case: Case) -> Cell:
    """Bind a job to what is known of this run. Names that only GitHub knows stay unresolved."""
    github = {
        "sha": case.head_sha,
        "repository": case.repo,
        "ref_name": case.branch,
        "ref": f"refs/heads/{case.branch}",
        "job": job.key,
        "event_name": "pull_request" if case.pull_request else "push",
        "actor": "",
        "workspace": ".",
    }
    contexts: dict[str, object] = {
        "github": github,
        "matrix": matrix,
        "runner": {"os": "Linux", "arch": "X64", "temp": "/tmp", "debug": ""},  # noqa: S108 - the runner's value
    }
    env: dict[str, str] = {}
    unresolved: list[str] = []
    for level in (file.env, job.env, job.container_env):
        for name, value in level.items():
            rendered = workflow.render(value, {**contexts, "env": env})
            unresolved += [f"env.{name}: {what}" for what in (*rendered.unresolved, *rendered.secrets)]
            if not rendered.unresolved:
                env[name] = rendered.text
    contexts["env"] = env
    told = {"status": "success", "services": services.context(job.services, contexts)}
    return Cell(job, {**contexts, "job": told}, env, tuple(unresolved))


def refuse(bound: Cell, ran: Sequence[str] = ()) -> None:
    """Raise `Stop(UNSUPPORTED)` for a job that cannot run here. `ran` are the scripts up to the failing step."""
    job = bound.job
    runs_on = workflow.render(job.runs_on, bound.contexts).text
    if _NOT_LINUX.search(runs_on):
        raise _unsupported(f"The job '{job.key}' runs on {runs_on}; the sandbox runs Linux on x86-64 only.")
    if job.computed_services:
        raise _unsupported(f"The job '{job.key}' computes its services at run time, so they are known to GitHub only.")
    if job.uses and not ran:
        raise _unsupported(f"The job '{job.key}' calls the reusable workflow {job.uses}, which is not read yet.")


def refuse_docker(scripts: Iterable[str]) -> None:
    """Raise `Stop(UNSUPPORTED)` when a script calls Docker: there is no engine inside the sandbox."""
    for script in scripts:
        for command in commands(script):
            if words(command)[:1] and words(command)[0] in ("docker", "docker-compose", "podman", "buildah"):
                raise _unsupported(f"The job calls Docker ({command[:80]}), which the sandbox does not offer.")


def from_log(log: logs.JobLog, bound: Cell | None) -> JobSteps | None:
    """The steps as the runner printed them, or None when the log shows no failing step or lacks its beginning."""
    failed = log.failed
    if failed is None:
        return None
    if re.search(r"Microsoft Windows|^macOS", log.preamble, re.MULTILINE):
        raise _unsupported("The job ran on Windows or macOS; the sandbox runs Linux on x86-64 only.")
    written = bound.job.steps if bound else ()
    if _beheaded(log, written, bound):
        return None
    collected = _Collected()
    at, check = 0, None
    for step in log.steps[: log.steps.index(failed) + 1]:
        match = _match(step, written, at, bound)
        at = match + 1 if match is not None else at
        is_check = step is failed
        found = _logged(step, written[match] if match is not None else None, bound, collected)
        if found is not None and is_check:
            check = found
        elif found is not None:
            collected.steps.append(found)
    if check is None:
        raise _unsupported(f"The step that failed is the action {failed.title}, which cannot be run in the sandbox.")
    if not collected.languages:
        collected.lower("CI used its machine's own tools, whose versions the log does not show")
    after = _later(written[at:] if written and at else (), bound, collected)
    if not written:
        collected.skipped.append(
            Skipped("steps after the failing one", "there is no workflow file to read them from", True)
        )
    image, beside = _container(bound, collected), _services(bound, collected)
    return JobSteps(
        tuple(collected.steps), check, after, {}, tuple(collected.skipped), tuple(collected.notes), collected.fidelity,
        image, beside, tuple(collected.languages), collected.versions,
    )  # fmt: skip


def from_file(bound: Cell, conclusions: Sequence[tuple[str, str]]) -> JobSteps:
    """The steps as the file writes them. `conclusions` are (name, conclusion) from the job API, may be empty.

    Without a failing step the check is the first step that does more than install; the later ones follow.
    """
    red = next((name for name, conclusion in conclusions if conclusion == "failure"), None)
    collected = _Collected(fidelity=Fidelity.CLOSE, notes=["read from the workflow file, without a log"])
    collected.notes += [f"unknown here: {what}" for what in bound.unresolved]
    check: Step | None = None
    rest: Sequence[workflow.Step] = ()
    for at, step in enumerate(bound.job.steps):
        found = _written(step, bound, collected, later=False)
        if found is not None and (_shown(step, bound) == red if red else not only_installs(found.script)):
            check, rest = found, bound.job.steps[at + 1 :]
            break
        if found is not None:
            collected.steps.append(found)
    after = _later(rest, bound, collected)
    image, beside = _container(bound, collected), _services(bound, collected)
    return JobSteps(
        tuple(collected.steps), check, after, bound.env, tuple(collected.skipped), tuple(collected.notes),
        collected.fidelity, image, beside, tuple(collected.languages), collected.versions,
    )  # fmt: skip


def _services(bound: Cell | None, collected: _Collected) -> tuple[Service, ...]:
    """The services that stand beside the job's steps. Raises `Stop(UNSUPPORTED)` for one that cannot."""
    if bound is None:
        return ()
    found, notes = services.planned(bound.job.services, bound.contexts)
    for note in notes:
        collected.lower(note)
    if found:
        collected.lower(f"the job's services run beside it here: {', '.join(one.image for one in found)}")
    return found


def _container(bound: Cell | None, collected: _Collected) -> str | None:
    """The image the job's steps ran in, as a full reference; None when the job has none that can be asked for."""
    if bound is None or not bound.job.container:
        return None
    rendered = workflow.render(bound.job.container, bound.contexts)
    if not rendered.text.strip():
        return None  # an empty expression means no container, as on GitHub
    if rendered.unresolved or rendered.secrets:
        collected.lower(f"the job's container {bound.job.container} is known to GitHub only")
        return None
    if bound.job.private_container:
        collected.lower(f"the job's container {rendered.text} needs credentials, which are not used here")
        return None
    if bound.job.container_options:
        collected.lower(f"the options of the job's container are left out: {bound.job.container_options[:200]}")
    image = rendered.text.strip().removeprefix("docker://")
    return image if re.search(r"[/:@]", image) else f"{image}:latest"


def _later(steps: Sequence[workflow.Step], bound: Cell | None, collected: _Collected) -> tuple[Step, ...]:
    found = (_written(step, bound, collected, later=True) for step in steps) if bound else ()
    return tuple(step for step in found if step is not None)


def _logged(
    step: logs.LogStep, written: workflow.Step | None, bound: Cell | None, collected: _Collected
) -> Step | None:
    if step.uses is not None:
        return _action(step.title, step.uses, step.inputs, collected, later=False)
    if step.masked:
        collected.lower(f"'{step.title}' used a secret, which is empty here")
    env = {
        name: value.replace(logs.MASK, "")
        for name, value in step.env.items()
        if name not in _HOST_NAMES and not any(path in value for path in _HOST_PATHS)
    }
    script = (step.script or "").replace(logs.MASK, "")
    if written is not None and bound is not None:
        script, env = _with_ports(script, env, written, bound)
    return Step(
        name=written.title if written else step.title,
        script=script,
        shell=_log_shell(step.shell),
        env=env,
        workdir=_workdir(written, bound),
    )


def _with_ports(script: str, env: dict[str, str], written: workflow.Step, bound: Cell) -> tuple[str, dict[str, str]]:
    """The log shows the ports that GitHub's machine gave to services by chance: here they are others."""
    ported = {name: value for name, value in written.env.items() if _PORTS.search(value)}
    env |= {name: workflow.render(value, bound.contexts).text for name, value in ported.items()}
    if _PORTS.search(written.run or ""):
        rendered = workflow.render(written.run or "", bound.contexts)
        script = script if rendered.unresolved else rendered.text
    return script, env


def _written(step: workflow.Step, bound: Cell, collected: _Collected, *, later: bool) -> Step | None:
    """A step of the file made ready, or None with the reason noted."""
    if later and _REPORTER.search(step.condition):
        collected.skipped.append(Skipped(step.title, "it runs whatever happens, so it proves nothing", False))
        return None
    if step.continue_on_error and (later or not only_installs(step.run or "")):
        collected.skipped.append(Skipped(step.title, "the job goes on when it fails, so it decides nothing", False))
        return None
    try:
        if step.condition and not _wanted(step.condition, bound):
            return None
    except workflow.Unresolved as unknown:
        collected.skipped.append(Skipped(step.title, f"its condition needs {unknown}, which only GitHub knows", True))
        return None
    if step.uses is not None:
        inputs = {name: workflow.render(value, bound.contexts).text for name, value in step.inputs.items()}
        return _action(step.title, step.uses, inputs, collected, later=later)
    return _script(step, bound, collected)


def _script(step: workflow.Step, bound: Cell, collected: _Collected) -> Step | None:
    env: dict[str, str] = {}
    rendered = [workflow.render(step.run or "", bound.contexts)]
    for name, value in step.env.items():
        rendered.append(workflow.render(value, {**bound.contexts, "env": {**bound.env, **env}}))
        env[name] = rendered[-1].text
    unresolved = [what for text in rendered for what in text.unresolved]
    secrets = [what for text in rendered for what in text.secrets]
    if unresolved:
        collected.skipped.append(Skipped(step.title, f"it needs {unresolved[0]}, which only GitHub knows", True))
        return None
    if secrets:
        collected.lower(f"'{step.title}' uses {', '.join(secrets)}, which is empty here")
    shell = step.shell or bound.job.shell
    return Step(_shown(step, bound), rendered[0].text, _shell(shell, bound.job), env, _workdir(step, bound))


def _action(title: str, uses: str, inputs: Mapping[str, str], collected: _Collected, *, later: bool) -> Step | None:
    action = actions.look_up(uses, inputs)
    if action.effect is actions.Effect.REFUSED and not later:
        raise _unsupported(f"The job uses {uses}: {action.why}.")
    if action.language and action.language not in collected.languages:
        collected.languages.append(action.language)
    if action.effect in (actions.Effect.UNKNOWN, actions.Effect.REFUSED):
        collected.skipped.append(Skipped(title, action.why, True))
    elif action.effect is actions.Effect.HARMLESS:
        collected.skipped.append(Skipped(title, action.why, False))
    elif action.effect is actions.Effect.LANGUAGE and (version := asked(action.language, uses, inputs)):
        collected.versions[action.language] = version
    elif action.effect is actions.Effect.RUNS:
        return _stand_in(title, action, collected)
    return None


def _stand_in(title: str, action: actions.Action, collected: _Collected) -> Step | None:
    collected.lower(f"'{title}' is replaced by the commands it stands for")
    install = Step(title, action.install)
    if not action.run:
        return install
    if action.install:
        collected.steps.append(replace(install, name=f"{title} (install)"))
    return Step(title, action.run)


def _match(step: logs.LogStep, written: Sequence[workflow.Step], start: int, bound: Cell | None) -> int | None:
    """The file's step that printed this: same action, or same first line with expressions as wildcards."""
    contexts = {name: value for name, value in bound.contexts.items() if name != "job"} if bound else {}
    for at in range(start, len(written)):
        candidate = written[at]
        if step.uses is not None and candidate.uses == step.uses:
            return at
        if step.script is not None and candidate.run is not None:
            first = workflow.render(candidate.run, contexts).text.strip().split("\n")[0]
            pattern = ".*".join(map(re.escape, re.split(r"\$\{\{.*?\}\}", first)))
            if re.fullmatch(pattern, step.script.strip().split("\n")[0]):
                return at
    return None


def _beheaded(log: logs.JobLog, written: Sequence[workflow.Step], bound: Cell | None) -> bool:
    """Only the end of a long log was kept, and steps that must have run are not in it."""
    first = _match(log.steps[0], written, 0, bound)
    return first is not None and any(step.run and not step.condition for step in written[:first])


def _wanted(condition: str, bound: Cell) -> bool:
    expression = condition.strip()
    if expression.startswith("${{") and expression.endswith("}}"):
        expression = expression[3:-2]
    return workflow.truthy(workflow.evaluate(expression, bound.contexts))


def _shown(step: workflow.Step, bound: Cell) -> str:
    return workflow.render(step.title, bound.contexts).text


def _workdir(step: workflow.Step | None, bound: Cell | None) -> str:
    written = (step.workdir if step else None) or (bound.job.workdir if bound else None) or "."
    return workflow.render(written, bound.contexts if bound else {}).text.removeprefix("./").rstrip("/") or "."


def _shell(name: str | None, job: workflow.Job) -> str:
    if name is None:
        return _SHELLS["sh"] if job.container else DEFAULT_SHELL
    if name in _SHELLS:
        return _SHELLS[name]
    if "{0}" in name:
        return name
    raise _unsupported(f"The job '{job.key}' uses the shell '{name}', which the sandbox does not have.")


def _log_shell(printed: str | None) -> str:
    """The runner prints the full path on its own disk; the sandbox finds the program by name."""
    if not printed or "{0}" not in printed:
        return DEFAULT_SHELL
    program, _, rest = printed.partition(" ")
    name = program.rsplit("/", 1)[-1]
    if name in ("pwsh", "powershell", "cmd"):
        raise _unsupported(f"The failing job uses the shell '{name}', which the sandbox does not have.")
    return f"{name} {rest}"


def _unsupported(sentence: str) -> Stop:
    return Stop(Outcome.UNSUPPORTED, sentence)
