"""The attention that one token pays to the tokens of the photo, for each head of a layer (Vaswani et al., arXiv:1706.03762)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from rendering.drawings.maps_on_photo import MapsOnPhoto
from rendering.photo import Photo
from schemas.errors import InvalidParameters
from schemas.methods.attention.attention_maps import AttentionMaps, AttentionMapsFacts, HeadAttention
from workers.contract.artifacts import Array, Output, Picture, PictureOfArrays
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.contract.probe import Probe
from workers.methods.attention.token_queries import TokenMap, query_weights, tokens_of
from workers.methods.map_places import photo_under
from workers.methods.sheets import smaller_tiles_warning


@dataclass(frozen=True)
class HeadMaps:
    """The result of one job.

    Attributes:
        layer: the path of the layer.
        attention: for each head the weights that the token that attends gives to all T tokens.
        tokens: the tokens that form the map.
        place: where the map lies over the model's input.
        position: the place (y, x) of the token that attends on the map. It is None for the class token and the mean.
    """

    layer: str
    attention: Float32[np.ndarray, "heads t"]
    tokens: TokenMap
    place: MapPlace
    position: tuple[int, int] | None


def entropies(attention: Float32[np.ndarray, "heads t"]) -> Float64[np.ndarray, " heads"]:
    """Return the entropy −Σ a·log2(a) of each head's weights, in bits. A weight of 0 adds nothing."""
    weights = attention.astype(np.float64)
    return -(weights * np.log2(np.where(weights > 0, weights, 1))).sum(axis=-1) + 0.0


def batch_key(params: AttentionMaps) -> Hashable:
    """Return the batch key: jobs that differ only in their heads, their query or their drawing run as one batch."""
    return params.layer


def run(probe: Probe, inputs: Inputs, params: Sequence[AttentionMaps]) -> list[HeadMaps]:
    """Return one result for each job. Of a layer that the model calls several times, it is the first call.

    Raises:
        UnsuitableLayer: the layer's attention cannot be seen, or is not among the tokens of the map.
        InvalidParameters: the layer has no such head, or the model does not see the point.
        ValueError: the parameters are not resolved.
    """
    layer = params[0].layer
    if layer is None:
        raise ValueError("the parameters are not resolved: layer is None")
    tokens, attention = tokens_of(probe.description, layer, next(iter(probe.attentions(inputs.tensor, [layer]).layers.values())))
    place = probe.map_place(layer, (inputs.tensor.shape[1], inputs.tensor.shape[2]))
    results: list[HeadMaps] = []
    for row, job in enumerate(params):
        _check_heads(job, attention.shape[1], layer)
        if job.query is None:
            raise ValueError("the parameters are not resolved: query is None")
        weights = query_weights(job.query, tokens, attention.shape[-1], place, inputs.photos[row] if inputs.photos else None)
        asked = int(tokens.of(weights).argmax())
        position = None if isinstance(job.query, str) else divmod(asked, tokens.width)
        results.append(HeadMaps(layer, np.einsum("t,hts->hs", weights, attention[row]), tokens, place, position))
    return results


def draw(result: HeadMaps, photo: Photo, params: AttentionMaps) -> Output:
    """Return the maps of the heads on the photo as tiles, with the numbers of the heads."""
    attention, count = result.attention, len(result.attention)
    numbers = list(params.heads) if isinstance(params.heads, tuple) else list(range(count))
    mean = params.heads == "mean"
    maps = result.tokens.of(attention.mean(axis=0) if mean else attention[numbers])
    array = Array("attention", maps)
    under = photo_under(photo, result.place)
    overlay = MapsOnPhoto(
        photo_size=(photo.image.shape[0], photo.image.shape[1]),
        placement=under.placement,
        source=array.name,
        scaling="heat_from_minimum",
        captions=() if mean else tuple(f"head {number}" for number in numbers),
        colormap=params.colormap,
        alpha=params.alpha,
    )
    picture = overlay.draw({array.name: array.array}, photo.image)
    tiles = 1 if mean else len(numbers)
    outside, entropy, grid = result.tokens.outside(attention), entropies(attention), result.tokens
    facts = AttentionMapsFacts(
        layer=result.layer,
        head_count=count,
        tokens=attention.shape[-1],
        grid=(grid.height, grid.width),
        position=result.position,
        heads=tuple(
            HeadAttention(
                head=number,
                outside=float(outside[number]),
                entropy=float(entropy[number]),
                strongest=divmod(int(grid.of(attention[number]).argmax()), grid.width),
            )
            for number in ([] if mean else numbers)
        ),
    )
    return Output(
        artifacts=(
            Picture("overlay", picture, primary=True, drawing=overlay),
            PictureOfArrays.of("heatmap", overlay.alone, [array]),
            array,
        ),
        facts=facts,
        warnings=tuple(smaller_tiles_warning("heads", tiles, photo)),
        line=who_attends(params, result.position) + (f" · mean of {count} heads" if mean else ""),
    )


def who_attends(params: AttentionMaps, position: tuple[int, int] | None) -> str:
    """Return in words which token attends: the class token, all tokens, or the token at a position (y, x) of the grid."""
    if position is not None:
        return f"the token in row {position[0]}, column {position[1]} attends"
    return "the class token attends" if params.query == "class_token" else "all tokens of the picture attend (their mean)"


def _check_heads(params: AttentionMaps, count: int, layer: str) -> None:
    if isinstance(params.heads, tuple) and max(params.heads) >= count:
        raise InvalidParameters(
            f"Layer '{layer}' has {count} heads, so that their numbers go from 0 to {count - 1}; got {max(params.heads)}.",
            pointer="/params/heads",
            allowed=f"0 to {count - 1}",
            got=str(max(params.heads)),
        )
