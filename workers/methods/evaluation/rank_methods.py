"""Rank attribution methods by measures of their maps, for the same photos and the same target."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from schemas.methods.evaluation.map_measures import MapMeasures
from schemas.methods.evaluation.rank_methods import RankMethods
from workers.contract.inputs import Inputs, Prepared
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.evaluation import ranking_table
from workers.methods.evaluation.combined_progress import CombinedProgress
from workers.methods.evaluation.counting_probe import CountingProbe
from workers.methods.evaluation.judged_methods import JudgedMethod, JudgedPhoto
from workers.methods.evaluation.measure_map import measure_map, total_steps
from workers.methods.evaluation.measured_map import measured_map
from workers.methods.evaluation.photo_region import input_region
from workers.methods.explained_target import with_targets
from workers.methods.inspection.photo_batches import name_image
from workers.methods.perturbation.watched_scores import watch

draw = ranking_table.draw


def run(probe: Probe, inputs: Inputs, params: RankMethods) -> Generator[Slice, None, list[JudgedMethod]]:
    """Judge each method on each photo, one method after the other.

    Raises:
        NonFinite: The scores of a photo are not finite. The error names the photo by its number.
        InvalidParameters: The model sees nothing of a region, a mask does not have its photo's size, or a photo does not have the target.
    """
    steps = total_steps(params, probe.description) + 1
    progress = CombinedProgress(steps * len(params.methods) * len(inputs.several))
    found: list[JudgedMethod] = []
    for number, candidate in enumerate(params.methods):
        judged = JudgedMethod(candidate, probe.description.name)
        for image, prepared in enumerate(inputs.several):
            with name_image(image):
                yield from _judge(probe, prepared, params.judging(number, image), judged, progress, masks=inputs.region_masks)
        found.append(judged)
    return found


def _judge(
    probe: Probe, prepared: Prepared, asked: MapMeasures, judged: JudgedMethod, progress: CombinedProgress, *, masks: Mapping[str, Prepared]
) -> Generator[Slice, None, None]:
    """Judge one method on one photo. `masks` are the masks of regions by their ids."""
    one = Inputs(prepared.tensor[None], prepared.photo.image, photos=(prepared.photo,))
    size = (prepared.tensor.shape[0], prepared.tensor.shape[1])
    region = None
    if asked.region is not None:
        region = input_region(asked.region, prepared.photo, size, masks, f"/params/regions/{len(judged.photos)}")
    explaining, (job,) = with_targets(probe, one, [asked])
    making, measuring = CountingProbe(explaining, judged.map_passes), CountingProbe(explaining, judged.measure_passes)
    watched = watch(measuring, one.tensor, job)
    yield progress.advance(1)
    making_map = measured_map(making, one, watched, job.attribution_params, progress, seed=job.seed, region=region)
    tested = yield from judged.map_time.of(making_map)
    values = yield from judged.measure_time.of(measure_map(tested.asking(measuring), job, progress))
    judged.photos.append(JudgedPhoto(watched.classes[0], values))
