"""The check that a method which makes pictures can make those that a model takes."""

from __future__ import annotations

from schemas.errors import InvalidParameters
from schemas.models import PublishedModel

_DRAWN = (1, 3)


def check_drawn_channels(model: PublishedModel) -> None:
    """Raise `InvalidParameters` if the images that a model takes are neither grey nor of three colours, so that none can be drawn."""
    description = model.description
    if description.input.channels not in _DRAWN:
        raise InvalidParameters(
            f"This method makes grey images or images of three colours, but model '{description.name}' takes images of "
            f"{description.input.channels} channels.",
            pointer="/model",
            allowed="1 or 3 channels",
            got=str(description.input.channels),
        )
