"""The parameter that gives a photo another size, for a model that takes any size."""

from __future__ import annotations

from pydantic import Field

from schemas.errors import InvalidParameters
from schemas.methods.photo_fit import PhotoFitParams
from schemas.methods.synthesis.synthesis_size import SynthesisSize, sides_of, size_text
from schemas.models import InputSpec, PublishedModel


class PhotoSizeParams(PhotoFitParams):
    """Parameters of a method that makes an image of the size that the photo has in the model."""

    size: SynthesisSize | None = Field(
        default=None,
        description=(
            "For a model that takes any size, the photo is brought to this size in pixels: a number for a square, or (height, width). "
            "`fit` says how. If it is null, the photo keeps its own size, and a model of one size has that size."
        ),
        examples=[[96, 128]],
    )

    def input_sides(self, model: PublishedModel) -> tuple[int, int]:
        """Return (height, width) of the photo in the model's input, or the largest size that it can have.

        Raises:
            InvalidParameters: the model does not take inputs of the `size`.
        """
        takes = model.description.input
        if self.size is None:
            return takes.height or takes.longest, takes.width or takes.longest
        for own, side in zip((takes.height, takes.width), sides_of(self.size), strict=True):
            if side != (own or takes.free_side(side)):
                allowed = _allowed(takes)
                got = size_text(sides_of(self.size))
                raise InvalidParameters(
                    f"Model '{model.description.name}' takes no images of size {got}. Allowed for (height, width): {allowed}.",
                    pointer="/params/size",
                    allowed=allowed,
                    got=got,
                )
        return sides_of(self.size)


def _allowed(takes: InputSpec) -> str:
    plus = f" plus {takes.remainder}" if takes.remainder else ""
    free = f"at least {takes.smallest}" if takes.multiple == 1 else f"multiples of {takes.multiple}{plus}, at least {takes.smallest}"
    return f"({takes.height or free}, {takes.width or free})"
