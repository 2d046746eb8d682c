"""`convscope gallery`: the sources' figures and every method's page, each picture asked for over HTTP, written to `docs/`."""

from __future__ import annotations

import io
import json
import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from pydantic import JsonValue
from rich.console import Console

from cli.client import Client
from cli.demo_progress import DemoProgress
from cli.failure import CommandFailed
from cli.gallery_rows import BUILT_IN, SOURCES, Row, method_rows
from cli.listening import listen
from cli.method_page import method_page, methods_index
from cli.stack import DrainSeconds, Stack
from cli.time_limit import time_limit
from schemas.jobs import JobBase
from schemas.methods import METHODS
from schemas.methods.several_images import ImagesParams
from schemas.models import NO_MODEL

_READY_WITHIN = 300.0  # seconds, as is what follows
_JOB_WITHIN = 600
_DRAINS = DrainSeconds(service=5.0, workers=10.0)  # nothing is left to finish when the gallery ends
_MOST_PHOTOS = 8
_LARGEST = (900, 1400)  # width and height of a picture in the documents


@dataclass(frozen=True)
class Shown:
    """A row's picture as it stands in `docs/`, and how it was made."""

    row: Row
    job: JobBase
    picture: Path
    note: str

    def call(self, photos: Sequence[Path]) -> str:
        """The same in one line of curl, of the first photo or of all."""
        row, card = self.row, METHODS[self.row.method].card
        parts = ["curl"]
        if card.lane == "slow":
            parts.append("-H 'Prefer: wait=60'")
        if card.needs_image:
            parts.append(f"-F image=@{photos[0]}")
        if _takes_several(row.method):
            parts += [f"-F images=@{photo}" for photo in photos]
        if card.needs_model:
            parts.append(f"-F model={self.job.model}")
        parts += [
            f"-F {shlex.quote(f'{name}={_field(value)}')}" for name, value in row.params.items() if value is not None and name != "images"
        ]
        return " ".join([*parts, f"localhost:8000/v1/{row.method}", f"-o {row.method}.png"])


def gallery(image: Path, docs: Path, only: str | None) -> None:
    """Starts all of convscope, makes every picture and writes `gallery.md`, `methods/*.md` and `pictures/gallery/*.jpg` in `docs`.

    Methods of several images get the photos beside `image` too, up to seven of them.

    With `only`, a method's name, that method's page alone is made again.

    Raises:
        CommandFailed: with the problem's words, when anything does not succeed.
    """
    console = Console()
    pictures = docs / "pictures" / "gallery"
    pictures.mkdir(parents=True, exist_ok=True)
    photos = [image, *(path for path in sorted(image.parent.glob("*.jpg")) if path != image)][:_MOST_PHOTOS]
    with (
        tempfile.TemporaryDirectory(prefix="convscope-gallery-") as data_dir,
        Stack(listen("127.0.0.1", 0, insecure=False), Path(data_dir), _DRAINS, log_dir=Path(data_dir)) as stack,
    ):
        if not stack.wait_ready(_READY_WITHIN):
            raise CommandFailed("The command was interrupted.")
        with stack.interrupts.raising(), Client(stack.url) as client, DemoProgress(console) as progress:
            studio = _Studio(client, progress, photos, pictures)
            methods = [studio.shown(row, f"method_{row.method}") for row in method_rows() if only in (None, row.method)]
            figures = [
                [studio.shown(row, f"source_{number}_{index}") for index, row in enumerate(source.rows, 1)]
                for number, source in enumerate(SOURCES if only is None else (), 1)
            ]
    pages = docs / "methods"
    pages.mkdir(exist_ok=True)
    for one in methods:
        (pages / f"{one.row.method}.md").write_text(method_page(one.row.method, one.picture, one.call(photos), one.note), "utf-8")
    (pages / "README.md").write_text(methods_index(), "utf-8")
    if only is None:
        (docs / "gallery.md").write_text(_gallery_page(figures, photos), "utf-8")


class _Studio:
    """Makes one picture after the other with a service that runs."""

    def __init__(self, client: Client, progress: DemoProgress, photos: Sequence[Path], pictures: Path) -> None:
        self._client, self._progress, self._pictures = client, progress, pictures
        self._image_ids: list[JsonValue] = [client.upload(photo.name, photo.read_bytes()).id for photo in photos]
        self._at_hand: dict[str, bool] = {}

    def shown(self, row: Row, name: str) -> Shown:
        model, params, note = BUILT_IN, row.params, ""
        if row.source_model is not None:
            if self._has(row.source_model):
                model, params = row.source_model, {**row.params, **row.source_params}
            else:
                note = f"The source looks into {row.source_model}, whose ImageNet weights were not at hand: {BUILT_IN} stands in."
        if _takes_several(row.method):
            params = {**params, "images": self._image_ids}
        card = METHODS[row.method].card
        with time_limit(_JOB_WITHIN, row.method), self._progress.job(f"{row.method} {name}") as on_progress:
            submitted = self._client.submit(
                row.method, model if card.needs_model else NO_MODEL, params, str(self._image_ids[0]) if card.needs_image else None
            )
            job = self._client.follow(submitted, on_progress)
        wanted = [artifact for artifact in job.artifacts if (artifact.name == row.artifact if row.artifact else artifact.primary)]
        if not wanted:
            raise CommandFailed(
                f"{row.method} made no picture '{row.artifact or 'primary'}'; it warns: {'; '.join(job.warnings) or 'nothing'}"
            )
        path = self._pictures / f"{name}.jpg"
        _save(self._client.artifact(wanted[0]), path)
        return Shown(Row(row.caption, row.method, params), job, path, " ".join([note, *job.warnings]).strip())

    def _has(self, model: str) -> bool:
        if model not in self._at_hand:
            try:
                self._client.model(model)
            except CommandFailed as problem:
                if "model_load_failed" not in str(problem):
                    raise
                self._at_hand[model] = False
            else:
                self._at_hand[model] = True
        return self._at_hand[model]


def _takes_several(method: str) -> bool:
    return issubclass(METHODS[method], ImagesParams)


def _field(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _save(png: bytes, path: Path) -> None:
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.thumbnail(_LARGEST, Image.Resampling.LANCZOS)
    picture.save(path, quality=88, optimize=True)


def _gallery_page(figures: Sequence[Sequence[Shown]], photos: Sequence[Path]) -> str:
    lines = [
        "# Gallery",
        "",
        "The figures of the sources, each asked for over HTTP by the call under it. `make gallery` makes all of this again.",
        "",
    ]
    for source, shown in zip(SOURCES, figures, strict=True):
        lines += [f"## {source.title}", "", source.reference, ""]
        for one in shown:
            lines += [
                f"### {one.row.caption}",
                "",
                f"![{one.row.method}](pictures/gallery/{one.picture.name})",
                "",
                *([one.note, ""] if one.note else []),
            ]
            lines += ["```sh", one.call(photos), "```", ""]
    return "\n".join(lines)
