"""Several class activation maps of one image, side by side."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from jaxtyping import UInt8

from rendering import colormaps, scaling
from rendering.charts.colour_scale import ColourScale
from rendering.overlays.blend import blend
from rendering.overlays.unseen import unseen_meaning
from rendering.photo import Photo
from rendering.sheets import caption_size, captioned_sheet, photo_for_tiles
from rendering.titles import titled
from schemas.methods import METHODS
from schemas.methods.cam.compare import Compare, CompareFacts
from schemas.methods.cam.fem import Fem
from schemas.methods.cam.kpca_cam import KpcaCam
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.batch_sizes import GRADIENT_ROWS
from workers.methods.cam import (
    ablation_cam,
    activation_cam,
    cam_maps,
    cam_pictures,
    fem,
    gradient_formulas,
    gradient_weighted_cam,
    kpca_cam,
    score_cam,
    score_weighted_cam,
)
from workers.methods.cam.cam_result import CamResult
from workers.methods.class_scores import check_finite_scores, class_name, score_text
from workers.methods.map_places import photo_under
from workers.methods.sheets import smaller_tiles_warning

ACTIVATIONS: Mapping[str, Callable[[], activation_cam.ActivationFormula]] = MappingProxyType(
    {"eigen_cam": lambda: cam_maps.principal, "kpca_cam": lambda: kpca_cam.formula_of(KpcaCam()), "fem": lambda: fem.formula_of(Fem())}
)
"""The formulas, with default parameters, of the methods that need no gradients."""
TRIALS: Mapping[str, score_weighted_cam.ChannelTrial] = MappingProxyType({"score_cam": score_cam.TRIAL, "ablation_cam": ablation_cam.TRIAL})

EQUAL_BEFORE_POOLING = ("grad_cam", "hires_cam", "xgrad_cam")
EQUAL = 1e-3  # the largest difference of two maps, scaled to 0-1, that count as the same

CamComparison = Mapping[str, CamResult]
"""The result of each method, in the order of the tiles."""


def run(probe: Probe, inputs: Inputs, params: Compare) -> Generator[Slice, None, CamComparison]:
    """Return the result of each method.

    The methods that use gradients share one pass of the model. Those that try channels share the pass that gives the activations.
    """
    by_gradient = [method for method in params.methods if method not in TRIALS]
    by_trial = [method for method in params.methods if method in TRIALS]
    found: dict[str, CamResult] = {}
    if by_gradient:
        formulas = [_formula(method, params) for method in by_gradient]
        total = score_weighted_cam.total_tries(probe, params, len(by_trial)) or 1
        explained = yield from _one_slice_a_pass(probe, inputs, params, formulas, total)
        found.update(zip(by_gradient, (result for (result,) in explained), strict=True))
    if by_trial:
        results = yield from score_weighted_cam.explain_by_each(probe, inputs, params, [TRIALS[method] for method in by_trial])
        found.update(zip(by_trial, results, strict=True))
    else:
        yield Slice(1, 1)
    return {method: found[method] for method in params.methods}


def draw(result: CamComparison, photo: Photo, params: Compare) -> Output:
    """Return a sheet with an overlay for each method, and each method's map.

    Raises:
        NonFinite: a class score is not finite.
    """
    first = next(iter(result.values()))
    check_finite_scores(first.classes)
    drawn = photo_for_tiles(photo, len(result) * len(first.classes))
    titles = {method: METHODS[method].card.title for method in result}
    several = len(first.classes) > 1
    tiles: list[UInt8[np.ndarray, "h w 3"]] = []
    captions: list[str] = []
    for row, scored in enumerate(first.classes):
        for method, found in result.items():
            tiles.append(blend(scaling.heat(found.maps[row]), photo_under(drawn, found.place), params.colormap, params.alpha)[0])
            captions.append(f"{titles[method]} · {class_name(scored)}" if several else titles[method])
    sheet = captioned_sheet(tiles, captions, drawn, columns=len(result) if several else None)
    warnings = [f"{titles[method]}: {warning}" for method, found in result.items() for warning in cam_pictures.cam_warnings(found)]
    return Output(
        artifacts=(
            _sheet(sheet if params.annotate else titled(sheet, _title(first), size=caption_size(drawn)), photo, params),
            *(Array(f"map.{method}", found.maps if found.listed else found.maps[0]) for method, found in result.items()),
        ),
        facts=CompareFacts(**dict(cam_pictures.cam_facts(first)), methods=params.methods),
        warnings=(*warnings, *_equal_maps_warning(result), *smaller_tiles_warning("overlays", len(tiles), photo)),
    )


def _sheet(picture: UInt8[np.ndarray, "H W 3"], photo: Photo, params: Compare) -> Picture:
    """Return the sheet with what its colours mean. Each map has a scale of its own, from 0 to its largest value."""
    scale = ColourScale(colormaps.table(params.colormap), ((0.0, "0"), (1.0, "max")))
    return Picture("sheet", picture, primary=True, scale=scale, meaning=unseen_meaning(photo.placement, photo.image.shape, "faded"))


def _equal_maps_warning(result: CamComparison) -> Iterator[str]:
    """Yield a warning if methods that are equal by mathematics at some layers are equal here: their maps differ by a factor alone."""
    found = [method for method in EQUAL_BEFORE_POOLING if method in result]
    heats = [np.stack([scaling.heat(values) for values in result[method].maps]) for method in found]
    equal = [method for method, heat in zip(found, heats, strict=True) if heats[0].any() and np.abs(heat - heats[0]).max() < EQUAL]
    if len(equal) > 1:
        titles = [METHODS[method].card.title for method in equal]
        yield (
            f"{', '.join(titles[:-1])} and {titles[-1]} give the same map here. At a layer that only global average pooling and one dense "
            "layer follow, they are equal by mathematics. At an earlier layer they part."
        )


def _one_slice_a_pass(
    probe: Probe, inputs: Inputs, params: Compare, formulas: Sequence[gradient_weighted_cam.MapFormula], total: int
) -> Generator[Slice, None, list[list[CamResult]]]:
    size = (inputs.tensor.shape[1], inputs.tensor.shape[2])
    rows = min(GRADIENT_ROWS, probe.inputs_per_pass(size, gradient=True))
    passes = gradient_weighted_cam.explain_in_passes(probe, inputs, [params], formulas, rows=rows)
    while True:
        try:
            next(passes)
        except StopIteration as stop:
            return stop.value
        yield Slice(0, total)


def _formula(method: str, params: Compare) -> gradient_weighted_cam.MapFormula:
    if method in ACTIVATIONS:
        formula = ACTIVATIONS[method]()
        return lambda activations, gradients: formula(activations)
    return gradient_formulas.formula(method, eigen_smooth=params.eigen_smooth)


def _title(result: CamResult) -> str:
    layers, scored = ", ".join(result.by_layer), result.classes[0]
    if len(result.classes) > 1:
        return layers
    return f"{class_name(scored)} · {score_text(scored)} · {layers}"
