"""The well-known tasks of Azure Pipelines and what takes their place here. Adding one is one row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Inputs = Mapping[str, str]


@dataclass(frozen=True)
class Task:
    """What a task stands for: a script, a language in a version, or nothing (`why` says so)."""

    name: str
    script: str = ""
    workdir: str = ""
    language: str = ""
    version: str = ""
    why: str = ""
    weakens: bool = False


_LANGUAGES: Mapping[str, tuple[str, str]] = {
    # task -> (language, input that holds its version)
    "usepythonversion": ("python", "versionspec"),
    "nodetool": ("node", "versionspec"),
    "usenode": ("node", "version"),
    "gotool": ("go", "version"),
    "javatoolinstaller": ("java", "versionspec"),
}
_HARMLESS: Mapping[str, str] = {
    "cache": "a cache only saves time",
    "cachebeta": "a cache only saves time",
    "publishtestresults": "it only reports",
    "publishcodecoverageresults": "it only reports",
    "publishbuildartifacts": "it only hands files on",
    "publishpipelineartifact": "it only hands files on",
    "copyfiles": "it only hands files on",
    "archivefiles": "it only hands files on",
}


def task(written: str, inputs: Inputs) -> Task:
    """What the task (`Name@version`) is here, by its inputs; their names are the same in any case."""
    name = written.partition("@")[0]
    key, given = name.lower(), {name.lower(): value for name, value in inputs.items()}
    if key in _LANGUAGES:
        language, version = _LANGUAGES[key]
        return Task(name, language=language, version=given.get(version, ""))
    if key in _HARMLESS:
        return Task(name, why=_HARMLESS[key])
    if key in _SCRIPTS:
        script, folder = _SCRIPTS[key](given)
        return Task(name, script, folder) if script else Task(name, why="its script is not in the config", weakens=True)
    return Task(name, why="the sandbox does not know this task", weakens=True)


def _bash(given: Inputs) -> tuple[str, str]:
    if given.get("targettype", "filePath").lower() == "inline" or "script" in given:
        return given.get("script", ""), given.get("workingdirectory", "")
    file = given.get("filepath", "")
    return (f"bash {file} {given.get('arguments', '')}".strip() if file else ""), given.get("workingdirectory", "")


def _command_line(given: Inputs) -> tuple[str, str]:
    return given.get("script", ""), given.get("workingdirectory", "")


def _npm(given: Inputs) -> tuple[str, str]:
    command = given.get("command", "install")
    command = given.get("customcommand", "") if command == "custom" else command
    return (f"npm {command}" if command else ""), given.get("workingdir", "")


def _yarn(given: Inputs) -> tuple[str, str]:
    return f"yarn {given.get('arguments', 'install')}", given.get("projectdirectory", "")


def _maven(given: Inputs) -> tuple[str, str]:
    file = given.get("mavenpomfile", "pom.xml")
    where = "" if file == "pom.xml" else f" -f {file}"
    return " ".join(f"mvn{where} {given.get('options', '')} {given.get('goals', 'package')}".split()), ""


def _gradle(given: Inputs) -> tuple[str, str]:
    wrapper = given.get("gradlewrapperfile", "gradlew")
    wrapper = wrapper if "/" in wrapper else f"./{wrapper}"
    words = f"{wrapper} {given.get('options', '')} {given.get('tasks', 'build')}"
    return " ".join(words.split()), given.get("workingdirectory", "")


def _go(given: Inputs) -> tuple[str, str]:
    command = given.get("command", "get")
    command = given.get("customcommand", "") if command == "custom" else command
    return f"go {command} {given.get('arguments', '')}".strip(), given.get("workingdirectory", "")


_SCRIPTS: Mapping[str, Callable[[Inputs], tuple[str, str]]] = {
    "bash": _bash,
    "cmdline": _command_line,
    "npm": _npm,
    "yarn": _yarn,
    "maven": _maven,
    "gradle": _gradle,
    "go": _go,
}
