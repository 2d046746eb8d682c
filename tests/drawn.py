"""Draw the pictures that a method leaves to the service, as the service does."""

from __future__ import annotations

import io
import json

import numpy as np

from rendering import encode
from rendering.drawings import drawing_from
from rendering.photo import Photo
from workers.contract.artifacts import Array, Output, Picture, PictureOfArrays


def drawn(output: Output, photo: Photo | None = None) -> Output:
    """Return the output with a `Picture` in place of each picture that is drawn later.

    Each is drawn from its stored description and from the stored bytes of its arrays.
    """
    arrays = {each.name: encode.npy(each.array) for each in output.artifacts if isinstance(each, Array)}
    return Output(
        tuple(_drawn(each, arrays, photo) if isinstance(each, PictureOfArrays) else each for each in output.artifacts),
        output.facts,
        output.warnings,
    )


def _drawn(picture: PictureOfArrays, arrays: dict[str, bytes], photo: Photo | None) -> Picture:
    drawing = drawing_from(json.loads(picture.drawing.model_dump_json()))
    sources = {name: np.load(io.BytesIO(arrays[name]), allow_pickle=False) for name in drawing.sources}
    image = drawing.draw(sources, photo.image if photo is not None and drawing.needs_photo else None)
    assert image.shape == picture.shape
    return Picture(picture.name, image)
