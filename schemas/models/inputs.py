"""Describe the inputs of a model: which of them take images, and what the others take."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.models.immutable import ImmutableSchema
from schemas.models.preprocessing import VARIABLE_LONGEST_SIDE, Preprocessing

Bands = tuple[int] | tuple[int, int, int]
"""The channels of an array that are shown: one as grey, or three as red, green and blue."""
ArrayRule = Literal["as_given", "preprocessed"]
SixteenBits = Literal["kept", "scaled"]
"""Says whether the values of a photo of 16-bit grey reach an input as they are (kept), or are brought to 0-255 with fractions (scaled)."""
AxesOrder = Literal["nhwc", "nchw"]
"""The order of the axes of images in a model file: (N, height, width, channels) or (N, channels, height, width)."""


class InputSpec(ImmutableSchema):
    """An input of a model that takes images: the one that takes the photo, unless a request names another."""

    name: str
    height: int | None = Field(description="The height in pixels. It is null if the model takes any height.")
    width: int | None = Field(description="The width in pixels. It is null if the model takes any width.")
    channels: int = Field(description="The number of channels. A photo has 1 (grey) or 3 (colour); an array may have any number.")
    layout: AxesOrder = Field(
        default="nhwc",
        description="The order of the axes of the input in the file of an ONNX or TFLite model. Arrays and shapes of the service are "
        "always in the order N, height, width, channels.",
    )
    multiple: int = Field(
        default=1,
        description="A free height or width is brought to a multiple of this number (plus `remainder`), because the model's maps fit "
        "together for no others.",
    )
    remainder: int = Field(
        default=0,
        description="A free side is a multiple of `multiple` plus this number. It is not 0 for a U-Net without padding, for example.",
    )
    smallest: int = Field(default=1, description="A free height or width has at least so many pixels. For fewer, a map would be empty.")
    longest: int = Field(
        default=VARIABLE_LONGEST_SIDE,
        description="For free sides, a photo with a longer side is scaled down. The model's settings can change it (`longest_side`).",
    )

    def free_side(self, side: int) -> int:
        """Return the next number of pixels, from `side` on, that a free side may have."""
        steps = max(0, -(-(side - self.remainder) // self.multiple))
        return max(self.smallest, steps * self.multiple + self.remainder)


class ModelInput(ImmutableSchema):
    """One input of a model."""

    name: str
    shape: tuple[int | None, ...] = Field(description="The shape without the batch axis. A size that varies is null.")
    dtype: str = Field(description="The number type, for example `float32` or `int32`.")
    multiple: int = Field(default=1, description="A free side of an image is brought to a multiple of this number, as in `input`.")
    remainder: int = Field(default=0, description="It is added to the multiple, as in `input`.")
    smallest: int = Field(default=1, description="A free side of an image has at least so many pixels, as in `input`.")
    longest: int = Field(default=VARIABLE_LONGEST_SIDE, description="A longer free side of a photo is scaled down, as in `input`.")
    preprocessing: Preprocessing | None = Field(
        default=None, description="It turns a photo into this input. It is null if the input takes no images."
    )
    arrays: ArrayRule = Field(
        default="as_given",
        description="An array that is given for this input is taken as it is (`as_given`), or becomes `(x - mean) / std` (`preprocessed`).",
    )
    sixteen_bits: SixteenBits | None = Field(
        default=None,
        description="A photo of 16-bit grey gives the input its values 0-65535 (`kept`, treated as `arrays` says), or they are brought to "
        "0-255, with fractions (`scaled`). It is null for an input that has not one channel; such photos have 8 bits then.",
    )
    bands: Bands | None = Field(
        default=None, description="These channels of an array are shown if the request names none. Null stands for the first three."
    )
    default_layer: str | None = Field(
        default=None, description="The target layer if the request names none and explains this input. It is null if no layer suits."
    )

    @property
    def takes_images(self) -> bool:
        """True if the input is (height, width, channels) with a known number of channels."""
        return len(self.shape) == 3 and self.shape[2] is not None

    @property
    def image_spec(self) -> InputSpec:
        """The sizes of an input that takes images.

        Raises:
            ValueError: the input takes no images.
        """
        if len(self.shape) != 3 or self.shape[2] is None:
            raise ValueError(f"input '{self.name}' takes no images")
        return InputSpec(
            name=self.name,
            height=self.shape[0],
            width=self.shape[1],
            channels=self.shape[2],
            multiple=self.multiple,
            remainder=self.remainder,
            smallest=self.smallest,
            longest=self.longest,
        )

    @property
    def takes_photos(self) -> bool:
        """True if a photo can become this input, because it has 1 or 3 channels and the preprocessing has numbers for them."""
        if self.preprocessing is None or not self.takes_images:
            return False
        channels, rule = self.image_spec.channels, self.preprocessing
        return channels in (1, 3) and {len(rule.mean), len(rule.std)} <= {1, channels}

    @property
    def shape_text(self) -> str:
        """The shape in words, such as `(height, width, 3)`, or `(4,)`."""
        sizes = zip(self.shape, ("height", "width", "channels") if len(self.shape) == 3 else ("any",) * len(self.shape), strict=True)
        text = ", ".join(word if size is None else str(size) for size, word in sizes)
        return f"({text},)" if len(self.shape) == 1 else f"({text})"
