"""Jenkins: the `sh` lines of a Jenkinsfile, with the stage, folder and constant variables they stand in.

A Jenkinsfile is a program; it is skimmed and not run. What a line needs beyond constants leaves it out, and is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.policy import WORKSPACE
from sandbox.spec import Skipped, Step
from workers.ci.document import MAX_BYTES, Unreadable
from workers.ci.groovy import Kind, Word, words
from workers.ci.jobs import CiJob, elsewhere, first_line, language_of, reference, told_apart
from workers.text_files import TextFiles

PATH = re.compile(r"Jenkinsfile")
PIPELINE = "pipeline"
_SHELL = "sh -xe {0}"
_VALUE = re.compile(r"\\\$|\$\{\s{0,9}(?:env\.)?([A-Za-z_]\w{0,99})\s{0,9}\}|\$([A-Za-z_]\w{0,99})|\$\{[^}]{0,200}\}")
_TOOLS: Mapping[str, str] = {"nodejs": "node", "maven": "java", "jdk": "java", "gradle": "java", "go": "go"}
_ELSEWHERE = frozenset({"bat", "powershell", "pwsh"})
_AFTERWARDS = re.compile(r"deploy|publish|release|push|upload", re.IGNORECASE)
_PROVES = re.compile(r"test|check|lint|verify|quality|style", re.IGNORECASE)
_MAX_STEPS, _MAX_DEPTH = 200, 200


@dataclass
class _Block:
    """One pair of braces: what stands before it, and the variables it sets."""

    name: str
    given: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


@dataclass
class _Skim:
    """What adds up while the words go by. `name` and `given` are the call under way."""

    blocks: list[_Block] = field(default_factory=lambda: [_Block("")])
    name: str = ""
    given: list[str] = field(default_factory=list)
    before: tuple[str, ...] = ("", "", "")
    steps: list[tuple[str, Step]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    image: str = ""

    def inside(self, name: str) -> bool:
        return any(block.name == name for block in self.blocks)

    def given_to(self, name: str) -> str:
        return next((block.given[0] for block in reversed(self.blocks) if block.name == name and block.given), "")

    def env(self) -> dict[str, str]:
        return {key: value for block in self.blocks for key, value in block.env.items()}


def jobs(path: str, files: TextFiles) -> tuple[CiJob, ...]:
    """The pipeline as one job, and every stage as one that follows those before it. Raises `Unreadable`."""
    text = files.text(path)
    if len(text) > MAX_BYTES:
        raise Unreadable("it is too long")
    skim = _skimmed(text)
    kept = [(stage, step) for stage, step in skim.steps if not _AFTERWARDS.search(stage)]
    late = {stage: None for stage, _ in skim.steps if _AFTERWARDS.search(stage)}
    whole = _job(PIPELINE, (), tuple(step for _, step in kept), skim, tuple(late))
    return (whole, *_stages(skim))


def _stages(skim: _Skim) -> Iterator[CiJob]:
    for name in dict.fromkeys(stage for stage, _ in skim.steps if stage):
        first = next(at for at, (stage, _) in enumerate(skim.steps) if stage == name)
        earlier = tuple(step for stage, step in skim.steps[:first] if not _PROVES.search(stage))
        yield _job(name, earlier, tuple(step for stage, step in skim.steps if stage == name), skim, (), optional=True)


def _job(
    name: str, before: tuple[Step, ...], steps: tuple[Step, ...], skim: _Skim, late: tuple[str, ...],
    optional: bool = False,
) -> CiJob:  # fmt: skip
    left = tuple(Skipped(f"stage {stage}"[:120], "it hands results on", weakens_proof=False) for stage in late)
    return CiJob(
        name=name,
        before=before,
        steps=steps,
        env={"JENKINS_URL": "http://localhost/", "WORKSPACE": WORKSPACE, **skim.blocks[0].env},
        image=reference(skim.image),
        languages=tuple(dict.fromkeys((*language_of(skim.image), *skim.languages))),
        skipped=(*skim.skipped, *left),
        notes=("of a Jenkinsfile only the sh lines are read", *dict.fromkeys(skim.notes)),
        refused=elsewhere(*skim.labels),
        optional=optional,
    )


def _skimmed(text: str) -> _Skim:
    skim = _Skim()
    listed = [*words(text)]
    at = 0
    while at < len(listed):
        at = _next(listed, at, skim)
    return skim


def _next(listed: Sequence[Word], at: int, skim: _Skim) -> int:
    word = listed[at]
    if word.kind is Kind.NAME and word.text == "sh" and _is_call(listed, at):
        return _shell(listed, at + 1, skim)
    if word.kind is Kind.SIGN and word.text in "{}":
        _brace(word.text, skim)
    elif word.kind is Kind.NAME:
        _named(word.text, skim)
    elif word.kind in (Kind.PLAIN, Kind.FILLED):
        _string(word, skim)
    skim.before = (*skim.before[1:], word.text if word.kind is not Kind.FILLED else "")
    return at + 1


def _is_call(listed: Sequence[Word], at: int) -> bool:
    before, after = listed[at - 1] if at else None, listed[at + 1] if at + 1 < len(listed) else None
    member = before is not None and before.kind is Kind.SIGN and before.text == "."
    return after is not None and not member and (after.kind in (Kind.PLAIN, Kind.FILLED) or after.text == "(")


def _brace(sign: str, skim: _Skim) -> None:
    if sign == "}":
        if len(skim.blocks) > 1:
            skim.blocks.pop()
    elif len(skim.blocks) > _MAX_DEPTH:
        raise Unreadable("it is nested too deeply")
    else:
        block = _Block(skim.name, tuple(skim.given))
        if block.name == "withEnv":
            block.env = dict(pair.split("=", 1) for pair in block.given if "=" in pair)
        skim.blocks.append(block)
    skim.name, skim.given = "", []


def _named(name: str, skim: _Skim) -> None:
    here = skim.blocks[-1].name
    if here == "tools" and name in _TOOLS:
        skim.languages.append(_TOOLS[name])
    if name in _ELSEWHERE:
        skim.skipped.append(Skipped(f"a {name} step", "it is for Windows", weakens_proof=True))
    if name == "credentials" and here == "environment":
        skim.notes.append("credentials are empty here")
    if name == "when" and skim.given_to("stage"):
        skim.notes.append(f"the condition of the stage {skim.given_to('stage')[:60]} is not evaluated")
    skim.name, skim.given = name, []


def _string(word: Word, skim: _Skim) -> None:
    here = skim.blocks[-1].name
    skim.given.append(word.text)
    if here == "environment" and skim.before[-1] == "=":
        filled = _filled(word, skim.env())
        scope = skim.blocks[-2] if len(skim.blocks) > 2 and skim.inside("stage") else skim.blocks[0]
        if filled is not None:
            scope.env[skim.before[-2]] = filled
    elif (skim.name == "image" and not skim.image) or (here == "agent" and skim.name == "docker"):
        skim.image = word.text
    elif skim.name in ("label", "node") and (here == "agent" or skim.name == "node"):
        skim.labels.append(word.text)


def _shell(listed: Sequence[Word], at: int, skim: _Skim) -> int:
    """Take one `sh` call with what it is given, and return where it ends."""
    given, end = _arguments(listed, at)
    script = given.get("script", given.get(""))
    stage = skim.given_to("stage")
    if len(skim.steps) >= _MAX_STEPS:
        raise Unreadable("its steps have no end")
    if skim.inside("post"):
        skim.skipped.append(Skipped("sh after the stages", "it runs whatever happens", weakens_proof=False))
    elif script is None or (end < len(listed) and listed[end].text == "+"):
        skim.skipped.append(Skipped("an sh line", "its script is put together by the pipeline", weakens_proof=True))
    elif "returnStatus" in given or "returnStdout" in given:
        skim.skipped.append(Skipped(first_line(script.text), "the pipeline reads what it answers", weakens_proof=True))
    else:
        _take(script, stage, skim)
    return end


def _take(script: Word, stage: str, skim: _Skim) -> None:
    env = skim.env()
    filled = _filled(script, env)
    if filled is None:
        shown = first_line(script.text)
        skim.skipped.append(Skipped(shown, "it needs values that only Jenkins knows", weakens_proof=True))
        return
    commands, reports = told_apart(tuple(filter(None, [filled.strip("\n")])))
    skim.skipped += reports
    for command in commands:
        own = {key: value for key, value in env.items() if key not in skim.blocks[0].env}
        folder = "/".join(block.given[0] for block in skim.blocks if block.name == "dir" and block.given)
        skim.steps.append((stage, Step(stage or first_line(command), command, _shell_of(command), own, folder or ".")))


def _arguments(listed: Sequence[Word], at: int) -> tuple[dict[str, Word], int]:
    """The strings a call is given, by their names ("" for one without), and where the call ends."""
    if listed[at].kind is not Kind.SIGN:
        return {"": listed[at]}, at + 1
    found: dict[str, Word] = {}
    depth, name = 0, ""
    for end in range(at, len(listed)):
        word = listed[end]
        if word.kind is Kind.SIGN and word.text in "()":
            depth += 1 if word.text == "(" else -1
            if depth == 0:
                return found, end + 1
        elif word.kind is Kind.NAME:
            name = word.text
            if name in ("returnStatus", "returnStdout"):
                found[name] = word
        elif word.kind in (Kind.PLAIN, Kind.FILLED):
            following = listed[end + 1].text if end + 1 < len(listed) else ""
            found.update({name: word} if following in (",", ")") else {})
            name = ""
    return found, len(listed)


def _filled(word: Word, env: Mapping[str, str]) -> str | None:
    """The string with its values; None when one is not known here."""
    if word.kind is Kind.PLAIN:
        return word.text
    unknown = False

    def value(match: re.Match[str]) -> str:
        nonlocal unknown
        if match[0] == "\\$":
            return "$"
        found = {"WORKSPACE": WORKSPACE, **env}.get(match[1] or match[2] or "")
        unknown = unknown or found is None
        return found or ""

    text = _VALUE.sub(value, word.text)
    return None if unknown else text


def _shell_of(script: str) -> str:
    """Jenkins' own, or what the script's first line names."""
    if not script.startswith("#!"):
        return _SHELL
    program = script.split("\n")[0][2:].split()
    names = [part.rpartition("/")[2] for part in program if not part.endswith("/env")]
    return " ".join([*names[:4], "{0}"]) if names else _SHELL
