"""The outputs of steps as far as they are known without running them: what plain `echo` lines write, and no cache.

What a script writes otherwise is known while the job runs: the sandbox's set-up puts it in then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from workers.expressions import Contexts, Partial, Unknown, render
from workers.workflow import Step

_WRITES = re.compile(
    r"""[ \t]*echo[ \t]+(["']?)([A-Za-z_][\w-]*)=([^$`"'\\|&;<>]*)\1[ \t]*>>[ \t]*"?\$\{?GITHUB_OUTPUT\}?"?[ \t]*"""
)
_BRANCHES = re.compile(
    r"^[ \t]*(?:if|for|while|until|case|function|exit|return|\w+[ \t]*\(\))|&&|\|\||<<", re.MULTILINE
)
_CACHES = re.compile(r"(?:^|/)(?:cache|setup-)", re.IGNORECASE)


def steps_context(steps: Sequence[Step], contexts: Contexts, prefix: str = "") -> Partial:
    """The value of `steps`. `prefix` goes before each id where the steps are those of an action inlined into a job."""
    return Partial({step.id: _step(step, contexts, prefix) for step in steps if step.id})


def scoped(prefix: str, identity: str) -> str:
    """The id that is unique in the job, empty for a step without one."""
    return f"{prefix}{identity}" if identity else ""


def echoed(script: str) -> Mapping[str, str]:
    """What the lines of a script without branches write to $GITHUB_OUTPUT by `echo name=value`."""
    if "GITHUB_OUTPUT" not in script or _BRANCHES.search(script):
        return {}
    matches = (_WRITES.fullmatch(line) for line in script.split("\n"))
    return {match[2]: match[3].rstrip() if not match[1] else match[3] for match in matches if match}


def _of_action(name: str) -> Mapping[str, object]:
    """There is no cache here, so nothing was found in it; the interpreter is found by its name."""
    known: dict[str, object] = {"cache-hit": ""} if _CACHES.search(name) else {}
    return {**known, "python-path": "python"} if name == "actions/setup-python" else known


def _step(step: Step, contexts: Contexts, prefix: str) -> Partial:
    """As when it ran and passed; a step that may not have run, or may have failed, has an unknown end."""
    sure = not step.condition and not step.continue_on_error
    end: object = "success" if sure else Unknown(f"steps.{step.id}.outcome")
    return Partial({"outcome": end, "conclusion": end, "outputs": _outputs(step, contexts, prefix, sure)})


def _outputs(step: Step, contexts: Contexts, prefix: str, sure: bool) -> Partial:
    if step.run is None:
        return Partial(_of_action((step.uses or "").split("@")[0]))
    rendered = render(step.run, contexts)
    known = echoed(rendered.text) if sure and not rendered.unresolved else {}
    return Partial(known, later=f"steps.{scoped(prefix, step.id)}.outputs")
