"""Filter synthesis: make images that excite a layer's channels, a neuron, a whole layer or a class most, by gradient ascent.

Source: Olah et al., Feature Visualization, Distill 2017. The sources of the other presets are in `recipes`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from rendering.drawings.synthesised_image import dead_tile
from rendering.grid import grid
from rendering.photo import Photo
from rendering.tile_numbers import numbered
from schemas.methods.synthesis.filters import FilterImage, Filters, FiltersFacts
from schemas.models import Preprocessing
from workers.contract.artifacts import Array, Output, Picture, PictureOfArrays
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Reusable, Slice
from workers.contract.synthesis import AscentSpec, AscentState
from workers.methods.synthesis.ascent_spec import ascent_spec
from workers.methods.synthesis.channel_images import image_piece, ranking, work_key
from workers.methods.synthesis.filter_animation import animation, frame_steps, recorded
from workers.methods.synthesis.filter_targets import ImageTarget, image_targets, objective_of
from workers.methods.synthesis.filter_words import tile_label, what_is_excited
from workers.methods.synthesis.pictures import image_drawing, preview
from workers.methods.synthesis.previews import slices_with_previews
from workers.methods.synthesis.recipes import RECIPES, Recipe


@dataclass(frozen=True)
class FilterSynthesis:
    """The synthesised images.

    Attributes:
        targets: What each of the n images was made for.
        images: float32 (n, H, W, C), in the model's input units for the parametrisation `pixel`, else RGB or grey in 0-1.
        values: float32 (n, steps), the objective of each image at every step.
        gradient_seen: (n,), false for an image that no gradient ever reached.
        preprocessing: How the model takes its input.
        frames: All images as tiles, as they were after some of the steps. There are none unless an animation was asked for.
    """

    targets: tuple[ImageTarget, ...]
    images: Float32[np.ndarray, "n h w c"]
    values: Float32[np.ndarray, "n steps"]
    gradient_seen: Bool[np.ndarray, " n"]
    preprocessing: Preprocessing
    frames: tuple[UInt8[np.ndarray, "H W 3"], ...] = ()


def reusable(params: Filters) -> Reusable | None:
    """Return each channel's image as reusable, unless the images depend on each other or an animation of them is asked for."""
    if not isinstance(params.channels, tuple) or params.diversity is not None or params.frames:
        return None
    return Reusable(work_key(params, params.layer or ""), tuple(map(str, params.channels)))


def run(probe: Probe, inputs: Inputs, params: Filters) -> Generator[Slice, None, FilterSynthesis]:
    """Synthesise the images that are not at hand as pieces, in slices with a preview about once a second."""
    targets = image_targets(params, probe.published)
    found = [inputs.pieces.get(str(target.channel)) for target in targets]
    missing = [index for index, arrays in enumerate(found) if arrays is None]
    frames: list[UInt8[np.ndarray, "H W 3"]] = []
    if missing:
        channels = tuple(targets[index].channel or 0 for index in missing)
        last = yield from _ascend(probe, params, channels if len(missing) < len(targets) else None, frames)
        for at, index in enumerate(missing):
            found[index] = image_piece(last, at)
        if reusable(params) is not None:
            pieces = {str(channel): image_piece(last, at) for at, channel in enumerate(channels)}
            yield Slice(last.total, last.total, float(last.values[:, -1].mean()), pieces=pieces)
    whole = [arrays for arrays in found if arrays is not None]
    images, values, seen = (np.stack([arrays[name] for arrays in whole]) for name in ("image", "values", "seen"))
    return FilterSynthesis(targets, images, values, seen, probe.description.preprocessing, tuple(frames))


def _ascend(
    probe: Probe, params: Filters, channels: tuple[int, ...] | None, frames: list[UInt8[np.ndarray, "H W 3"]]
) -> Generator[Slice, None, AscentState]:
    """Run the ascent and append the animation's frames to `frames`. If `channels` is None, the ascent is for all that is asked for."""
    preprocessing = probe.description.preprocessing
    asked = spec(params, preprocessing)
    if channels is not None:
        asked = replace(asked, objective=replace(asked.objective, indices=channels))
    return (
        yield from slices_with_previews(
            recorded(probe.ascend(asked), asked.show, params, preprocessing, frames),
            lambda state: preview(params, preprocessing, state.images),
            lambda state, picture: Slice(state.step, state.total, float(state.values[:, -1].mean()) if state.step else None, picture),
        )
    )


def spec(params: Filters, preprocessing: Preprocessing) -> AscentSpec:
    """Return the ascent that resolved parameters ask for."""
    asked = ascent_spec(params, objective_of(params, RECIPES[params.preset].margin), preprocessing)
    return replace(asked, show=frame_steps(asked.steps, params.frames))


def draw(result: FilterSynthesis, photo: Photo | None, params: Filters) -> Output:
    """Draw the grid and each image alone. An image that no gradient reached would be noise, so it is a crossed tile."""
    del photo
    recipe = RECIPES[params.preset]
    images, curves = Array("images", result.images), Array("curves", result.values)
    drawings = [
        image_drawing(params, result.preprocessing, index, dead=not alive) for index, alive in enumerate(result.gradient_seen.tolist())
    ]
    tiles = [drawing.draw({images.name: images.array}) for drawing in drawings]
    order = ranking(result.values[:, -1], result.gradient_seen)
    in_grid, dropped = _chosen_for_grid(result, recipe, order)
    grid_tiles = np.stack([tiles[index] for index in in_grid] or [dead_tile(*tiles[0].shape[:2])])
    if params.annotate and in_grid:
        grid_tiles = numbered(grid_tiles, [tile_label(result.targets[index]) for index in in_grid])
    whole = grid(grid_tiles, columns=params.columns, gap=recipe.gap, background=recipe.background, order=recipe.order)
    artifacts = (
        Picture("grid", whole, primary=True),
        *(PictureOfArrays.of(target.name, drawing, [images]) for target, drawing in zip(result.targets, drawings, strict=True)),
        images,
        curves,
        *animation(result.frames),
    )
    shown = [result.targets[index] for index in in_grid]
    return Output(artifacts, _facts(result, params, order, dropped), _warnings(result, in_grid), what_is_excited(params, shown))


def _chosen_for_grid(result: FilterSynthesis, recipe: Recipe, order: Sequence[int]) -> tuple[list[int], Bool[np.ndarray, " n"]]:
    """Return the indices of the images in the grid, in order, and for each image whether the preset drops it."""
    count = len(result.images)
    dropped = np.any(result.values <= 0, axis=1) if recipe.only_positive else np.zeros(count, bool)
    if recipe.best is None:
        return list(range(count)), dropped
    in_grid = [index for index in order if not dropped[index]][: recipe.best]
    return in_grid, ~np.isin(np.arange(count), in_grid)


def _facts(result: FilterSynthesis, params: Filters, order: list[int], dropped: Bool[np.ndarray, " n"]) -> FiltersFacts:
    images = tuple(
        FilterImage(
            name=target.name,
            channel=target.channel,
            class_index=target.class_index,
            label=target.label,
            objective=float(result.values[index, -1]),
            rank=order.index(index) + 1,
            dead=not result.gradient_seen[index],
            dropped=bool(dropped[index]),
        )
        for index, target in enumerate(result.targets)
    )
    dead = dict.fromkeys(target.channel for target in _dead(result) if target.channel is not None)
    return FiltersFacts(layer=params.layer, images=images, dead_channels=tuple(dead))


def _dead(result: FilterSynthesis) -> list[ImageTarget]:
    return [target for target, alive in zip(result.targets, result.gradient_seen, strict=True) if not alive]


def _warnings(result: FilterSynthesis, in_grid: Sequence[int]) -> tuple[str, ...]:
    found: list[str] = []
    if dead := _dead(result):
        found.append(f"No gradient ever reached the input for {_listed(dead)}: these images are not drawn.")
    silent = [
        target
        for target, values, alive in zip(result.targets, result.values, result.gradient_seen, strict=True)
        if alive and not values.any()
    ]
    if silent:
        found.append(
            f"The objective stayed 0 at every step for {_listed(silent)}. The image shows what leads towards a response; more steps may "
            "reach one."
        )
    if not in_grid:
        found.append(f"The preset leaves all images out of the grid: none of the {len(result.images)} kept an objective above 0.")
    return tuple(found)


def _listed(targets: Sequence[ImageTarget]) -> str:
    return ", ".join(target.name for target in targets[:20]) + (", …" if len(targets) > 20 else "")
