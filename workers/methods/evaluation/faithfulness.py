"""Faithfulness: does the map of an attribution method show what the model goes by?

The job runs the attribution method and puts its map to the test: deletion and insertion (RISE, arXiv:1806.07421), drop in confidence
(Grad-CAM++, arXiv:1710.11063), and randomised weights (Adebayo et al., arXiv:1810.03292).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from rendering import scaling
from rendering.charts.correlations import Correlation, correlations
from rendering.charts.curves import Curve, Level, curves
from rendering.photo import Photo
from schemas.methods.base import MethodParams
from schemas.methods.evaluation.faithfulness import Faithfulness
from schemas.methods.evaluation.faithfulness_facts import FaithfulnessFacts, Randomised
from schemas.methods.facts import Prediction
from workers.contract.artifacts import Array, Output, Picture, PictureOfArrays
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods import implementation
from workers.methods.baselines import baseline
from workers.methods.batch_sizes import batches
from workers.methods.class_scores import class_name
from workers.methods.evaluation.combined_progress import STEPS_PER_RUN, CombinedProgress
from workers.methods.evaluation.overlay_drawing import overlay_drawing
from workers.methods.evaluation.pixel_curves import area, drop, finite_over_input, random_map, ranking, visible
from workers.methods.evaluation.rank_correlation import spearman
from workers.methods.evaluation.run_attribution import run_attribution
from workers.methods.perturbation.watched_scores import WatchedScores, watch


@dataclass(frozen=True)
class FaithfulnessResult:
    """An attribution and how it passed the tests.

    Attributes:
        attribution: the result of the attribution method, which that method can draw.
        params: the parameters of the attribution method.
        map: its unscaled map.
        explained: the class with its scores for the whole image.
        whole: the watched score of the whole image.
        masked: the watched score of the image darkened to what the map shows.
        shares: the shares of pixels, 0-1, at which the score is watched.
        deletion: the score with these shares of pixels covered.
        insertion: the score with these shares of pixels shown.
        random_deletion, random_insertion: the same with the pixels in the order of a random map of the same resolution.
        cascading: the correlations for layers randomised from the output downwards.
        independent: the correlations for one layer randomised at a time.
    """

    attribution: Any
    params: MethodParams
    map: Float32[np.ndarray, "h w"]
    explained: Prediction
    whole: float
    masked: float
    shares: Float64[np.ndarray, " s"]
    deletion: Float64[np.ndarray, " s"]
    insertion: Float64[np.ndarray, " s"]
    random_deletion: Float64[np.ndarray, " s"]
    random_insertion: Float64[np.ndarray, " s"]
    cascading: tuple[Randomised, ...]
    independent: tuple[Randomised, ...]


def run(probe: Probe, inputs: Inputs, params: Faithfulness) -> Generator[Slice, None, FaithfulnessResult]:
    """Make the map, and put it to all tests."""
    (image,) = inputs.tensor
    size, preprocessing = image.shape[:2], probe.description.preprocessing
    points = params.randomised_layers(probe.published)
    counts = np.rint(np.arange(params.steps + 1) * (size[0] * size[1] / params.steps)).astype(np.int64)
    progress = CombinedProgress((1 + 2 * len(points)) * STEPS_PER_RUN + 4 * len(counts) + 1)

    watched = watch(probe, inputs.tensor, params)
    (explained,) = watched.classes
    yield progress.advance(0)
    attribution_params = params.attribution_params(explained.class_index)
    result = yield from progress.through(run_attribution(probe, inputs, attribution_params))
    tested = _map(result)
    place = getattr(result, "place", MapPlace.whole(size))
    flat, chance = (finite_over_input(values, place, size) for values in (tested, random_map(tested.shape, params.seed)))
    places, shown = ranking(flat, params.seed), visible(flat)

    cover, start = (baseline(kind, image, preprocessing) for kind in (params.deletion, params.insertion))

    def both_curves(order: Int64[np.ndarray, "H W"]) -> Generator[Slice, None, tuple[Float64[np.ndarray, " s"], Float64[np.ndarray, " s"]]]:
        """Return the scores with the first pixels of `order` covered, and with them shown."""

        def mixed(part: slice, first: Float32[np.ndarray, "H W C"], others: Float32[np.ndarray, "H W C"]) -> Float32[np.ndarray, "b H W C"]:
            return np.where((order < counts[part, None, None])[..., None], first, others)

        watching = partial(_scores, probe, watched, progress, size=size, count=len(counts))
        deleted = yield from watching(lambda part: mixed(part, cover, image))
        inserted = yield from watching(lambda part: mixed(part, image, start))
        return deleted, inserted

    deletion, insertion = yield from both_curves(places)
    random_deletion, random_insertion = yield from both_curves(ranking(chance, params.seed))
    black = baseline("black", image, preprocessing)
    masked = yield from _scores(probe, watched, progress, lambda _: (black + shown[..., None] * (image - black))[None], size=size, count=1)

    cascading, independent = [], []
    for layers in points:
        for randomised, found in ((layers, cascading), (layers[:1], independent)):
            model = probe.randomised(randomised, params.seed)
            other = yield from progress.through(run_attribution(model, inputs, attribution_params))
            correlation = spearman(tested, _map(other))
            found.append(Randomised(layers=len(randomised), layer=randomised[0], rank_correlation=correlation))
    return FaithfulnessResult(
        attribution=result,
        params=attribution_params,
        map=tested,
        explained=explained,
        whole=float(watched.whole[0]),
        masked=float(masked[0]),
        shares=counts / (size[0] * size[1]),
        deletion=deletion,
        insertion=insertion,
        random_deletion=random_deletion,
        random_insertion=random_insertion,
        cascading=tuple(cascading),
        independent=tuple(independent),
    )


def _scores(
    probe: Probe,
    watched: WatchedScores,
    progress: CombinedProgress,
    covered: Callable[[slice], Float32[np.ndarray, "b H W C"]],
    *,
    size: tuple[int, int],
    count: int,
) -> Generator[Slice, None, Float64[np.ndarray, " s"]]:
    """Return the watched score of `count` covered images. `covered` makes those of a slice."""
    found = np.empty(count)
    for batch in batches(probe, size, count):
        found[batch] = watched.scores(probe, covered(batch))[:, 0]
        yield progress.advance(batch.stop - batch.start)
    return found


def _map(result: Any) -> Float32[np.ndarray, "h w"]:
    """Return the map of an attribution's result. Each such result has `maps`, one for each class."""
    return result.maps[0]


def draw(result: FaithfulnessResult, photo: Photo, params: Faithfulness) -> Output:
    """Return the chart of all tests, and the overlay as the attribution method draws it."""
    drawn = implementation(params.attribution).draw(result.attribution, photo, result.params)
    tested = Array("map", result.map)
    facts = FaithfulnessFacts(
        **dict(result.explained),
        attribution=params.attribution,
        score=params.score,
        deletion_area=area(result.shares, result.deletion),
        insertion_area=area(result.shares, result.insertion),
        random_deletion_area=area(result.shares, result.random_deletion),
        random_insertion_area=area(result.shares, result.random_insertion),
        masked_score=result.masked,
        drop=drop(result.whole, result.masked),
        increased=result.masked > result.whole,
        cascading=result.cascading,
        independent=result.independent,
    )
    return Output(
        artifacts=(
            Picture("chart", _chart(result, facts), primary=True),
            PictureOfArrays.of("overlay", overlay_drawing(drawn), [tested]),
            tested,
            Array("curves", _curves(result)),
        ),
        facts=facts,
        warnings=(*drawn.warnings, *_warnings(result)),
    )


def _curves(result: FaithfulnessResult) -> Float32[np.ndarray, "5 s"]:
    scores = (result.deletion, result.insertion, result.random_deletion, result.random_insertion)
    return np.stack([result.shares, *scores]).astype(np.float32)


def _chart(result: FaithfulnessResult, facts: FaithfulnessFacts) -> UInt8[np.ndarray, "h w 3"]:
    strongest = f"strongest of {facts.attribution} first"
    plot = curves(
        [
            Curve(f"deletion, {strongest}: area {facts.deletion_area:.3f}, lower is better", result.shares, result.deletion),
            Curve(f"insertion, {strongest}: area {facts.insertion_area:.3f}, higher is better", result.shares, result.insertion),
            Curve(f"deletion by a random map: area {facts.random_deletion_area:.3f}", result.shares, result.random_deletion, dashed=True),
            Curve(
                f"insertion by a random map: area {facts.random_insertion_area:.3f}", result.shares, result.random_insertion, dashed=True
            ),
        ],
        f"How the {facts.score} of {class_name(result.explained)} follows the map",
        across="share of pixels that are covered (deletion) or shown (insertion)",
        up=facts.score,
        level=Level("whole image", result.whole),
    )
    rows = [Correlation(_row_name(randomised), randomised.rank_correlation) for randomised in (*result.cascading, *result.independent)]
    if not rows:
        return plot
    meaning = "near 0: the map depends on what the model has learnt; near 1: the map would be the same without it"
    return np.concatenate([plot, correlations(rows, "Rank correlation with the map of random weights", meaning)])


def _row_name(randomised: Randomised) -> str:
    if randomised.layers == 1:
        return f"{randomised.layer} alone"
    return f"{randomised.layers} layers, from the output down to {randomised.layer}"


def _warnings(result: FaithfulnessResult) -> Iterator[str]:
    if why := scaling.why_degenerate(result.map):
        yield f"The map is {why}, so the order of its pixels is random and the curves say nothing about it."
    if any(randomised.rank_correlation is None for randomised in (*result.cascading, *result.independent)):
        yield "A map of the model with randomised weights is the same everywhere, so it has no rank correlation."
