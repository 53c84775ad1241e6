"""How `heal sandbox` talks: a table of what the engine keeps, and what was removed. Sizes are decimal, as disks are
sold."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import typer
from pydantic import ByteSize, TypeAdapter, ValidationError

from sandbox.images.stock import Stocked
from sandbox.inventory import Item
from workers.upkeep import Room

_UNITS = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
_AGES = (("days", 24 * 3600), ("hours", 3600), ("minutes", 60))


def show(kept: Mapping[str, Sequence[Item]], as_json: bool) -> None:
    """Print the inventory by engine: tables, or one JSON object a line with bytes and seconds since 1970."""
    if as_json:
        for host, items in kept.items():
            for item in items:
                typer.echo(json.dumps({"engine": host, **asdict(item)}))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False)
    for host, items in kept.items():
        table = Table("kind", "key", "for", "size", "last used", box=None, pad_edge=False)
        table.columns[3].justify = "right"
        for item in items:
            used = "in use" if item.in_use else age(time.time() - item.used)
            table.add_row(item.kind, item.key[:12], item.about, size(item.size), used)
        if len(kept) > 1:
            console.print(host)
        console.print(table)
        console.print(f"{len(items)} kept, {size(sum(item.size for item in items))}")


def write_bills(bills: Mapping[str, Mapping[str, Any]], folder: Path) -> list[Path]:
    """Write one file for each image, `<image>.cdx.json`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / f"{name}.cdx.json": bill for name, bill in bills.items()}
    for file, bill in files.items():
        file.write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    return list(files)


def show_images(images: Mapping[str, Sequence[Stocked]], as_json: bool) -> None:
    """Print the sandbox images of each engine: a table, or one JSON object a line with bytes and seconds since 1970."""
    if as_json:
        for host, there in images.items():
            for image in there:
                typer.echo(json.dumps({"engine": host, **asdict(image)}))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False)
    for host, there in images.items():
        table = Table("image", "state", "holds", "from", "size", box=None, pad_edge=False)
        table.columns[3].overflow, table.columns[4].justify = "fold", "right"
        for image in there:
            about = (image.toolchain, image.base, size(image.size)) if image.made else ("", "", "")
            table.add_row(image.language, image.state, *about)
        if len(images) > 1:
            console.print(host)
        console.print(table)
        absent = [image.language for image in there if image.state != "ready"]
        if absent:
            console.print(f"to make what is missing or outdated: heal images build {' '.join(absent)}")


def told(rooms: Sequence[Room]) -> list[str]:
    """What making room did, a line each, with the engine's address where there are several."""
    lines = []
    for room in rooms:
        if len(rooms) > 1:
            lines.append(room.host)
        reaped, pruned = room.reaped, room.pruned
        lines += [f"removed {item.kind} {item.key[:12]} ({item.about}), {size(item.size)}" for item in pruned.items]
        left_overs = sum(astuple(reaped))
        if left_overs:
            lines.append(f"removed {left_overs} left-overs of processes that are gone")
        lines.append(f"freed {size(pruned.freed)}, {size(pruned.left)} kept")
        if pruned.over:
            lines.append("the rest is in use or was used within the last two hours")
    return lines


def size(count: int) -> str:
    """Bytes for people: 1.2 GB."""
    for unit, factor in _UNITS:
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def size_of(text: str) -> int | None:
    """Bytes of what a person wrote (5GB, 500 MB, 2GiB); None when it is no size."""
    try:
        return int(TypeAdapter(ByteSize).validate_python(text))
    except ValidationError:
        return None


def age(seconds: float) -> str:
    """How long ago, in its largest unit; the notes of use are exact to the hour."""
    for unit, length in _AGES:
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit} ago"
    return "just now"
