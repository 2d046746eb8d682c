"""Probes and helpers that the tests of class activation maps share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from schemas.methods import METHODS
from schemas.models import LayerKind, PublishedModel
from tests.schemas.tiny import layer
from tests.workers.methods.linear import driven
from tests.workers.methods.support import FormulaProbe, published
from workers.contract.artifacts import Array, Output
from workers.contract.inputs import Inputs
from workers.contract.probe import LayerGradients
from workers.methods import implementation
from workers.methods.cam.cam_result import CamResult


class TwoLayers(FormulaProbe):
    """Has a second layer `coarse`: the layer `conv` at every second row and column, with its gradients there."""

    def forward(self, tensor: np.ndarray, layers: Any = (), **given: Any) -> Any:
        found = super().forward(tensor, ["conv" for _ in layers], **given)
        return replace(found, activations={path: tensor[:, ::2, ::2] if path == "coarse" else tensor for path in layers})

    def gradients(self, tensor: np.ndarray, layer: str, class_indices: Any, **given: Any) -> LayerGradients:
        found = super().gradients(tensor, layer, class_indices, **given)
        if layer != "coarse":
            return found
        products = None if found.products is None else found.products[:, ::2, ::2]
        return replace(found, activations=found.activations[:, ::2, ::2], gradients=found.gradients[:, ::2, ::2], products=products)


def with_layers(channels: int = 3) -> PublishedModel:
    model = published()
    layers = tuple(layer(path, LayerKind.CONV, (4, 6, channels), (), cam_able=True) for path in ("conv", "coarse"))
    return model.model_copy(update={"description": model.description.model_copy(update={"layers": layers})})


class ChannelProbe(TwoLayers):
    """Describes its layers. Scores that are computed on from `coarse` are those of its activations alone."""

    def __init__(self) -> None:
        super().__init__(with_layers())


def arrays(output: Output) -> dict[str, np.ndarray]:
    return {artifact.name: artifact.array for artifact in output.artifacts if isinstance(artifact, Array)}


def explained(method: str, tensor: np.ndarray, probe: FormulaProbe | None = None, **params: Any) -> CamResult:
    job = METHODS[method].model_validate({"layer": "conv", **params})
    return driven(implementation(method).run(probe or ChannelProbe(), Inputs(tensor), job))[1]
