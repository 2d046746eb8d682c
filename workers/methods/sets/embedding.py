"""Lay a plane through the activations of a set of photos, by principal component analysis (Pearson, 1901)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from rendering.charts.thumbnail_plot import Thumbnail, thumbnail_plot
from rendering.photo import Photo
from schemas.methods.sets.embedding import AXES, EmbeddedPhoto, Embedding, EmbeddingFacts
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.sets.photo_features import photo_features

LITTLE = 0.3
"""A warning says so if the plot explains less than this share of the variance."""
_ROUNDING = 1e-6  # a difference of this share of the largest value is rounding of float32


@dataclass(frozen=True)
class PrincipalComponents:
    """The coordinates of n photos on c components, and the share of the variance that each component explains."""

    coordinates: Float64[np.ndarray, "n c"]
    explained: Float64[np.ndarray, " c"]


@dataclass(frozen=True)
class EmbeddingResult:
    """The vectors of the photos, their principal components, and the photos."""

    features: Float32[np.ndarray, "n d"]
    components: PrincipalComponents
    photos: tuple[Photo, ...]
    model: str


def principal_components(features: Float32[np.ndarray, "n d"], count: int) -> PrincipalComponents:
    """Return the coordinates on the first `count` principal components, or on min(n, d) if there are fewer, but on at least two.

    With X − mean(X) = U·S·Vᵀ, the coordinates are the columns of U·S, and component i explains S_i² / Σ S². The sign of a component is
    chosen so that its largest coordinate by absolute value is positive. Components that explain nothing but rounding are 0.
    """
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    sizes = np.where(sizes > _ROUNDING * np.abs(features).max() * np.sqrt(features.size), sizes, 0.0)
    coordinates = left * sizes
    largest = np.take_along_axis(coordinates, np.abs(coordinates).argmax(axis=0)[None], axis=0)
    coordinates = coordinates * np.where(largest < 0, -1.0, 1.0)
    total = float((sizes**2).sum())
    explained = sizes**2 / total if total else np.zeros_like(sizes)
    if coordinates.shape[1] < AXES:  # vectors of length 1 have one component
        coordinates, explained = np.pad(coordinates, ((0, 0), (0, 1))), np.pad(explained, (0, 1))
    return PrincipalComponents(coordinates[:, :count], explained[:count])


def run(probe: Probe, inputs: Inputs, params: Embedding) -> Generator[Slice, None, EmbeddingResult]:
    """Return the principal components of the photos' activations, in slices of one pass.

    Raises:
        NonFinite: The activations of a photo are not finite. The error names the photo by its number.
    """
    features = yield from photo_features(probe, inputs.several, params)
    components = principal_components(features, params.components)
    return EmbeddingResult(features, components, tuple(each.photo for each in inputs.several), probe.description.name)


def draw(result: EmbeddingResult, photo: Photo | None, params: Embedding) -> Output:
    """Return the plot of the photos on the first two components, all coordinates, and the vectors."""
    del photo
    coordinates, explained = result.components.coordinates, result.components.explained
    facts = EmbeddingFacts(
        layer=params.layer or "",
        dimensions=result.features.shape[1],
        explained_variance=tuple(explained.tolist()),
        photos=tuple(
            EmbeddedPhoto(image=image, number=number, position=(float(coordinates[number, 0]), float(coordinates[number, 1])))
            for number, image in enumerate(params.images)
        ),
    )
    thumbnails = [
        Thumbnail(each.image, (float(x), float(y)), str(number))
        for number, (each, (x, y)) in enumerate(zip(result.photos, coordinates[:, :AXES], strict=True))
    ]
    plot = thumbnail_plot(
        thumbnails,
        f"{Embedding.card.title} · {result.model} · {facts.layer}",
        across=f"component 1: {explained[0]:.0%} of the variance",
        up=f"component 2: {explained[1]:.0%} of the variance",
        side=params.thumbnail,
    )
    artifacts = (
        Picture("plot", plot, primary=True),
        Array("coordinates", coordinates.astype(np.float32)),
        Array("features", result.features),
    )
    return Output(artifacts, facts, tuple(_warnings(result)))


def _warnings(result: EmbeddingResult) -> Iterator[str]:
    shown = float(result.components.explained[:AXES].sum())
    if not result.components.explained.any():
        yield "The layer gives the same vector for all photos, so all lie in one place."
    elif shown < LITTLE:
        yield f"The two axes explain only {shown:.0%} of the variance, so photos that lie side by side may differ much in the layer."
