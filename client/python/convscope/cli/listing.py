"""Show what the service answers: a table on a terminal, lines with tabs elsewhere, or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

Cells = Callable[[Mapping[str, Any]], Sequence[object]]


def show(rows: Sequence[Mapping[str, Any]], headings: Sequence[str], cells: Cells, *, as_json: bool) -> None:
    """Print rows.

    Args:
        rows: objects as the service answers them.
        headings: the headings of the table.
        cells: returns the cells of an object, one for each heading.
        as_json: print the objects themselves as a JSON array.
    """
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = [[_text(cell) for cell in cells(row)] for row in rows]
    console = Console()
    if console.is_terminal:
        console.print(_table(headings, table))
    else:
        # Programs read these lines, so a tab or a line end in a cell becomes a space.
        for line in [headings, *table]:
            typer.echo("\t".join(" ".join(cell.split()) for cell in line))


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        # A name is copied into the next command, so it is never cut.
        table.add_column(heading, no_wrap=number == 0, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, (list, tuple)):
        return "×".join("?" if size is None else str(size) for size in cell)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return str(cell)
