"""Find the input of a network that takes the image, and the order of its axes."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.errors import ModelLoadFailed
from schemas.models import AxesOrder
from workers.engine.forward_only.network import ImageInput, NetworkInput

CHANNELS = (1, 3)  # the channels that an image gives
_IMAGE_RANK = 4
_TEXT = {"nchw": "(N, channels, height, width)", "nhwc": "(N, height, width, channels)"}


def image_input(
    inputs: Sequence[NetworkInput], file_name: str, *, name: str | None, layout: AxesOrder | None, size: tuple[int, int] | None
) -> ImageInput:
    """Return the input that takes the image: the one called `name`, or the first one that can take an image.

    The order of its axes follows from the axis with 1 or 3 channels, unless `layout` says it. `size` is the (height, width) that the
    settings give; it fills the sizes that the file leaves free.

    Raises:
        ModelLoadFailed: there is no such input, no input takes an image, its axes can be read in both orders, or `size` is not its own.
    """
    if name is not None and name not in {each.name for each in inputs}:
        listed = ", ".join(each.name for each in inputs)
        raise ModelLoadFailed(f"The settings of '{file_name}' name the input '{name}', but its inputs are: {listed}.")
    found = [each for each in inputs if (each.name == name if name is not None else orders(each, layout))]
    chosen = found[0] if found else inputs[0]
    possible = orders(chosen, layout)
    shape = _shape_text(chosen.shape)
    if not possible:
        wanted = _TEXT[layout] if layout else f"{_TEXT['nchw']} or {_TEXT['nhwc']}"
        raise ModelLoadFailed(
            f"'{file_name}' takes an input '{chosen.name}' of the shape {shape}, but an image gives {wanted} with 1 or 3 channels. The "
            "number of channels must be fixed in the file."
        )
    if len(possible) > 1:
        raise ModelLoadFailed(
            f"'{file_name}' takes an input '{chosen.name}' of the shape {shape}, which can be {_TEXT['nchw']} or {_TEXT['nhwc']}. Write "
            'layout = "nchw" or layout = "nhwc" into the TOML file beside it.'
        )
    return _image_input(chosen, possible[0], size, file_name)


def orders(spec: NetworkInput, layout: AxesOrder | None = None) -> list[AxesOrder]:
    """Return the orders in which the axes of an input can be those of images. With `layout`, only this one is possible."""
    if len(spec.shape) != _IMAGE_RANK:
        return []
    places: dict[AxesOrder, int] = {"nchw": 1, "nhwc": 3}
    return [order for order, axis in places.items() if spec.shape[axis] in CHANNELS and layout in (None, order)]


def other_image_input(spec: NetworkInput, layout: AxesOrder) -> ImageInput | None:
    """Return another input of a file as one that can take images in the same order of axes, or None if it cannot."""
    return _image_input(spec, layout, None, spec.name) if layout in orders(spec, layout) else None


def _image_input(spec: NetworkInput, layout: AxesOrder, size: tuple[int, int] | None, file_name: str) -> ImageInput:
    _, *sizes = spec.shape
    channels, height, width = sizes if layout == "nchw" else (sizes[2], sizes[0], sizes[1])
    wanted = size or (height, width)
    for own, given in zip((height, width), wanted, strict=True):
        if own is not None and given != own:
            raise ModelLoadFailed(
                f"'{file_name}' takes {height} × {width} pixels, but its settings say {wanted[0]} × {wanted[1]} (height × width)."
            )
    return ImageInput(spec.name, wanted[0], wanted[1], channels or 1, layout)


def _shape_text(shape: Sequence[int | None]) -> str:
    return f"({', '.join('any' if size is None else str(size) for size in shape)})"
