"""Compare the photos of a command with the manifest, and say what is left to do."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from convscope.cli.failing import CommandError
from convscope.cli.manifest import Manifest, Row, photo_key
from convscope.cli.photos import FoundPhoto
from convscope.cli.save_choice import SaveChoice
from convscope.generated.methods import Methods


@dataclass(frozen=True)
class RunRequest:
    """The request that the service gets for every photo."""

    method: str
    model: str | None
    params: dict[str, Any]
    priority: str | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a row that say what was asked."""
        return {"method": self.method, "model": self.model, "params": self.params}

    def asked_in(self, row: Row) -> bool:
        """Return true if the row is the answer to the same request."""
        return all(row[name] == value for name, value in self.fields.items())


@dataclass(frozen=True)
class RunItem:
    """One call of the method.

    Attributes:
        photo: the path of the photo, the paths of all photos for a method that reads them together, or None for one that reads none.
        output: the beginning of the names of its files, as a path below the folder of results.
        stamp: the size and the time of the last change of the photo, from which a later run sees that the photo is another one.
    """

    photo: str | list[str] | None
    output: str
    stamp: list[int] | None = None


@dataclass
class RunPlan:
    """The items of a run, sorted by what is known of them."""

    to_do: list[RunItem] = field(default_factory=list[RunItem])
    done: list[RunItem] = field(default_factory=list[RunItem])
    failed_before: list[RunItem] = field(default_factory=list[RunItem])

    @property
    def items(self) -> list[RunItem]:
        """All items."""
        return [*self.done, *self.failed_before, *self.to_do]

    @property
    def total(self) -> int:
        """The number of all items."""
        return len(self.items)


def photo_needs() -> dict[str, str]:
    """Return which photos each method reads: `one`, `several` or `none`. These are the methods that this version of the client knows."""
    arguments = {name: inspect.signature(method).parameters for name, method in vars(Methods).items() if not name.startswith("_")}
    return {name: "one" if "image" in each else "several" if "images" in each else "none" for name, each in arguments.items()}


def candidates(method: str, photos: Sequence[FoundPhoto]) -> list[tuple[str | list[str] | None, str]]:
    """Return what each call of the method reads, and the place of its results if that place is free.

    Raises:
        CommandError: the method needs photos and there are none, or it reads none and there are some.
    """
    need = photo_needs().get(method, "one")
    if need == "none":
        if photos:
            raise CommandError(f"The method {method} looks at no photo, so no photos can be given.")
        return [(None, method)]
    if not photos:
        raise CommandError(f"The method {method} needs photos, and none were found. Name files, folders or patterns, or - for a list.")
    if need == "several":
        return [([str(photo.path) for photo in photos], method)]
    return [(str(photo.path), photo.place) for photo in photos]


def plan_run(
    manifest: Manifest,
    folder: Path,
    request: RunRequest,
    save: SaveChoice,
    wanted: Sequence[tuple[str | list[str] | None, str]],
    *,
    retry_failed: bool,
) -> RunPlan:
    """Return the plan of a run. Failed rows of another request are forgotten.

    Raises:
        CommandError: the folder holds results of another request, whose files would be mixed with those of this one.
    """
    for row in list(manifest.rows):
        if request.asked_in(row):
            continue
        if row["state"] == "succeeded":
            raise CommandError(f"{folder} holds results of another run ({_difference(request, row)}). Choose another folder with --out.")
        manifest.forget(row["photo"])
    taken = {row["output"]: photo_key(row["photo"]) for row in manifest.rows}
    plan = RunPlan()
    for photo, place in wanted:
        row = manifest[photo]
        item = RunItem(photo, row["output"] if row else _free_output(photo, place, taken), _stamp(photo))
        taken[item.output] = photo_key(photo)
        if row is None:
            plan.to_do.append(item)
        elif row["state"] == "failed" and row.get("stamp") == item.stamp:
            (plan.to_do if retry_failed else plan.failed_before).append(item)
        else:
            (plan.done if _is_done(row, item, folder, save) else plan.to_do).append(item)
    return plan


def _free_output(photo: str | list[str] | None, place: str, taken: dict[str, str]) -> str:
    if taken.get(place, photo_key(photo)) == photo_key(photo):
        return place
    # An earlier run with other arguments has given the place to a photo of another folder.
    mark = hashlib.sha256(photo_key(photo).encode()).hexdigest()[:12]
    path = PurePosixPath(place)
    return str(path.with_name(f"{path.stem}~{mark}{path.suffix}"))


def _is_done(row: Row, item: RunItem, folder: Path, save: SaveChoice) -> bool:
    unchanged = row["state"] == "succeeded" and row.get("stamp") == item.stamp
    return unchanged and save.words <= set(row.get("save", ())) and all((folder / name).is_file() for name in row["files"])


def _stamp(photo: str | list[str] | None) -> list[int] | None:
    if photo is None:
        return None
    stamp: list[int] = []
    for path in [photo] if isinstance(photo, str) else photo:
        try:
            state = Path(path).stat()
        except OSError:
            return None  # the run tells why the photo cannot be read
        stamp += [state.st_size, state.st_mtime_ns]
    return stamp


def _difference(request: RunRequest, row: Row) -> str:
    name = next(name for name, value in request.fields.items() if row[name] != value)
    return f"{name} {row[name]!r}, now {request.fields[name]!r}"
