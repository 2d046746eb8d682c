"""PixelChange the photo a little so that the model's answer changes: FGSM (arXiv:1412.6572) and PGD (arXiv:1706.06083)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64

from schemas.errors import NoGradient
from schemas.methods.base import MethodParams
from schemas.methods.facts import Prediction
from schemas.methods.interventions.adversarial import Adversarial
from workers.contract.inputs import Inputs
from workers.contract.probe import Forward, Probe
from workers.contract.progress import Slice
from workers.contract.scores import Readout
from workers.methods.class_scores import predictions
from workers.methods.evaluation.combined_progress import STEPS_PER_RUN, CombinedProgress
from workers.methods.evaluation.faithfulness import run_attribution
from workers.methods.inspection.top_classes import top_classes
from workers.methods.interventions import adversarial_pictures
from workers.methods.interventions.adversarial_result import AdversarialResult, ExplainedAnswer
from workers.methods.interventions.attacks import (
    PixelChange,
    direction,
    kept_in_range,
    loss_weights,
    masked,
    projected,
    random_change,
    smallest_epsilon,
)
from workers.methods.interventions.pixel_units import as_input, as_pixels
from workers.methods.sets.framed_maps import seen_of_photo

draw = adversarial_pictures.draw

_LEVELS = 255.0


@dataclass(frozen=True)
class _Attack:
    """The model, the photo as pixels in the order of the input's channels, and the aim of the attack."""

    probe: Probe
    params: Adversarial
    pixels: PixelChange
    seen: Bool[np.ndarray, "H W"]
    answer: int

    @property
    def targeted(self) -> bool:
        return isinstance(self.params.target_class, int)

    @property
    def range(self) -> tuple[float, float]:
        """The range of a photo's values. It is wider if the photo, or an array, already is."""
        return min(0.0, float(self.pixels.min())), max(_LEVELS, float(self.pixels.max()))

    def tensor(self, change: Float64[np.ndarray, "*n H W C"]) -> Float32[np.ndarray, "*n H W C"]:
        """Return the model's input for a changed photo."""
        return as_input(self.pixels + change, self.probe.description.preprocessing)

    def forward(self, change: Float64[np.ndarray, "n H W C"]) -> Forward:
        return self.probe.forward(self.tensor(change), scores=True)

    def reached(self, logits: Float32[np.ndarray, "n k"]) -> Bool[np.ndarray, " n"]:
        """Return whether each answer is what the attack aims at."""
        best = logits.argmax(axis=1)
        return best == self.params.target_class if self.targeted else best != self.answer

    def allowed(self, change: PixelChange) -> PixelChange:
        """Return the change without what lies beside the photo, or outside the range of its values."""
        return kept_in_range(self.pixels, masked(change, self.seen), *self.range)

    def gradient(self, change: PixelChange) -> PixelChange:
        """Return the gradient of the loss with respect to the pixels of the changed photo, times a positive number."""
        logits = self.forward(change[None]).logits
        if logits is None:
            raise ValueError("the pass gave no class scores")
        aim = self.params.target_class if isinstance(self.params.target_class, int) else self.answer
        weights = loss_weights(logits[0], aim, targeted=self.targeted)
        probe = self.probe.explaining(Readout("logits"), weights[None], ["loss"])
        found = probe.input_gradients(self.tensor(change[None]), np.zeros(1, np.int32)).gradients[0]
        per_pixel = 1 / np.asarray(self.probe.description.preprocessing.std, np.float64)
        return masked(found.astype(np.float64) * per_pixel, self.seen)


def run(probe: Probe, inputs: Inputs, params: Adversarial) -> Generator[Slice, None, AdversarialResult]:
    """Attack the photo, then explain the answers before and after.

    Raises:
        NoGradient: The gradient of the loss is zero everywhere.
    """
    gradients = params.steps if params.attack == "pgd" else 1
    progress = CombinedProgress(gradients + 2 + 2 * STEPS_PER_RUN)
    (tensor,) = inputs.tensor
    photo, spec = inputs.photos[0] if inputs.photos else None, probe.description.preprocessing
    size = (tensor.shape[0], tensor.shape[1])
    before = probe.forward(inputs.tensor, scores=True)
    if before.logits is None:
        raise ValueError("the pass gave no class scores")
    seen = np.ones(size, bool) if photo is None else seen_of_photo(photo, size)
    attack = _Attack(probe, params, as_pixels(tensor, spec), seen, int(before.logits[0].argmax()))
    yield progress.advance(1)
    change, smallest = yield from (_pgd if params.attack == "pgd" else _fgsm)(attack, progress)
    after = attack.forward(change[None])
    levels = attack.forward((np.rint(attack.pixels + change) - attack.pixels)[None])
    yield progress.advance(1)
    if after.logits is None or levels.logits is None:
        raise ValueError("the pass gave no class scores")
    changed = attack.tensor(change)
    explained: list[ExplainedAnswer] = []
    for forward, input_ in ((before, tensor), (after, changed)):
        attribution = params.attribution_params(int(_logits(forward).argmax()))
        single = replace(inputs, tensor=input_[None])
        result = yield from progress.through(run_attribution(probe, single, attribution))
        explained.append(_explained(probe, forward, result, attribution))
    return AdversarialResult(
        before=explained[0],
        after=explained[1],
        pixels=attack.pixels,
        change=change,
        changed=changed,
        flipped=bool(attack.reached(after.logits)[0]),
        flipped_as_levels=bool(attack.reached(levels.logits)[0]),
        smallest=smallest,
        gradients=gradients,
        published=probe.published,
    )


def _fgsm(attack: _Attack, progress: CombinedProgress) -> Generator[Slice, None, tuple[PixelChange, float | None]]:
    """Return one step along the gradient: the smallest that reaches the aim, if it is looked for and found, or else that of length ε."""
    params = attack.params
    way = direction(_checked(attack.gradient(np.zeros_like(attack.pixels))), params.norm)
    yield progress.advance(1)
    smallest: float | None = None
    if params.smallest:
        batch = max(1, attack.probe.inputs_per_pass((way.shape[0], way.shape[1])))

        def flips(bounds: Float64[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
            found: list[Bool[np.ndarray, " b"]] = []
            for start in range(0, len(bounds), batch):
                changes = np.stack([attack.allowed(bound * way) for bound in bounds[start : start + batch]])
                found.append(attack.reached(_logits(attack.forward(changes), all_rows=True)))
            return np.concatenate(found)

        smallest = smallest_epsilon(flips, params.epsilon)
    return attack.allowed((params.epsilon if smallest is None else smallest) * way), smallest


def _pgd(attack: _Attack, progress: CombinedProgress) -> Generator[Slice, None, tuple[PixelChange, None]]:
    """Return the change after all steps, each of which goes along the gradient and is brought back to the bound."""
    params = attack.params
    change = np.zeros_like(attack.pixels)
    if params.random_start:
        change = attack.allowed(random_change(change.shape, params.epsilon, params.norm, params.seed))
    for number in range(params.steps):
        gradient = attack.gradient(change)
        if number == 0:
            _checked(gradient)
        step = (params.step_size or 0.0) * direction(gradient, params.norm)
        change = attack.allowed(projected(change + step, params.epsilon, params.norm))
        yield progress.advance(1)
    return change, None


def _checked(gradient: PixelChange) -> PixelChange:
    if not gradient.any():
        raise NoGradient("The gradient of the loss is zero at every pixel, so the attack has no direction. The photo is left as it is.")
    return gradient


def _logits(found: Forward, *, all_rows: bool = False) -> Float32[np.ndarray, "*n k"]:
    if found.logits is None:
        raise ValueError("the pass gave no class scores")
    return found.logits if all_rows else found.logits[0]


def _explained(probe: Probe, found: Forward, result: Any, attribution: MethodParams) -> ExplainedAnswer:
    if found.probabilities is None:
        raise ValueError("the pass gave no class scores")
    logits, probabilities = _logits(found), found.probabilities[0]
    order = top_classes(logits, len(logits))
    every = (len(order), len(logits))
    ranked: list[Prediction] = predictions(probe.published, order, np.broadcast_to(logits, every), np.broadcast_to(probabilities, every))
    return ExplainedAnswer(tuple(ranked), result, attribution)
