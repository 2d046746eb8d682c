"""Write the results of the demo: files, a contact sheet, and a report on the terminal."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PIL import Image
from rich.console import Console
from rich.table import Table

from cli.contact_sheet import SheetTile, contact_sheet
from schemas.jobs import JobBase
from schemas.methods.cam.base import CamFacts
from schemas.methods.facts import Facts
from schemas.methods.inspection.activations import ActivationsFacts
from schemas.methods.inspection.predict import PredictFacts

F = TypeVar("F", bound=Facts)

_SUFFIXES = {"image": ".png", "array": ".npy"}


@dataclass(frozen=True)
class FinishedJob:
    """A job that succeeded.

    `content` holds its artifacts' bytes by name. `seconds` is the time from the submission to the last byte.
    """

    job: JobBase
    content: Mapping[str, bytes]
    seconds: float

    def picture(self, name: str) -> Image.Image:
        """Return the artifact of this name, which must be a PNG file."""
        return Image.open(io.BytesIO(self.content[name]))


def write_artifacts(finished: FinishedJob, folder: Path) -> None:
    """Write each artifact to a file in `folder`, and delete the files of an earlier run."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in _SUFFIXES.values():
        for stale in folder.glob(f"*{suffix}"):
            stale.unlink()
    for artifact in finished.job.artifacts:
        (folder / f"{artifact.name}{_SUFFIXES[artifact.kind]}").write_bytes(finished.content[artifact.name])


def write_contact_sheet(heading: str, finished: Sequence[FinishedJob], out: Path) -> Path:
    """Draw the pictures of all jobs on one sheet, write it to `out` as a PNG file, and return its path."""
    jobs = {one.job.method: one for one in finished}
    rows = [
        [_prediction(jobs["predict"]), _cam(jobs["grad_cam"])],
        _activations(jobs["activations"]),
        [_filters(jobs["filters"])],
    ]
    path = out / "contact_sheet.png"
    contact_sheet(heading, rows).save(path, optimize=True)
    return path


def print_report(console: Console, finished: Sequence[FinishedJob], start: float, total: float) -> None:
    """Print the top classes, the milliseconds of each stage of each job, and the seconds of the start, the jobs and the whole."""
    top = Table(title="Top classes", title_justify="left")
    for column, justify in (("class", "right"), ("label", "left"), ("logit", "right"), ("probability", "right")):
        top.add_column(column, justify=justify)  # pyright: ignore[reportArgumentType]
    timings = Table(title="Milliseconds", title_justify="left")
    timings.add_column("job")
    for column in ("queued", "decode", "device", "render", "total"):
        timings.add_column(column, justify="right")
    for one in finished:
        if isinstance(one.job.facts, PredictFacts):
            for found in one.job.facts.predictions:
                top.add_row(str(found.class_index), found.label or "", f"{found.logit:.2f}", f"{found.probability:.3f}")
        spent = one.job.timings
        stages = (spent.queued, spent.decode, spent.device, spent.render, round(one.seconds * 1000))
        timings.add_row(one.job.method, *("–" if stage is None else f"{stage:,}" for stage in stages))
    console.print(top, timings)
    jobs = sum(one.seconds for one in finished)
    console.print(f"Start {start:.1f} s, jobs {jobs:.1f} s, total {total:.1f} s")


def _facts(finished: FinishedJob, kind: type[F]) -> F:
    facts = finished.job.facts
    if not isinstance(facts, kind):
        raise TypeError(f"The facts of {finished.job.method} are {type(facts).__name__}. They must be {kind.__name__}.")
    return facts


def _primary(finished: FinishedJob) -> Image.Image:
    return finished.picture(next(artifact.name for artifact in finished.job.artifacts if artifact.primary))


def _prediction(finished: FinishedJob) -> SheetTile:
    best = _facts(finished, PredictFacts).predictions[0]
    return SheetTile("Prediction", f"{best.label or best.class_index}, probability {best.probability:.2f}", _primary(finished))


def _cam(finished: FinishedJob) -> SheetTile:
    facts = _facts(finished, CamFacts)
    return SheetTile("Grad-CAM", f"where the photo speaks for {facts.label or f'class {facts.class_index}'}", _primary(finished))


def _activations(finished: FinishedJob) -> list[SheetTile]:
    layers = _facts(finished, ActivationsFacts).layers
    names = [f"grid.{layer.layer.replace('/', '.')}" for layer in layers] if len(layers) > 1 else ["grid"]
    return [
        SheetTile(
            "Activations",
            f"{layer.sparsity:.0%} zeros",
            finished.picture(name),
        )
        for layer, name in zip(layers, names, strict=True)
    ]


def _filters(finished: FinishedJob) -> SheetTile:
    return SheetTile("Filters", f"by gradient ascent, in {finished.seconds:.0f} s", _primary(finished))
