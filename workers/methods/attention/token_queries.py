"""The tokens of an attention layer: those that form the map of the photo, and those that ask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from rendering.photo import Photo
from schemas.errors import UnsuitableLayer
from schemas.methods.attention.base import PhotoPoint, QueryName
from schemas.methods.targets import PointRegion
from schemas.models import ModelDescription
from workers.contract.map_place import MapPlace
from workers.methods.map_places import photo_under
from workers.methods.regions import point_region


@dataclass(frozen=True)
class TokenMap:
    """The tokens that form a map.

    Attributes:
        height, width: the size of the map.
        before: the number of other tokens before those of the map. If there are some, the first one is the class token.
    """

    height: int
    width: int
    before: int = 0

    @property
    def slice(self) -> slice:
        """The tokens of the map among all tokens."""
        return slice(self.before, self.before + self.height * self.width)

    def of(self, values: Float32[np.ndarray, "*n t"]) -> Float32[np.ndarray, "*n h w"]:
        """Return values of all tokens as a map, without those of other tokens."""
        return values[..., self.slice].reshape(*values.shape[:-1], self.height, self.width)

    def outside(self, values: Float32[np.ndarray, "*n t"]) -> Float32[np.ndarray, "*n"]:
        """Return the share (0-1) of values that lies on other tokens than those of the map. It is 0 if all values are 0."""
        total, inside = values.sum(axis=-1), values[..., self.slice].sum(axis=-1)
        return np.where(total > 0, 1 - inside / np.where(total > 0, total, 1), 0).astype(np.float32)


def tokens_of(
    description: ModelDescription, path: str, attention: Float32[np.ndarray, "*batch_and_heads"]
) -> tuple[TokenMap, Float32[np.ndarray, "n heads t t"]]:
    """Return the tokens of a layer, and its attention (N, heads, T, T). Attention over a map (N, heads, h, w, h, w) is flattened.

    Raises:
        UnsuitableLayer: the layer has other queries than keys, as in cross-attention.
    """
    grid = description.layer_at(path).token_grid
    if attention.ndim == 6:
        n, heads, height, width = attention.shape[:4]
        attention = attention.reshape(n, heads, height * width, -1)
        tokens = TokenMap(height, width)
    elif grid is not None:
        tokens = TokenMap(grid.height, grid.width, grid.before)
    else:
        raise UnsuitableLayer(f"The tokens of layer '{path}' form no map.", pointer="/params/layer", got=path)
    if attention.shape[2] != attention.shape[3]:
        raise UnsuitableLayer(
            f"Layer '{path}' attends from {attention.shape[2]} tokens to {attention.shape[3]} others, and only self-attention lies on the "
            "photo.",
            pointer="/params/layer",
            got=path,
        )
    return tokens, attention


def query_weights(
    query: QueryName | PhotoPoint, tokens: TokenMap, count: int, place: MapPlace, photo: Photo | None
) -> Float32[np.ndarray, " t"]:
    """Return how much each of `count` tokens asks. The weights sum to 1.

    Args:
        query: the class token, the mean over the tokens of the map, or a point (y, x) in pixels of the photo.
        tokens: the tokens that form the map.
        place: where the map lies over the model's input.
        photo: the photo, which a point needs.

    Raises:
        InvalidParameters: the model does not see the point.
        ValueError: there is a point and no photo.
    """
    weights = np.zeros(count, np.float32)
    if query == "class_token":
        weights[0] = 1
        return weights
    if query == "mean":
        weights[tokens.slice] = 1 / (tokens.height * tokens.width)
        return weights
    if photo is None or isinstance(query, str):
        raise ValueError("a point of the photo needs the photo")
    region = point_region(PointRegion(point=query), photo_under(photo, place), (tokens.height, tokens.width), pointer="/params/query")
    weights[tokens.slice] = region.ravel()
    return weights
