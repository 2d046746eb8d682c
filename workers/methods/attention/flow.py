"""The ways through the layers of a model, and the results, that all methods share which follow attention."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from rendering.photo import Photo
from schemas.errors import UnsuitableLayer
from schemas.methods.attention.base import AttentionFlowFacts, AttentionStackParams
from schemas.methods.facts import Prediction
from workers.contract.arrays import Float32 as AnyFloat32
from workers.contract.artifacts import Array, Output
from workers.contract.map_place import MapPlace
from workers.contract.probe import Probe
from workers.methods.attention.token_queries import TokenMap, query_weights, tokens_of
from workers.methods.class_scores import check_finite_scores
from workers.methods.degenerate_maps import degenerate_map_warnings
from workers.methods.map_places import photo_under
from workers.methods.sheets import class_pictures, smaller_tiles_warning

Heads = Float32[np.ndarray, "heads t t"]


@dataclass(frozen=True)
class AttentionFlow:
    """The result of one job.

    Attributes:
        maps: an unscaled map for each class.
        place: where the maps lie over the model's input.
        classes: the n classes with their scores.
        listed: true if the caller gave a list of classes. Arrays then keep the axis of the classes.
        heads: the number of heads of each call of a layer, by the key of the call.
        tokens: the number of tokens.
        outside: for each class the share of the values on tokens outside of the picture.
    """

    maps: Float32[np.ndarray, "n h w"]
    place: MapPlace
    classes: tuple[Prediction, ...]
    listed: bool
    heads: Mapping[str, int]
    tokens: int
    outside: Float32[np.ndarray, " n"]


def without_lowest(weights: Float32[np.ndarray, "t t"], ratio: float, *, kept: bool = False) -> Float32[np.ndarray, "t t"]:
    """Return the weights with a share of them, the lowest ones, set to 0. With `kept`, the first token's weight for itself stays."""
    count = int(weights.size * ratio)
    if not count:
        return weights
    found = weights.copy().ravel()
    lowest = np.argpartition(found, count - 1)[:count]
    found[lowest[lowest != 0] if kept else lowest] = 0
    return found.reshape(weights.shape)


def with_residual(weights: Float32[np.ndarray, "t t"]) -> Float32[np.ndarray, "t t"]:
    """Return ½·(W + I) with rows that sum to 1: half of a token is what it was before (Abnar and Zuidema, section 3)."""
    mixed = (weights + np.eye(len(weights), dtype=weights.dtype)) / 2
    return mixed / mixed.sum(axis=-1, keepdims=True)


def flows(
    probe: Probe,
    layers: Mapping[str, AnyFloat32],
    formula: Callable[[str, Float32[np.ndarray, "n heads t t"]], Float32[np.ndarray, "n t t"]],
    size: tuple[int, int],
) -> tuple[TokenMap, MapPlace, Float32[np.ndarray, "n t t"]]:
    """Return the tokens of some layers, where their map lies over an input of `size`, and what each token depends on after all layers.

    Args:
        layers: the attention of each call (N, heads, T, T), in the order of the calls.
        formula: `formula(key, attention)` returns the matrix by which a call changes what tokens depend on: R ← matrix·R.

    Raises:
        UnsuitableLayer: the calls have different tokens.
    """
    tokens: TokenMap | None = None
    result, first = np.zeros(0, np.float32), ""
    for key, found in layers.items():
        path = key.partition("//")[0]
        own, attention = tokens_of(probe.description, path, found)
        matrix = formula(key, attention)
        if tokens is None:
            tokens, first, result = own, path, matrix
        elif (own, matrix.shape) != (tokens, result.shape):
            raise UnsuitableLayer(
                f"The attention layers '{first}' and '{path}' have different tokens, so that attention cannot be followed from one to the "
                "other.",
                pointer="/params/layers",
                got=path,
            )
        else:
            result = matrix @ result
    if tokens is None:
        raise ValueError("there are no layers to follow")
    return tokens, probe.map_place(first, size), result


def flow_of_job(
    params: AttentionStackParams,
    flow: tuple[TokenMap, MapPlace, Float32[np.ndarray, "n t t"]],
    rows: Sequence[int],
    classes: tuple[Prediction, ...],
    *,
    listed: bool,
    layers: Mapping[str, AnyFloat32],
) -> AttentionFlow:
    """Return the result of a job whose classes are these rows of a batch.

    Raises:
        ValueError: the parameters are not resolved.
    """
    tokens, place, dependence = flow
    if params.query is None:
        raise ValueError("the parameters are not resolved: query is None")
    weights = query_weights(params.query, tokens, dependence.shape[-1], place, None)
    found = np.einsum("t,nts->ns", weights, dependence[list(rows)])
    return AttentionFlow(
        maps=np.ascontiguousarray(tokens.of(found), np.float32),
        place=place,
        classes=classes,
        listed=listed,
        heads={key: attention.shape[1] for key, attention in layers.items()},
        tokens=dependence.shape[-1],
        outside=tokens.outside(found),
    )


def draw(result: AttentionFlow, photo: Photo, params: AttentionStackParams) -> Output:
    """Return the output of a job in the colours asked for.

    Raises:
        NonFinite: a class score is not finite.
    """
    check_finite_scores(result.classes)
    map_ = Array("map", result.maps if result.listed else result.maps[0])
    options = {"scaling": "heat_from_minimum", "colormap": params.colormap, "alpha": params.alpha}
    facts = AttentionFlowFacts(
        **dict(result.classes[0]),
        classes=result.classes,
        layers=tuple(result.heads),
        heads=tuple(result.heads.values()),
        tokens=result.tokens,
        outside=tuple(result.outside.tolist()),
    )
    return Output(
        artifacts=(*class_pictures([map_], result.classes, photo_under(photo, result.place), **options), map_),
        facts=facts,
        warnings=(
            *degenerate_map_warnings(result.classes, result.maps),
            *smaller_tiles_warning("classes", len(result.classes), photo),
        ),
    )
