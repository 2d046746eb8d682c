"""Find the photos that a command names: files, folders, patterns, and lists on standard input."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from convscope.cli.failing import CommandError

# A folder may hold other things than photos. A file that is named by itself is taken whatever its name is.
PHOTO_SUFFIXES = frozenset({".avif", ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".npy", ".png", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class FoundPhoto:
    """A photo, and its place among the others.

    Attributes:
        path: the absolute path of the file.
        place: the path relative to the folder that holds all photos of the command, with forward slashes.
    """

    path: Path
    place: str


def find_photos(arguments: Sequence[str], read_list: Callable[[], str], leave_out: Path) -> list[FoundPhoto]:
    """Return the photos in a fixed order, each once.

    Args:
        arguments: paths of files and folders, patterns with `*`, `?`, `[…]` or `**`, and `-` for a list with one path in each line.
        read_list: returns the list on standard input. Its paths are separated by line ends, or by NUL characters if it has any.
        leave_out: a folder whose files are no photos, because the results go there.

    Raises:
        CommandError: a file, a folder or a pattern leads to nothing.
    """
    names = [name for argument in arguments for name in (_listed(read_list()) if argument == "-" else _matches(argument))]
    paths = [Path(os.path.abspath(name)) for name in names]  # noqa: PTH100 - a link keeps its own name
    folders = {path for path in paths if path.is_dir()}
    files = dict.fromkeys(file for path in paths for file in (_photos_below(path, leave_out) if path in folders else [path]))
    if not files:
        return []
    base = Path(os.path.commonpath([path if path in folders else path.parent for path in paths]))
    return [FoundPhoto(file, file.relative_to(base).as_posix()) for file in files]


def _listed(text: str) -> Iterator[str]:
    for line in text.split("\0") if "\0" in text else text.splitlines():
        if line.strip():
            yield line


def _matches(argument: str) -> Iterable[str]:
    if Path(argument).exists() or not glob.has_magic(argument):
        if not os.path.lexists(argument):
            raise CommandError(f"There is no file or folder '{argument}'.")
        return [argument]
    found = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - a pattern may be absolute
    if not found:
        raise CommandError(f"No file matches the pattern '{argument}'.")
    return found


def _photos_below(folder: Path, leave_out: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and Path(parent, name) != leave_out)
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in PHOTO_SUFFIXES:
                yield Path(parent, name)
