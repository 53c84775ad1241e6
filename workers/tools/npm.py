"""Reads npm itself: why an install stopped, and scripts that are missing. A script's own failure is another tool's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed

NAME = "npm"
RUNS_TESTS = False
_LINE = re.compile(r"^npm (?:ERR!|error)(?: (?P<text>[^\n]*))?$")
_SPEAKS = re.compile(r"^(?:##\[error\])?npm (?:ERR!|error) ", re.MULTILINE)
_CODE = re.compile(r"^code (?P<code>[A-Z][A-Z0-9_]{2,40}|\d{1,3})$")
_DRIFT = re.compile(r"^(?:Missing: .+ from lock file|Invalid: lock file's .+)$")
_NO_SCRIPT = re.compile(r"^[Mm]issing script: \"?(?P<name>[^\"\n]{1,200})\"?$")
_NO_WORKSPACE = re.compile(r"^No workspaces found:")
_COMMAND = re.compile(r"^Unknown command: \"[^\"\n]{1,100}\"$", re.MULTILINE)
_PLACE = re.compile(r"\(line (?P<line>\d{1,7}) column \d{1,7}\)")
_LEAD = re.compile(
    r"^(?:ERESOLVE|404|notarget|notsup|JSON\.parse|enoent|network|engine|EINTEGRITY|need auth|403|401) {1,3}"
)
_LOCK, _MANIFEST, _SCRIPT, _INSTALL = "package-lock.json", "package.json", "missing-script", "install-script"
CLASSES: Mapping[str, FailureClass] = {
    **dict.fromkeys(
        (
            "ERESOLVE",
            "EUSAGE",
            "E404",
            "ETARGET",
            "ENOVERSIONS",
            "EINTEGRITY",
            "EBADENGINE",
            "EBADPLATFORM",
            "EOVERRIDE",
        ),
        FailureClass.RESOLUTION,
    ),
    "EJSONPARSE": FailureClass.SYNTAX,
    "ENOENT": FailureClass.WORKFLOW,
    **dict.fromkeys(("E401", "E403", "ENEEDAUTH", "EOTP"), FailureClass.PERMISSION),
    **dict.fromkeys(
        (
            "ECONNRESET",
            "ECONNREFUSED",
            "ETIMEDOUT",
            "ENOTFOUND",
            "EAI_AGAIN",
            "E429",
            "E500",
            "E502",
            "E503",
            "E504",
            "ERR_SOCKET_TIMEOUT",
            "EIDLETIMEOUT",
            "ENETUNREACH",
        ),
        FailureClass.NETWORK,
    ),
    "ENOSPC": FailureClass.INFRASTRUCTURE,
    _SCRIPT: FailureClass.WORKFLOW,
    _INSTALL: FailureClass.BUILD,
}
"""By npm's code, which is the finding's rule."""


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - installers report no tests
    lines = printed.lines(output)
    said = [(match["text"] or "").strip() for line in lines if (match := _LINE.match(line))]
    codes = [match["code"] for text in said if (match := _CODE.match(text))]
    drift = [text for text in said if _DRIFT.match(text)]
    if drift:
        return tuple(Finding(text[: printed.MESSAGE], _LOCK, None, None, "EUSAGE") for text in dict.fromkeys(drift))
    scripts = [match["name"] for text in said if (match := _NO_SCRIPT.match(text))]
    if scripts:
        return tuple(
            Finding(f"missing script: {name}", _MANIFEST, None, None, _SCRIPT) for name in dict.fromkeys(scripts)
        )
    code = next((code for code in codes if code in CLASSES), None)
    if code:
        return (_stopped(code, said),)
    if alone := next((text for text in said if _NO_WORKSPACE.match(text)), None) or _alone(lines):
        return (Finding(alone[: printed.MESSAGE], None, None, None, _SCRIPT),)
    return _install_script(said)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return next((CLASSES[rule] for one in findings if (rule := one.rule or "") in CLASSES), FailureClass.UNKNOWN)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    """None: bringing a lock file up to date needs the registry."""
    return ()


def _stopped(code: str, said: Sequence[str]) -> Finding:
    """The first sentences after the code, without the word that npm puts before each of them."""
    after = said[next(at for at, text in enumerate(said) if text == f"code {code}") + 1 :]
    words = [
        text for line in after if (text := _LEAD.sub("", line)) and not text.startswith(("syscall ", "errno ", "path "))
    ]
    message = " ".join(words[:3] if code == "ERESOLVE" else words[:1]) or code
    place = _PLACE.search(message)
    path = (
        _LOCK
        if code == "EINTEGRITY"
        else _MANIFEST
        if CLASSES[code] in (FailureClass.RESOLUTION, FailureClass.SYNTAX)
        else None
    )
    return Finding(message[: printed.MESSAGE], path, int(place["line"]) if place else None, None, code)


def _alone(lines: Sequence[str]) -> str | None:
    """npm prints an unknown command without its own mark; its advice tells that it is npm's."""
    at = next((at for at, line in enumerate(lines) if _COMMAND.match(line)), None)
    return lines[at] if at is not None and any("npm help" in line for line in lines[at : at + 12]) else None


def _install_script(said: Sequence[str]) -> tuple[Finding, ...]:
    """The script of a package that failed as it was installed; one of the repository's own says so itself."""
    path = next(
        (text.removeprefix("path ") for text in said if text.startswith("path ") and "node_modules/" in text), None
    )
    ran = next(
        (text.removeprefix("command ") for text in said if text.startswith("command ") and text != "command failed"),
        None,
    )
    if path is None or ran is None:
        return ()
    package = path.rpartition("node_modules/")[2]
    return (Finding(f"{package}: `{ran}` failed"[: printed.MESSAGE], _MANIFEST, None, None, _INSTALL),)
