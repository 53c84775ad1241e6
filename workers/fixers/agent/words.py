"""What the agent is told: the task, what was tried before it, and what came of each of its answers. Everything from
outside is data, fenced by the run's nonce."""

from __future__ import annotations

from collections.abc import Sequence

from workers import prompts
from workers.domain import Attempt, Finding
from workers.fixers.agent.loop import Bounds
from workers.fixers.agent.observations import SHOWN, Observation
from workers.fixers.context import cleaned, nonce, noted, one_line
from workers.globs import matches
from workers.llm.exchange import Message
from workers.ports import Workbench

_PATHS, _FINDINGS, _TRIED, _LESSONS = 200, 20, 4, 2
_OUTPUT, _CHANGE, _PATCH, _WHY, _REPORT, _HINT = 6_000, 6_000, 2_500, 1_200, 6_000, 1_000
_FEW = 3
"""What few commits changed is shown; what many did together would only distract."""


def opening(bench: Workbench, before: Sequence[Attempt], bounds: Bounds) -> list[Message]:
    """The first two turns. `before` are the candidates of others that did not hold."""
    fence, diagnosis, plan = nonce(bench), bench.diagnosis, bench.reproduction.plan
    paths = [path for path in bench.tree.paths() if not matches(path, bench.config.paths.ignore)]
    issue, blame = bench.issue, bench.blame
    system = prompts.render(
        "agent_system",
        nonce=fence,
        at_root=plan.check.workdir == ".",
        seconds=f"{bounds.command_s:g}",
        shown=SHOWN,
        steps=bounds.steps,
        repository=plan.repository,
        instructions=cleaned(bench.config.instructions, fence, 2_000),
    )
    task = prompts.render(
        "agent_task",
        nonce=fence,
        shown_paths=[one_line(path, fence, 200) for path in paths[:_PATHS]],
        path_count=len(paths),
        report=cleaned("\n\n".join((issue.title, *issue.texts)), fence, _REPORT) if issue else "",
        command=cleaned(plan.check.script.strip(), fence, 500),
        workdir="" if plan.check.workdir == "." else one_line(plan.check.workdir, fence, 200),
        kind=diagnosis.cls.value,
        tool=one_line(diagnosis.tool, fence, 40),
        findings=[_finding(finding, fence) for finding in diagnosis.findings[:_FINDINGS]],
        excerpt=cleaned(diagnosis.excerpt, fence, _OUTPUT),
        places=[one_line(f"{one.place}: {', '.join(one.reasons)}", fence, 400) for one in diagnosis.suspects],
        change=cleaned(blame.diff if blame.count <= _FEW else "", fence, _CHANGE).rstrip("\n"),
        tried=[_tried(attempt, fence) for attempt in [one for one in before if one.candidate.patch][-_TRIED:]],
        refused=[cleaned(one.patch, fence, _PATCH) for one in bench.experience.rejected[:_LESSONS]],
        hint=cleaned(bench.hint, fence, _HINT),
    )
    return [Message("system", system), Message("user", task)]


def observed(bench: Workbench, observation: Observation, left: int) -> str:
    """What a command did."""
    fence = nonce(bench)
    return prompts.render(
        "agent_observation",
        nonce=fence,
        note=one_line(observation.note, fence, 600),
        how=observation.how,
        seconds=f"{observation.seconds:g}",
        output=cleaned(observation.output, fence, 3 * SHOWN).rstrip("\n"),
        left=left,
    )


def mistaken(bench: Workbench, why: str) -> str:
    """Nothing could be run."""
    return prompts.render("agent_malformed", nonce=nonce(bench), why=why)


def flawed(bench: Workbench, why: str) -> str:
    """A submission that was not tried, and what would let it fail."""
    fence = nonce(bench)
    return prompts.render("agent_flawed", nonce=fence, why=cleaned(why, fence, _WHY))


def unchanged(bench: Workbench, dropped: Sequence[str]) -> str:
    """There is nothing to submit."""
    fence = nonce(bench)
    return prompts.render("agent_unchanged", nonce=fence, dropped=[one_line(one, fence, 200) for one in dropped[:10]])


def rejected(bench: Workbench, attempt: Attempt) -> str:
    """Why a submission did not hold."""
    fence, verdict = nonce(bench), attempt.verdict
    output = verdict.after.output.text if verdict.after is not None and not verdict.after.green else ""
    return prompts.render(
        "agent_rejected",
        nonce=fence,
        gate=one_line(verdict.rejected_by, fence, 80),
        why=cleaned(verdict.why, fence, _WHY),
        output=cleaned(output, fence, _OUTPUT),
        notes=noted(bench, attempt, fence),
        regressions=[one_line(name, fence, 200) for name in verdict.regressions[:10]],
    )


def _finding(finding: Finding, fence: str) -> str:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path or ""
    return one_line(" ".join(part for part in (place, finding.test or "", finding.message) if part), fence, 400)


def _tried(attempt: Attempt, fence: str) -> dict[str, str]:
    return {
        "patch": cleaned(attempt.candidate.patch, fence, _PATCH).rstrip("\n"),
        "gate": one_line(attempt.verdict.rejected_by or "a person has to judge it", fence, 80),
        "why": cleaned(attempt.verdict.why, fence, _WHY).strip(),
    }
