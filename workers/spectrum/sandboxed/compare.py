"""Plausible candidates by what they do: the calls that tests make are captured, varied, and given to all of them.

Candidates that answer everything alike are one cluster. The inputs stay like those that were seen: what was sorted,
distinct, never negative or never empty in all calls stays so, because a function may count on it.
"""

from __future__ import annotations

import copy
import gc
import inspect
import itertools
import random
import re
import sys
from functools import partial
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, Any

from .allowance import Allowance
from .children import answer
from .inputs import varied
from .outcomes import Hung, attempt
from .project import is_test, project_path
from .swapping import Swapper

if TYPE_CHECKING:  # Python 3.8 cannot evaluate them
    from .children import Row, Tell

    Call = tuple[FunctionType, dict[str, Any], bool]

MOST, CAPTURED, VARIED = 24, 40, 160
"""Candidates that are compared, calls of one function that are captured, and calls that are made of them."""
CAPTURE_S, CALL_S, CANDIDATE_S = 5.0, 0.25, 5.0
SLOW = "took too long"
_SKIPPED = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def clusters(candidates: list[Row], swapper: Swapper, tests: list[Any], say: Tell) -> None:
    """One row for each candidate with the number of its cluster and how many inputs it was compared on."""
    chosen = sorted(candidates, key=lambda row: int(row["id"]))[:MOST]
    if len(chosen) < 2:
        return
    found = answer(lambda: _compared(chosen, swapper, tests), CAPTURE_S + (CANDIDATE_S + 2) * len(chosen) + 10)
    for name, number in found.get("groups", {}).items():
        say({"kind": "cluster", "id": int(name), "group": number, "inputs": found["inputs"]})


def _compared(candidates: list[Row], swapper: Swapper, tests: list[Any]) -> Row:
    calls = _calls(_captured(tests))
    answers: list[list[str]] = []
    for candidate in candidates:
        told = answer(partial(_asked, candidate, swapper, calls), CANDIDATE_S + 5)
        answers.append(list(told.get("said", ())))
    longest = max(map(len, answers))
    came = [at for at, said in enumerate(answers) if len(said) * 2 > longest]  # the rest is left out of it
    candidates, answers = [candidates[at] for at in came], [answers[at] for at in came]
    shortest = min(map(len, answers), default=0)
    counted = [at for at in range(shortest) if _counts(at, calls, answers)]
    groups: dict[tuple[str, ...], int] = {}
    numbers = {}
    for candidate, said in zip(candidates, answers):  # noqa: B905 - Python 3.8 knows no `strict`
        numbers[str(candidate["id"])] = groups.setdefault(tuple(said[at] for at in counted), len(groups))
    return {"groups": numbers, "inputs": len(counted)} if counted else {}


def _counts(at: int, calls: list[Call], answers: list[list[str]]) -> bool:
    """A varied input on which most candidates raise is none the code is made for; and who is slow is no evidence."""
    _, _, seen = calls[at]
    if any(said[at] == SLOW for said in answers):
        return False
    raised = sum(said[at].startswith("raised") for said in answers)
    return seen or raised * 2 < len(answers)


# -- the calls --------------------------------------------------------------------------------------------------------


class Recorder:
    """The calls that come from the tests, which are in these files too, into the project's code, with copies of their
    arguments."""

    def __init__(self, test_files: set[str]) -> None:
        self.test_files = test_files
        self.depth = 0
        self.calls: dict[CodeType, list[dict[str, Any]]] = {}
        self.known: dict[str, bool] = {}

    def __call__(self, frame: FrameType, event: str, _arg: Any) -> None:
        if event not in ("call", "return"):
            return
        name = frame.f_code.co_filename
        ours = self.known.get(name)
        if ours is None:
            path = project_path(name)
            ours = self.known[name] = bool(path) and not is_test(path) and path not in self.test_files
        if not ours:
            return
        if event == "return":
            self.depth = max(0, self.depth - 1)
            return
        self.depth += 1
        if self.depth == 1 and frame.f_lasti <= 12:  # no generator that goes on
            self._take(frame)

    def _take(self, frame: FrameType) -> None:
        code = frame.f_code
        taken = self.calls.setdefault(code, [])
        if len(taken) >= CAPTURED or code.co_name == "<module>" or code.co_flags & _SKIPPED:
            return
        sys.setprofile(None)
        copied, error = attempt(lambda: copy.deepcopy(dict(frame.f_locals)), CALL_S)
        if error is None:
            taken.append(copied)
        sys.setprofile(self)


def _captured(tests: list[Any]) -> dict[CodeType, list[dict[str, Any]]]:
    from .warm import run

    recorder = Recorder({project_path(str(getattr(test.module, "__file__", "") or "")) for test in tests})
    allowance = Allowance(CAPTURE_S)
    for item in tests:
        recorder.depth = 0
        if not allowance.over:
            sys.setprofile(recorder)
            run(item, 0.5)
            sys.setprofile(None)
    return recorder.calls


def _calls(captured: dict[CodeType, list[dict[str, Any]]]) -> list[Call]:
    """Each captured call, then its variations, the same ones every time."""
    functions = {thing.__code__: thing for thing in gc.get_objects() if type(thing) is FunctionType}
    chosen = [(functions[code], rows) for code, rows in captured.items() if code in functions and rows]
    seen = [(function, row, True) for function, rows in chosen for row in rows]
    rng = random.Random(len(seen))  # noqa: S311 - no secret
    made = []
    for function, rows in chosen:
        made += [(function, row, False) for row in varied(rows, rng, VARIED // len(chosen))]
    return seen + made


# -- the answers ------------------------------------------------------------------------------------------------------


def _asked(candidate: Row, swapper: Swapper, calls: list[Call]) -> Row:
    """What the candidate answers to each call; less than all when the time is over."""
    swapper.apply(candidate["edits"])
    allowance = Allowance(CANDIDATE_S)
    said: list[str] = []
    for function, values, _ in calls:
        if allowance.over:
            break
        said.append(_said(function, values))
    return {"said": said}


def _said(function: FunctionType, values: dict[str, Any]) -> str:
    def call() -> str:
        positional, named = _arguments(function.__code__, copy.deepcopy(values))
        result = function(*positional, **named)
        if inspect.isgenerator(result):
            result = list(itertools.islice(result, 300))
        return _shown(positional if result is None else result)

    said, error = attempt(call, CALL_S)
    if error is None:
        return str(said)
    return SLOW if isinstance(error, Hung) else f"raised {type(error).__name__}"


def _arguments(code: CodeType, values: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    names = code.co_varnames
    count, only = code.co_argcount, code.co_kwonlyargcount
    positional = [values[name] for name in names[:count]]
    named = {name: values[name] for name in names[count : count + only]}
    at = count + only
    if code.co_flags & inspect.CO_VARARGS:
        positional += values[names[at]]
        at += 1
    if code.co_flags & inspect.CO_VARKEYWORDS:
        named.update(values[names[at]])
    return positional, named


def _shown(value: Any, depth: int = 5) -> str:
    """The value as text, without addresses; floats as far as their order of summation does not matter."""
    if isinstance(value, float):
        return f"{value:.9g}"
    if not depth or value is None or isinstance(value, (bool, int, str, bytes)):
        return _ADDRESS.sub("", repr(value))[:2000]
    if isinstance(value, (list, tuple)):
        return type(value).__name__ + str([_shown(inner, depth - 1) for inner in itertools.islice(value, 300)])
    if isinstance(value, (set, frozenset)):
        return type(value).__name__ + str(sorted(_shown(inner, depth - 1) for inner in itertools.islice(value, 300)))
    if isinstance(value, dict):
        pairs = itertools.islice(value.items(), 300)
        return "dict" + str([(_shown(key, depth - 1), _shown(inner, depth - 1)) for key, inner in pairs])
    if hasattr(value, "__dict__") and not callable(value):
        return f"{type(value).__name__}{_shown(vars(value), depth - 1)}"
    return _ADDRESS.sub("", repr(value))[:2000]
