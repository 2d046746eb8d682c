"""Check a `.keras` file (a zip archive) before its contents are read."""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from workers.models.guards.refusal import FileLimits, FileRefused, check_size

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
_METADATA = "metadata.json"
_VERSION = re.compile(rb'"keras_version":\s*"(\d{1,3})\.')
MAX_MEMBERS = 10_000


@contextmanager
def open_archive(file: IO[bytes], limits: FileLimits) -> Iterator[zipfile.ZipFile]:
    """Open a `.keras` file, and check the names and the sizes of its members.

    Only `config.json`, `metadata.json` and `model.weights.h5` are ever read, and nothing is unpacked to a folder.

    Raises:
        FileRefused: the file is damaged or too large, lacks a member, or has members that no `.keras` file has.
    """
    try:
        archive = zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile) as error:
        raise FileRefused("is not a .keras file (a zip archive), or it is damaged.") from error
    with archive:
        try:
            _check_members(archive.infolist(), limits)
            yield archive
        except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as error:  # also for encryption and unknown compression
            raise FileRefused(f"is damaged: {error}") from error


def keras_version(archive: zipfile.ZipFile) -> int:
    """Return the first number of the version of Keras that wrote the file; 3 if the file does not say."""
    if _METADATA not in archive.namelist():
        return 3
    found = _VERSION.search(archive.read(_METADATA))
    return int(found[1]) if found else 3


def _check_members(members: list[zipfile.ZipInfo], limits: FileLimits) -> None:
    if len(members) > MAX_MEMBERS:
        raise FileRefused(f"has {len(members)} members; at most {MAX_MEMBERS} are allowed.", allowed=MAX_MEMBERS, got=len(members))
    sizes: dict[str, int] = {}
    for member in members:
        name = member.filename
        if name in sizes:
            raise FileRefused(f"has two members of the name {name[:100]!r}.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise FileRefused(f"has a symbolic link: the member {name[:100]!r}; links are not allowed.")
        if name.startswith("/") or ".." in name.split("/"):
            raise FileRefused(f"has a member that points out of the archive: {name[:100]!r}.")
        if name.startswith("assets/") and member.file_size:
            raise FileRefused(f"has a file beside the weights, which no layer of Keras for images needs: {name[:100]!r}. It is not read.")
        sizes[name] = member.file_size
    check_size(sum(sizes.values()), limits.max_expanded_bytes, "expands to")
    if CONFIG not in sizes or WEIGHTS not in sizes:
        raise FileRefused(f"is not a .keras file of Keras 3: it lacks {CONFIG} or {WEIGHTS}.")
    for name in (CONFIG, _METADATA):
        check_size(sizes.get(name, 0), limits.max_config_bytes, f"has a {name} of")
