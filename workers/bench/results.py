"""The file of a bench: a header that says what is measured, then a row per finished case, each on the disk at once.

A bench that was killed goes on with the cases that have no row; one that came to its end begins anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Self

from pydantic import ValidationError

from workers.bench.row import Row
from workers.errors import UsageError


class Results:
    """Rows of one bench in one file. Safe to be written by several threads."""

    def __init__(self, path: Path, header: Mapping[str, object], fresh: bool = False) -> None:
        """Raises `UsageError` for a file that holds another bench, or something else."""
        self.path = path
        self.rows: dict[str, Row] = {}
        self._lock = Lock()
        header = json.loads(json.dumps(header))
        if not fresh and path.exists():
            self._read(header)
        if not self.rows:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"bench": header}) + "\n")
        self._file = path.open("a", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, row: Row) -> None:
        """Keep the row, also if the machine stops in the next moment."""
        with self._lock:
            self.rows[row.case] = row
            self._write(row.model_dump_json())

    def finish(self) -> None:
        """Every case has its row."""
        with self._lock:
            self._write(json.dumps({"end": len(self.rows)}))

    def _write(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self, header: object) -> None:
        """The rows of an unfinished bench. A last line that was cut off is taken away: no row may join it."""
        text = self.path.read_text(encoding="utf-8", errors="replace")
        whole = text[: text.rfind("\n") + 1]
        lines = whole.splitlines()
        try:
            first = json.loads(lines[0]) if lines else {"bench": header}
            rows = [json.loads(line) for line in lines[1:]]
            if first["bench"] != header:
                raise UsageError(
                    f"{self.path} holds another bench, or one with other options: name another file with --results, "
                    "or begin anew with --fresh."
                )
            if rows and "end" in rows[-1]:
                return
            self.rows = {row.case: row for row in map(Row.model_validate, rows)}
        except (ValueError, TypeError, KeyError, ValidationError) as error:
            raise UsageError(f"{self.path} is no file of a bench: name another with --results.") from error
        if whole != text:
            self.path.write_text(whole, encoding="utf-8")
