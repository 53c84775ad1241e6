"""Plan every job of the listed projects, print the figures, keep them in RESULTS.md.

The projects are not part of the repository: DIR holds a bare git directory of each, named `owner+name`, with the commit
of `corpus.txt` in it. Nothing of them is executed or checked out.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.results import keep
from benchmarks.workflows import corpus, survey, table
from workers.bench.machine import describe

TITLE = "Workflows of public projects"


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workflows", description=__doc__)
    parser.add_argument("--dataset", type=Path, required=True, metavar="DIR")
    parser.add_argument("--only", default="", metavar="TEXT", help="projects whose name holds this; nothing is kept")
    parser.add_argument("--jobs", action="store_true", help="print each test and lint job with its answer and reasons")
    parser.add_argument("--json", action="store_true", help="print one JSON object, write nothing")
    options = parser.parse_args()
    projects = [one for one in corpus.read(corpus.LIST.read_text()) if options.only in one.name]
    machine = describe()
    rows = list(survey.survey(options.dataset, projects))
    if options.json:
        print(json.dumps({"machine": machine, **table.figures(rows)}, indent=1))
        return
    if options.jobs:
        for row in table.judged(rows):
            print(
                row.answer, row.project, row.file.rpartition("/")[2], row.job, "; ".join(row.reasons)[:300], sep=" | "
            )
    text = table.table(rows)
    print(text)
    if not options.only:
        keep(TITLE, f"On {machine}.\n\n{text}")


if __name__ == "__main__":
    main()
