"""The parameters and facts of `dff`: the parts into which photos fall in a layer's activations."""

from __future__ import annotations

import math
from typing import ClassVar

from pydantic import Field

from schemas.errors import InvalidParameters, LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts, Prediction
from schemas.methods.photo_names import PhotoNamesParams
from schemas.methods.precision import PrecisionParams
from schemas.methods.target_layer import TargetLayerParams
from schemas.models import Layer, PublishedModel

MOST_PARTS = 12
MOST_PHOTOS = 16


class PhotoPart(Facts):
    """A part that was found in the photos."""

    number: int = Field(description="This is the number of the part, counted from 0. The part with the largest share is first.")
    share: float = Field(description="This is the part's share in the sum of all activations that the parts rebuild, 0-1.")
    classes: tuple[Prediction, ...] = Field(
        description=(
            "These are the top classes if the layer had the part's vector at every position, the highest first. There are none if "
            "`labelled` is false, or if the part is zero everywhere."
        )
    )


class DffFacts(Facts):
    """The parts, and how well they rebuild the activations."""

    layer: str = Field(description="This is the path of the layer.")
    parts: tuple[PhotoPart, ...] = Field(description="These are the parts, the one with the largest share first.")
    labelled: bool = Field(
        description=(
            "It is true if the model's class scores depend only on the layer's mean over all positions, as with global average pooling "
            "and dense layers. Only then do the parts have classes."
        )
    )
    relative_error: float = Field(description="This is ‖A − W·H‖ / ‖A‖ over all photos. 0 means that the parts rebuild everything.")
    relative_errors: tuple[float, ...] = Field(description="These are the same for each photo alone, in the order of `images`.")
    iterations: int = Field(description="This is the number of iterations of the factorization.")
    converged: bool = Field(description="It is false if the factorization stopped at `max_iterations`.")


class Dff(TargetLayerParams, PrecisionParams, PhotoNamesParams):
    """The parts into which photos fall in a layer's activations, as colours on the photos."""

    card: ClassVar[MethodCard] = MethodCard(
        name="dff",
        title="Deep feature factorization",
        summary=(
            "This divides one photo or several into parts that a layer treats alike, such as heads, bodies and backgrounds. A part has the "
            "same colour in all photos. If the model averages the layer before its classes, each part has the classes that it speaks for."
        ),
        reference="Collins et al., Deep Feature Factorization for Concept Discovery, ECCV 2018, arXiv:1806.10206",
        formula=(
            "A ≈ W·H with W, H ≥ 0 and least ‖A − W·H‖²; A is max(0, activation), with a row for each position of each photo and a column "
            "for each channel; column p of W is the map of part p, and row p of H its vector"
        ),
        cost=(
            "Up to two forward passes for each photo, two from the layer on, and the factorization, which takes a few seconds for 16 maps "
            "of 14 × 14."
        ),
        how_to_read=(
            "Places of one colour have like activations, in all photos, so the model sees the same kind of thing there. The legend has "
            "each part's share in the activations, and the classes that the model would answer if the part were everywhere. A large "
            "`relative_error` means that more parts are hidden: try more `parts` or another layer."
        ),
        when_it_misleads=(
            "The number of parts is a choice, and other numbers cut the photo elsewhere. A part need not be a thing that people have a "
            "word for, and its classes are those of its vector alone: the model never saw such a photo. Negative activations are left out."
        ),
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec("sheet", "image", "This shows each photo beside its parts in colours, with a legend below them.", primary=True),
            ArtifactSpec("parts", "image", "This has a row for each part: its map as heat on each photo."),
            ArtifactSpec(
                "maps.{image}",
                "array",
                "These are the maps of all parts (parts, h, w) float32 for each photo, by its place in `images`. The largest value of a "
                "part in all photos is 1.",
            ),
            ArtifactSpec(
                "vectors",
                "array",
                "These are the vectors of the parts (parts, channels) float32, in units of the activations where the map is 1.",
            ),
        ),
        facts=DffFacts,
        example={"images": [f"img_{digit * 64}" for digit in "abc"], "layer": None, "parts": 3},
    )

    parts: int = Field(default=5, ge=1, le=MOST_PARTS, description="This is the number of parts.")
    top: int = Field(default=2, ge=1, le=10, description="This is the number of classes that each part gets in the facts and the legend.")
    max_iterations: int = Field(default=200, ge=1, le=2000, description="The factorization stops after so many iterations at the latest.")
    tolerance: float = Field(
        default=1e-4,
        ge=0,
        lt=1,
        description="The factorization stops when an iteration changes less than this share of what the first one has changed.",
    )
    annotate: bool = Field(default=True, description="If it is true, the pictures have a title.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Dff:
        self.check_count(limits)
        check_photos(len(self.images), self.card.name)
        layer = model.description.layer_at(self.resolve_layer(model))
        check_parts(self.parts, layer, len(self.images), "/params/parts")
        return self.changed(layer=layer.path)


def check_photos(count: int, method: str) -> None:
    """Raise `LimitExceeded` if there are more photos than a picture can show."""
    if count > MOST_PHOTOS:
        raise LimitExceeded(
            f"{method} reads at most {MOST_PHOTOS} images, got {count}.",
            pointer="/params/images",
            allowed=f"at most {MOST_PHOTOS}",
            got=str(count),
        )


def check_parts(parts: int, layer: Layer, photos: int, pointer: str) -> None:
    """Raise `InvalidParameters` if a layer has fewer channels, or `photos` photos have fewer positions, than there shall be parts."""
    check_channels_suffice(parts, layer, pointer, "parts")
    grid = layer.token_grid
    sides = layer.output_shape[:2] if grid is None else (grid.height, grid.width)
    positions = math.prod(side for side in sides if side is not None) * photos
    if None not in sides and parts > positions:
        where = f"{photos} photo" if photos == 1 else f"{photos} photos"
        raise too_many(parts, positions, f"Layer '{layer.path}' has {positions} positions in {where}", pointer, "parts")


def check_channels_suffice(count: int, layer: Layer, pointer: str, what: str) -> None:
    """Raise `InvalidParameters` if a layer has fewer channels than there shall be parts. `what` names the parts."""
    if layer.channels is not None and count > layer.channels:
        raise too_many(count, layer.channels, f"Layer '{layer.path}' has {layer.channels} channels", pointer, what)


def too_many(count: int, most: int, why: str, pointer: str, what: str) -> InvalidParameters:
    """Return the error for more parts than there can be. `why` begins the sentence, and `what` names the parts."""
    named = what.removesuffix("s") if most == 1 else what
    detail = f"{why}, so there can be at most {most} {named}, got {count}."
    return InvalidParameters(detail, pointer=pointer, allowed=f"1 to {most}", got=str(count))
