"""Say in words what the images of `filters` excite."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.methods.synthesis.filters import Filters
from workers.methods.synthesis.filter_targets import ImageTarget

_MOST_NUMBERS = 8  # more would not fit into one line, and the tiles have their numbers


def tile_label(target: ImageTarget) -> str:
    """Return what a tile carries: the channel's number, the class's label, or the name of the image."""
    if target.class_index is not None:
        return target.label or f"class {target.class_index}"
    return target.name if target.channel is None else str(target.channel)


def what_is_excited(params: Filters, shown: Sequence[ImageTarget]) -> str:
    """Return the line below the title: the classes, the channels, or the other objective of the images that are shown.

    It is empty if no image is shown.
    """
    if not shown:
        return ""
    if params.class_index is not None:
        return ", ".join(f"{each.label} ({each.class_index})" if each.label else tile_label(each) for each in shown)
    numbers = [each.channel for each in shown if each.channel is not None]
    if params.diversity is not None:
        return f"{len(shown)} different images of channel {numbers[0]}"
    return _one_image(params) or channels_in_words(numbers)


def _one_image(params: Filters) -> str:
    """Return in words an objective that has one image and is neither a class nor a channel. It is empty for any other."""
    if params.neuron is not None:
        y, x, channel = params.neuron
        return f"the neuron at row {y} and column {x} of channel {channel}"
    if params.direction is not None:
        return "the direction " + " + ".join(f"{weight:g} × channel {channel}" for channel, weight in params.direction).replace("-", "−")
    if params.objectives is not None:
        return f"a weighted sum of {len(params.objectives)} objectives"
    return "all channels of the layer together" if params.whole_layer else ""


def channels_in_words(numbers: Sequence[int]) -> str:
    """Return channels in words: "channel 3", "channels 0 to 7" or "channels 0, 5, 100". Many numbers without an order are only counted."""
    if len(numbers) == 1:
        return f"channel {numbers[0]}"
    if len(numbers) > 2 and list(numbers) == list(range(numbers[0], numbers[0] + len(numbers))):
        return f"channels {numbers[0]} to {numbers[-1]}"
    return f"{len(numbers)} channels" if len(numbers) > _MOST_NUMBERS else "channels " + ", ".join(map(str, numbers))
