"""An input of a model, and how the photos of a job are brought to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rendering.bands import shown_bands
from rendering.photo import Photo, Placement
from schemas.methods.base import MethodParams
from schemas.methods.image_input import ExplainedInputParams
from schemas.methods.photo_fit import PhotoFitParams
from schemas.methods.synthesis.photo_size import PhotoSizeParams
from schemas.methods.synthesis.synthesis_size import sides_of
from schemas.models import Fit, ModelInput, Preprocessing
from workers.contract.arrays import Float32, UInt8, UInt16
from workers.contract.inputs import Prepared
from workers.execution.model_access import UsableModel
from workers.execution.prepare_arrays import array_preprocessing

_AS_GIVEN = Preprocessing(mode="custom", mean=(0.0,), std=(1.0,))
_LEVEL = 257  # 65535 / 255: the value of 16 bits that one level of 8 bits stands for


@dataclass(frozen=True)
class FittedInput:
    """An input of a model, and how a photo is brought to its size.

    If `fit` is None, its own preprocessing says how. `size` is the (height, width) that the job gives an input with free sides.
    """

    model: UsableModel
    name: str
    fit: Fit | None
    size: tuple[int, int] | None = None

    @classmethod
    def explained(cls, model: UsableModel, params: MethodParams) -> FittedInput:
        """Return the input that a job explains: the one that its parameters name, or else the one that takes the photo."""
        chosen = params.input if isinstance(params, ExplainedInputParams) else None
        fit = params.fit if isinstance(params, PhotoFitParams) else None
        size = None if not isinstance(params, PhotoSizeParams) or params.size is None else sides_of(params.size)
        return cls(model, chosen or model.published.description.input.name, fit, size)

    def other(self, name: str) -> FittedInput:
        """Return another input of the model, to which photos are brought in the same way."""
        return FittedInput(self.model, name, self.fit)

    def described(self, pointer: str) -> ModelInput:
        """Return the description of the input. `pointer` says where its name stands in the request."""
        return self.model.published.description.input_at(self.name, pointer)

    def prepare(self, image: UInt8) -> tuple[Float32, Placement]:
        """Return an image uint8 (H, W, 3) as an input float32 (H, W, C), and where the image lies in it."""
        return self.model.prepare(image, self.name, self.fit, size=self.size)

    def prepare_grey16(self, values: UInt16) -> tuple[Prepared, Preprocessing | None]:
        """Return a photo of 16-bit grey, uint16 (H, W), as an input, and how its values became the input's.

        The latter is None if they were brought to 0-255, as those of other photos are.
        """
        described = self.described("/params/input")
        if described.sixteen_bits == "kept":
            rule = array_preprocessing(described, values.dtype)
            own = rule if described.arrays == "preprocessed" else _AS_GIVEN
            fit = self.fit or (described.preprocessing.fit if described.preprocessing is not None else own.fit)
            tensor, placement = self.model.prepare(values.astype(np.float32), self.name, fit, size=self.size, rule=own)
            return Prepared(Photo(shown_bands(values), placement), tensor), rule
        grey = (values >> 8).astype(np.uint8)
        picture = np.repeat(grey[..., None], 3, axis=-1)
        tensor, placement = self.model.prepare(values.astype(np.float32) / np.float32(_LEVEL), self.name, self.fit, size=self.size)
        return Prepared(Photo(picture, placement), tensor), None
