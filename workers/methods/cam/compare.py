"""Several class activation maps of one photo side by side."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import UInt8

from schemas.methods import METHODS
from schemas.methods.cam.compare import Compare, CompareFacts
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.cam import (
    ablation_cam,
    cam_maps,
    cam_pictures,
    channel_cam,
    class_evidence,
    grad_cam,
    grad_cam_plus_plus,
    hires_cam,
    layer_cam,
    score_cam,
    xgrad_cam,
)
from workers.rendering import scaling, text
from workers.rendering.grid import grid
from workers.rendering.overlays.blend import blend
from workers.rendering.titles import titled

WEIGHTS: Mapping[str, class_evidence.Weights] = MappingProxyType(
    {
        "grad_cam": grad_cam.weights,
        "grad_cam_plus_plus": grad_cam_plus_plus.weights,
        "layer_cam": layer_cam.weights,
        "hires_cam": hires_cam.weights,
        "xgrad_cam": xgrad_cam.weights,
    }
)
TRIALS: Mapping[str, channel_cam.Trial] = MappingProxyType({"score_cam": score_cam.TRIAL, "ablation_cam": ablation_cam.TRIAL})

Comparison = Mapping[str, class_evidence.Explanation]


def run(probe: Probe, inputs: Inputs, params: Compare) -> Generator[Slice, None, Comparison]:
    """By method. Those made of activations and gradients share one pass; those that try channels share the one for activations."""
    of_pass, by_channel = ([method for method in params.methods if (method in TRIALS) is slow] for slow in (False, True))
    found: dict[str, class_evidence.Explanation] = {}
    if of_pass:
        explained = class_evidence.explain_alike(probe, inputs, [params], [_formula(method, params) for method in of_pass])
        found.update(zip(of_pass, (explanation for (explanation,) in explained), strict=True))
    if by_channel:
        explanations = yield from channel_cam.explain_alike(probe, inputs, params, [TRIALS[method] for method in by_channel])
        found.update(zip(by_channel, explanations, strict=True))
    else:
        yield Slice(1, 1)
    return {method: found[method] for method in params.methods}


def draw(result: Comparison, photo: Photo, params: Compare) -> Output:
    first = next(iter(result.values()))
    cam_pictures.check_scores(first.classes)
    shown = cam_pictures.small_enough(photo, len(result) * len(first.classes))
    titles = {method: METHODS[method].card.title for method in result}
    several = len(first.classes) > 1
    tiles: list[UInt8[np.ndarray, "h w 3"]] = []
    captions: list[str] = []
    for row, scored in enumerate(first.classes):
        for method, explanation in result.items():
            tiles.append(blend(scaling.heat(explanation.maps[row]), shown, params.colormap, params.alpha)[0])
            captions.append(f"{titles[method]} · {cam_pictures.named(scored)}" if several else titles[method])
    size = cam_pictures.caption_size(shown)
    sheet = grid(text.captioned(np.stack(tiles), captions, size), columns=len(result) if several else None, gap=4, background=text.PAPER)
    facts = CompareFacts(**dict(cam_pictures.facts(first)), methods=params.methods)
    warnings = [
        f"{titles[method]}: {warning}" for method, explanation in result.items() for warning in cam_pictures.degenerate(explanation)
    ]
    return Output(
        artifacts=(
            Picture("sheet", titled(sheet, _title(first), size=size), primary=True),
            *(Array(f"map.{method}", found.maps if found.listed else found.maps[0]) for method, found in result.items()),
        ),
        facts=facts,
        warnings=(*warnings, *cam_pictures.shrunk(f"{len(tiles)} overlays", shown, photo)),
    )


def _formula(method: str, params: Compare) -> class_evidence.Formula:
    if method == "eigen_cam":
        return lambda activations, gradients: cam_maps.principal(activations)
    return class_evidence.formula(WEIGHTS[method], eigen_smooth=params.eigen_smooth)


def _title(explanation: class_evidence.Explanation) -> str:
    layers, scored = ", ".join(explanation.by_layer), explanation.classes[0]
    if len(explanation.classes) > 1:
        return layers
    return f"{cam_pictures.named(scored)} · {scored.probability:.1%} · {layers}"
