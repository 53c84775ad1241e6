"""Makes the recipe of a red job: which steps prepare the environment, which command failed, what follows it.

Order: the command a person gave or `verify.command`, then the log joined with the workflow file, then the file alone,
then a guess from the repository's files. Pure: same inputs, same plan.

Where no failing step is known, `check` is the first step that does more than install and `after` are the rest: run
them in order, the first red one is the failure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sandbox import languages
from sandbox.spec import Fidelity, Plan, Service, Step
from workers import history, job_steps, logs, reach, runner_programs, scripts, toolchains, workflow
from workers.detect import detect, python_setup
from workers.domain import Case, JobReport, Outcome
from workers.errors import Stop
from workers.job_steps import JobSteps
from workers.ports import SourceTree
from workers.repo_config import RepoConfig

_MANIFEST = re.compile(
    r"requirements.*\.(txt|in)|constraints.*\.txt|pyproject\.toml|setup\.(py|cfg)|tox\.ini|noxfile\.py"
    r"|uv\.lock|poetry\.lock|pdm\.lock|Pipfile(\.lock)?|\.pre-commit-config\.yaml|\.python-version|environment\.ya?ml"
    r"|package\.json|package-lock\.json|yarn\.lock|pnpm-lock\.yaml|\.npmrc|go\.(mod|sum|work)"
    r"|Cargo\.(toml|lock)|rust-toolchain(\.toml)?|pom\.xml|(settings|build)\.gradle(\.kts)?|gradle\.properties"
    r"|libs\.versions\.toml|gradle-wrapper\.properties|maven-wrapper\.properties"
)
_CI_ENV: Mapping[str, str] = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "RUNNER_OS": "Linux",
    "RUNNER_ARCH": "X64",
    "RUNNER_NAME": "heal",
}
_NEAR: Mapping[str, tuple[str, ...]] = {
    "python": ("python", "pypy", "tox", "django", "poetry"),
    "node": ("node", "playwright", "cypress", "bun"),
    "go": ("golang",),
    "rust": ("rust",),
    "java": ("java", "jdk", "maven", "gradle", "temurin", "corretto"),
}
"""Words in the name of an image that tell which of ours is nearest to it."""
_SILENT = (
    "Nothing in the repository says how it is tested: "
    "give a command with --check, or verify.command in .github/heal.yml."
)


@dataclass(frozen=True)
class _Base:
    """A recipe before the wishes of people: the job's steps and the image they want."""

    steps: JobSteps
    image: str = "python"


def plan(job: JobReport, tree: SourceTree, config: RepoConfig, case: Case) -> Plan:
    """The recipe for this job. Raises `Stop(UNSUPPORTED)` with a sentence when it cannot be run here."""
    command = case.check or config.verify.command
    try:
        base = _base(job, tree, case, command or "")
    except Stop:
        if command is None:
            raise
        base = None
    if base is None and command is None:
        raise Stop(Outcome.UNSUPPORTED, _SILENT)
    if command is not None:
        base = _with_command(base, command, tree)
    if base is None or base.steps.check is None:
        raise Stop(Outcome.UNSUPPORTED, _SILENT)
    image = config.environment.image or base.steps.image or base.image
    if image not in languages.BY_KEY and not re.search(r"[/:]", image):
        raise Stop(Outcome.UNSUPPORTED, f"The sandbox has no image for '{image}' yet.")
    return _assemble(base.steps, base.steps.check, image, tree, config, case)


def elsewhere(recipe: Plan, tree: SourceTree) -> Plan:
    """The same recipe for the files of another commit: other manifests ask for another environment."""
    return replace(recipe, manifests=_manifests(tree, recipe.setup))


def in_own_image(recipe: Plan, why: str) -> Plan:
    """The same recipe in the nearest of our own images, for when the one it names cannot be had."""
    name = recipe.image.rpartition("/")[2].split(":")[0].split("@")[0]
    own = next((language for language, words in _NEAR.items() if any(word in name for word in words)), "debian")
    note = f"CI ran in {recipe.image}; the sandbox's own {own} image stands in: {why}"
    return replace(recipe, image=own, fidelity=Fidelity.APPROXIMATE, notes=(*recipe.notes, note))


def unknown_job(tree: SourceTree, case: Case) -> str:
    """Why the job that a person named cannot be found in the workflow files; empty when it is there."""
    report = JobReport(name=case.job)
    bound, problems = _bind(report, tree, case, report.log)
    if bound is not None:
        return ""
    return "; ".join(problems) or f"There is no workflow file that could hold a job named '{case.job}'."


def describe(recipe: Plan) -> list[str]:
    """The recipe for people, one line per fact."""
    lines = [f"image: {recipe.image}", f"fidelity: {recipe.fidelity}"]
    lines += [f"service: {one.name}: {one.image}" + _ports(one) for one in recipe.services]
    lines += [f"set-up: {step.name}: {_one_line(step.script)}" for step in recipe.setup]
    if recipe.network:
        lines.append(f"network: {', '.join(recipe.network)}, as far as HEAL_CHECK_HOSTS grants it")
    lines.append(f"check: {recipe.check.name}: {_one_line(recipe.check.script)}")
    lines += [f"after: {step.name}: {_one_line(step.script)}" for step in recipe.after]
    lines += [
        f"skipped: {s.step}: {s.reason}" + (" (weakens the proof)" if s.weakens_proof else "") for s in recipe.skipped
    ]
    return lines + [f"note: {note}" for note in recipe.notes]


def _ports(service: Service) -> str:
    told = [*map(str, service.ports), *(f"{outside} for {inside}" for outside, inside in service.forwards)]
    return f" (ports {', '.join(told)})" if told else ""


def _base(job: JobReport, tree: SourceTree, case: Case, command: str) -> _Base | None:
    log = job.log
    bound, problem = _bind(job, tree, case, log)
    if bound is not None:
        job_steps.refuse(bound)
    found = job_steps.from_log(log, bound, job.steps)
    if found is None and bound is not None:
        found = job_steps.from_file(bound, job.steps)
    if found is not None and found.check is not None:
        job_steps.refuse_docker((*found.before, found.check))
        needed = toolchains.needed(found.languages, (*found.before, found.check, *found.after))
        needed = needed or toolchains.of_files(tree.paths())
        steps = replace(found, notes=(*found.notes, *problem), languages=needed)
        return _Base(steps, *needed[:1])
    if bound is not None and found is not None:
        problem = (*problem, *_nothing_to_check(bound, found))
    named = bound is not None and (job.name or case.job)
    known = job.workflow is not None or job.workflow_path or case.workflow_path
    if problem and not log.steps and (known or named):
        raise Stop(Outcome.UNSUPPORTED, problem[-1] if bound is not None else problem[0])
    return _guess(tree, problem, command)


def _nothing_to_check(bound: job_steps.Bound, found: JobSteps) -> tuple[str, ...]:
    """Why a job that was found has no step that could be the check."""
    job = f"The job '{bound.job.key}' has no step that can be run here"
    lost = [f"'{one.step}': {one.reason}" for one in found.skipped if one.weakens_proof]
    return (f"{job}: {'; '.join(lost[:3])}." if lost else f"{job}: it only installs, reports or hands files on.",)


def _bind(
    job: JobReport, tree: SourceTree, case: Case, log: logs.JobLog
) -> tuple[job_steps.Bound | None, tuple[str, ...]]:
    """The job in its workflow file, and what was wrong with the files that were looked at."""
    problems: list[str] = []
    known = job_steps.Known(case, tree, log, ran=bool(log.steps or job.steps))
    for path, text in _files(job, tree, case):
        try:
            file = workflow.parse(text)
        except workflow.WorkflowError as error:
            problems.append(f"{path}: {error}" if path else str(error))
            continue
        bound, problem = job_steps.find(job.name or case.job, path, file, known)
        if bound is not None:
            return bound, tuple(problems)
        problems += [problem] if problem else []
    return None, tuple(problems)


def _files(job: JobReport, tree: SourceTree, case: Case) -> list[tuple[str, str]]:
    if job.workflow is not None:
        return [(job.workflow_path or case.workflow_path, job.workflow)]
    known = job.workflow_path or case.workflow_path
    paths = [known] if known else sorted(p for p in tree.paths() if re.fullmatch(r"\.github/workflows/[^/]+\.ya?ml", p))
    return [(path, content.decode(errors="replace")) for path in paths if (content := tree.read(path)) is not None]


def _guess(tree: SourceTree, problems: tuple[str, ...], command: str) -> _Base | None:
    """By the files; where a person gave the command, only a guess for the command's language tells its set-up."""
    guess = detect(tree, *toolchains.needed((), [Step("", command)])[:1])
    if guess is None:
        if problems:
            raise Stop(Outcome.UNSUPPORTED, f"{problems[0]} {_SILENT}")
        return None
    setup = tuple(Step(_one_line(script), script) for script in guess.setup)
    notes = (*problems, f"guessed from {guess.because}: neither a log nor a workflow says how the job runs")
    check = Step(guess.check, guess.check)
    return _Base(JobSteps(setup, check, notes=notes, fidelity=Fidelity.APPROXIMATE), guess.image)


def _with_command(base: _Base | None, command: str, tree: SourceTree) -> _Base:
    """Keep what the job installs; the command takes the place of its check and of what follows it."""
    check = Step(command.strip().split("\n")[0], command)
    called = toolchains.needed((), [check])
    if base is None:
        image = next(iter(called or toolchains.of_files(tree.paths())), "python")
        setup = tuple(Step(_one_line(script), script) for script in python_setup(tree)) if image == "python" else ()
        return _Base(JobSteps(setup, check, notes=("the command was given",), fidelity=Fidelity.APPROXIMATE), image)
    old = base.steps
    installing = [step for step in (old.check, *old.after) if step and scripts.split(step.script).install]
    setup = (*old.before, *(replace(step, script=scripts.split(step.script).install) for step in installing))
    fidelity = Fidelity.CLOSE if old.fidelity is Fidelity.EXACT else old.fidelity
    steps = replace(
        old,
        before=setup,
        check=check,
        after=(),
        notes=(*old.notes, "the command was given"),
        fidelity=fidelity,
        languages=toolchains.needed((*old.languages, *called), ()),
    )
    return replace(base, steps=steps)


def _assemble(steps: JobSteps, check: Step, image: str, tree: SourceTree, config: RepoConfig, case: Case) -> Plan:
    setup, notes, skipped = list(steps.before), list(steps.notes), list(steps.skipped)
    ready: list[Step] = []
    for step in (check, *steps.after):
        prepared, remaining, note = _prime(step)
        setup += prepared
        ready += [remaining] if remaining else []
        notes += [note] if note else []
    if not ready or (remaining_check := ready[0]).name != check.name:
        ready.insert(0, remaining_check := check)  # a failing step that only installs is its own check
        setup = [step for step in setup if step.name != f"{check.name} (install)"]
    if config.environment.setup is not None:
        setup = [Step(_one_line(script), script) for script in config.environment.setup]
    added, about = toolchains.additions(steps.languages, image)
    programs, told = runner_programs.added((*setup, *ready), steps.env, image)
    setup, extra = _with_pytest([*added, *programs, *setup], ready[0], tree)
    if steps.services and ready[1:]:
        extra = (*extra, "each later step finds the services as set-up left them, not as the step before it did")
    told = [*told, *reach.notes(setup, ready, tree)]
    asks_git = history.note((*setup, *ready), tree)
    return Plan(
        image=image,
        setup=tuple(setup),
        check=_of_commit(remaining_check, case),
        after=tuple(_of_commit(step, case) for step in ready[1:]),
        env={**_CI_ENV, **steps.env, **config.environment.env},
        manifests=_manifests(tree, setup),
        trust=_trust_domain(case),
        timeout_s=min(config.environment.timeout, steps.timeout_s or config.environment.timeout),
        memory=config.environment.memory << 30,
        network=config.environment.network,
        fidelity=Fidelity.CLOSE if added and steps.fidelity is Fidelity.EXACT else steps.fidelity,
        skipped=tuple(skipped),
        notes=(*notes, *about, *told, *extra, *([asks_git] if asks_git else [])),
        services=steps.services,
        repository=bool(asks_git),
    )


def _prime(step: Step) -> tuple[list[Step], Step | None, str]:
    """(set-up steps, what is left of the step, note). The check has no network, so installing moves to the set-up."""
    cut = scripts.split(step.script)
    if cut.whole:
        return [], step, f"'{step.name}' installs inside a longer script: it is run whole, without network"
    if cut.install:
        prepared = [replace(step, name=f"{step.name} (install)", script=cut.install)]
        if not scripts.commands(cut.check) or scripts.only_installs(step.script):
            return prepared, None, ""
        return prepared, replace(step, script=cut.check), f"the installing part of '{step.name}' runs in the set-up"
    primer = scripts.primer(step.script)
    if primer is not None:
        return (
            [replace(step, name=f"{step.name} (prime)", script=primer)],
            step,
            f"'{step.name}' is primed: {_one_line(primer)}",
        )
    return [], step, ""


def _with_pytest(setup: list[Step], check: Step, tree: SourceTree) -> tuple[list[Step], tuple[str, ...]]:
    """Only for a set-up that installs nothing at all: pytest has to come from somewhere."""
    if not scripts.invocations(check.script, "pytest") or any(_may_bring_pytest(step.script, tree) for step in setup):
        return setup, ()
    step = Step("pytest", "python -m pip install pytest")
    return [*setup, step], ("no step installs pytest: today's version is used",)


def _may_bring_pytest(script: str, tree: SourceTree) -> bool:
    if "pytest" in script:
        return True
    texts = [tree.read(path) or b"" for path in tree.paths() if _decides(path)]
    return any(map(scripts.installs, scripts.commands(script))) and any(b"pytest" in text for text in texts)


def _of_commit(step: Step, case: Case) -> Step:
    """Values that change with every commit stand here and not in `Plan.env`, which is part of the environment's key."""
    ref = f"refs/pull/{case.pull_request}/merge" if case.pull_request else f"refs/heads/{case.branch}"
    values = {
        "GITHUB_SHA": str(case.head_sha),
        "GITHUB_REF": ref,
        "GITHUB_REF_NAME": ref.split("/", 2)[-1],
        "GITHUB_REPOSITORY": case.repo,
        "GITHUB_EVENT_NAME": "pull_request" if case.pull_request else "push",
    }
    return replace(step, env={**values, **step.env})


def _manifests(tree: SourceTree, setup: Iterable[Step]) -> dict[str, str]:
    found = {path: content for path in tree.paths() if _decides(path) and (content := tree.read(path)) is not None}
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(found.items())}
    if any(scripts.installs_project(step.script) for step in setup):
        hashes["."] = str(tree.sha)
    return hashes


def _decides(path: str) -> bool:
    """What the file says decides the environment. Asked of every file, so by its name alone."""
    folder, _, name = path.rpartition("/")
    return _MANIFEST.fullmatch(name) is not None or folder.rpartition("/")[2] == "requirements"


def _one_line(script: str) -> str:
    lines = [line.strip() for line in script.strip().split("\n") if line.strip()]
    return (lines[0] if lines else "(empty)") + (f" (+{len(lines) - 1} lines)" if len(lines) > 1 else "")


def _trust_domain(case: Case) -> str:
    """Who may change what whose set-up reads: the repository's own branches share, a fork's pull request is alone."""
    repository = case.repo_id or case.repo
    return f"{repository}:fork:{case.pull_request or case.head_sha}" if case.fork else f"{repository}:base"
