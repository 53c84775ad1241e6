"""A step whose pytest takes a plugin of ours along: by environment variables alone, the command stays as it is.

A plugin is a file among the inputs of the run; a step that calls no pytest never sees it.
"""

from __future__ import annotations

from dataclasses import replace

from sandbox.spec import Step

_INPUTS = "/heal/in"


def plugged(step: Step, name: str) -> Step:
    """The step with the plugin of this name, which its run finds among its inputs as `name.py`."""
    paths = step.env.get("PYTHONPATH", "").split(":") if step.env.get("PYTHONPATH") else []
    options = [step.env["PYTEST_ADDOPTS"]] if step.env.get("PYTEST_ADDOPTS") else []
    added = {
        "PYTHONPATH": ":".join(dict.fromkeys([_INPUTS, *paths])),
        "PYTEST_ADDOPTS": " ".join([*options, f"-p {name}"]),
    }
    return replace(step, env={**step.env, **added})


def has(step: Step, name: str) -> bool:
    """Whether the step takes the plugin of this name along."""
    return f"-p {name}" in step.env.get("PYTEST_ADDOPTS", "")
