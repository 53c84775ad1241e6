"""What is offered to the test runners of a check, and which of the files that they leave are gathered afterwards.

One table: a reporter only listens, reaches its runner by environment variables, and a runner that does not know it
never sees it. What the command prints and its exit code stay what they are without us.

| runner | reporter |
|---|---|
| pytest (also under tox, nox) | a plugin, `heal_report` |
| unittest, Django | a listener on `unittest.TestResult` that `sitecustomize` on PYTHONPATH lets in |
| jest, mocha | a listener that NODE_OPTIONS requires; in any other program it does nothing |
| surefire, failsafe, gradle, any JUnit XML | files, gathered |
| go, cargo, vitest, node --test, rspec, phpunit, dotnet, ctest | what they print, read by `sandbox.results.log` |
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.policy import SCRATCH

REPORT = f"{SCRATCH}/report"
_PLUGINS = "/opt/heal/plugins"

OFFERED: Mapping[str, str] = {
    "PYTEST_ADDOPTS": "-p heal_report",
    "PYTHONPATH": _PLUGINS,
    "NODE_OPTIONS": f"--require={_PLUGINS}/heal_node.cjs",
    # tox hands on no variable that it does not know
    "TOX_OVERRIDE": "testenv.pass_env+=PYTEST_ADDOPTS,PYTHONPATH,NODE_OPTIONS,HEAL_REPORT,GITHUB_WORKSPACE",
}
_GLUE: Mapping[str, str] = {"PYTEST_ADDOPTS": " ", "PYTHONPATH": ":", "NODE_OPTIONS": " "}

GATHERED = ("*/surefire-reports/*.xml", "*/failsafe-reports/*.xml", "*/test-results/*.xml", "*/test-reports/*.xml",
            "*/junit*.xml", "*junit.xml", "*/test-results.xml")  # fmt: skip
"""Paths, as `find -path` matches them, of reports that a runner may leave in the workspace."""
_DEPTH, _DEPTH_OF_MODULES = 4, 9
_MODULES = ("java",)
"""Languages whose builds keep their reports deep inside of modules. Elsewhere the whole tree is not looked through."""


def environment(image: str) -> dict[str, str]:
    """The variables of a check that concern its reports; `image` is the plan's."""
    return {
        **OFFERED,
        "HEAL_REPORT": REPORT,
        "HEAL_GATHER": "\n".join(GATHERED),
        "HEAL_GATHER_DEPTH": str(_DEPTH_OF_MODULES if image in _MODULES else _DEPTH),
    }


def beside(env: Mapping[str, str]) -> dict[str, str]:
    """The plan's and the step's own variables; where they name one of ours, both are there."""
    return {
        name: value if name not in _GLUE else f"{value}{_GLUE[name]}{OFFERED[name]}" if value else OFFERED[name]
        for name, value in env.items()
    }
