"""Follow rows and columns through Keras's layers and operations that resize and crop images, with their own rounding."""

from __future__ import annotations

from workers.engine.axis_changes import AxisChange, ChangesOfBothAxes, Resample, Trim

MapSides = tuple[int | None, int | None]


def center_crop(size: tuple[int, int], sides: MapSides) -> ChangesOfBothAxes | None:
    """Return the changes by `CenterCrop` to `size` (height, width), or None if the input's sides are free.

    An image that is smaller on one axis is resized, and cropped to the aspect ratio.
    """
    height, width = sides
    if height is None or width is None:
        return None
    if height < size[0] or width < size[1]:
        return resizing(size, sides, "bilinear", crop=True)
    down, across = ([_cut_to(target, side)] for target, side in zip(size, (height, width), strict=True))
    return down, across


def resizing(
    size: tuple[int, int], sides: MapSides, interpolation: str, *, crop: bool = False, pad: bool = False, antialias: bool = False
) -> ChangesOfBothAxes | None:
    """Return the changes by `Resizing` to `size` (height, width), or None if they depend on sides that are free.

    `crop` and `pad` are Keras's `crop_to_aspect_ratio` and `pad_to_aspect_ratio`.
    """
    resampled = [Resample(target, None, interpolation, antialias) for target in size]
    if not (crop or pad):
        return [resampled[0]], [resampled[1]]
    height, width = sides
    if height is None or width is None:
        return None
    wanted = int(width * size[0] / size[1]), int(height * size[1] / size[0])  # the sides that have the target's aspect ratio
    found: list[list[AxisChange]] = []
    for side, other, after in zip((height, width), wanted, resampled, strict=True):
        if crop:
            first: AxisChange = _cut_to(max(1, min(side, other)), side)
        else:
            border = (max(side, other) - side) // 2
            first = Trim(-border, -border)
        found.append([after] if first == Trim(0, 0) else [first, after])
    return found[0], found[1]


def _cut_to(length: int, side: int) -> Trim:
    before = (side - length) // 2
    return Trim(before, side - length - before)
