"""Maps of one attribution method for the same photos and several models, side by side, and how much the models agree.

Maps are compared by Spearman's rank correlation, as in Adebayo et al., Sanity Checks for Saliency Maps, arXiv:1810.03292.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.sets.compare_models import CompareModels
from workers.contract.inputs import Inputs, Prepared
from workers.contract.map_place import MapPlace
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.class_scores import predictions
from workers.methods.evaluation.combined_progress import STEPS_PER_RUN, CombinedProgress
from workers.methods.evaluation.run_attribution import run_attribution
from workers.methods.inspection.photo_batches import forward_in_batches, name_image
from workers.methods.inspection.top_classes import top_classes, top_predictions
from workers.methods.sets import compared_models_sheet
from workers.methods.sets.class_matches import match_classes
from workers.methods.sets.compared_models import ComparedModels, ExplainedPhoto

draw = compared_models_sheet.draw


def run(probe: Probe, inputs: Inputs, params: CompareModels) -> Generator[Slice, None, ComparedModels]:
    """Ask each model for its answers, then make the maps.

    Raises:
        NonFinite: The scores of a photo are not finite. The error names the photo by its number.
    """
    models = [(probe, inputs.several), *((each.probe, each.several) for each in inputs.further)]
    progress = CombinedProgress(len(models) * len(inputs.several) * (1 + STEPS_PER_RUN))
    published = tuple(each.published for each, _ in models)
    matches = {(a, b): match_classes(published[a], published[b]) for a in range(len(models)) for b in range(len(models))}
    scores: list[tuple[Float32[np.ndarray, "n _"], Float32[np.ndarray, "n _"]]] = []
    for asked, several in models:
        scores.append((yield from _scores(asked, several, params, progress)))
    chosen = _chosen_classes(scores[0][0], params)
    explained: list[tuple[ExplainedPhoto, ...]] = []
    for number, (asked, several) in enumerate(models):
        found: list[ExplainedPhoto] = []
        for image, prepared in enumerate(several):
            logits, probabilities = (each[image] for each in scores[number])
            with name_image(image):
                (top,) = top_predictions(asked.published, logits, probabilities, 1, None)
            shared = None if chosen is None else matches[0, number].indices.get(chosen[image])
            index = top.class_index if shared is None else shared
            (scored,) = predictions(asked.published, np.array([index]), logits[None], probabilities[None])
            attribution = params.attribution_params(number, index)
            tensor = Inputs(prepared.tensor[None], prepared.photo.image, photos=(prepared.photo,))
            result = yield from progress.through(run_attribution(asked, tensor, attribution))
            place = getattr(result, "place", MapPlace.whole((prepared.tensor.shape[0], prepared.tensor.shape[1])))
            found.append(ExplainedPhoto(prepared, top, scored, shared is None, result, attribution, result.maps[0], place))
        explained.append(tuple(found))
    return ComparedModels(published, tuple(logits for logits, _ in scores), tuple(explained), matches)


def _scores(
    probe: Probe, several: Sequence[Prepared], params: CompareModels, progress: CombinedProgress
) -> Generator[Slice, None, tuple[Float32[np.ndarray, "n c"], Float32[np.ndarray, "n c"]]]:
    logits: list[np.ndarray] = []
    probabilities: list[np.ndarray] = []
    for each in forward_in_batches(probe, several, scores=True, precision=params.precision):
        if each.found.logits is None or each.found.probabilities is None:
            raise ValueError(f"the pass through model '{probe.description.name}' gave no class scores")
        logits.append(each.found.logits)
        probabilities.append(each.found.probabilities)
        yield progress.advance(len(each.images))
    return np.concatenate(logits), np.concatenate(probabilities)


def _chosen_classes(logits: Float32[np.ndarray, "n c"], params: CompareModels) -> list[int] | None:
    """Return the class index of the first model that all models explain, for each photo. None means that each explains its own."""
    if params.explain == "own":
        return None
    if isinstance(params.class_index, int):
        return [params.class_index] * len(logits)
    return [int(top_classes(each, 1)[0]) for each in logits]
