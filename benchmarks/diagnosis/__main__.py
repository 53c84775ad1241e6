"""`python -m benchmarks.diagnosis`: how often the class table says what a log's reader says, kept in RESULTS.md."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence

from benchmarks.diagnosis import labelled
from benchmarks.diagnosis.labelled import Answer
from benchmarks.results import keep
from workers.bench.wilson import interval
from workers.domain import FailureClass
from workers.tools import TOOLS

_NOTE = (
    "Logs written for this project in the words of some 60 tools, each labelled before any table read it; none is "
    "copied from a public log. The same people wrote logs and table, so this says that known shapes are told apart, "
    "not how often the world shows them. A third, fixed by a hash of the names, was not looked at while the table was "
    "worked on. Whether a failure is flaky, or the base red as well, no single log says: the sandbox and the history "
    "decide that."
)


def main() -> None:
    """Classify all, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.diagnosis", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object, write nothing")
    parser.add_argument("--wrong", action="store_true", help="list what is wrong, the held-out cases left out")
    options = parser.parse_args()
    found = labelled.answers(labelled.read())
    if options.json:
        print(json.dumps({name: [sum(one.right for one in part), len(part)] for name, part in _parts(found).items()}))
    elif options.wrong:
        print(_wrong(_parts(found)["worked on"]))
    else:
        text = table(found)
        print(text)
        keep("Diagnosis", text)


def table(found: Sequence[Answer]) -> str:
    """Accuracy, then each class, then who is taken for whom."""
    rows = ["| logs | right | of | share | 95 % interval |", "| --- | --- | --- | --- | --- |"]
    scores = {name: (sum(one.right for one in part), len(part)) for name, part in _parts(found).items()}
    scores["tool and first finding, where a tool's module reads the log"] = _named(found)
    for name, (right, count) in scores.items():
        low, high = interval(right, count)
        rows.append(f"| {name} | {right} | {count} | {right / count:.1%} | {low:.1%} to {high:.1%} |")
    return "\n\n".join([_NOTE, "\n".join(rows), _classes(found), _confusion(found)])


def _parts(found: Sequence[Answer]) -> dict[str, tuple[Answer, ...]]:
    return {
        "all": tuple(found),
        "worked on": labelled.part(found, lambda case: not case.held_out),
        "held out": labelled.part(found, lambda case: case.held_out),
        "traps": labelled.part(found, lambda case: bool(case.trap)),
    }


def _named(found: Sequence[Answer]) -> tuple[int, int]:
    """Of the logs in which a tool speaks that has a module: where tool and first finding are the label's as well."""
    known = {tool.NAME for tool in TOOLS}
    part = [one for one in found if one.case.tool in known]
    return sum(one.named for one in part), len(part)


def _classes(found: Sequence[Answer]) -> str:
    rows = ["| class | logs | precision | recall |", "| --- | --- | --- | --- |"]
    for cls in FailureClass:
        meant = [one for one in found if one.case.cls is cls]
        said = [one for one in found if one.ruling.cls is cls]
        if meant or said:
            right = sum(one.right for one in meant)
            rows.append(f"| {cls.value} | {len(meant)} | {_share(right, len(said))} | {_share(right, len(meant))} |")
    return "\n".join(rows)


def _confusion(found: Sequence[Answer]) -> str:
    """Every pair of label and answer that differ; all else lies on the diagonal."""
    pairs = Counter((one.case.cls.value, one.ruling.cls.value) for one in found if not one.right)
    if not pairs:
        return "No log is taken for another class."
    rows = ["| label | taken for | logs |", "| --- | --- | --- |"]
    return "\n".join([*rows, *(f"| {label} | {said} | {count} |" for (label, said), count in pairs.most_common())])


def _wrong(found: Sequence[Answer]) -> str:
    lines = [
        f"{one.case.name}: {one.case.cls.value} taken for {one.ruling.cls.value}, "
        f"{one.ruling.tool.NAME if one.ruling.tool else 'no tool'}: {' '.join(one.ruling.evidence)}"
        for one in found
        if not one.right
    ]
    return "\n".join(lines) or "None is wrong."


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "-"


if __name__ == "__main__":
    main()
