"""Measure how long the slices of every slow method hold the device.

Each method runs its example on the built-in model, and a heavy case on VGG16 with random weights at 224 × 224. A slice in which nothing
compiles should take at most 250 ms. A slice that compiles takes longer, and is given apart.

Other work on the machine makes slices longer. So the table also gives the processor time of the longest slice, divided by the number of
cores: the slice takes at least so long on the machine without other work.

Example:
    python -m benchmarks.slices --methods occlusion feature_inversion --seconds 20
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.this_machine import this_machine
from catalog.catalog import load_catalog
from catalog.entry import CatalogEntry
from rendering.photo import Photo
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.methods.base import MethodParams
from schemas.methods.several_images import ImagesParams
from workers.contract.inputs import Inputs, Prepared
from workers.contract.progress import Slice
from workers.engine.probe import KerasProbe
from workers.execution.named_photos import named_photos
from workers.methods import implementation
from workers.models.description.describe import describe
from workers.models.loading import load_model
from workers.models.preprocessing import prepare

_TARGET_SECONDS = 0.25
_EXAMPLE_MODEL, _HEAVY_MODEL = "efficientnet_lite0", "vgg16"
_IMAGES = [f"img_{number:064x}" for number in range(24)]
_HEAVY: dict[str, dict[str, Any]] = {
    "ablation_cam": {"layer": "block4_conv3", "class_index": [1, 2, 3]},
    "activation_atlas": {"images": _IMAGES, "layer": "block5_conv3", "columns": 4, "size": 224, "steps": 8},
    "adversarial": {"attack": "pgd", "steps": 20},
    "intervene": {"layer": "block4_conv3"},
    "blur_ig": {"class_index": [1, 2, 3], "steps": 50},
    "compare": {"methods": ["grad_cam", "score_cam", "ablation_cam"], "layer": "block4_conv3"},
    "compare_models": {
        "images": _IMAGES[:4],
        "models": ["another_model"],
        "attribution": "layer_cam",
        "options": {"layer": "block4_conv3"},
    },
    "craft": {"images": _IMAGES[:4], "layer": "block5_conv3", "class_index": 1},
    "deep_dream": {"layers": {"block4_conv3": 1.0, "block5_conv3": 1.0}, "octaves": 3, "steps": 4, "size": 512},
    "dff": {"images": _IMAGES[:16], "layer": "block4_conv3", "parts": 12},
    "faithfulness": {"attribution": "score_cam", "steps": 50, "randomisations": 1},
    "feature_inversion": {"layer": ["block3_conv3", "block5_conv3"], "steps": 16},
    "filter_atlas": {"layer": "block5_conv3", "size": 224, "steps": 8},
    "filters": {"layer": "block5_conv3", "channels": 64, "size": 224, "steps": 8},
    "gradient_shap": {"class_index": [1, 2, 3], "samples": 50},
    "guided_ig": {"class_index": [1, 2, 3], "steps": 50},
    "hsic": {"class_index": [1, 2, 3, 4, 5], "masks": 500},
    "integrated_gradients": {"class_index": [1, 2, 3], "steps": 50},
    "kernel_shap": {"class_index": [1, 2, 3, 4, 5], "samples": 1000},
    "mean_map": {"images": _IMAGES, "attribution": "layer_cam", "options": {"layer": "block4_conv3"}},
    "nearest": {"images": _IMAGES, "layer": "block5_conv3"},
    "embedding": {"images": _IMAGES, "layer": "block5_conv3"},
    "lime": {"class_index": [1, 2, 3, 4, 5], "samples": 1000},
    "map_measures": {"attribution": "score_cam", "measures": ["road", "deletion", "insertion", "infidelity"]},
    "occlusion": {"class_index": [1, 2, 3, 4, 5], "window": 32, "stride": 8},
    "partition_shap": {"class_index": [1, 2, 3, 4, 5], "samples": 200, "baseline": "inpaint_telea"},
    "predict_batch": {"images": _IMAGES},
    "rank_methods": {"images": _IMAGES[:2], "methods": ["grad_cam", "score_cam"]},
    "rise": {"masks": 1000, "class_index": [1, 2, 3, 4, 5]},
    "score_cam": {"layer": ["block3_conv3", "block5_conv3"], "max_channels": None},
    "smooth_grad": {"class_index": [1, 2, 3], "samples": 50},
    "sobol": {"class_index": [1, 2, 3, 4, 5], "designs": 16},
    "tcav": {
        "images": _IMAGES[:8],
        "layer": "block4_conv3",
        "class_index": 1,
        "concepts": [{"name": "concept", "images": _IMAGES[8:16]}],
        "random_sets": [{"name": f"random {first}", "images": _IMAGES[first:][:4]} for first in (0, 4, 16, 20)],
    },
    "top_patches": {"images": _IMAGES, "layer": "block1_conv2", "count": 9, "per_image": 3},
    "xrai": {"class_index": [1, 2, 3], "steps": 20},
}


class CompilationNotices:
    """Remembers whether something has compiled."""

    def __init__(self) -> None:
        self.seen = False

    @contextmanager
    def compiling(self) -> Generator[None]:
        self.seen = True
        yield


@dataclass(frozen=True)
class MeasuredModel:
    """A model whose probe says when it compiles."""

    probe: KerasProbe
    notices: CompilationNotices

    @staticmethod
    def load(entry: CatalogEntry) -> MeasuredModel:
        model, notices = load_model(entry), CompilationNotices()
        return MeasuredModel(KerasProbe(model, describe(model, entry), compiling=notices.compiling), notices)


@dataclass(frozen=True)
class SliceTimes:
    """The slices of one job.

    Attributes:
        method, model: what has run.
        slices: how many slices there were.
        seconds: how long they took in all.
        longest: seconds of the longest slice without a compilation.
        longest_processing: the largest processor time of a slice without a compilation, in seconds, divided by the number of cores.
        longest_compiling: seconds of the longest slice with a compilation.
        finished: whether the job has ended.
    """

    method: str
    model: str
    slices: int
    seconds: float
    longest: float
    longest_processing: float
    longest_compiling: float
    finished: bool


def main() -> None:
    slow = [name for name, params in METHODS.items() if params.card.lane == "slow"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slices", description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=slow, default=slow, help="the methods to run")
    parser.add_argument("--models", nargs="+", choices=[_EXAMPLE_MODEL, _HEAVY_MODEL], default=[_EXAMPLE_MODEL, _HEAVY_MODEL])
    parser.add_argument("--seconds", type=float, default=20.0, help="a job is left after so many seconds")
    arguments = parser.parse_args()
    machine = this_machine()
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    print(f"{machine.processor}, {machine.cores} cores, {versions}, {machine.at}; load {os.getloadavg()[0]:.1f}\n")
    columns = ("method", "model", "slices", "seconds", "longest slice, ms", "processor time / cores, ms", "longest that compiles, ms")
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    with TemporaryDirectory() as folder:
        models_file = Path(folder) / "models.toml"
        models_file.write_text(f'[{_HEAVY_MODEL}]\nweights = "random"\n', "utf-8")
        catalog = load_catalog(models_file, Path(folder))
        for name in arguments.models:
            model = MeasuredModel.load(catalog[name])
            for method in arguments.methods:
                print(_row(measure(model, method, _HEAVY[method] if name == _HEAVY_MODEL else {}, arguments.seconds)), flush=True)


def measure(model: MeasuredModel, method: str, changes: dict[str, Any], seconds: float) -> SliceTimes:
    """Run one job, slice by slice, for at most `seconds`."""
    published = model.probe.published
    asked = changes or METHODS[method].card.example
    params = METHODS[method].model_validate(asked).resolve(published, MethodLimits())
    slices = implementation(method).run(model.probe, _inputs(model, params), params)
    times: list[float] = []
    processing: list[float] = []
    compiling: list[float] = []
    finished = False
    while not finished and sum(times) + sum(compiling) < seconds:
        model.notices.seen = False
        began, began_processing = time.perf_counter(), time.process_time()
        finished = not isinstance(next(slices, None), Slice)
        spent, processed = time.perf_counter() - began, time.process_time() - began_processing
        if model.notices.seen:
            compiling.append(spent)
        else:
            times.append(spent)
            processing.append(processed / len(os.sched_getaffinity(0)))
    slices.close()
    return SliceTimes(
        method=method,
        model=published.description.name,
        slices=len(times) + len(compiling),
        seconds=sum(times) + sum(compiling),
        longest=max(times, default=0.0),
        longest_processing=max(processing, default=0.0),
        longest_compiling=max(compiling, default=0.0),
        finished=finished,
    )


def _inputs(model: MeasuredModel, params: MethodParams) -> Inputs:
    description = model.probe.description
    size = (description.input.height or 224, description.input.width or 224)

    def prepared(image: NDArray[np.uint8]) -> Prepared:
        tensor, placement = prepare(image, description.preprocessing, size, description.input.channels)
        return Prepared(Photo(image, placement), tensor)

    if isinstance(params, ImagesParams):
        named = named_photos(params, [prepared(_photo(at)) for at in range(len(params.image_places()))])
        return Inputs(np.zeros((0, *size, 3), np.float32), None, named.several, region_masks=named.region_masks, sets=named.sets)
    if not params.card.needs_image:
        return Inputs(np.zeros((0, *size, 3), np.float32))
    one = prepared(_photo(0))
    return Inputs(one.tensor[None], one.photo.image)


def _photo(number: int) -> NDArray[np.uint8]:
    """Return a picture of smooth random colours, so that a network has something to see, uint8 (384, 512, 3)."""
    coarse = np.random.default_rng(number).random((12, 16, 3))
    fine = np.repeat(np.repeat(coarse, 32, axis=0), 32, axis=1)
    return np.rint(255 * fine).astype(np.uint8)


def _row(found: SliceTimes) -> str:
    longest = f"{1000 * found.longest:.0f}"
    longest = f"**{longest}**" if found.longest > _TARGET_SECONDS else longest
    name = found.method if found.finished else f"{found.method} (not finished)"
    processing, compiling = 1000 * found.longest_processing, 1000 * found.longest_compiling
    return f"| {name} | {found.model} | {found.slices} | {found.seconds:.1f} | {longest} | {processing:.0f} | {compiling:.0f} |"


if __name__ == "__main__":
    main()
