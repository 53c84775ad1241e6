"""How long the tools' modules read: ordinary output, every recorded case, and texts made to keep them busy.

Each text is read at two sizes; what is twice as long may take twice the time. Run: `python -m benchmarks.tools`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.results import keep
from tests.workers.tools.texts import endless, long_lines, near_misses
from workers.bench.machine import describe
from workers.tools import TOOLS, Tool
from workers.tools.reading import readable

SIZE = 400_000
"""Characters of output that a diagnosis looks at."""
_ROUNDS, _NOISE_MS = 5, 10
_CASES = Path(__file__).resolve().parents[1] / "tests" / "workers" / "tools" / "cases"


def main() -> None:
    """Measure, print, write."""
    text = f"On {describe()}\n\n{table()}"
    print(text)
    keep("Reading what tools print", text)


def table() -> str:
    """A row per text: all tools together, the slowest, and how the time grows when the text is doubled."""
    rows = [
        "| text | all tools, ms | slowest, ms | twice the text, slowest growth |",
        "| --- | --- | --- | --- |",
    ]
    for name, make in _texts().items():
        text = make(SIZE // 2)
        half, whole = _times(text), _times(f"{text}\n{text}")
        slowest = max(whole, key=whole.__getitem__)
        grown = {tool: whole[tool] / half[tool] for tool in whole if whole[tool] > _NOISE_MS}
        worst = max(grown, key=grown.__getitem__, default="")
        growth = f"{grown[worst]:.1f} ({worst})" if worst else f"below {_NOISE_MS} ms each"
        rows.append(f"| {name} | {sum(whole.values()):.0f} | {whole[slowest]:.0f} ({slowest}) | {growth} |")
    return "\n".join(rows)


def _texts() -> dict[str, Callable[[int], str]]:
    recorded = "\n".join(case.read_bytes().decode() for case in sorted(_CASES.glob("*.txt")))
    ordinary = "2026 step compiling module with flags -O2 and some more words that say nothing\n"
    return {
        "ordinary lines": lambda size: ordinary * (size // len(ordinary)),
        "every recorded case": lambda size: (recorded * (size // len(recorded) + 1))[:size],
        "near misses": near_misses,
        "lines just not cut": long_lines,
        "lines without an end": endless,
    }


def _times(output: str) -> dict[str, float]:
    """Milliseconds by tool, the best of some rounds."""
    readable(output)
    return {tool.NAME: min(_once(tool, output) for _ in range(_ROUNDS)) for tool in TOOLS}


def _once(tool: Tool, output: str) -> float:
    began = time.process_time()
    tool.recognises("x", output)
    tool.classify(output, tool.findings(output, ()))
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    main()
