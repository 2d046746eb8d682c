"""The parts of photos that excite channels most (Zeiler and Fergus, arXiv:1311.2901, figure 2)."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from schemas.methods.inspection.top_patches import ChannelPatches, Patch, TopPatches, TopPatchesFacts
from schemas.models import ReceptiveField
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.inspection.strongest_positions import Place, Ranking
from workers.methods.photo_batches import passes
from workers.rendering.patch_rows import PatchRow, patch_sheet
from workers.rendering.placement import span_on_photo
from workers.rendering.side_by_side import CaptionedPicture


@dataclass(frozen=True)
class TopPlaces:
    """Of each channel the places, strongest first, and the photos they are in."""

    field: ReceptiveField
    places: dict[int, tuple[Place, ...]]
    photos: tuple[Photo, ...]


def run(probe: Probe, inputs: Inputs, params: TopPatches) -> Generator[Slice, None, TopPlaces]:
    path, model = params.layer or "", probe.description
    layer = model.layer_at(path)
    field = layer.receptive_field
    if field is None or layer.channels is None:
        raise ValueError(f"the parameters are not resolved: layer '{path}' has no receptive field")
    apart = [max(1, math.ceil(size / (2 * stride))) for size, stride in zip(field.size, field.stride, strict=True)]
    ranking = Ranking(layer.channels, params.count, params.per_image, (apart[0], apart[1]))
    for each in passes(probe, inputs.several, [path], precision=params.precision):
        maps = each.found.activations[path]
        ranking.add(maps, np.stack([seen(field, maps.shape[1:3], image.photo) for image in each.images]))
        yield Slice(each.first + len(each.images), len(inputs.several))
    channels = ranking.by_strength()[: params.channels] if isinstance(params.channels, int) else params.channels
    places = {channel: ranking.of(channel) for channel in channels}
    return TopPlaces(field, places, tuple(each.photo for each in inputs.several))


def seen(field: ReceptiveField, size: tuple[int, ...], photo: Photo) -> Bool[np.ndarray, "h w"]:
    """Positions of a map of `size` that see some of the photo, and not a letterbox's border alone."""
    rows, columns = (
        np.array([bool(_extent(span)) for span in (_span(field, axis, at, photo) for at in range(size[axis]))]) for axis in (0, 1)
    )
    return rows[:, None] & columns


def part(field: ReceptiveField, place: Place, photo: Photo) -> tuple[slice, slice]:
    """Rows and columns of the photo that the neuron at `place` sees."""
    return _span(field, 0, place.y, photo), _span(field, 1, place.x, photo)


def draw(result: TopPlaces, photo: Photo | None, params: TopPatches) -> Output:
    del photo
    field, shape = result.field, (len(result.places), params.count)
    values, positions = np.zeros(shape, np.float32), np.full((*shape, 3), -1, np.int32)
    rows: list[PatchRow] = []
    channels: list[ChannelPatches] = []
    for row, (channel, places) in enumerate(result.places.items()):
        panels: list[CaptionedPicture] = []
        facts: list[Patch] = []
        for column, place in enumerate(places):
            image = result.photos[place.image].image
            down, across = part(field, place, result.photos[place.image])
            values[row, column], positions[row, column] = place.value, (place.image, place.y, place.x)
            panels.append(CaptionedPicture(f"#{place.image} · {place.value:.3g}", image[down, across]))
            facts.append(
                Patch(
                    image=params.images[place.image],
                    number=place.image,
                    position=(place.y, place.x, channel),
                    value=place.value,
                    box=(down.start, across.start, _extent(down), _extent(across)),
                )
            )
        words = f"channel {channel}" if places else f"channel {channel} · the same everywhere"
        rows.append(PatchRow(words, tuple(panels)))
        channels.append(ChannelPatches(channel=channel, patches=tuple(facts)))
    title = f"{params.layer} · receptive field {field.size[0]} × {field.size[1]} input pixels"
    return Output(
        (
            Picture("patches", patch_sheet(title, rows, params.count), primary=True),
            Array("values", values),
            Array("positions", positions),
        ),
        TopPatchesFacts(layer=params.layer or "", receptive_field=field, channels=tuple(channels)),
        _warnings(result),
    )


def _warnings(result: TopPlaces) -> tuple[str, ...]:
    warnings: list[str] = []
    if silent := [str(channel) for channel, places in result.places.items() if not places]:
        warnings.append(f"The same everywhere in these images, so without patches: channel {', '.join(silent)}.")
    height, width = result.photos[0].placement.input_size
    if result.field.size[0] >= height and result.field.size[1] >= width:
        warnings.append(
            f"The layer's receptive field, {result.field.size[0]} × {result.field.size[1]}, is as large as the input, {height} × {width}, "
            "or larger: patches are most of a photo. An earlier layer sees less."
        )
    return tuple(warnings)


def _span(field: ReceptiveField, axis: int, at: int, photo: Photo) -> slice:
    begin = field.offset[axis] + at * field.stride[axis]
    return span_on_photo(axis, begin, field.size[axis], photo.placement, photo.image.shape)


def _extent(span: slice) -> int:
    return span.stop - span.start
