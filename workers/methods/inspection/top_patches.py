"""Find the parts of photos that excite channels most.

Source: Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, arXiv:1311.2901, figure 2.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from rendering.patch_rows import PatchRow, padded_square, patch_sheet
from rendering.photo import Photo
from rendering.placement import span_on_photo, whole_span
from rendering.side_by_side import CaptionedPicture
from schemas.methods.inspection.top_patches import ChannelPatches, Patch, TopPatches, TopPatchesFacts
from schemas.models import ReceptiveField
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.inspection.photo_batches import forward_in_batches
from workers.methods.inspection.strongest_positions import PositionRanking, StrongPosition
from workers.methods.map_places import seen_part

SHOWN_DIGITS = 8  # of the id of an image that has no name


@dataclass(frozen=True)
class TopPositions:
    """The strongest positions of each channel, the strongest first, and the photos that they are in."""

    field: ReceptiveField
    positions: dict[int, tuple[StrongPosition, ...]]
    photos: tuple[Photo, ...]
    model: str


def run(probe: Probe, inputs: Inputs, params: TopPatches) -> Generator[Slice, None, TopPositions]:
    """Find the strongest positions of each channel in all photos, in slices of one pass or one photo.

    Raises:
        NonFinite: The activations of a photo are not finite. The error names the photo by its number.
    """
    path, model = params.layer or "", probe.description
    layer = model.layer_at(path)
    field = layer.receptive_field
    if field is None or layer.channels is None:
        raise ValueError(f"the parameters are not resolved: layer '{path}' has no receptive field")
    apart = [max(1, math.ceil(size / (2 * abs(stride)))) for size, stride in zip(field.size, field.stride, strict=True)]
    ranking = PositionRanking(layer.channels, params.count, params.per_image, (apart[0], apart[1]))
    photos = tuple(_seen_photo(probe, path, each.photo, (each.tensor.shape[0], each.tensor.shape[1])) for each in inputs.several)
    for each in forward_in_batches(probe, inputs.several, [path], precision=params.precision):
        yield Slice(each.first, len(inputs.several))
        for number, maps in enumerate(each.found.activations[path], each.first):
            ranking.add(maps[None], seen_positions(field, maps.shape[:2], photos[number])[None])
            yield Slice(number + 1, len(inputs.several))
    channels = ranking.by_strength()[: params.channels] if isinstance(params.channels, int) else params.channels
    positions = {channel: ranking.of(channel) for channel in channels}
    return TopPositions(field, positions, photos, model.name)


def _seen_photo(probe: Probe, path: str, photo: Photo, size: tuple[int, int]) -> Photo:
    """Return the photo with the placement of the part of it that the layer sees."""
    return Photo(photo.image, seen_part(photo.placement, probe.map_place(path, size).seen))


def seen_positions(field: ReceptiveField, size: tuple[int, ...], photo: Photo) -> Bool[np.ndarray, "h w"]:
    """Return which positions of a map of `size` (h, w) see a part of the photo. The others see only the border of a letterbox."""
    rows, columns = (
        np.array([bool(_extent(span)) for span in (_span(field, axis, at, photo) for at in range(size[axis]))]) for axis in (0, 1)
    )
    return rows[:, None] & columns


def patch_of(field: ReceptiveField, position: StrongPosition, photo: Photo) -> tuple[slice, slice]:
    """Return the rows and columns of the photo that the neuron at `position` sees."""
    return _span(field, 0, position.y, photo), _span(field, 1, position.x, photo)


def draw(result: TopPositions, photo: Photo | None, params: TopPatches) -> Output:
    """Cut the patches out of the photos, and draw a row of them for each channel."""
    del photo
    field, shape = result.field, (len(result.positions), params.count)
    values, coordinates = np.zeros(shape, np.float32), np.full((*shape, 3), -1, np.int32)
    rows: list[PatchRow] = []
    channels: list[ChannelPatches] = []
    for row, (channel, positions) in enumerate(result.positions.items()):
        pictures: list[CaptionedPicture] = []
        patches: list[Patch] = []
        for column, position in enumerate(positions):
            photo_of_patch = result.photos[position.image]
            down, across = patch_of(field, position, photo_of_patch)
            values[row, column], coordinates[row, column] = position.value, (position.image, position.y, position.x)
            pictures.append(_picture(result, position, params))
            patches.append(
                Patch(
                    image=params.images[position.image],
                    number=position.image,
                    position=(position.y, position.x, channel),
                    value=position.value,
                    box=(down.start, across.start, _extent(down), _extent(across)),
                )
            )
        title = f"channel {channel}" if positions else f"channel {channel} · the same everywhere"
        rows.append(PatchRow(title, tuple(pictures)))
        channels.append(ChannelPatches(channel=channel, patches=tuple(patches)))
    title = f"{params.layer} · receptive field {field.size[0]} × {field.size[1]} input pixels"
    note = ""
    if params.annotate:
        title = f"{TopPatches.card.title} · {result.model} · {title}"
        note = "number above a patch: the activation of its neuron · light grey: beyond the photo"
    return Output(
        (
            Picture("patches", patch_sheet(title, rows, params.count, note), primary=True),
            Array("values", values),
            Array("positions", coordinates),
        ),
        TopPatchesFacts(layer=params.layer or "", receptive_field=field, channels=tuple(channels)),
        _warnings(result),
    )


def _picture(result: TopPositions, position: StrongPosition, params: TopPatches) -> CaptionedPicture:
    """Return a patch with its caption: the image and the activation."""
    photo = result.photos[position.image]
    down, across = patch_of(result.field, position, photo)
    cut = photo.image[down, across]
    if not params.annotate:
        return CaptionedPicture(f"#{position.image} · {position.value:.3g}", cut)
    image = params.images[position.image]
    name = params.name_of(position.image) or image[: len("img_") + SHOWN_DIGITS]
    number = f"{position.value:.3g}".replace("-", "−")
    return CaptionedPicture(f"{name}\n{number}", _squared(result, position, cut, (down, across)))


def _squared(
    result: TopPositions, position: StrongPosition, cut: UInt8[np.ndarray, "h w 3"], spans: tuple[slice, slice]
) -> UInt8[np.ndarray, "side side 3"]:
    """Return a patch as a square. Where the field is larger than the input, what lies beyond the photo is not shown."""
    field, placement = result.field, result.photos[position.image].placement
    if any(size > side for size, side in zip(field.size, placement.input_size, strict=True)):
        return padded_square(cut, (0, 0), cut.shape[:2])
    places: list[int] = []
    lengths: list[int] = []
    for axis, (at, span) in enumerate(zip((position.y, position.x), spans, strict=True)):
        begin, end = whole_span(axis, field.offset[axis] + at * field.stride[axis], field.size[axis], placement)
        first = min(span.start, round(begin))
        places.append(span.start - first)
        lengths.append(max(span.stop, round(end)) - first)
    return padded_square(cut, (places[0], places[1]), (lengths[0], lengths[1]))


def _warnings(result: TopPositions) -> tuple[str, ...]:
    warnings: list[str] = []
    if silent := [str(channel) for channel, positions in result.positions.items() if not positions]:
        warnings.append(f"These channels have no patches because they are the same everywhere in these images: {', '.join(silent)}.")
    height, width = result.photos[0].placement.input_size
    if result.field.size[0] >= height and result.field.size[1] >= width:
        warnings.append(
            f"The layer's receptive field, {result.field.size[0]} × {result.field.size[1]}, is at least as large as the input, {height} "
            f"× {width}, "
            "so a patch is most of a photo. A neuron of an earlier layer sees less."
        )
    return tuple(warnings)


def _span(field: ReceptiveField, axis: int, at: int, photo: Photo) -> slice:
    begin = field.offset[axis] + at * field.stride[axis]
    return span_on_photo(axis, begin, field.size[axis], photo.placement, photo.image.shape)


def _extent(span: slice) -> int:
    return span.stop - span.start
