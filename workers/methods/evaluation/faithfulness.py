"""Does an attribution show what the model goes by? Deletion and insertion (RISE, arXiv:1806.07421), drop in confidence
(Grad-CAM++, arXiv:1710.11063), randomised weights (Adebayo et al., arXiv:1810.03292)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, Num, UInt8

from schemas.methods.base import MethodParams
from schemas.methods.evaluation.faithfulness import Faithfulness, FaithfulnessFacts, Randomised
from schemas.methods.facts import Prediction
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods import implementation
from workers.methods.baselines import baseline
from workers.methods.cam import cam_pictures
from workers.methods.perturbation import masked_scores
from workers.rendering import scaling
from workers.rendering.charts.correlations import Correlation, correlations
from workers.rendering.charts.curves import Curve, curves

# A map counts so much in the job's progress; a covered photo counts 1.
MAP_STEPS = 100


@dataclass(frozen=True)
class Trial:
    """An attribution's result as its own method draws it, its map, and how that fared.

    `shares` (s + 1,): of pixels covered or shown; `deletion`, `insertion` (s + 1,): the score then. `masked`: of the photo seen
    through the map.
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
    cascading: tuple[Randomised, ...]
    independent: tuple[Randomised, ...]


def batch_key(params: Faithfulness) -> Hashable:
    """`options` cannot be hashed."""
    return params.model_dump_json()


def ranking(values: Float32[np.ndarray, "H W"], seed: int) -> Int64[np.ndarray, "H W"]:
    """Each pixel's place, the highest value first; pixels of equal value in random order, so that no side of the photo is first."""
    flat = values.ravel()
    order = np.lexsort((np.random.default_rng(seed).permutation(flat.size), -flat))
    places = np.empty(flat.size, np.int64)
    places[order] = np.arange(flat.size)
    return places.reshape(values.shape)


def area(shares: Float64[np.ndarray, " s"], scores: Float64[np.ndarray, " s"]) -> float:
    """Under the curve, by the trapezoid rule."""
    return float(np.trapezoid(scores, shares))


def drop(whole: float, masked: float) -> float | None:
    """Of one photo what 'average drop' is the mean of, as a share; None where there is no score to drop."""
    return max(0.0, whole - masked) / whole if whole > 0 else None


def spearman(first: Num[np.ndarray, "*axes"], second: Num[np.ndarray, "*axes"]) -> float | None:
    """Rank correlation; None where one is the same everywhere, or not finite."""
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return None
    ranks = [_ranks(values.ravel()) for values in (first, second)]
    centred = [each - each.mean() for each in ranks]
    size = np.sqrt((centred[0] @ centred[0]) * (centred[1] @ centred[1]))
    return float(centred[0] @ centred[1] / size) if size else None


def _ranks(values: Num[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """1 for the smallest; equal ones share the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def over_input(values: Float32[np.ndarray, "h w"], size: tuple[int, int]) -> Float32[np.ndarray, "H W"]:
    """A map at the input's size (bilinear, half-pixel centres); what is not finite counts as 0."""
    finite = np.nan_to_num(values, posinf=0, neginf=0)
    return finite if finite.shape == size else cv2.resize(finite, size[::-1], interpolation=cv2.INTER_LINEAR)


def visible(values: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """How much of each pixel the map shows, 0–1: relu(map) / max, or from the smallest to the largest where all is above 0."""
    return scaling.heat(values - max(values.min(), np.float32(0)))


def run(probe: Probe, inputs: Inputs, params: Faithfulness) -> Generator[Slice, None, Trial]:
    (image,) = inputs.tensor
    size, preprocessing = image.shape[:2], probe.description.preprocessing
    points = params.randomised(probe.published)
    counts = np.rint(np.arange(params.steps + 1) * (size[0] * size[1] / params.steps)).astype(np.int64)
    progress = Progress((1 + 2 * len(points)) * MAP_STEPS + 2 * len(counts) + 1)

    watched = masked_scores.watch(probe, inputs.tensor, params)
    (explained,) = watched.classes
    child = params.attributed(explained.class_index)
    result = yield from progress.through(attribution(probe, inputs, child))
    the_map = _map(result)
    flat = over_input(the_map, size)
    places, shown = ranking(flat, params.seed), visible(flat)

    def scores(covered: Callable[[slice], Float32[np.ndarray, "b H W C"]], count: int) -> Generator[Slice, None, Float64[np.ndarray, " s"]]:
        found = np.empty(count)
        for part in masked_scores.parts(probe.description, size, count):
            found[part] = watched.scores(probe, covered(part))[:, 0]
            yield progress.on(part.stop - part.start)
        return found

    def first(part: slice) -> Bool[np.ndarray, "b H W 1"]:
        return (places < counts[part, None, None])[..., None]

    cover, start = (baseline(kind, image, preprocessing) for kind in (params.deletion, params.insertion))
    deletion = yield from scores(lambda part: np.where(first(part), cover, image), len(counts))
    insertion = yield from scores(lambda part: np.where(first(part), image, start), len(counts))
    black = baseline("black", image, preprocessing)
    masked = yield from scores(lambda _: (black + shown[..., None] * (image - black))[None], 1)

    cascading, independent = [], []
    for layers in points:
        for drawn, found in ((layers, cascading), (layers[:1], independent)):
            other = yield from progress.through(attribution(probe.randomised(drawn, params.seed), inputs, child))
            found.append(Randomised(layers=len(drawn), layer=drawn[0], rank_correlation=spearman(the_map, _map(other))))
    return Trial(
        attribution=result,
        params=child,
        map=the_map,
        explained=explained,
        whole=float(watched.whole[0]),
        masked=float(masked[0]),
        shares=counts / (size[0] * size[1]),
        deletion=deletion,
        insertion=insertion,
        cascading=tuple(cascading),
        independent=tuple(independent),
    )


def attribution(probe: Probe, inputs: Inputs, params: MethodParams) -> Generator[Slice, None, Any]:
    """The result of an attribution method, fast or slow."""
    method = implementation(params.card.name)
    if method.lane == "slow":
        return (yield from method.run(probe, inputs, params))
    (result,) = method.run(probe, inputs, [params])
    yield Slice(1, 1)
    return result


class Progress:
    """Of several pieces of work as one."""

    def __init__(self, total: int) -> None:
        self._done, self._total = 0, total

    def on(self, steps: int) -> Slice:
        self._done += steps
        return Slice(self._done, self._total)

    def through(self, work: Generator[Slice, None, Any]) -> Generator[Slice, None, Any]:
        """A map's slices, as its part of the whole."""
        while True:
            try:
                made = next(work)
            except StopIteration as stop:
                self._done += MAP_STEPS
                return stop.value
            yield Slice(self._done + MAP_STEPS * made.step // max(made.total, 1), self._total, preview=made.preview)


def _map(result: Any) -> Float32[np.ndarray, "h w"]:
    """Every attribution's result has its `maps`, one a class."""
    return result.maps[0]


def draw(result: Trial, photo: Photo, params: Faithfulness) -> Output:
    drawn = implementation(params.attribution).draw(result.attribution, photo, result.params)
    (overlay,) = (artifact.image for artifact in drawn.artifacts if isinstance(artifact, Picture) and artifact.name == "overlay")
    facts = FaithfulnessFacts(
        **dict(result.explained),
        attribution=params.attribution,
        score=params.score,
        deletion_area=area(result.shares, result.deletion),
        insertion_area=area(result.shares, result.insertion),
        masked_score=result.masked,
        drop=drop(result.whole, result.masked),
        increased=result.masked > result.whole,
        cascading=result.cascading,
        independent=result.independent,
    )
    return Output(
        artifacts=(
            Picture("chart", _chart(result, facts), primary=True),
            Picture("overlay", overlay),
            Array("map", result.map),
            Array("curves", np.stack([result.shares, result.deletion, result.insertion]).astype(np.float32)),
        ),
        facts=facts,
        warnings=(*drawn.warnings, *_warnings(result)),
    )


def _chart(result: Trial, facts: FaithfulnessFacts) -> UInt8[np.ndarray, "h w 3"]:
    plot = curves(
        [
            Curve(f"deletion · area {facts.deletion_area:.3f}", result.shares, result.deletion),
            Curve(f"insertion · area {facts.insertion_area:.3f}", result.shares, result.insertion),
        ],
        f"{cam_pictures.named(result.explained)}: {facts.score} by share of pixels covered or shown, strongest of {facts.attribution} first",  # noqa: E501
    )
    rows = [Correlation(_down_to(drawn), drawn.rank_correlation) for drawn in (*result.cascading, *result.independent)]
    return np.concatenate([plot, correlations(rows, "Rank correlation with the map of weights drawn anew")]) if rows else plot


def _down_to(drawn: Randomised) -> str:
    return f"{drawn.layer} alone" if drawn.layers == 1 else f"{drawn.layers} layers, from the output down to {drawn.layer}"


def _warnings(result: Trial) -> Iterator[str]:
    if why := scaling.why_degenerate(result.map):
        yield f"The map is {why}: the order of its pixels is random, and the curves say nothing about it."
    if any(drawn.rank_correlation is None for drawn in (*result.cascading, *result.independent)):
        yield "A map of weights drawn anew is the same everywhere: it has no rank correlation."
