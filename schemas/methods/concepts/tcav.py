"""The parameters and facts of `tcav`: how often a class's score grows towards a concept that sets of photos define."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from schemas.errors import InvalidParameters, LimitExceeded, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.channels import layer_with_channels
from schemas.methods.concepts.tcav_facts import TcavFacts
from schemas.methods.photo_sets import PhotoSetReference, PhotoSetsParams
from schemas.methods.precision import PrecisionParams
from schemas.methods.target_class import class_output
from schemas.methods.target_layer import default_layer
from schemas.methods.targets import ClassSelector
from schemas.models import Layer, LayerPath, PublishedModel

LEAST_PHOTOS = 2
"""A set has at least so many photos: accuracies come from photos that a vector was not fitted to."""
MOST_BYTES = 2**30
"""The activations of all photos of the sets, which are in memory together, have at most so many bytes."""

ConceptPooling = Literal["none", "mean"]


def _example_set(name: str, digits: str) -> JsonValue:
    return {"name": name, "images": [f"img_{digit * 64}" for digit in digits]}


class Tcav(PrecisionParams, PhotoSetsParams):
    """Says how often the score of a class grows towards a concept, against directions that mean nothing."""

    set_fields: ClassVar[tuple[str, ...]] = ("concepts", "random_sets")

    card: ClassVar[MethodCard] = MethodCard(
        name="tcav",
        title="TCAV",
        summary=(
            "This tests whether a concept of your own, such as stripes, matters to a class. Some photos show the concept, and sets of "
            "random photos do not. The score is the share of the class's photos whose class score grows towards the concept in a layer."
        ),
        reference=(
            "Kim et al., Interpretability Beyond Feature Attribution: Quantitative Testing with Concept Activation Vectors, ICML 2018, "
            "arXiv:1711.11279"
        ),
        formula=(
            "v separates the activations a of the concept's photos from those of a random set: least mean log(1 + exp(−y·(v·a + b))) + "
            "penalty/2·‖v‖²; score = share of the class's photos x with ∇logit(a(x))·v > 0; p is that of a two-sided t-test of a concept's "
            "scores over all random sets against the scores of random sets"
        ),
        cost="A forward pass for each photo of the sets, a gradient pass for each photo of the class, and the vectors, a few ms each.",
        how_to_read=(
            "A bar far above the grey one means that the class's score mostly grows when the photo becomes more like the concept, and "
            "far below that it mostly falls. Stars say that random photos hardly ever give such scores: * p < 0.05, ** p < 0.01, "
            "*** p < 0.001, corrected for the number of concepts. The line at each bar is the standard deviation over the random sets."
        ),
        when_it_misleads=(
            "A concept is what its photos have in common against the random ones, and that may be their background or their colours. If "
            "the accuracy is near 0.5, the layer does not know the concept, and its score means nothing. The score counts signs only, so a "
            "weak influence on every photo gives 1. With few random sets, chance can hardly be ruled out: the authors take 10 and more."
        ),
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec("sheet", "image", "This shows the score of each concept as a bar, and below it photos of each.", primary=True),
            ArtifactSpec(
                "scores", "array", "These are the scores (concepts, random sets) float32 of each concept against each random set."
            ),
            ArtifactSpec(
                "random_scores",
                "array",
                "These are the scores (random sets,) float32 of each random set against the next. They are there from three sets on.",
                optional=True,
            ),
            ArtifactSpec(
                "derivatives",
                "array",
                "These are the derivatives (concepts, random sets, images) float32 of the class's logit along each vector, which has the "
                "length 1.",
            ),
            ArtifactSpec(
                "vectors",
                "array",
                "This is the mean vector of each concept over the random sets, float32 (concepts, …), where … is the shape of the layer, "
                "or its channels if `pool` is mean.",
            ),
        ),
        facts=TcavFacts,
        example={
            "images": [f"img_{digit * 64}" for digit in "abc"],
            "layer": None,
            "class_index": None,
            "concepts": [_example_set("stripes", "de"), _example_set("dots", "f0")],
            "random_sets": [_example_set("random 1", "12"), _example_set("random 2", "34"), _example_set("random 3", "56")],
        },
    )

    layer: LayerPath | None = Field(
        default=None,
        description="This is the path of the layer, any from which the class score is computed. If it is null, the model's default target "
        "layer is used.",
    )
    class_index: ClassSelector | None = Field(
        default=None,
        description=(
            "This is the class whose photos are in `images`: a class index or a label. If it is null, it is the class that is the top "
            "class of most photos."
        ),
    )
    concepts: tuple[PhotoSetReference, ...] = Field(
        min_length=1,
        max_length=16,
        description=(
            'These are the concepts, each a set of photos that show it: the id of a set, or `{"name": …, "images": […]}`. Each has at '
            "least 2 photos; 30 or more make good vectors."
        ),
    )
    random_sets: tuple[PhotoSetReference, ...] = Field(
        min_length=1,
        max_length=64,
        description=(
            "These are sets of random photos that do not show the concepts, written like `concepts`. Each gives every concept another "
            "vector. Chance can be ruled out from three sets on, and 10 or more are better. Sets without common photos are best."
        ),
    )
    pool: ConceptPooling | None = Field(
        default=None,
        description=(
            "With `none`, a vector has a value for each position and channel of the layer, as the authors do it. With `mean`, it has a "
            "value for each channel, and is the same at all positions; this needs fewer photos. If it is null, it is `none`, or `mean` if "
            "the layer's size depends on the photo."
        ),
    )
    penalty: float = Field(
        default=0.01,
        ge=1e-6,
        le=100,
        description=(
            "This is the weight of the vector's length in the fit, for activations whose mean squared distance from their mean is 1. The "
            "larger it is, the more the vector is like the difference of the two means."
        ),
    )
    annotate: bool = Field(default=True, description="If it is true, the picture has a title.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Tcav:
        self.check_count(limits)
        self.check_sets()
        head = class_output(model, None)
        chosen = None if self.class_index is None else model.class_index_of(self.class_index)
        layer = layer_with_channels(model, self.layer or default_layer(model))
        if head.layer is not None and not model.description.is_computed_from(head.layer, layer.path):
            raise _not_before_the_score(model, layer)
        varies = None in layer.output_shape
        if varies and self.pool == "none":
            raise UnsuitableLayer(
                f"The size of layer '{layer.path}' depends on the photo (output {layer.output_shape}), so `pool` must be mean.",
                pointer="/params/pool",
                allowed="mean",
                got="none",
            )
        pool = self.pool or ("mean" if varies else "none")
        self._check_bytes(layer, pool)
        return self.changed(layer=layer.path, class_index=chosen, pool=pool)

    def check_sets(self) -> None:
        """Raise `InvalidParameters` if a set has too few photos."""
        for pointer, name, count in self._sizes():
            if count < LEAST_PHOTOS:
                raise InvalidParameters(
                    f"Set '{name}' has {count} photo, and each set needs at least {LEAST_PHOTOS}.",
                    pointer=pointer,
                    allowed=f"at least {LEAST_PHOTOS}",
                    got=str(count),
                )

    def _sizes(self) -> Iterator[tuple[str, str, int]]:
        for field in self.set_fields:
            for number, each in enumerate(self.photo_sets(field)):
                yield f"/params/{field}/{number}", each.name, len(each.images)

    def _check_bytes(self, layer: Layer, pool: ConceptPooling) -> None:
        values = (layer.channels or 1) if pool == "mean" else math.prod(side or 1 for side in layer.output_shape)
        photos = len({image for field in self.set_fields for each in self.photo_sets(field) for image in each.images})
        if (size := 4 * values * photos) > MOST_BYTES:
            raise LimitExceeded(
                f"Layer '{layer.path}' has {values:,} values, which are {size / 2**30:.1f} GiB for {photos} photos; "
                f"{MOST_BYTES / 2**30:.0f} GiB is allowed. Set `pool` to mean, or name a smaller layer or fewer photos.",
                pointer="/params/layer",
                allowed=f"at most {MOST_BYTES} bytes",
                got=str(size),
            )


def _not_before_the_score(model: PublishedModel, layer: Layer) -> UnsuitableLayer:
    near = [other.path for other in model.description.layers if other.cam_able][-5:]
    return UnsuitableLayer(
        f"The class score is not computed from layer '{layer.path}' ({layer.type}, output {layer.output_shape}). Layers from which it is "
        f"computed include: {', '.join(near) or 'none'}.",
        pointer="/params/layer",
        got=layer.path,
        nearest=near,
    )
