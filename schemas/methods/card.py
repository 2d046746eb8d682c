"""The card of a method: how `GET /v1/methods` and the method pages describe it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from schemas.artifacts import ArtifactKind, DocumentType
from schemas.methods.facts import Facts

Family = Literal[
    "cam",
    "gradients",
    "relevance",
    "attention",
    "perturbation",
    "evaluation",
    "concepts",
    "sets",
    "interventions",
    "inspection",
    "synthesis",
]
"""The folder of a method in `schemas/methods` and in `workers/methods`."""

FAMILY_TITLES: dict[Family, str] = {
    "cam": "Where does the model look for the class?",
    "gradients": "Which pixels does the class depend on?",
    "relevance": "How is the class's score shared among the pixels?",
    "attention": "What does a vision transformer attend to?",
    "perturbation": "Which parts are missed when they are covered?",
    "evaluation": "How true is the map?",
    "concepts": "Which parts and concepts does the model work with?",
    "sets": "What do several photos, or several models, have in common?",
    "interventions": "What follows if the photo or the network is changed?",
    "inspection": "What is inside the model, and what does it answer?",
    "synthesis": "What does a channel or a class look for?",
}
"""The question that the methods of a family answer, in the order in which the families are listed."""

Lane = Literal["fast", "slow"]
"""The queue of a method. Fast methods run in batches; slow ones run in slices, so that fast jobs can go in between."""


@dataclass(frozen=True)
class ArtifactSpec:
    """An artifact that a method makes.

    Attributes:
        name: the artifact's name. It may hold `{layer}` or `{channel}` if there is one artifact for each layer or channel.
        kind: what the artifact is.
        description: a sentence for callers, with shape, dtype and size.
        primary: true for the image that the one-line form answers with. A method has at most one.
        media_type: the media type of a document; None for every other kind.
        optional: true if a job may lack the artifact. The description then says when, or the job's warnings say why.
    """

    name: str
    kind: ArtifactKind
    description: str
    primary: bool = False
    media_type: DocumentType | None = None
    optional: bool = False


@dataclass(frozen=True)
class MethodCard:
    """A method as `GET /v1/methods` shows it.

    Attributes:
        name: the method's name in requests and addresses, and the name of its modules in `schemas/methods` and `workers/methods`.
        title: the method's name in words.
        summary: one or two sentences that say what the result shows.
        reference: the paper or the source of the method.
        formula: the arithmetic in one line.
        cost: how often the model runs, forward and backward.
        how_to_read: what a viewer can conclude from the picture, in two to four sentences.
        when_it_misleads: what the picture does not say, or says wrongly, in two to four sentences.
        needs_image: true if a request carries the image to look at.
        lane: the queue that the method runs in.
        artifacts: all artifacts that the method can make.
        facts: the class of the method's facts.
        example: the `params` of an example request that any image classifier accepts. The contract tests run it.
        needs_model: false if the method works on the image alone, without the device.
        forward_only: true if the method only runs the model and reads its outputs, so that it also works with ONNX and TFLite files.
    """

    name: str
    title: str
    summary: str
    reference: str
    formula: str
    cost: str
    how_to_read: str
    when_it_misleads: str
    needs_image: bool
    lane: Lane
    artifacts: tuple[ArtifactSpec, ...]
    facts: type[Facts]
    example: dict[str, JsonValue]
    needs_model: bool = True
    forward_only: bool = False
