"""Reads the part of a workflow file that the double can run: triggers, jobs with a matrix, run steps.

Expressions are replaced for `matrix`, `env`, `github` and `runner` only; conditions are judged by the status functions
`always()`, `failure()`, `cancelled()`; anything else runs when the job is green so far.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{\s*([^}]+?)\s*\}\}")


@dataclass(frozen=True)
class Step:
    """One step, ready to run: expressions replaced."""

    name: str
    run: str = ""
    uses: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = ""
    shell: str = ""
    condition: str = ""
    tolerant: bool = False

    def due(self, green: bool) -> bool:
        """Whether the step runs given the job's state."""
        if "always()" in self.condition:
            return True
        if "failure()" in self.condition:
            return not green
        return green and self.condition not in {"false", "cancelled()"}


@dataclass(frozen=True)
class JobPlan:
    """One job of the matrix."""

    key: str
    name: str
    needs: tuple[str, ...]
    steps: tuple[Step, ...]
    env: Mapping[str, str]
    minutes: int


@dataclass(frozen=True)
class WorkflowPlan:
    """A workflow file."""

    name: str
    path: str
    jobs: tuple[JobPlan, ...]
    on: Mapping[str, Any]

    def runs_on_push(self, branch: str) -> bool:
        """Whether a push to the branch starts it."""
        if "push" not in self.on:
            return False
        filters = self.on["push"] if isinstance(self.on["push"], dict) else {}
        if "branches-ignore" in filters and any(fnmatch(branch, p) for p in filters["branches-ignore"]):
            return False
        if "tags" in filters and "branches" not in filters:
            return False
        return "branches" not in filters or any(fnmatch(branch, p) for p in filters["branches"])

    def runs_on_pull(self, base: str) -> bool:
        """Whether a pull request against the branch starts it."""
        if "pull_request" not in self.on:
            return False
        filters = self.on["pull_request"] if isinstance(self.on["pull_request"], dict) else {}
        return "branches" not in filters or any(fnmatch(base, p) for p in filters["branches"])


def parse(text: str, path: str, context: Mapping[str, str]) -> WorkflowPlan | None:
    """The plan of a workflow file, or None when it is not one. `context` holds values like `github.sha`."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    if not isinstance(raw, dict) or not isinstance(raw.get("jobs"), dict):
        return None
    on = raw.get("on", raw.get(True))  # YAML 1.1 reads the bare key `on` as true
    triggers = dict.fromkeys([on] if isinstance(on, str) else on or []) if not isinstance(on, dict) else on
    env = _texts(raw.get("env"), context)
    jobs = [job for key, body in raw["jobs"].items() for job in _jobs(str(key), body or {}, env, raw, context)]
    return WorkflowPlan(str(raw.get("name") or path), path, tuple(jobs), triggers)


def _jobs(
    key: str, body: Mapping[str, Any], env: Mapping[str, str], whole: Mapping[str, Any], context: Mapping[str, str]
) -> list[JobPlan]:
    found = []
    for combination in _matrix((body.get("strategy") or {}).get("matrix") or {}):
        known = {**context, **{f"matrix.{name}": value for name, value in combination.items()}}
        known |= {f"env.{name}": value for name, value in env.items()}
        job_env = {**env, **_texts(body.get("env"), known)}
        known |= {f"env.{name}": value for name, value in job_env.items()}
        name = _fill(str(body["name"]), known) if body.get("name") else key
        if combination and not body.get("name"):
            name = f"{key} ({', '.join(combination.values())})"
        needs = body.get("needs") or ()
        found.append(
            JobPlan(
                key=key,
                name=name,
                needs=(needs,) if isinstance(needs, str) else tuple(needs),
                steps=tuple(_step(step, body, whole, known) for step in body.get("steps") or []),
                env=job_env,
                minutes=int(body.get("timeout-minutes") or 10),
            )
        )
    return found


def _matrix(raw: Mapping[str, Any]) -> list[dict[str, str]]:
    axes = {key: value for key, value in raw.items() if key not in {"include", "exclude"} and isinstance(value, list)}
    rows = [
        {key: str(value) for key, value in zip(axes, values, strict=True)}
        for values in itertools.product(*axes.values())
    ]
    excluded = [{k: str(v) for k, v in one.items()} for one in raw.get("exclude") or []]
    rows = [row for row in rows if not any(one.items() <= row.items() for one in excluded)]
    extra = [{k: str(v) for k, v in one.items()} for one in raw.get("include") or []]
    return (rows if axes else []) + extra if axes or extra else [{}]


def _step(raw: Mapping[str, Any], job: Mapping[str, Any], whole: Mapping[str, Any], known: Mapping[str, str]) -> Step:
    defaults: dict[str, Any] = {}
    for level in (whole, job):
        defaults |= (level.get("defaults") or {}).get("run") or {}
    run, uses = _fill(str(raw.get("run") or ""), known), str(raw.get("uses") or "")
    first = run.strip().split("\n", 1)[0]
    return Step(
        name=_fill(str(raw["name"]), known) if raw.get("name") else f"Run {uses or first}",
        run=run,
        uses=uses,
        inputs=_texts(raw.get("with"), known),
        env=_texts(raw.get("env"), known),
        workdir=str(raw.get("working-directory") or defaults.get("working-directory") or ""),
        shell=str(raw.get("shell") or defaults.get("shell") or ""),
        condition=str(raw.get("if", "")).strip().lower(),
        tolerant=bool(raw.get("continue-on-error")),
    )


def _texts(raw: object, known: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(raw, dict):
        return {}
    return {str(key): _fill(_text(value), known) for key, value in raw.items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _fill(text: str, known: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda match: known.get(match[1], ""), text)
