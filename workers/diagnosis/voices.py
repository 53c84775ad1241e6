"""Which tools speak in an output: those that recognise the step, in their declared order, and what they say.

A tool that does not recognise the step is not asked: each reads lines that others print as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from workers import tools
from workers.diagnosis.said import Said
from workers.domain import Finding
from workers.tools import TOOLS, WRAPPERS, Tool, reported


@dataclass(frozen=True)
class Voice:
    """A tool and what it found; it may have recognised the step and found nothing."""

    tool: Tool
    findings: tuple[Finding, ...]


def voices(said: Said) -> tuple[Voice, ...]:
    """Every tool that recognises the step or a command that it printed; then the runner of reported tests, when no tool
    knows these; last the tools that run others, whose words say less than those of what ran inside."""
    script = tools.script(said.script, said.output)
    recognised = [tool for tool in TOOLS if tool.recognises(script, said.output)]
    heard = [_voice(tool, said) for tool in recognised if tool.NAME not in WRAPPERS]
    runner = reported.of(said.result) if said.result else None
    if runner and said.result and not any(voice.findings for voice in heard if voice.tool.RUNS_TESTS):
        heard.append(Voice(runner, runner.findings(said.output, said.result.tests)))
    return (*heard, *(_voice(tool, said) for tool in recognised if tool.NAME in WRAPPERS))


def guessed(said: Said) -> tuple[Voice, ...]:
    """The first tool that finds anything, for a step that hides what it calls: good enough to compare two outputs,
    where both are read by the same tool, and too little to say a class by."""
    found = ((tool, tool.findings(said.output, said.tests)) for tool in TOOLS if tool.NAME not in WRAPPERS)
    return next(((Voice(tool, findings),) for tool, findings in found if findings), ())


def speaker(heard: tuple[Voice, ...]) -> Voice | None:
    """The first with something to say, else the first that recognised the step."""
    return next((voice for voice in heard if voice.findings), None) or next(iter(heard), None)


def _voice(tool: Tool, said: Said) -> Voice:
    return Voice(tool, tool.findings(said.output, said.tests))
