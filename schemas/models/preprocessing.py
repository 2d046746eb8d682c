"""Describe how an image becomes a model's input."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.models.immutable import ImmutableSchema

# The longest side, in pixels, of the input that an image gives to a model which takes any size, unless the model's settings give another
# one. It bounds the memory of a pass; a photo with a longer side is scaled down, with a warning.
VARIABLE_LONGEST_SIDE = 512


Fit = Literal["stretch", "crop", "letterbox"]


class Preprocessing(ImmutableSchema):
    """The rule by which an RGB image (uint8, H W 3) becomes the model's input (float32).

    The image is resized and fitted, its channels are put in order, and each channel becomes `(x - mean) / std`.

    `mode` names a convention: `caffe` (BGR, mean 103.939, 116.779, 123.68 in that order, std 1), `tf` (x / 127.5 - 1),
    `torch` (x / 255, then ImageNet's mean and std), `none` (0-255 unchanged) or `custom` (the numbers given here).
    `mean`, `std` and `order` hold the numbers that are used, in every mode.
    """

    mode: Literal["caffe", "tf", "torch", "none", "custom"] = Field(
        default="none", description="The name of the convention. By default the values 0-255 stay unchanged."
    )
    order: Literal["rgb", "bgr", "gray"] = Field(default="rgb", description="The order of the input's channels. By default it is `rgb`.")
    mean: tuple[float, ...] = Field(
        default=(0.0,),
        min_length=1,
        description="It is subtracted, in units of 0-255: one number per channel (in `order`), or one for all. By default it is 0.",
    )
    std: tuple[float, ...] = Field(
        default=(1.0,),
        min_length=1,
        description="It divides, in units of 0-255: one number per channel (in `order`), or one for all. By default it is 1.",
    )
    resize: Literal["nearest", "bilinear", "bicubic", "area", "lanczos"] = Field(
        default="bilinear", description="The interpolation that resizes the image. By default it is `bilinear`."
    )
    fit: Fit = Field(
        default="stretch",
        description="`stretch` ignores the aspect ratio, `crop` cuts out the centre, and `letterbox` pads with the mean. "
        "By default it is `stretch`. A model that takes any size gets the photo at its own size. Where its sides must be multiples of a "
        "number, `crop` cuts off what is too much, and `stretch` and `letterbox` pad.",
    )

    @staticmethod
    def named(mode: Literal["caffe", "tf", "torch", "none"], **changes: str) -> Preprocessing:
        """Return the numbers of a named convention, as `keras.applications.imagenet_utils.preprocess_input` uses them.

        `changes` replace other fields, for example `fit="crop"`.
        """
        numbers: dict[str, tuple[str, tuple[float, ...], tuple[float, ...]]] = {
            "caffe": ("bgr", (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
            "tf": ("rgb", (127.5,), (127.5,)),
            "torch": ("rgb", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
            "none": ("rgb", (0.0,), (1.0,)),
        }
        order, mean, std = numbers[mode]
        return Preprocessing.model_validate({"mode": mode, "order": order, "mean": mean, "std": std, **changes})
