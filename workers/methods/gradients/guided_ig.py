"""Guided integrated gradients (Kapishnikov et al., CVPR 2021, arXiv:2106.09788), as in the authors' code (PAIR saliency)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from rendering.photo import Photo
from schemas.methods.facts import Prediction
from schemas.methods.gradients.guided_ig import GuidedIg, GuidedIgFacts
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.class_scores import class_scores, target_predictions
from workers.methods.gradients import gradient_pictures
from workers.methods.gradients.completeness import UNSETTLED, CompleteAttribution, draw_complete
from workers.methods.gradients.input_attribution import InputAttribution, channel_sum
from workers.methods.gradients.path_baselines import path_baseline
from workers.methods.previews import PreviewedSlices, input_photo, preview_on

# Two distances that differ by less than this share are equal. The authors' code has the same number.
_CLOSE = 1e-9

InputValues = Float64[np.ndarray, "H W C"]


@dataclass(frozen=True)
class GuidedStep:
    """The bounds of one step of the path.

    Attributes:
        image, start: the ends of the path.
        share: the share of the whole way that is behind the path after the step, 0-1.
        fraction: the share of the values that is moved at a time, 0-1.
        max_distance: how far a value may be ahead of the straight line or behind it, as a share of its own way.
    """

    image: InputValues
    start: InputValues
    share: float
    fraction: float
    max_distance: float

    def moved(self, point: InputValues, gradient: InputValues) -> InputValues:
        """Return the point after the step (algorithm 1 of the paper).

        The values with the smallest absolute gradients go as far as they may, and then the next ones, until the L1 distance to the image
        is (1 − share) of the whole.
        """
        point, strength = point.copy(), np.abs(gradient)
        latest, farthest = self._on_line(self.share - self.max_distance), self._on_line(self.share + self.max_distance)
        goal = np.abs(self.image - self.start).sum() * (1 - self.share)
        behind = np.abs(point - self.image) > np.abs(latest - self.image)
        point[behind] = latest[behind]
        while not np.isclose(left := np.abs(point - self.image).sum(), goal, rtol=_CLOSE, atol=_CLOSE):
            strength[point == farthest] = np.inf
            chosen = _smallest(strength, self.fraction)
            reach = np.abs(point - farthest)[chosen].sum()
            needed = (left - goal) / reach if reach > 0 else np.inf
            if needed <= 1:
                point[chosen] += (farthest - point)[chosen] * needed
                break
            point[chosen] = farthest[chosen]
        return point

    def _on_line(self, share: float) -> InputValues:
        return self.start + (self.image - self.start) * min(max(share, 0.0), 1.0)


def _smallest(strength: InputValues, fraction: float) -> Bool[np.ndarray, "H W C"]:
    """Return which values are among the smallest `fraction` of all. Infinite ones never are."""
    return (strength <= np.quantile(strength, fraction, method="lower")) & (strength < np.inf)


class GuidedPaths:
    """The paths of n classes, and what has been attributed on them so far.

    Attributes:
        points: the point that each path has reached.
        sums: the attributions of each class.
    """

    def __init__(self, image: InputValues, start: InputValues, classes: int, params: GuidedIg) -> None:
        self.points = np.repeat(start[None], classes, axis=0)
        self.sums = np.zeros_like(self.points)
        self._changes = np.zeros_like(self.points)
        self._image, self._start, self._params = image, start, params

    def step(self, at: int, gradient: InputValues, number: int) -> None:
        """Take a step of the class with the number `at`, from the gradient at its point. The first step has the number 1.

        With the rule `trapezoid`, the gradient also counts for the step before, which ended here. A step beyond the last one moves
        nothing.
        """
        params = self._params
        share = 1.0 if params.rule == "left" else 0.5
        if params.rule == "trapezoid":
            self.sums[at] += share * self._changes[at] * gradient
        if number > params.steps:
            return
        step = GuidedStep(self._image, self._start, number / params.steps, params.fraction, params.max_distance)
        reached = step.moved(self.points[at], gradient)
        self._changes[at] = reached - self.points[at]
        self.sums[at] += share * self._changes[at] * gradient
        self.points[at] = reached


def run(probe: Probe, inputs: Inputs, params: GuidedIg) -> Generator[Slice, None, CompleteAttribution]:
    """Return Σ_i (p_i − p_{i−1})·∂y/∂x along the guided path of each class. The map is its sum over the channels."""
    (tensor,) = inputs.tensor
    preprocessing = probe.description.preprocessing
    baseline = path_baseline(params.baseline, tensor, preprocessing, params.seed)
    ends = probe.forward(np.stack([tensor, baseline]), scores=True, output=params.output, precision=params.precision)
    classes = target_predictions(probe, ends, params)
    scores = class_scores(ends, classes, params.score)
    paths = GuidedPaths(tensor.astype(np.float64), baseline.astype(np.float64), len(classes), params)
    photo = input_photo(inputs, preprocessing)

    def preview() -> np.ndarray:
        values = channel_sum(paths.sums[:1].astype(np.float32))[0]
        return preview_on(photo, values, part="heatmap", **gradient_pictures.signed_options(params))

    slices, done = PreviewedSlices(params.gradients() * len(classes), preview), 0
    yield slices.at(0)
    for number in range(1, params.gradients() + 1):
        for part, gradients in _gradients(probe, paths.points, classes, params):
            for at, gradient in zip(range(part.start, part.stop), gradients, strict=True):
                paths.step(at, gradient, number)
            done += len(gradients)
            yield slices.at(done)
    values = paths.sums.astype(np.float32)
    attribution = InputAttribution(values, channel_sum(values), classes, params.target_classes().listed, preprocessing)
    return CompleteAttribution(attribution, scores[0] - scores[1], paths.sums.sum(axis=(1, 2, 3)))


def _gradients(
    probe: Probe, points: Float64[np.ndarray, "n H W C"], classes: tuple[Prediction, ...], params: GuidedIg
) -> Generator[tuple[slice, Float64[np.ndarray, "b H W C"]], None, None]:
    """Yield the gradients of the classes' scores, each at its own point, and the numbers of these classes."""
    rows = probe.inputs_per_pass((points.shape[1], points.shape[2]), gradient=True)
    for first in range(0, len(classes), rows):
        part = slice(first, min(first + rows, len(classes)))
        found = probe.input_gradients(
            points[part].astype(np.float32),
            np.array([scored.class_index for scored in classes[part]], np.int32),
            score=params.score,
            output=params.output,
            precision=params.precision,
        )
        yield part, found.gradients.astype(np.float64)


def draw(result: CompleteAttribution, photo: Photo, params: GuidedIg) -> Output:
    """Return the output of a signed map, with a warning if the attributions do not add up to the score's difference."""
    advice = f"Take more than {params.steps} `steps`."
    return draw_complete(result, photo, params, GuidedIgFacts, tolerance=UNSETTLED, advice=advice)
