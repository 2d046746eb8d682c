"""The frame of every CAM that takes its weights from gradients: Grad-CAM, Grad-CAM++, HiResCAM, LayerCAM, XGrad-CAM.

Such a method is a module of its own that gives its formula for the weights to `explain`. One pass of the model serves a whole batch.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

from schemas.methods.cam.base import CamParams, ClassCamParams, TargetCamParams
from schemas.methods.facts import Prediction
from workers.contract.arrays import Float32 as AnyFloat32
from workers.contract.inputs import Inputs
from workers.contract.probe import LayerGradients, Probe
from workers.methods.batch_sizes import GRADIENT_ROWS
from workers.methods.cam import augmentation, cam_maps
from workers.methods.cam.cam_result import CamResult, places_of
from workers.methods.class_scores import predictions
from workers.methods.token_maps import to_map

ChannelWeights = Callable[[Float32[np.ndarray, "n h w k"], Float32[np.ndarray, "n h w k"]], AnyFloat32]
"""A CAM's formula: activations and gradients become weights (n, k), one a channel, or (n, h, w, k), one a channel and position."""
MapFormula = Callable[[Float32[np.ndarray, "n h w k"], Float32[np.ndarray, "n h w k"]], Float32[np.ndarray, "n h w"]]
"""Activations and gradients become unscaled maps."""
LayerPass = Callable[[AnyFloat32, str, NDArray[np.int32]], LayerGradients]
"""A pass of inputs, the path of a layer and class indices, which returns what the formulas get of the layer."""


def cam_batch_key(params: CamParams) -> Hashable:
    """Return the batch key of a CAM: jobs that differ only in their classes or their drawing run as one batch."""
    return params.layer_paths(), params.output, params.augment, params.precision


def class_cam_batch_key(params: ClassCamParams) -> Hashable:
    """Return the batch key of a CAM that explains a class."""
    return cam_batch_key(params), params.eigen_smooth


def explain(
    probe: Probe,
    inputs: Inputs,
    params: Sequence[ClassCamParams],
    weights: ChannelWeights,
    score: Literal["logit", "probability"] = "logit",
) -> list[CamResult]:
    """Return one result for each job of a batch.

    Args:
        inputs: one input for each job, `inputs.tensor` (N, H, W, C).
        params: the N jobs' resolved parameters, all with the same batch key.
        weights: the formula of the method.
        score: the score that is differentiated.

    Raises:
        NoGradient: the score of the class has no gradient at a layer.
        NonFinite: activations, gradients or scores are not finite.
    """
    return explain_by_each(probe, inputs, params, [weighted_map(weights, eigen_smooth=params[0].eigen_smooth)], score)[0]


def weighted_map(weights: ChannelWeights, *, eigen_smooth: bool = False) -> MapFormula:
    """Return the formula that weighs the channels and adds them up."""
    return lambda activations, gradients: cam_maps.weighted(activations, weights(activations, gradients), eigen_smooth=eigen_smooth)


def explain_by_each(
    probe: Probe,
    inputs: Inputs,
    params: Sequence[TargetCamParams],
    formulas: Sequence[MapFormula],
    score: Literal["logit", "probability"] = "logit",
    *,
    layer_pass: LayerPass | None = None,
) -> list[list[CamResult]]:
    """Return for each formula one result for each job of a batch. All formulas share every pass of the model.

    The other arguments and the errors are those of `explain`. `layer_pass` is the pass; None means the gradients of `score`.
    """
    rows = max(GRADIENT_ROWS, len(params))
    passes = explain_in_passes(probe, inputs, params, formulas, score, rows=rows, layer_pass=layer_pass)
    while True:
        try:
            next(passes)
        except StopIteration as stop:
            return stop.value


def explain_in_passes(
    probe: Probe,
    inputs: Inputs,
    params: Sequence[TargetCamParams],
    formulas: Sequence[MapFormula],
    score: Literal["logit", "probability"] = "logit",
    *,
    rows: int,
    layer_pass: LayerPass | None = None,
) -> Generator[None, None, list[list[CamResult]]]:
    """Yield after each pass of the model, and return what `explain_by_each` returns.

    Each class of a job is a row of its own, so that a job with several classes needs no further pass if there is room. A pass takes at
    most `rows` rows.
    """
    wanted, given = [job.target_classes() for job in params], layer_pass or _gradients_of(probe, params[0], score)
    owners = np.repeat(np.arange(len(params)), [len(classes.indices) for classes in wanted])
    class_indices = np.concatenate([np.asarray(classes.indices, np.int32) for classes in wanted])
    chunks: list[list[list[AnyFloat32]]] = []
    classes: list[Prediction] = []
    for start in range(0, len(owners), rows):
        chunk = slice(start, start + rows)
        tensor = inputs.tensor[owners[chunk]]
        maps, scored = yield from _maps_of_rows(probe, tensor, class_indices[chunk], params[0], formulas, layer_pass=given)
        chunks.append(maps)
        classes += scored
    layers = params[0].layer_paths()
    places = places_of(probe, layers, inputs.tensor)
    whole = [[np.concatenate([maps[f][at] for maps in chunks]) for at in range(len(layers))] for f in range(len(formulas))]
    return [
        [
            CamResult(
                {layer: maps[owners == row] for layer, maps in zip(layers, by_layer, strict=True)},
                places,
                tuple(scored for scored, owner in zip(classes, owners, strict=True) if owner == row),
                asked.listed,
                job.fuse,
            )
            for row, (job, asked) in enumerate(zip(params, wanted, strict=True))
        ]
        for by_layer in whole
    ]


def _gradients_of(probe: Probe, params: TargetCamParams, score: Literal["logit", "probability"]) -> LayerPass:
    return lambda tensor, layer, class_indices: probe.gradients(
        tensor, layer, class_indices, score=score, output=params.output, precision=params.precision
    )


def _maps_of_rows(
    probe: Probe,
    tensor: AnyFloat32,
    class_indices: np.ndarray,
    params: TargetCamParams,
    formulas: Sequence[MapFormula],
    *,
    layer_pass: LayerPass,
) -> Generator[None, None, tuple[list[list[AnyFloat32]], list[Prediction]]]:
    """Yield after each pass. Return for each formula and layer the maps of all rows, and each row's class with its plain scores."""
    layers = params.layer_paths()
    places = places_of(probe, layers, tensor)
    maps: list[list[list[AnyFloat32]]] = [[[] for _ in layers] for _ in formulas]
    classes: list[Prediction] = []
    for variant in augmentation.variants(params.augment):
        varied = variant.of(tensor)
        for at, layer in enumerate(layers):
            found = layer_pass(varied, layer, class_indices)
            # The plain input comes first: its top class is explained for every variant, whatever class a variant is taken for.
            class_indices = found.class_indices
            classes = classes or predictions(probe.published, class_indices, found.logits, found.probabilities, params.output)
            activations, gradients = (to_map(values, probe.description, layer) for values in (found.activations, found.gradients))
            for formula, own in zip(formulas, maps, strict=True):
                own[at].append(variant.undone(formula(activations, gradients), places[layer], tensor.shape[2]))
            yield
    return [[augmentation.averaged(varied) for varied in own] for own in maps], classes
