"""Runs inside the sandbox: calls two versions of a function with the same inputs and says where they differ.

Each version has a process of its own. Inputs that the reference refuses, or needs too long for, say nothing and are
left out. Standard library only, and nothing of Heal.
"""

from __future__ import annotations

import ast
import importlib.util
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, TextIO

CPU_S = {"reference": 1.0, "candidate": 3.0}
MOST_TIMEOUTS = 4
SHOWN = 3
MOST_ITEMS = 20_000
DEEPEST = 60

Pair = tuple[str, str]


class TooLong(BaseException):
    """The time of one call is over; no `except Exception` of the tested code may swallow that."""


def load(path: str, name: str) -> ModuleType:
    """The file as a module of that name."""
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module


def plain(value: Any, depth: int = 0) -> str:
    """The value as text that is equal for equal values, whatever order sets and dictionaries have."""
    if depth > DEEPEST:
        return "deep"
    if value is None or isinstance(value, str):
        return repr(value)
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, list | tuple):
        inner = ", ".join(plain(one, depth + 1) for one in value[:MOST_ITEMS])
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(plain(one, depth + 1) for one in value))}}}"
    if isinstance(value, dict):
        pairs = sorted(f"{plain(key, depth + 1)}: {plain(one, depth + 1)}" for key, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    if hasattr(value, "__next__"):
        return plain(list(itertools.islice(value, MOST_ITEMS)), depth)
    return f"<{type(value).__name__}>"


def number(value: float) -> str:
    """Equal numbers alike, whatever their type; floats to nine digits."""
    if isinstance(value, int):
        return str(int(value))
    if value == value and abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return f"{value:.9g}"


def called(module: ModuleType, adapter: ModuleType | None, name: str, text: str) -> Pair:
    """What the function answers, or how it fails."""
    args = ast.literal_eval(text)
    try:
        function = getattr(module, name)
        if adapter is None:
            return "value", plain(function(*args))
        built = adapter.built(name, args)
        return "value", plain(adapter.seen(name, function(*built), built))
    except TooLong:
        return "timeout", ""
    except Exception as error:  # noqa: BLE001 - whatever the tested code raises is its answer
        return "raised", type(error).__name__


def late(signum: int, frame: FrameType | None) -> None:
    """The handler of the timer."""
    del signum, frame
    raise TooLong


def side(which: str, plan: dict[str, Any], inputs: list[Pair], out: TextIO) -> None:
    """One version's answers, a line of JSON each, as many as are wanted; it gives up when it needs too long again and
    again."""
    signal.signal(signal.SIGPROF, late)
    try:
        module = load(plan[which], plan["module"])
        adapter = load(plan["adapter"], "heal_adapter") if plan["adapter"] else None
    except BaseException as error:  # noqa: BLE001 - it may even call sys.exit
        out.write(json.dumps(["broken", type(error).__name__]) + "\n")
        return
    answered = timeouts = 0
    for name, text in inputs:
        signal.setitimer(signal.ITIMER_PROF, CPU_S[which])
        try:
            answer = called(module, adapter, name, text)
        except TooLong:
            answer = ("timeout", "")
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        out.write(json.dumps(answer) + "\n")
        out.flush()
        answered += answer[0] == "value"
        timeouts += answer[0] == "timeout"
        if answered >= plan["wanted"] or timeouts >= MOST_TIMEOUTS:
            return


def answers(which: str, place: str, inputs: list[Pair], folder: Path) -> list[Pair]:
    """One version's answers, as far as its process came."""
    given, told = folder / f"{which}.json", folder / f"{which}.jsonl"
    given.write_text(json.dumps(inputs))
    command = [sys.executable, __file__, which, place, str(given), str(told)]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if not told.exists():
        return []
    lines = told.read_text().splitlines(keepends=True)
    return [(one[0], one[1]) for one in (json.loads(line) for line in lines if line.endswith("\n"))]


def compare(place: str, folder: Path) -> dict[str, Any]:
    """What is said in the end."""
    plan = json.loads(Path(place).read_text())
    inputs = [(one[0], one[1]) for one in plan["inputs"]]
    expected = answers("reference", place, inputs, folder)
    if expected and expected[0][0] == "broken":
        return {"problem": f"the reference cannot be loaded: {expected[0][1]}"}
    known = zip(inputs, expected, strict=False)  # the reference ends when it has answered enough
    usable = [(one, want) for one, want in known if want[0] == "value"][: plan["wanted"]]
    got = answers("candidate", place, [one for one, _ in usable], folder)
    if got and got[0][0] == "broken":
        got = [got[0]] * len(usable)
    got += [("ended", "before this input")] * (len(usable) - len(got))
    wrong = [(one, want, have) for (one, want), have in zip(usable, got, strict=True) if want != have]
    shown = [[f"{one[0]}{one[1]}"[:200], want[1][:200], " ".join(have)[:200]] for one, want, have in wrong[:SHOWN]]
    return {"compared": len(usable), "different": len(wrong), "examples": shown}


def main() -> None:
    """With one argument, the plan, the comparison; with four, one side of it."""
    if len(sys.argv) > 2:
        _, which, place, given, told = sys.argv
        plan, inputs = json.loads(Path(place).read_text()), json.loads(Path(given).read_text())
        sys.path[:0] = plan["path"]
        with Path(told).open("w") as out:
            side(which, plan, inputs, out)
        return
    with tempfile.TemporaryDirectory() as folder:
        said = compare(sys.argv[1], Path(folder))
    Path(os.environ["HEAL_REPORT"]).write_text(json.dumps(said))


if __name__ == "__main__":
    main()
