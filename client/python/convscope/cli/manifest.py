"""The record of a run: a file with one row for each photo, from which a second run knows what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from convscope.cli.failing import CommandError
from convscope.save_result import write_whole

Row = dict[str, Any]
_FIELDS = {"photo", "output", "state", "files", "method", "model", "params"}
MANIFEST, FAILED = "manifest.jsonl", "failed.jsonl"


class Manifest:
    """The rows of a folder of results, the last one of each photo.

    A row is written at the end of the file when its photo has ended. `close` then leaves one row for each photo.

    Raises:
        CommandError: the file cannot be read, or a line is no row.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / MANIFEST
        self._rows = {photo_key(row["photo"]): row for row in _read(self._path)}
        self._file: TextIOWrapper | None = None

    def __getitem__(self, photo: object) -> Row | None:
        return self._rows.get(photo_key(photo))

    @property
    def rows(self) -> Iterable[Row]:
        """The rows, the oldest photo first."""
        return self._rows.values()

    def forget(self, photo: object) -> None:
        """Forget the row of a photo."""
        self._rows.pop(photo_key(photo), None)

    def add(self, row: Row) -> None:
        """Write the row of a photo that has ended.

        Raises:
            OSError: the file cannot be written.
        """
        if self._file is None:
            self._write()  # the file may end in half a row
            self._file = self._path.open("a", encoding="utf-8")
        self._rows[photo_key(row["photo"])] = row
        self._file.write(_line(row))
        self._file.flush()

    def close(self) -> None:
        """Write the file anew with one row for each photo, and beside it the rows of the photos that failed, if there are any.

        Raises:
            OSError: a file cannot be written.
        """
        if self._file is not None:
            self._file.close()
            self._file = None
        self._write()
        failed = [row for row in self.rows if row["state"] == "failed"]
        if failed:
            write_whole(self._folder / FAILED, "".join(map(_line, failed)).encode())
        else:
            (self._folder / FAILED).unlink(missing_ok=True)

    def _write(self) -> None:
        write_whole(self._path, "".join(map(_line, self.rows)).encode())


def photo_key(photo: object) -> str:
    """Return a text for what a row calls its photo: a path, several paths, or None for a method that looks at no photo."""
    return json.dumps(photo)


def _line(row: Mapping[str, Any]) -> str:
    # Only ASCII is written, because the path of a photo may hold bytes that are no text.
    return json.dumps(row) + "\n"


def _read(path: Path) -> list[Row]:
    try:
        lines = path.read_text("utf-8").split("\n")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The manifest {path} cannot be read: {error}") from error
    # A run that was killed may have left half a row, which has no line end.
    rows: list[Row] = []
    for number, line in enumerate(lines[:-1], 1):
        row = _row(line)
        if row is None:
            raise CommandError(f"Line {number} of {path} is no row of a manifest. Move the file away, or choose another folder with --out.")
        rows.append(row)
    return rows


def _row(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and row.keys() >= _FIELDS else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
