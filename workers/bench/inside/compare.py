"""Runs inside the sandbox: calls two versions of a function with the same inputs and says where they differ.

Each version has a process of its own. Inputs that the reference refuses, or needs too long for, say nothing and are
left out. Standard library only, for Python 3.8 and later. Knows nothing of Heal.
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

CPU_S = {"reference": 1.0, "candidate": 5.0}
MOST_DIFFERENCES = 3
MOST_TIMEOUTS = 8
MOST_ITEMS = 20_000


class TooLong(BaseException):
    pass


def load(path, name):
    found = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module


def plain(value, depth=0):
    """The value as text that is equal for equal values, whatever order sets and dictionaries have."""
    if depth > 60:
        return "deep"
    if value is None or isinstance(value, str):
        return repr(value)
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, (list, tuple)):
        inner = ", ".join(plain(one, depth + 1) for one in value[:MOST_ITEMS])
        return "(%s)" % inner if isinstance(value, tuple) else "[%s]" % inner
    if isinstance(value, (set, frozenset)):
        return "{%s}" % ", ".join(sorted(plain(one, depth + 1) for one in value))
    if isinstance(value, dict):
        pairs = sorted((plain(key, depth + 1), plain(one, depth + 1)) for key, one in value.items())
        return "{%s}" % ", ".join("%s: %s" % pair for pair in pairs)
    if hasattr(value, "__next__") or type(value).__name__ == "deque":
        return plain(list(itertools.islice(value, MOST_ITEMS)), depth)
    return "<%s>" % type(value).__name__


def number(value):
    if isinstance(value, float) and value != value:
        return "nan"
    if isinstance(value, float) and abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return "%.9g" % value if isinstance(value, float) else str(int(value))


def called(module, adapter, name, text):
    """What the function answers, or how it fails. Its own prints are nobody's."""
    args = ast.literal_eval(text)
    try:
        function = getattr(module, name)
        if adapter is None:
            return "value", plain(function(*args))
        built = adapter.built(name, args)
        return "value", plain(adapter.seen(name, function(*built), built))
    except TooLong:
        return "timeout", ""
    except RecursionError:
        return "raised", "RecursionError"
    except Exception as error:
        return "raised", type(error).__name__


def late(number, frame):
    raise TooLong


def side(which, plan, inputs, out):
    """One version's answers, a line of JSON each."""
    signal.signal(signal.SIGPROF, late)
    try:
        module = load(plan[which], plan["module"])
        adapter = load(plan["adapter"], "heal_adapter") if plan["adapter"] else None
    except BaseException as error:
        out.write(json.dumps(["broken", type(error).__name__]) + "\n")
        return
    timeouts = 0
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
        timeouts += answer[0] == "timeout"
        if timeouts >= MOST_TIMEOUTS:
            return


def answers(which, place, inputs, folder):
    """One version's answers as pairs, as far as its process came."""
    given, told = os.path.join(folder, which + ".json"), os.path.join(folder, which + ".jsonl")
    with open(given, "w") as file:
        json.dump(inputs, file)
    command = [sys.executable, os.path.abspath(__file__), which, place, given, told]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if not os.path.exists(told):
        return []
    with open(told) as file:
        return [tuple(json.loads(line)) for line in file if line.endswith("\n")]


def compare(place, folder):
    """What the parent says in the end, as a dictionary."""
    with open(place) as file:
        plan = json.load(file)
    inputs = plan["inputs"]
    expected = answers("reference", place, inputs, folder)
    if expected and expected[0][0] == "broken":
        return {"problem": "the reference cannot be loaded: " + expected[0][1]}
    usable = [(one, want) for one, want in zip(inputs, expected) if want[0] == "value"][: plan["wanted"]]
    got = answers("candidate", place, [one for one, _ in usable], folder)
    if got and got[0][0] == "broken":
        return {"compared": len(usable), "different": len(usable), "examples": [["", "loaded", got[0][1]]]}
    got += [("ended", "before this input")] * (len(usable) - len(got))
    wrong = [(one, want, have) for (one, want), have in zip(usable, got) if want != have]
    shown = [
        ["%s%s" % (one[0], one[1][:200]), want[1][:200], ("%s %s" % have)[:200]]
        for one, want, have in wrong[:MOST_DIFFERENCES]
    ]
    return {"compared": len(usable), "different": len(wrong), "examples": shown}


def main():
    if len(sys.argv) == 5:
        _, which, place, given, told = sys.argv
        with open(place) as file:
            plan = json.load(file)
        with open(given) as file:
            inputs = json.load(file)
        sys.path[:0] = plan["path"]
        with open(told, "w") as out:
            side(which, plan, inputs, out)
        return
    with tempfile.TemporaryDirectory() as folder:
        said = compare(sys.argv[1], folder)
    with open(os.environ["HEAL_REPORT"], "w") as file:
        json.dump(said, file)


if __name__ == "__main__":
    main()
