"""What class activation maps share on the device: the classes' gradients at the layers, one pass for each input, and their maps."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float32

from schemas.methods.cam.base import CamParams, ClassCamParams, Fusing
from schemas.methods.facts import Prediction
from schemas.models import PublishedModel
from workers.contract.arrays import Float32 as AnyFloat32
from workers.contract.inputs import Inputs
from workers.contract.probe import Forward, Probe
from workers.methods.cam import augmentation, cam_maps
from workers.methods.token_maps import as_map

# Rows of one call of the probe where jobs ask for more classes than there are jobs in the batch.
ROWS = 8

Weights = Callable[[Float32[np.ndarray, "n h w k"], Float32[np.ndarray, "n h w k"]], AnyFloat32]
"""Activations and gradients → weights (n, k) or (n, h, w, k): all in which one CAM differs from another."""
Formula = Callable[[Float32[np.ndarray, "n h w k"], Float32[np.ndarray, "n h w k"]], Float32[np.ndarray, "n h w"]]
"""Activations and gradients → maps."""


@dataclass(frozen=True)
class Explanation:
    """One job's maps (n, h, w) at each layer, one a class, and the classes with their scores. `listed`: a list was asked for."""

    by_layer: Mapping[str, Float32[np.ndarray, "n _ _"]]
    classes: tuple[Prediction, ...]
    listed: bool
    fuse: Fusing = "mean"

    @cached_property
    def maps(self) -> Float32[np.ndarray, "n h w"]:
        """The layer's; of several layers fused."""
        maps = list(self.by_layer.values())
        return maps[0] if len(maps) == 1 else cam_maps.fused(maps, self.fuse)


def batch_key(params: CamParams) -> Hashable:
    """Jobs that differ in their classes or their drawing alone run as one batch."""
    return params.layer_paths(), params.output, params.augment, params.precision


def class_batch_key(params: ClassCamParams) -> Hashable:
    return batch_key(params), params.sign, params.eigen_smooth


def explain(
    probe: Probe,
    inputs: Inputs,
    params: Sequence[ClassCamParams],
    weights: Weights,
    score: Literal["logit", "probability"] = "logit",
) -> list[Explanation]:
    """One explanation for each row of `inputs.tensor`, all with the batch key of the first."""
    return explain_alike(probe, inputs, params, [formula(weights, eigen_smooth=params[0].eigen_smooth)], score)[0]


def formula(weights: Weights, *, eigen_smooth: bool = False) -> Formula:
    return lambda activations, gradients: cam_maps.weighted(activations, weights(activations, gradients), eigen_smooth=eigen_smooth)


def explain_alike(
    probe: Probe,
    inputs: Inputs,
    params: Sequence[ClassCamParams],
    formulas: Sequence[Formula],
    score: Literal["logit", "probability"] = "logit",
) -> list[list[Explanation]]:
    """For each formula one explanation for each row of `inputs.tensor`; the formulas share every pass of the model.

    A job's classes are rows of their own.
    """
    wanted = [job.target_classes() for job in params]
    owners = np.repeat(np.arange(len(params)), [len(classes.indices) for classes in wanted])
    class_indices = np.concatenate([np.asarray(classes.indices, np.int32) for classes in wanted])
    chunks: list[list[list[AnyFloat32]]] = []
    classes: list[Prediction] = []
    step = max(ROWS, len(params))
    for start in range(0, len(owners), step):
        chunk = slice(start, start + step)
        maps, scored = _looked(probe, inputs.tensor[owners[chunk]], class_indices[chunk], params[0], formulas, score=score)
        chunks.append(maps)
        classes += scored
    layers = params[0].layer_paths()
    whole = [[np.concatenate([maps[f][at] for maps in chunks]) for at in range(len(layers))] for f in range(len(formulas))]
    return [
        [
            Explanation(
                {layer: maps[owners == row] for layer, maps in zip(layers, by_layer, strict=True)},
                tuple(scored for scored, owner in zip(classes, owners, strict=True) if owner == row),
                asked.listed,
                job.fuse,
            )
            for row, (job, asked) in enumerate(zip(params, wanted, strict=True))
        ]
        for by_layer in whole
    ]


def _looked(
    probe: Probe,
    tensor: AnyFloat32,
    class_indices: np.ndarray,
    params: ClassCamParams,
    formulas: Sequence[Formula],
    *,
    score: Literal["logit", "probability"],
) -> tuple[list[list[AnyFloat32]], list[Prediction]]:
    """Of each formula its maps at each layer, one a row; and the rows' classes, as the input itself is answered."""
    layers = params.layer_paths()
    maps: list[list[list[AnyFloat32]]] = [[[] for _ in layers] for _ in formulas]
    classes: list[Prediction] = []
    for variant in augmentation.variants(params.augment):
        varied = variant.of(tensor)
        for at, layer in enumerate(layers):
            found = probe.gradients(
                varied, layer, class_indices, score=score, sign=params.sign, output=params.output, precision=params.precision
            )
            class_indices = found.class_indices  # of the input itself, whatever its variants are taken for
            classes = classes or predictions(probe.published, class_indices, found.logits, found.probabilities, params.output)
            activations, gradients = (as_map(values, probe.description, layer) for values in (found.activations, found.gradients))
            for formula, own in zip(formulas, maps, strict=True):
                own[at].append(variant.undone(formula(activations, gradients)))
    return [[augmentation.averaged(varied) for varied in own] for own in maps], classes


def predictions(
    model: PublishedModel,
    class_indices: np.ndarray,
    logits: Float32[np.ndarray, "n classes"],
    probabilities: Float32[np.ndarray, "n classes"],
    output: str | None = None,
) -> list[Prediction]:
    """Each row's class with its scores."""
    rows = zip(class_indices.tolist(), logits, probabilities, strict=True)
    return [
        Prediction(class_index=c, label=model.label_of(c, output), logit=float(row_logits[c]), probability=float(row_probabilities[c]))
        for c, row_logits, row_probabilities in rows
    ]


def top_classes(model: PublishedModel, found: Forward, output: str | None = None) -> list[Prediction]:
    """Each row's top class with its scores, of a pass that was asked for them."""
    if found.logits is None or found.probabilities is None:
        raise ValueError(f"the pass through model '{model.description.name}' gave no class scores")
    return predictions(model, found.logits.argmax(axis=1), found.logits, found.probabilities, output)
