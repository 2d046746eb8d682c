"""Draw the pictures of a run on contact sheets, each above its name."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from convscope.cli.failing import CommandError
from convscope.cli.manifest import Row
from convscope.cli.progress import printable
from convscope.save_result import write_whole

_COLUMNS, _ROWS = 6, 8
_TILE, _GAP, _LINE = 256, 16, 18  # pixels
_BACKGROUND, _INK, _PALE = (255, 255, 255), (20, 20, 20), (110, 110, 110)


def write_contact_sheets(folder: Path, rows: Iterable[Row], title: str) -> list[Path]:
    """Write `contact-sheet.png`, or `contact-sheet-1.png` and so on for more than 48 pictures, and return the paths.

    Sheets of an earlier run are deleted first.

    Raises:
        CommandError: no row has a picture.
    """
    shown = sorted((row for row in rows if row.get("picture")), key=lambda row: row["output"])
    if not shown:
        raise CommandError("There is no contact sheet, because no photo has a picture.")
    for old in folder.glob("contact-sheet*.png"):
        old.unlink()
    pages = [shown[start : start + _COLUMNS * _ROWS] for start in range(0, len(shown), _COLUMNS * _ROWS)]
    names = ["contact-sheet.png"] if len(pages) == 1 else [f"contact-sheet-{number}.png" for number in range(1, len(pages) + 1)]
    return [write_whole(folder / name, _sheet(folder, page, title)) for name, page in zip(names, pages, strict=True)]


def _sheet(folder: Path, rows: Sequence[Row], title: str) -> bytes:
    """Return a PNG file with the pictures of the rows in reading order."""
    columns = min(_COLUMNS, len(rows))
    pictures = [_thumbnail(folder / row["picture"]) for row in rows]
    heights = [max(picture.height for picture in pictures[start : start + columns]) for start in range(0, len(rows), columns)]
    size = (_GAP + columns * (_TILE + _GAP), 2 * _GAP + _LINE + sum(height + 2 * _LINE + _GAP for height in heights))
    sheet = import_module("PIL.Image").new("RGB", size, _BACKGROUND)
    draw = import_module("PIL.ImageDraw").Draw(sheet)
    _write(draw, (_GAP, _GAP // 2), title, size=16, ink=_INK, room=size[0] - 2 * _GAP)
    top = 2 * _GAP + _LINE
    for line, height in enumerate(heights):
        for column in range(min(columns, len(rows) - line * columns)):
            row, picture, left = rows[line * columns + column], pictures[line * columns + column], _GAP + column * (_TILE + _GAP)
            sheet.paste(picture, (left + (_TILE - picture.width) // 2, top + (height - picture.height) // 2))
            _write(draw, (left, top + height + 2), printable(row["output"]), size=13, ink=_INK, room=_TILE)
            _write(draw, (left, top + height + 2 + _LINE), _finding(row.get("facts") or {}), size=12, ink=_PALE, room=_TILE)
        top += height + 2 * _LINE + _GAP
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _thumbnail(path: Path) -> Any:
    with import_module("PIL.Image").open(path) as picture:
        small = picture.convert("RGB")
    small.thumbnail((_TILE, _TILE))
    return small


def _finding(facts: dict[str, Any]) -> str:
    """Return the class that a result speaks of, with its probability, if it has one."""
    first = next(iter(facts.get("predictions") or []), facts)
    label, probability = first.get("label"), first.get("probability")
    return "" if label is None else str(label) if probability is None else f"{label} {probability:.2f}"


def _write(draw: Any, corner: tuple[int, int], text: str, *, size: int, ink: tuple[int, int, int], room: int) -> None:
    font = import_module("PIL.ImageFont").load_default(size)
    if draw.textlength(text, font=font) > room:
        # The end of a path says more than its beginning.
        while text and draw.textlength("…" + text, font=font) > room:
            text = text[1:]
        text = "…" + text
    draw.text(corner, text, fill=ink, font=font)
