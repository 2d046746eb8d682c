"""The models that this project brings with it."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.entry import CatalogEntry
from catalog.sources.base import ModelSource
from schemas.models import Preprocessing

# (x − 127) / 128 of the centred square, as the weights were trained. The predictions in the tests were measured with bicubic resizing.
EFFICIENTNET_LITE0_PREPROCESSING = Preprocessing(mode="custom", order="rgb", mean=(127.0,), std=(128.0,), resize="bicubic", fit="crop")


class BuiltInSource(ModelSource):
    """List the built-in models. They need no download and have no settings."""

    name = "builtin"

    def entries(self) -> Iterator[CatalogEntry]:
        yield CatalogEntry(
            name="efficientnet_lite0",
            source=self.name,
            title="EfficientNet-Lite0, ImageNet",
            architecture=None,
            file=None,
            weights=None,
            input_size=(224, 224),
            preprocessing=EFFICIENTNET_LITE0_PREPROCESSING,
            labels="imagenet",
            default_layer=None,
            digest="builtin-1",
        )
