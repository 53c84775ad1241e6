"""RESULTS.md: one section per benchmark, each replaced when its benchmark is run again."""

from __future__ import annotations

import re
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = """# Measured figures

Written by `make bench` and `make bench-sandbox`; do not edit. The ratios are what counts: both sides of each were
measured in the same run.
"""


def keep(title: str, text: str, file: Path = RESULTS) -> None:
    """Put `text` under the heading `title`, in the place of what stood there."""
    old = file.read_text() if file.exists() else HEAD
    parts = re.split(r"^(?=## )", old, flags=re.MULTILINE)
    sections = {part.partition("\n")[0].removeprefix("## "): part.strip() for part in parts[1:]}
    sections[title] = f"## {title}\n\n{text.strip()}"
    file.write_text("\n\n".join((HEAD.strip(), *sections.values())) + "\n")
