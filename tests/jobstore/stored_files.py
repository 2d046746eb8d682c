"""Look at the files that a store has written."""

from __future__ import annotations

from pathlib import Path

from jobstore.files import digest_of


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def contents(folder: Path) -> list[bytes]:
    """Return the contents of all files, shortest first."""
    return sorted((path.read_bytes() for path in files(folder)), key=lambda content: (len(content), content))


def named(folder: Path, content: bytes) -> Path:
    """Return the file that holds a content."""
    [path] = folder.rglob(f"{digest_of(content)}-*")
    return path
