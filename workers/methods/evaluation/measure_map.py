"""Measure one map with all measures that a job asks for."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float32, Float64

from schemas.methods.evaluation.measures import CURVE_STEPS, MEASURES, ROAD_SHARES, MeasuredValue, MeasureName, MeasuresParams
from schemas.models import ModelDescription
from workers.contract.progress import Slice
from workers.methods.baselines import baseline
from workers.methods.evaluation.combined_progress import STEPS_PER_RUN, CombinedProgress
from workers.methods.evaluation.measured_map import MeasuredMap
from workers.methods.evaluation.measures.concentration import entropy, gini_index
from workers.methods.evaluation.measures.infidelity import infidelity, squares
from workers.methods.evaluation.measures.localisation import pointing_game, relevance_mass, relevance_rank
from workers.methods.evaluation.measures.max_sensitivity import max_sensitivity
from workers.methods.evaluation.measures.noisy_linear_imputation import impute
from workers.methods.evaluation.pixel_curves import area
from workers.methods.evaluation.rank_correlation import spearman

Scores = Float64[np.ndarray, " n"]


@dataclass(frozen=True)
class MeasureResult:
    """The value of a measure, the numbers that it is made of, and the curves of road, (2, shares): MoRF and LeRF."""

    value: float | None
    parts: Mapping[str, float] = field(default_factory=dict[str, float])
    curves: Float64[np.ndarray, "2 s"] | None = None


Measuring = Generator[Slice, None, MeasureResult]
Making = Generator[None, None, Float32[np.ndarray, "H W C"]]
"""The work on one changed image. It yields where a slice may end."""


def total_steps(params: MeasuresParams, description: ModelDescription) -> int:
    """Return how many steps the map and its measures count in the progress of a job."""
    images = {"deletion": CURVE_STEPS + 1, "insertion": CURVE_STEPS + 1, "road": 2 * len(ROAD_SHARES), "infidelity": params.perturbations}
    maps = {"max_sensitivity": params.disturbances, "random_logit": _other_count(params, description)}
    return sum(images.get(each, 0) + STEPS_PER_RUN * maps.get(each, 0) for each in params.measures) + STEPS_PER_RUN


def measure_map(
    tested: MeasuredMap, params: MeasuresParams, progress: CombinedProgress
) -> Generator[Slice, None, dict[MeasureName, MeasureResult]]:
    """Return the values of all measures of a map."""
    found: dict[MeasureName, MeasureResult] = {}
    for name in params.measures:
        found[name] = yield from _MEASURING[name](tested, params, progress)
    return found


def measured_values(found: Mapping[MeasureName, MeasureResult]) -> tuple[MeasuredValue, ...]:
    """Return the values as facts."""
    return tuple(MeasuredValue(measure=name, better=MEASURES[name].better, value=each.value, **each.parts) for name, each in found.items())


def _deletion(tested: MeasuredMap, params: MeasuresParams, progress: CombinedProgress) -> Measuring:
    return (yield from _curve_area(tested, progress, baseline("mean", tested.image, tested.probe.description.preprocessing), tested.image))


def _insertion(tested: MeasuredMap, params: MeasuresParams, progress: CombinedProgress) -> Measuring:
    start = baseline("blurred", tested.image, tested.probe.description.preprocessing)
    return (yield from _curve_area(tested, progress, tested.image, start))


def _curve_area(
    tested: MeasuredMap, progress: CombinedProgress, first: Float32[np.ndarray, "H W C"], others: Float32[np.ndarray, "H W C"]
) -> Measuring:
    """Return the area under the score while more and more of the strongest pixels are those of `first`, and the rest those of `others`."""
    counts = np.rint(np.arange(CURVE_STEPS + 1) * (tested.places.size / CURVE_STEPS)).astype(np.int64)
    scores = yield from _scores(
        tested, progress, len(counts), lambda number: _at_once_made(np.where((tested.places < counts[number])[..., None], first, others))
    )
    return MeasureResult(area(counts / tested.places.size, scores))


def _road(tested: MeasuredMap, params: MeasuresParams, progress: CombinedProgress) -> Measuring:
    """Return (mean LeRF − mean MoRF) / 2, and both means."""
    pixels = tested.places.size
    counts = [min(max(round(share * pixels), 0), pixels - 1) for share in ROAD_SHARES]
    missing: list[Bool[np.ndarray, "H W"]] = [
        *(tested.places < count for count in counts),
        *(tested.places >= pixels - count for count in counts),
    ]
    rng = np.random.default_rng((params.seed, 2))
    scores = yield from _scores(tested, progress, len(missing), lambda number: impute(tested.image, missing[number], rng))
    curves = scores.reshape(2, -1)
    morf, lerf = (float(each) for each in curves.mean(axis=1))
    return MeasureResult((lerf - morf) / 2, {"morf": morf, "lerf": lerf}, curves)


def _infidelity(tested: MeasuredMap, params: MeasuresParams, progress: CombinedProgress) -> Measuring:
    found = squares(tested.size, params.perturbations, np.random.default_rng((params.seed, 3)))
    cover = baseline("mean", tested.image, tested.probe.description.preprocessing)
    removed = [(slice(top, top + side), slice(left, left + side)) for top, left, side in found.tolist()]

    def without(number: int) -> Making:
        image = tested.image.copy()
        image[removed[number]] = cover[removed[number]]
        return _at_once_made(image)

    scores = yield from _scores(tested, progress, len(removed), without)
    expected = np.array([tested.over_input[each].sum(dtype=np.float64) for each in removed])
    value, scale = infidelity(expected, float(tested.watched.whole[0]) - scores)
    return MeasureResult(value, {"scale": scale})


def _max_sensitivity(tested: MeasuredMap, params: MeasuresParams, progress: CombinedProgress) -> Measuring:
    preprocessing = tested.probe.description.preprocessing
    black, white = baseline("black", tested.image, preprocessing), baseline("white", tested.image, preprocessing)
    reach, rng = params.radius * np.abs(white - black), np.random.default_rng((params.seed, 4))
    disturbed: list[Float32[np.ndarray, "h w"]] = []
    for _ in range(params.disturbances):
        noise = (rng.uniform(-1, 1, tested.image.shape) * reach).astype(np.float32)
        disturbed.append((yield from tested.again(progress, tensor=(tested.image + noise)[None])))
    return MeasureResult(max_sensitivity(tested.values, disturbed))


def _random_logit(tested: MeasuredMap, params: MeasuresParams, progress: CombinedProgress) -> Measuring:
    """Return the mean rank correlation with the maps of other classes."""
    count = _other_count(params, tested.probe.description, tested.watched.output)
    own, every = tested.watched.classes[0].class_index, tested.probe.description.head_at(tested.watched.output).class_count or 0
    others = np.random.default_rng((params.seed, 5)).choice([each for each in range(every) if each != own], count, replace=False)
    found: list[float] = []
    for other in others.tolist():
        correlation = spearman(tested.values, (yield from tested.again(progress, class_index=other)))
        if correlation is not None:
            found.append(correlation)
    return MeasureResult(float(np.mean(found)) if found else None)


def _other_count(params: MeasuresParams, description: ModelDescription, output: str | None = None) -> int:
    """Return for how many other classes random_logit makes a map."""
    output = getattr(params, "output", None) if output is None else output
    return min(params.other_classes, max(0, (description.head_at(output).class_count or 0) - 1))


def _at_once(measure: Callable[[MeasuredMap], float | None]) -> Callable[[MeasuredMap, MeasuresParams, CombinedProgress], Measuring]:
    """Return a measure that asks the model nothing in the form of the others."""

    def measuring(tested: MeasuredMap, params: MeasuresParams, progress: CombinedProgress) -> Measuring:
        yield progress.advance(0)
        return MeasureResult(measure(tested))

    return measuring


def _region(tested: MeasuredMap) -> Bool[np.ndarray, "H W"]:
    if tested.region is None:
        raise ValueError("the measure needs a region")
    return tested.region


def _scores(
    tested: MeasuredMap, progress: CombinedProgress, count: int, changed: Callable[[int], Making]
) -> Generator[Slice, None, Scores]:
    """Return the watched score of `count` changed images. `changed` makes one of them, and yields where a slice may end."""
    found, waiting = np.empty(count), list[Float32[np.ndarray, "H W C"]]()
    rows = tested.probe.inputs_per_pass(tested.size)
    for number in range(count):
        making = changed(number)
        while True:
            try:
                next(making)
            except StopIteration as stop:
                waiting.append(stop.value)
                break
            yield progress.advance(0)
        if len(waiting) == rows or number == count - 1:
            found[number + 1 - len(waiting) : number + 1] = tested.watched.scores(tested.probe, np.stack(waiting))[:, 0]
            yield progress.advance(len(waiting))
            waiting = []
    return found


def _at_once_made(image: Float32[np.ndarray, "H W C"]) -> Making:
    """Return an image that took little time."""
    yield
    return image


_MEASURING: Mapping[MeasureName, Callable[[MeasuredMap, MeasuresParams, CombinedProgress], Measuring]] = {
    "deletion": _deletion,
    "insertion": _insertion,
    "road": _road,
    "infidelity": _infidelity,
    "max_sensitivity": _max_sensitivity,
    "sparseness": _at_once(lambda tested: gini_index(tested.over_input)),
    "complexity": _at_once(lambda tested: entropy(tested.over_input)),
    "random_logit": _random_logit,
    "pointing_game": _at_once(lambda tested: pointing_game(tested.places, _region(tested))),
    "relevance_mass": _at_once(lambda tested: relevance_mass(tested.over_input, _region(tested))),
    "relevance_rank": _at_once(lambda tested: relevance_rank(tested.places, _region(tested))),
}
