"""Reads pre-commit: which hooks failed, which of them changed files, and what each said.

A hook that changes files repairs them: running it again with the same version is its fix. What a tool inside a hook
says of itself goes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import Invocation, invocations
from workers.tools import diffs, words
from workers.tools.options import kept
from workers.tools.phrases import kind, phrase, spoken
from workers.tools.plain import MESSAGE, unique

NAME = "pre-commit"
RUNS_TESTS = False
MODIFIED = "files were modified by this hook"
_PHRASES = (
    phrase("cannot fetch", FailureClass.NETWORK, r" {0,8}(?P<text>fatal: unable to access .+)$"),
    phrase("cannot fetch", FailureClass.NETWORK, r" {0,8}(?P<text>error: RPC failed.+)$"),
    phrase("bad configuration", FailureClass.WORKFLOW,
           r"An error has occurred: (?P<text>(?:InvalidConfigError|InvalidManifestError|FatalError): {0,4}\S.*)$"),
    phrase("bad configuration", FailureClass.WORKFLOW, r"={5}> (?P<text>\S.*)$"),
    phrase("no hook", FailureClass.WORKFLOW, r"(?P<text>No hook with id .+)$"),
    phrase("no hook", FailureClass.WORKFLOW, r"(?P<text>Executable `.+` not found)$"),
    phrase("own error", FailureClass.UNKNOWN,
           r"An (?:unexpected )?error has occurred: (?P<text>(?!InvalidConfigError: ?$|InvalidManifestError: ?$).+)$"),
)  # fmt: skip
_TITLE = re.compile(r"^(?P<name>\S.{0,200}?)\.{3,200}(?:\([^()\n]{1,40}\))?(?P<status>Failed|Passed|Skipped)$")
_HOOK = re.compile(r"^- hook id: (?P<hook>\w[\w.-]{0,99})$")
_CODE = re.compile(r"^- exit code: (?P<code>\d{1,10})$")
_NAMED = re.compile(
    r"^(?:Fixing|Fixed|reformatted|Formatted|Rewriting|Sorting|\[Fixed\]|Reordering imports in|Reformatting) "
    r"(?!\d{1,7} error)(?P<path>\S.{0,300}?)$"
)
_ENDS = ("pre-commit hook(s) made changes.", "All changes made by hooks:")
_FORMATTERS = re.compile(
    r"format|black|isort|prettier|yapf|autopep8|whitespace|end-of-file|line-ending|fix|sort|pyupgrade|docformatter|gofmt|fmt"
)
_LOCKS = re.compile(r"lock|pip-compile|requirements|uv-export")
_SYNTAX = re.compile(r"check-(?:ast|yaml|json|toml|xml)|merge-conflict")
_GENERATED = re.compile(r"gen|readme|docs|schema")
_VALUES = frozenset(
    {
        "--color",
        "-c",
        "--config",
        "--hook-stage",
        "--stage",
        "--from-ref",
        "--to-ref",
        "-s",
        "-o",
        "--source",
        "--origin",
        "--files",
    }
)
_FILES = frozenset({"-a", "--all-files", "--from-ref", "-s", "--source", "--files"})
"""Options that say which files the hooks see."""
_DROPPED = frozenset({"--show-diff-on-failure", "-v", "--verbose", "--color", "--fail-fast"})


@dataclass
class _Hook:
    """A hook that failed, while its lines come in."""

    name: str
    hook: str = ""
    code: str = ""
    modified: bool = False
    said: list[str] = field(default_factory=list)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or "\n- hook id: " in output


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - the tools inside do
    """One finding per hook that failed, or per file where a hook names what it changed; the rule is the hook's id."""
    if "- hook id: " not in output:
        return spoken(_PHRASES, output) if "error" in output or "hook" in output else ()
    hooks = tuple(_hooks(output.split("\n")))
    found = [finding for hook in hooks for finding in _of(hook)]
    shown = diffs.changed(output.partition(_ENDS[1])[2])
    named = {finding.path for finding in found}
    rule = next((hook.hook for hook in hooks if hook.modified), None)
    found += [Finding(MODIFIED, path, None, None, rule) for path in shown if rule and path not in named]
    return unique(found) or spoken(_PHRASES, output)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    """By the hooks' ids: changed files are a format, a lock or something generated; a red hook is a lint."""
    if (own := kind(_PHRASES, findings)) is not FailureClass.UNKNOWN:
        return own
    missing = [finding for finding in findings if finding.message.startswith("Executable `")]
    if missing:
        return FailureClass.WORKFLOW
    classes = [_class(finding.rule or "", modified=finding.message == MODIFIED) for finding in findings if finding.rule]
    order = (
        FailureClass.SYNTAX,
        FailureClass.RESOLUTION,
        FailureClass.LINT,
        FailureClass.SNAPSHOT,
        FailureClass.FORMAT,
    )
    return next((cls for cls in order if cls in classes), FailureClass.UNKNOWN)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """The very hooks that changed files, once more, as the failing command calls pre-commit; a lock needs the index."""
    changed = (finding.rule for finding in findings if finding.message == MODIFIED and finding.rule)
    hooks = [hook for hook in dict.fromkeys(changed) if not _LOCKS.search(hook)]
    calls = [call for call in invocations(command, NAME) if hooks and call.args[:1] in (("run",), ())]
    return tuple(_again(call, hook) for call in calls[:1] for hook in hooks)


def _again(call: Invocation, hook: str) -> str:
    options = kept(call.args[1:], _VALUES, _DROPPED)
    chosen = bool(_FILES & {option.split("=")[0] for option in options})
    return call.command("run", hook, *options, *(() if chosen else ("--all-files",)))


def _hooks(lines: Sequence[str]) -> Iterator[_Hook]:
    hook: _Hook | None = None
    for line in lines:
        title = _TITLE.match(line)
        if (title or line in _ENDS) and hook:
            yield hook
            hook = None
        if title:
            hook = _Hook(title["name"]) if title["status"] == "Failed" else None
        elif hook:
            _take(hook, line)
    if hook:
        yield hook


def _take(hook: _Hook, line: str) -> None:
    if match := _HOOK.match(line):
        hook.hook = match["hook"]
    elif match := _CODE.match(line):
        hook.code = match["code"]
    elif line == f"- {MODIFIED}":
        hook.modified = True
    elif not line.startswith("- duration: "):
        hook.said.append(line)


def _of(hook: _Hook) -> Iterator[Finding]:
    rule = hook.hook or hook.name
    if not hook.modified:
        said = words.last(hook.said) or f"exit code {hook.code or 1}"
        yield Finding(f"{hook.name}: {said}"[:MESSAGE] if not said.startswith("Executable `") else said, rule=rule)
        return
    named = [match["path"] for line in hook.said if (match := _NAMED.match(line))]
    if not named:
        yield Finding(MODIFIED, rule=rule)
    for path in named:
        yield Finding(MODIFIED, path, None, None, rule)


def _class(hook: str, *, modified: bool) -> FailureClass:
    if _SYNTAX.search(hook):
        return FailureClass.SYNTAX
    if not modified:
        return FailureClass.LINT
    if _LOCKS.search(hook):
        return FailureClass.RESOLUTION
    if _GENERATED.search(hook) and not _FORMATTERS.search(hook):
        return FailureClass.SNAPSHOT
    return FailureClass.FORMAT
