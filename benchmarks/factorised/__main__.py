"""`make bench-model`: prints the factors with their intervals; `--keep` writes them into RESULTS.md."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path

from benchmarks.factorised import judging, landing, patches, verifying
from benchmarks.factorised.landing import Landed
from benchmarks.factorised.verifying import Seen
from benchmarks.results import keep
from workers.bench.machine import describe
from workers.bench.wilson import interval

LAND, WRONG, ACCEPT, REJECT = 0.99, 0.0, 0.01, 0.03
EVERY, EVERY_OF_MANY = 5, 29
"""Of the formats x wrappings, those that one patch is said in; another part for the next patch."""
MANY = 200
TITLE = "What the engine makes of a model's answers, without a model"


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.factorised", description=__doc__)
    parser.add_argument("--dataset", type=Path, help="a folder with git repositories of data sets, bare or not")
    parser.add_argument("--no-sandbox", action="store_true", help="only what needs no container")
    parser.add_argument("--keep", action="store_true", help="write the tables into RESULTS.md")
    options = parser.parse_args()
    programs, real = _datasets(options.dataset)
    every = [*patches.own(), *patches.of_programs(programs), *real]
    parts = [_landing(every), _doubtful(every), _judging(programs, every)]
    if not options.no_sandbox:
        parts.append(_verifying(verifying.sample()))
    text = f"On {describe()}. Aims: land {LAND:.0%}, wrong {WRONG:.0%}, bad accepted {ACCEPT:.0%}, honest refused "
    text += f"{REJECT:.0%}. In-sample: the gate and the applier know these kinds, but for the last tricks of the "
    text += "overfitters and the data sets' patches.\n\n" + "\n\n".join(parts)
    print(text)
    if options.keep:
        keep(TITLE, text)


def _datasets(folder: Path | None) -> tuple[list[patches.Program], list[patches.Patch]]:
    """What lies in the folder, under the owner's and the repository's name or the latter alone."""
    found = {name: _place(folder, name) for name in ("QuixBugs", "BugsInPy")} if folder else {}
    programs = patches.quixbugs(place) if (place := found.get("QuixBugs")) else []
    return programs, patches.bugsinpy(place) if (place := found.get("BugsInPy")) else []


def _place(folder: Path, name: str) -> Path | None:
    known = [*folder.glob(f"{name}"), *folder.glob(f"*{name}/repo"), *folder.glob(f"*{name}*")]
    return next((path for path in known if path.is_dir()), None)


def _landing(every: list[patches.Patch]) -> str:
    """Land rate by source, by format and by wrapping."""
    sources = Counter(patch.source for patch in every)
    seen: Counter[tuple[str, str, str, Landed]] = Counter()
    for source, count in sources.items():
        part = [patch for patch in every if patch.source == source]
        seen += landing.measure(part, EVERY_OF_MANY if count > MANY else EVERY)
    rows = [("all", seen.total(), _of(seen, 3, Landed.RIGHT), _of(seen, 3, Landed.WRONG))]
    for at, name in ((0, "source"), (1, "format"), (2, "wrapping")):
        for key in sorted({row[at] for row in seen}):
            part_of = Counter({row: n for row, n in seen.items() if row[at] == key})
            figures = part_of.total(), _of(part_of, 3, Landed.RIGHT), _of(part_of, 3, Landed.WRONG)
            rows.append((f"{name}: {key}", *figures))
    lines = [f"| {what} | {n} | {_share(right, n)} | {wrong} |" for what, n, right, wrong in rows]
    head = f"### A right edit lands ({len(every)} patches)\n\n| answers | n | landed exactly | silently wrong |"
    return "\n".join([head, "|---|---|---|---|", *lines])


def _doubtful(every: list[patches.Patch]) -> str:
    """What becomes of answers that quote the file wrongly, by what is wrong with them."""
    seen = landing.doubtful(every)
    rows = ["all", *sorted({name for name, _ in seen})]
    lines = ["| answers | n | landed | refused | silently wrong |", "|---|---|---|---|---|"]
    for row in rows:
        count = Counter[Landed]()
        for (name, landed), n in seen.items():
            count[landed] += n if row in ("all", name) else 0
        lines.append(f"| {row} | {count.total()} | {' | '.join(str(count[kind]) for kind in Landed)} |")
    return "\n".join(["### Kept lines left out or wrong: refused or right", "", *lines])


def _of(seen: Mapping[tuple[str, str, str, Landed], int], at: int, value: Hashable) -> int:
    return sum(n for row, n in seen.items() if row[at] == value)


def _judging(programs: list[patches.Program], every: list[patches.Patch]) -> str:
    """What the gates that only read take and refuse."""
    bad, good = judging.bad(programs), judging.honest(every)
    total, taken = bad.total(), sum(n for row, n in bad.items() if row[2])
    lines = [f"| bad ones, all | {total} | accepted {_share(taken, total)} |"]
    lines += [f"| {what} | {n} | accepted {_share(hits, n)} |" for what, n, hits in _grouped(bad.items(), took=True)]
    total, lost = good.total(), sum(n for row, n in good.items() if not row[2])
    lines.append(f"| honest ones, all | {total} | refused {_share(lost, total)} |")
    lines += [f"| {what} | {n} | refused {_share(hits, n)} |" for what, n, hits in _grouped(good.items(), took=False)]
    return "\n".join(["### The gates that only read a patch\n\n| patches | n | |", "|---|---|---|", *lines])


def _grouped(seen: Iterable[tuple[judging.Row, int]], *, took: bool) -> list[tuple[str, int, int]]:
    """Number and hits by kind; for overfitters and honest ones by their own kinds too."""
    cases, hits = Counter[str](), Counter[str]()
    for (kind, which, taken), n in seen:
        for name in {kind, f"{kind}: {which}"} if kind == "overfitter" else {f"{kind}: {which}" if not took else kind}:
            cases[name] += n
            hits[name] += n if taken is took else 0
    return [(name, n, hits[name]) for name, n in sorted(cases.items())]


def _verifying(seen: list[Seen]) -> str:
    """The whole way, persona by persona."""
    good, bad = [one for one in seen if one.good], [one for one in seen if not one.good]
    landed, taken = sum(not one.rejected_by for one in good), sum(not one.rejected_by for one in bad)
    lines = [
        f"| right in the end, all | {len(good)} | accepted {_share(landed, len(good))} |",
        f"| never right, all | {len(bad)} | accepted {_share(taken, len(bad))} |",
    ]
    lines += [f"| {one.stage}: {one.persona} | {one.answers} | {one.rejected_by or 'accepted'} |" for one in seen]
    head = "### The whole way, from HTTP to the verdict\n\n| persona | n, or answers | verdict |"
    return "\n".join([head, "|---|---|---|", *lines])


def _share(hits: int, n: int) -> str:
    low, high = interval(hits, n)
    return f"{hits} ({hits / n if n else 0:.2%}, {low:.2%} to {high:.2%})"


if __name__ == "__main__":
    main()
