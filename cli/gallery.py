"""The command `convscope gallery`: make the sources' figures and every method's page over HTTP, and write them to `docs/`."""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from PIL import Image
from pydantic import JsonValue
from rich.console import Console

from cli.client import Client
from cli.demo_progress import DemoProgress
from cli.failure import CommandFailed
from cli.gallery_calls import BUILT_IN, SOURCES, GalleryCall, method_calls
from cli.gallery_models import PRUNED, SMALL_VIT, SMALL_VIT_NOTE, gallery_models
from cli.gallery_sets import SETS_NOTES, SETS_OF, uploaded_sets
from cli.method_page import method_page, methods_index
from cli.temporary_stack import temporary_stack
from cli.time_limit import time_limit
from schemas.jobs import JobBase
from schemas.methods import METHODS
from schemas.methods.several_images import ImagesParams
from schemas.models import NO_MODEL

_JOB_SECONDS = 600
_SENT_AS_FILES = ("images", "names")  # curl sends these as files, which have names of their own
_MOST_PHOTOS = 8
_LARGEST_SIZE = (900, 1400)  # width and height, in pixels, of a picture in the documents


@dataclass(frozen=True)
class GalleryPicture:
    """A picture in `docs/`, the call and the job that made it, and a remark about it."""

    call: GalleryCall
    job: JobBase
    file: Path
    note: str

    def curl(self, photos: Sequence[Path]) -> str:
        """Return the call as one curl command, with the first photo, or with all photos if the method takes several."""
        call, card = self.call, METHODS[self.call.method].card
        words = ["curl"]
        if card.lane == "slow":
            words.append("-H 'Prefer: wait=60'")
        if card.needs_image:
            words.append(f"-F image=@{photo_of(self.call, photos)}")
        by_sets = SETS_OF.get(call.method, {})
        if by_sets:
            words += [f"-F {name}=${each}" for name, sets in by_sets.items() for each in sets]
        elif _takes_several(call.method):
            words += [f"-F images=@{photo}" for photo in photos]
        if card.needs_model:
            words.append(f"-F model={self.job.model}")
        words += [
            f"-F {shlex.quote(f'{name}={_field(value)}')}"
            for name, value in call.params.items()
            if value is not None and name not in (*_SENT_AS_FILES, *by_sets)
        ]
        return " ".join([*words, f"localhost:8000/v1/{call.method}", f"-o {call.method}.png"])


def gallery(image: Path, docs: Path, only: str | None) -> None:
    """Start all of convscope, make every picture, and write `gallery.md`, `methods/*.md` and `pictures/gallery/*.jpg`.

    Args:
        image: the file of a photo. Methods that take several images also get the photos beside it, up to seven.
        docs: the folder that everything is written to.
        only: the name of the method whose page and figures alone are made again. If it is None, everything is made again.

    Raises:
        CommandFailed: a job did not succeed, or convscope could not be started.
    """
    console = Console()
    pictures = docs / "pictures" / "gallery"
    pictures.mkdir(parents=True, exist_ok=True)
    photos = [image, *(path for path in sorted(image.parent.glob("*.jpg")) if path != image)][:_MOST_PHOTOS]
    calls = [call for call in method_calls() if only in (None, call.method)]
    further = {call.model for call in calls} - {BUILT_IN}
    if only in (None, "compare_models"):
        further.add(PRUNED)
    with (
        gallery_models(sorted(further), image.parent),
        temporary_stack("gallery") as stack,
        stack.interrupts.raising(),
        Client(stack.url) as client,
        DemoProgress(console) as progress,
    ):
        maker = _PictureMaker(client, progress, photos, pictures)
        methods = [maker.make(call, f"method_{call.method}") for call in calls]
        figures = [
            [maker.make(call, f"source_{number}_{index}") for index, call in enumerate(source.calls, 1) if only in (None, call.method)]
            for number, source in enumerate(SOURCES, 1)
        ]
    pages = docs / "methods"
    pages.mkdir(exist_ok=True)
    for picture in methods:
        page = method_page(picture.call.method, picture.file, picture.curl(photos), picture.note)
        (pages / f"{picture.call.method}.md").write_text(page, "utf-8")
    (pages / "README.md").write_text(methods_index(), "utf-8")
    page = docs / "gallery.md"
    whole = _gallery_page(figures, photos) if only is None else with_figures(page.read_text("utf-8"), chain(*figures), photos)
    page.write_text(whole, "utf-8")


class _PictureMaker:
    """Make pictures with a running service, one after the other."""

    def __init__(self, client: Client, progress: DemoProgress, photos: Sequence[Path], pictures: Path) -> None:
        self._client, self._progress, self._pictures = client, progress, pictures
        self._photos = photos
        self._image_ids: list[JsonValue] = [client.upload(photo.name, photo.read_bytes()).id for photo in photos]
        self._available: dict[str, bool] = {}

    def make(self, call: GalleryCall, name: str) -> GalleryPicture:
        """Run the call and write its picture to `NAME.jpg`.

        Raises:
            CommandFailed: the job did not succeed, or it made no such picture.
        """
        model, params, note = call.model, call.params, ""
        if call.source_model is not None:
            if self._has(call.source_model):
                model, params = call.source_model, {**call.params, **call.source_params}
            else:
                note = f"The source uses {call.source_model}. Its ImageNet weights could not be loaded here, so {BUILT_IN} was used."
        if call.method == "compare_models":
            note = f"{PRUNED} is the built-in model without the smallest 30 % of its weights. Name a model of your own in its place."
        if call.model == SMALL_VIT:
            note = SMALL_VIT_NOTE
        if call.method in SETS_OF:
            note = SETS_NOTES[call.method]
            params = {**params, **uploaded_sets(call.method, self._photos[0].parent, lambda name, png: self._client.upload(name, png).id)}
        elif _takes_several(call.method):
            params = {**params, "images": self._image_ids}
        if "names" in METHODS[call.method].model_fields:
            names: dict[str, JsonValue] = {str(image): photo.name for image, photo in zip(self._image_ids, self._photos, strict=True)}
            params = {**params, "names": names}
        card, shown = METHODS[call.method].card, self._photos.index(photo_of(call, self._photos))
        with time_limit(_JOB_SECONDS, call.method), self._progress.job(f"{call.method} {name}") as on_progress:
            submitted = self._client.submit(
                call.method, model if card.needs_model else NO_MODEL, params, str(self._image_ids[shown]) if card.needs_image else None
            )
            job = self._client.follow(submitted, on_progress)
        wanted = [artifact for artifact in job.artifacts if (artifact.name == call.artifact if call.artifact else artifact.primary)]
        if not wanted:
            raise CommandFailed(
                f"{call.method} made no artifact '{call.artifact or 'primary'}'. Its warnings: {'; '.join(job.warnings) or 'none'}."
            )
        path = self._pictures / f"{name}.jpg"
        _save(self._client.artifact(wanted[0]), path)
        return GalleryPicture(
            GalleryCall(call.caption, call.method, params, photo=call.photo, model=call.model),
            job,
            path,
            " ".join([note, *job.warnings]).strip(),
        )

    def _has(self, model: str) -> bool:
        if model not in self._available:
            try:
                self._client.model(model)
            except CommandFailed as problem:
                if "model_load_failed" not in str(problem):
                    raise
                self._available[model] = False
            else:
                self._available[model] = True
        return self._available[model]


def photo_of(call: GalleryCall, photos: Sequence[Path]) -> Path:
    """Return the photo that the call shows.

    Raises:
        CommandFailed: the call names a photo that is not there.
    """
    if call.photo is None:
        return photos[0]
    found = next((photo for photo in photos if photo.name == call.photo), None)
    if found is None:
        raise CommandFailed(f"The picture of {call.method} shows {call.photo}, which is not beside {photos[0]}.")
    return found


def _takes_several(method: str) -> bool:
    return issubclass(METHODS[method], ImagesParams) and METHODS[method].model_fields["images"].is_required()


def _field(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _save(png: bytes, path: Path) -> None:
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.thumbnail(_LARGEST_SIZE, Image.Resampling.LANCZOS)
    picture.save(path, quality=88, optimize=True)


def _gallery_page(figures: Sequence[Sequence[GalleryPicture]], photos: Sequence[Path]) -> str:
    lines = [
        "# Gallery",
        "",
        "These are the figures of the sources. The call under each picture makes it over HTTP. `make gallery` makes all of them again.",
        "",
    ]
    for source, pictures in zip(SOURCES, figures, strict=True):
        lines += [f"## {source.title}", "", source.reference, ""]
        lines += [_figure(picture, photos) for picture in pictures]
    return "\n".join(lines)


def _figure(picture: GalleryPicture, photos: Sequence[Path]) -> str:
    """Return the part of the gallery's page that shows one figure."""
    lines = [f"### {picture.call.caption}", "", _shown(picture), ""]
    lines += [picture.note, ""] if picture.note else []
    return "\n".join([*lines, "```sh", picture.curl(photos), "```", ""])


def _shown(picture: GalleryPicture) -> str:
    words = f"{METHODS[picture.call.method].card.title}, {picture.call.caption.replace('`', '')}"
    return f"![{words}]({_link(picture)})"


def _link(picture: GalleryPicture) -> str:
    return f"pictures/gallery/{picture.file.name}"


def with_figures(page: str, figures: Iterable[GalleryPicture], photos: Sequence[Path]) -> str:
    """Return the gallery's page with new parts for these figures, which it shows already.

    Raises:
        CommandFailed: the page does not show one of the figures.
    """
    parts = re.split(r"^(?=##)", page, flags=re.MULTILINE)
    for picture in figures:
        at = next((index for index, part in enumerate(parts) if f"]({_link(picture)})" in part), None)
        if at is None:
            raise CommandFailed(f"gallery.md has no figure {picture.file.name} yet. Make the whole gallery once, without --only.")
        parts[at] = _figure(picture, photos) + "\n" * parts[at].endswith("\n\n")
    return "".join(parts)
