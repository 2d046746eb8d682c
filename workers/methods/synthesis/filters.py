"""Filter synthesis: images that excite a layer's channels, a neuron, a whole layer or a class most, by gradient ascent in input space.

Olah et al., Feature Visualization, Distill 2017; the other presets' sources are in `filter_presets`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from schemas.methods.synthesis.filters import FilterImage, Filters, FiltersFacts
from schemas.methods.synthesis.weighted_objective import WeightedObjective
from schemas.models import Preprocessing, PublishedModel
from workers.contract.artifacts import Animation, Array, Output, Picture
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.contract.progress import Reusable, Slice
from workers.contract.synthesis import AscentSpec, AscentState, Objective, Term
from workers.methods.synthesis.ascent import PREVIEW_SECONDS, ascent, dead_tile, piece, preview, ranking, shrunk, tiled, to_picture, work_of
from workers.methods.synthesis.presets import RECIPES
from workers.rendering.grid import grid

FILM_MILLISECONDS, FILM_SIDE = 3000, 768


@dataclass(frozen=True)
class Target:
    """What one image was made for."""

    name: str
    channel: int | None = None
    class_index: int | None = None
    label: str | None = None


@dataclass(frozen=True)
class Synthesis:
    """`images` (n, H, W, C) float32: pixel the model's input units, else 0-1 RGB. `values` (n, steps). `gradient_seen` (n,).
    `frames`: all images tiled, as they were after some of the steps."""

    targets: tuple[Target, ...]
    images: Float32[np.ndarray, "n h w c"]
    values: Float32[np.ndarray, "n steps"]
    gradient_seen: Bool[np.ndarray, " n"]
    preprocessing: Preprocessing
    frames: tuple[UInt8[np.ndarray, "H W 3"], ...] = ()


def reusable(params: Filters) -> Reusable | None:
    """Each channel's image, unless they depend on each other or are to be seen forming."""
    if not isinstance(params.channels, tuple) or params.diversity is not None or params.frames:
        return None
    return Reusable(work_of(params, params.layer or ""), tuple(map(str, params.channels)))


def run(probe: Probe, inputs: Inputs, params: Filters) -> Generator[Slice, None, Synthesis]:
    """Ascent in slices, with a small picture of all images about every second; of channels that are at hand there is none."""
    made = targets(params, probe.published)
    found = [inputs.pieces.get(str(target.channel)) for target in made]
    missing = [index for index, arrays in enumerate(found) if arrays is None]
    frames: list[UInt8[np.ndarray, "H W 3"]] = []
    if missing:
        channels = tuple(made[index].channel or 0 for index in missing)
        last, frames = yield from _ascended(probe, params, channels if len(missing) < len(made) else None)
        for at, index in enumerate(missing):
            found[index] = piece(last, at)
        if reusable(params) is not None:
            pieces = {str(channel): piece(last, at) for at, channel in enumerate(channels)}
            yield Slice(last.total, last.total, float(last.values[:, -1].mean()), pieces=pieces)
    whole = [arrays for arrays in found if arrays is not None]
    images, values, seen = (np.stack([arrays[name] for arrays in whole]) for name in ("image", "values", "seen"))
    return Synthesis(made, images, values, seen, probe.description.preprocessing, tuple(frames))


def _ascended(
    probe: Probe, params: Filters, channels: tuple[int, ...] | None
) -> Generator[Slice, None, tuple[AscentState, list[UInt8[np.ndarray, "H W 3"]]]]:
    """The last state and the frames; of `channels` alone, where not all are asked for."""
    preprocessing = probe.description.preprocessing
    asked = spec(params, preprocessing)
    if channels is not None:
        asked = replace(asked, objective=replace(asked.objective, indices=channels))
    ascending = probe.ascend(asked)
    frames: list[UInt8[np.ndarray, "H W 3"]] = []
    shown = time.monotonic()
    while True:
        try:
            state = next(ascending)
        except StopIteration as stop:
            last: AscentState = stop.value
            if params.frames:
                frames.append(frame(params, preprocessing, last))
            return last, frames
        if state.step in asked.show[len(frames) : len(frames) + 1]:
            frames.append(frame(params, preprocessing, state))
        small = None
        if time.monotonic() - shown >= PREVIEW_SECONDS:
            small, shown = preview(params, preprocessing, state.images), time.monotonic()
        yield Slice(state.step, state.total, float(state.values[:, -1].mean()) if state.step else None, small)


def spec(params: Filters, preprocessing: Preprocessing) -> AscentSpec:
    """The ascent that complete parameters ask for."""
    asked = ascent(params, _objective(params, RECIPES[params.preset].margin), preprocessing)
    return replace(asked, show=frame_steps(asked.steps, params.frames))


def frame_steps(steps: int, frames: int) -> tuple[int, ...]:
    """The steps after which all frames but the last are taken, which is of the finished images: the first shows the start."""
    return tuple(dict.fromkeys(np.linspace(1, steps, frames)[:-1].astype(int).tolist()))


def targets(params: Filters, model: PublishedModel) -> tuple[Target, ...]:
    """What each image is made for, in order."""
    if params.class_index is not None:
        return tuple(Target(f"class_{index}", class_index=index, label=model.label_of(index)) for index in _classes(params))
    if params.neuron is not None:
        y, x, channel = params.neuron
        return (Target(f"neuron_{y}_{x}_{channel}", channel=channel),)
    single = {"layer": params.whole_layer, "direction": params.direction is not None, "sum": params.objectives is not None}
    if any(single.values()):
        return tuple(Target(name) for name, given in single.items() if given)
    if params.diversity is not None:
        (channel,) = _channels(params)
        return tuple(Target(f"channel_{channel}_{number}", channel=channel) for number in range(params.diversity.count))
    return tuple(Target(f"channel_{channel}", channel=channel) for channel in _channels(params))


def draw(result: Synthesis, photo: Photo | None, params: Filters) -> Output:
    """The grid, each image alone, the arrays; what no gradient reached is a crossed tile and not noise."""
    del photo
    recipe = RECIPES[params.preset]
    tiles = [
        to_picture(params, result.preprocessing, image) if alive else None
        for image, alive in zip(result.images, result.gradient_seen, strict=True)
    ]
    side = next((tile.shape[0] for tile in tiles if tile is not None), result.images.shape[1])
    pictures = [dead_tile(side) if tile is None else tile for tile in tiles]
    order = ranking(result.values[:, -1], result.gradient_seen)
    dropped = np.any(result.values <= 0, axis=1) if recipe.only_positive else np.zeros(len(tiles), bool)
    if recipe.best is None:
        shown = list(range(len(tiles)))
    else:
        shown = [index for index in order if not dropped[index]][: recipe.best]
        dropped = ~np.isin(np.arange(len(tiles)), shown)
    tiled = [pictures[index] for index in shown] or [dead_tile(side)]
    tiled_grid = grid(tiled, columns=params.columns, gap=recipe.gap, background=recipe.background, order=recipe.order)
    dead = tuple(target for target, alive in zip(result.targets, result.gradient_seen, strict=True) if not alive)
    facts = FiltersFacts(
        layer=params.layer,
        images=tuple(
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
        ),
        dead_channels=tuple(dict.fromkeys(target.channel for target in dead if target.channel is not None)),
    )
    artifacts = (
        Picture("grid", tiled_grid, primary=True),
        *(Picture(target.name, tile) for target, tile in zip(result.targets, pictures, strict=True)),
        Array("images", result.images),
        Array("curves", result.values),
        *([Animation("animation", np.stack(result.frames), round(FILM_MILLISECONDS / len(result.frames)))] if result.frames else []),
    )
    silent = tuple(
        target
        for target, values, alive in zip(result.targets, result.values, result.gradient_seen, strict=True)
        if alive and not values.any()
    )
    return Output(artifacts, facts, _warnings(dead, silent, shown, len(tiles)))


def frame(params: Filters, preprocessing: Preprocessing, state: AscentState) -> UInt8[np.ndarray, "H W 3"]:
    """All images, tiled, averaged down where there are many, to a side of about 1,500 px at most; crossed what no gradient has reached."""
    across = params.columns or math.ceil(math.sqrt(len(state.images)))
    down = math.ceil(len(state.images) / across)
    side = max(1, FILM_SIDE // max(across, down))
    tiles = [shrunk(to_picture(params, preprocessing, image), side) for image in state.images]
    return tiled(params, [tile if seen else dead_tile(tile.shape[0]) for tile, seen in zip(tiles, state.gradient_seen, strict=True)])


def _objective(params: Filters, margin: int) -> Objective:
    if params.class_index is not None:
        return Objective("class", indices=_classes(params))
    if params.neuron is not None:
        y, x, channel = params.neuron
        return Objective("neuron", params.layer, (channel,), (y, x))
    if params.whole_layer:
        return Objective("layer", params.layer)
    if terms := _terms(params):
        return Objective("sum", params.layer, margin=margin, terms=terms)
    count, weight = (params.diversity.count, params.diversity.weight) if params.diversity else (1, 0.0)
    return Objective("channel", params.layer, _channels(params) * count, margin=margin, diversity=weight)


def _terms(params: Filters) -> tuple[Term, ...]:
    """Of a direction or a sum; empty otherwise."""
    if params.direction is not None:
        return tuple(Term("channel", channel, weight, params.layer) for channel, weight in params.direction)
    return tuple(map(_term, params.objectives or ()))


def _term(objective: WeightedObjective) -> Term:
    """Of a resolved objective."""
    if objective.class_index is not None:
        return Term("class", int(objective.class_index), objective.weight)
    if objective.neuron is not None:
        y, x, channel = objective.neuron
        return Term("neuron", channel, objective.weight, objective.layer, (y, x))
    return Term("channel", objective.channel or 0, objective.weight, objective.layer)


def _channels(params: Filters) -> tuple[int, ...]:
    assert isinstance(params.channels, tuple)  # noqa: S101 - resolved
    return params.channels


def _classes(params: Filters) -> tuple[int, ...]:
    """Class indices, once resolved."""
    return tuple(int(selector) for selector in params.class_selectors())


def _warnings(dead: tuple[Target, ...], silent: tuple[Target, ...], shown: list[int], images: int) -> tuple[str, ...]:
    found: list[str] = []
    if dead:
        found.append(f"No gradient ever reached the input for {_named(dead)}: not drawn.")
    if silent:
        found.append(f"Never answered, at any step: {_named(silent)}. Drawn is what leads towards an answer, which more steps may reach.")
    if not shown:
        found.append(f"None of the {images} filters kept an objective above 0: the preset drops them all from the grid.")
    return tuple(found)


def _named(targets: tuple[Target, ...]) -> str:
    return ", ".join(target.name for target in targets[:20]) + (", …" if len(targets) > 20 else "")
