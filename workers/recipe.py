"""Makes the recipe of a red job: which steps prepare the environment, which command failed, what follows it.

Order: the command a person gave or `verify.command`, then the log joined with the workflow file, then the file alone,
then the config of another CI, then a guess from the repository's files. Pure: same inputs, same plan.

Where no failing step is known, `check` is the first step that does more than install and `after` are the rest: run
them in order, the first red one is the failure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from sandbox import languages
from sandbox.spec import Fidelity, Plan, Step
from workers import (
    ci,
    history,
    job_steps,
    logs,
    pins,
    priming,
    reach,
    runner_programs,
    scripts,
    services,
    toolchains,
    workflow,
)
from workers.detect import detect, python_setup
from workers.domain import Case, JobReport, Outcome
from workers.errors import Stop
from workers.job_steps import JobSteps
from workers.ports import SourceTree
from workers.repo_config import RepoConfig
from workers.text_files import TextFiles

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
IN_SETUP = " (in the set-up)"
"""How a check's name ends in the set-up, where it needs the package indexes (see `workers.fresh`)."""
_NEAR: Mapping[str, tuple[str, ...]] = {
    "python": ("python", "pypy", "tox", "django", "poetry"),
    "node": ("node", "playwright", "cypress", "bun"),
    "go": ("golang",),
    "rust": ("rust",),
    "java": ("java", "jdk", "maven", "gradle", "temurin", "corretto"),
}
"""Words in the name of an image that tell which of ours is nearest to it."""
"""How much of a step's output is read for the packages it installed, in characters."""
_SILENT = (
    "Nothing in the repository says how it is tested: "
    "give a command with --check, or verify.command in .github/heal.yml."
)


@dataclass(frozen=True)
class _Base:
    """A recipe before the wishes of people: the job's steps and the image they want."""

    steps: JobSteps
    image: str = "python"
    printed: pins.Versions = field(default_factory=dict)
    """The versions of packages that CI's log prints."""
    guessed: bool = False


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
    return _assemble(base, base.steps.check, image, tree, config, case, job.started_at)


def elsewhere(recipe: Plan, tree: SourceTree) -> Plan:
    """The same recipe for the files of another commit: other manifests ask for another environment."""
    return replace(recipe, manifests=_manifests(tree, recipe.setup))


def in_own_image(recipe: Plan, why: str) -> Plan:
    """The same recipe in the nearest of our own images, for when the one it names cannot be had."""
    name = recipe.image.rpartition("/")[2].split(":")[0].split("@")[0]
    own = next((language for language, words in _NEAR.items() if any(word in name for word in words)), "debian")
    note = f"CI ran in {recipe.image}; the sandbox's own {own} image stands in: {why}"
    return replace(recipe, image=own, fidelity=Fidelity.APPROXIMATE, notes=(*recipe.notes, note))


def job_names(tree: SourceTree, case: Case, text: str | None = None) -> tuple[str, ...]:
    """The jobs of the workflow files (or of one's `text`), by the names of their checks; of another CI's where there is
    no workflow."""
    names: list[str] = []
    known = job_steps.Known(case, tree, logs.JobLog())
    for path, content in _files(JobReport("", workflow=text), tree, case):
        with suppress(workflow.WorkflowError):
            names += job_steps.names(path, workflow.parse(content), known)
    return tuple(names) or tuple(job.name for config in ci.configs(tree) for job in config.jobs)


def unknown_job(tree: SourceTree, case: Case, text: str | None = None) -> str:
    """Why the job that a person named cannot be found in the workflow files (or in one's `text`); empty when it is
    there."""
    bound, problems = _bind(JobReport(case.job, workflow=text), tree, case)
    if bound is not None:
        return ""
    others = list(ci.configs(tree)) if text is None else []
    if any(ci.named(config.jobs, case.job) for config in others):
        return ""
    told = [*problems, *filter(None, (ci.without(config, case.job) for config in others))]
    return "; ".join(told) or f"There is no workflow file that could hold a job named '{case.job}'."


def _base(job: JobReport, tree: SourceTree, case: Case, command: str) -> _Base | None:
    log = job.log
    bound, problem = _bind(job, tree, case)
    if bound is not None:
        job_steps.refuse(bound)
    found = job_steps.from_log(log, bound, job.steps)
    if found is None and bound is not None:
        found = job_steps.from_file(bound, job.steps)
    if found is not None and found.check is not None:
        printed = pins.versions(log)
        return _told(replace(found, notes=(*found.notes, *problem)), found.check, tree, printed)
    if bound is not None and found is not None:
        problem = (*problem, *_nothing_to_check(bound, found))
    named = bound is not None and (job.name or case.job)
    of_github = job.workflow is not None or job.workflow_path or case.workflow_path
    if problem and not log.steps and (of_github or named):
        raise Stop(Outcome.UNSUPPORTED, problem[-1] if bound is not None else problem[0])
    other = None if of_github else ci.steps(tree, job.name or case.job)
    if other is not None and other.check is not None:
        return _told(other, other.check, tree, {})
    return _guess(tree, problem, command)


def _told(steps: JobSteps, check: Step, tree: SourceTree, printed: pins.Versions) -> _Base:
    """The base of a job whose steps are known, in the image of its language."""
    job_steps.refuse_docker((*steps.before, check))
    needed = toolchains.needed(steps.languages, (*steps.before, check, *steps.after))
    needed = needed or toolchains.of_files(tree.paths())
    return _Base(replace(steps, languages=needed), next(iter(needed), "python"), printed)


def _nothing_to_check(bound: job_steps.Bound, found: JobSteps) -> tuple[str, ...]:
    """Why a job that was found has no step that could be the check."""
    job = f"The job '{bound.job.key}' has no step that can be run here"
    lost = [f"'{one.step}': {one.reason}" for one in found.skipped if one.weakens_proof]
    return (f"{job}: {'; '.join(lost[:3])}." if lost else f"{job}: it only installs, reports or hands files on.",)


def _bind(job: JobReport, tree: SourceTree, case: Case) -> tuple[job_steps.Bound | None, tuple[str, ...]]:
    """The job in its workflow file, and what was wrong with the files that were looked at."""
    problems: list[str] = []
    known = job_steps.Known(case, tree, job.log, ran=bool(job.log.steps or job.steps))
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
    setup = tuple(Step(priming.first_line(script), script) for script in guess.setup)
    after = tuple(Step(script, script) for script in guess.more)
    notes = (*problems, f"guessed from {guess.because}: neither a log nor a workflow says how the job runs")
    check = Step(guess.check, guess.check)
    steps = JobSteps(setup, check, after, notes=notes, fidelity=Fidelity.APPROXIMATE)
    return _Base(steps, guess.image, guessed=True)


def _with_command(base: _Base | None, command: str, tree: SourceTree) -> _Base:
    """Keep what the job installs; the command takes the place of its check and of what follows it."""
    check = Step(command.strip().split("\n")[0], command)
    called = toolchains.needed((), [check])
    if base is None:
        image = next(iter(called or toolchains.of_files(tree.paths())), "python")
        setup = (
            tuple(Step(priming.first_line(script), script) for script in python_setup(tree))
            if image == "python"
            else ()
        )
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
    return replace(base, steps=steps, guessed=False)


def _assemble(
    base: _Base, check: Step, image: str, tree: SourceTree, config: RepoConfig, case: Case, started_at: str
) -> Plan:
    steps, files = base.steps, TextFiles(tree)
    setup, notes, skipped = list(steps.before), list(steps.notes), list(steps.skipped)
    ready: list[Step] = []
    inside = scripts.only_installs(check.script) or scripts.resolves(check.script)
    for step in (check, *steps.after):
        if inside and step is check:  # it needs the network and is its own check
            setup.append(replace(check, name=check.name + IN_SETUP))
            ready.append(check)
            continue
        primed = priming.prime(step, files)
        setup += primed.setup
        ready += [primed.step] if primed.step else []
        notes += [primed.note] if primed.note else []
    if not ready or ready[0].name != check.name:
        ready.insert(0, check)  # nothing is left of it but what installs
        setup = [step for step in setup if step.name != f"{check.name} (install)"]
    remaining_check = ready[0]
    if config.environment.setup is not None:
        setup = [Step(priming.first_line(script), script) for script in config.environment.setup]
    languages_too = toolchains.brought(steps.languages, steps.versions, image, files)
    programs, told = runner_programs.added((*setup, *ready), steps.env, image)
    setup, extra = _with_pytest(setup, ready[0], tree)
    env = {**_CI_ENV, **steps.env, **config.environment.env}
    setup, pinned = pins.pin(setup, base.printed, pins.end_of_day(started_at), files, image, env)
    setup = [*languages_too.steps, *programs, *setup]
    together, of_services = services.joined(steps.services, config.environment.services)
    if together and ready[1:]:
        extra = (*extra, "each later step finds the services as set-up left them, not as the step before it did")
    told = [*told, *reach.notes(setup, ready, tree)]
    asks_git = history.note((*setup, *ready), tree)
    return Plan(
        image=image,
        setup=tuple(setup),
        check=_of_commit(remaining_check, case),
        after=tuple(_of_commit(step, case) for step in ready[1:]),
        env=env,
        manifests=_manifests(tree, setup),
        trust=trust_domain(case),
        timeout_s=min(config.environment.timeout, steps.timeout_s or config.environment.timeout),
        memory=int(config.environment.memory * 2**30),
        cpus=config.environment.cpus,
        network=config.environment.network,
        fidelity=steps.fidelity if languages_too.exact or steps.fidelity is not Fidelity.EXACT else Fidelity.CLOSE,
        skipped=tuple(skipped),
        notes=(*notes, *languages_too.notes, *told, *extra, *pinned, *of_services, *([asks_git] if asks_git else [])),
        services=together,
        repository=bool(asks_git),
        guessed=base.guessed,
    )


def _with_pytest(setup: list[Step], check: Step, tree: SourceTree) -> tuple[list[Step], tuple[str, ...]]:
    """Only for a set-up that installs nothing at all: pytest has to come from somewhere."""
    if not scripts.invocations(check.script, "pytest") or any(_may_bring_pytest(step.script, tree) for step in setup):
        return setup, ()
    step = Step("pytest", "python -m pip install pytest")
    return [*setup, step], ("no step installs pytest: today's version is used",)


def _may_bring_pytest(script: str, tree: SourceTree) -> bool:
    if "pytest" in script:
        return True
    texts = [tree.read(path) or b"" for path in tree.paths() if decides(path)]
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
    found = {path: content for path in tree.paths() if decides(path) and (content := tree.read(path)) is not None}
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(found.items())}
    if any(scripts.installs_project(step.script) for step in setup):
        hashes["."] = str(tree.sha)
    return hashes


def decides(path: str) -> bool:
    """What the file says decides the environment. Asked of every file, so by its name alone."""
    folder, _, name = path.rpartition("/")
    return _MANIFEST.fullmatch(name) is not None or folder.rpartition("/")[2] == "requirements"


def trust_domain(case: Case) -> str:
    """Who may change what whose set-up reads: the repository's own branches share, a fork's pull request is alone."""
    repository = case.repo_id or case.repo
    return f"{repository}:fork:{case.pull_request or case.head_sha}" if case.fork else f"{repository}:base"
