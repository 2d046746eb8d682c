"""The measures of one map: faithfulness, stability, concentration, dependence on the class, and place. Each cites its source."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from rendering import scaling
from rendering.charts.curves import Curve, Level, curves
from rendering.charts.style import PLOT_WIDTH
from rendering.charts.table import number_text, table
from rendering.photo import Photo
from schemas.methods import METHODS
from schemas.methods.evaluation.map_measures import MapMeasures
from schemas.methods.evaluation.map_measures_facts import MapMeasuresFacts
from schemas.methods.evaluation.measures import MEASURES, ROAD_SHARES, MeasureName
from workers.contract.artifacts import Array, Output, Picture, PictureOfArrays
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods import implementation
from workers.methods.class_scores import class_name
from workers.methods.evaluation.combined_progress import CombinedProgress
from workers.methods.evaluation.counting_probe import CountingProbe, Passes
from workers.methods.evaluation.measure_map import MeasureResult, measure_map, measured_values, total_steps
from workers.methods.evaluation.measured_map import MeasuredMap, measured_map
from workers.methods.evaluation.overlay_drawing import overlay_drawing
from workers.methods.evaluation.photo_region import input_region
from workers.methods.perturbation.watched_scores import watch


@dataclass(frozen=True)
class MapMeasuresResult:
    """A map with the values of its measures, and what it cost."""

    tested: MeasuredMap
    found: Mapping[MeasureName, MeasureResult]
    passes: Passes


def run(probe: Probe, inputs: Inputs, params: MapMeasures) -> Generator[Slice, None, MapMeasuresResult]:
    """Make the map, and measure it.

    Raises:
        InvalidParameters: the region covers nothing that the model sees, or the mask has not the photo's size.
    """
    counting = CountingProbe(probe)
    progress = CombinedProgress(total_steps(params, probe.description) + 1)
    size = (inputs.tensor.shape[1], inputs.tensor.shape[2])
    region = None if params.region is None else input_region(params.region, inputs.photos[0], size, inputs.region_masks, "/params/region")
    watched = watch(counting, inputs.tensor, params)
    yield progress.advance(1)
    tested = yield from measured_map(counting, inputs, watched, params.attribution_params, progress, seed=params.seed, region=region)
    found = yield from measure_map(tested, params, progress)
    return MapMeasuresResult(tested, found, counting.passes)


def draw(result: MapMeasuresResult, photo: Photo, params: MapMeasures) -> Output:
    """Return the chart of all measures, and the overlay as the attribution method draws it."""
    tested = result.tested
    drawn = implementation(params.attribution).draw(tested.result, photo, tested.params)
    array = Array("map", tested.values)
    facts = MapMeasuresFacts(
        **dict(tested.watched.classes[0]),
        attribution=params.attribution,
        score=params.score,
        measures=measured_values(result.found),
        forward_passes=result.passes.forward,
        gradient_passes=result.passes.gradient,
        region_share=None if tested.region is None else float(tested.region.mean()),
    )
    road = result.found["road"].curves if "road" in result.found else None
    arrays = () if road is None else (Array("road", np.stack([ROAD_SHARES, *road]).astype(np.float32)),)
    return Output(
        artifacts=(
            Picture("chart", _chart(result, facts, params), primary=True),
            PictureOfArrays.of("overlay", overlay_drawing(drawn), [array]),
            array,
            *arrays,
        ),
        facts=facts,
        warnings=(*drawn.warnings, *_warnings(result)),
    )


def _chart(result: MapMeasuresResult, facts: MapMeasuresFacts, params: MapMeasures) -> UInt8[np.ndarray, "h w 3"]:
    explained = class_name(result.tested.watched.classes[0])
    rows = [
        (MEASURES[each.measure].title, number_text(each.value), f"{each.better} is better", MEASURES[each.measure].meaning)
        for each in facts.measures
    ]
    title = f"{METHODS[params.attribution].card.title}, map of {explained}"
    notes = [f"cost: {facts.forward_passes:,} images forward, {facts.gradient_passes:,} with gradients"]
    if facts.region_share is not None:
        notes.append(f"the region covers {facts.region_share:.1%} of the input; a random map has this relevance mass and rank on average")
    measured = table(title, ["measure", "value", "better", "a good value says that"], rows, notes, left=(0, 2, 3), width=PLOT_WIDTH)
    road = result.found.get("road")
    if road is None or road.curves is None:
        return measured
    shares, (morf, lerf) = np.array(ROAD_SHARES), road.curves
    plot = curves(
        [
            Curve(f"MoRF, the most relevant pixels first: mean {road.parts['morf']:.3f}, lower is better", shares, morf),
            Curve(f"LeRF, the least relevant pixels first: mean {road.parts['lerf']:.3f}, higher is better", shares, lerf),
        ],
        f"ROAD: the {facts.score} of {explained} while pixels are removed",
        across="share of pixels that are removed and filled from their neighbours",
        up=facts.score,
        level=Level("whole image", float(result.tested.watched.whole[0])),
    )
    wider = max(plot.shape[1], measured.shape[1])
    return np.concatenate([np.pad(each, ((0, 0), (0, wider - each.shape[1]), (0, 0)), constant_values=255) for each in (measured, plot)])


def _warnings(result: MapMeasuresResult) -> Iterator[str]:
    if why := scaling.why_degenerate(result.tested.values):
        yield f"The map is {why}, so the order of its pixels is random and its measures say nothing about it."
    if without := [name for name, each in result.found.items() if each.value is None]:
        yield f"The map has no value of these measures, because it is zero or the same everywhere: {', '.join(without)}."
